"""Events through rules, labels and filters."""

import pytest
from fluent_conf import HOST, NOW_MS, NOW_NS, batch, pipeline
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.grep import Grep
from eldonia_ops.pipeline.routing import MAX_HOPS, Routed, Router

SEED_LIKE = """
<filter app.**>
  @type record_transformer
  <record>
    hostname "#{Socket.gethostname}"
  </record>
</filter>
<match app.error>
  @type null
  @id errors
</match>
<match app.**>
  @type null
  @id all
</match>
<match app.**>
  @type null
  @id never
</match>
"""


def routed(text: str, some: Batch, label: str = "") -> Routed:
    router = Router(pipeline(text))
    return router.route(router.start(), some, NOW_MS, label=label)


def delivered(found: Routed) -> list[tuple[str, str, list[dict]]]:
    return [(one.output.id, one.batch.tag, [event.record for event in one.batch.events]) for one in found.deliveries]


def test_filters_in_order_and_the_first_match():
    assert delivered(routed(SEED_LIKE, batch({"a": 1}, tag="app.web"))) == [
        ("all", "app.web", [{"a": 1, "hostname": HOST}])
    ]
    assert [one[0] for one in delivered(routed(SEED_LIKE, batch({}, tag="app.error")))] == ["errors"]


def test_what_no_match_takes_is_lost_with_the_reason():
    found = routed(SEED_LIKE, batch({"a": 1}, tag="other"))
    assert found.deliveries == []
    assert [(one.tag, reason) for one, reason in found.lost] == [("other", "no <match> takes the tag other")]


def test_a_filter_behind_the_match_does_nothing():
    found = routed(
        "<match a>\n@type null\n</match>\n<filter a>\n@type record_transformer\n<record>\nx 1\n</record>\n</filter>",
        batch({"k": 1}, tag="a"),
    )
    assert delivered(found)[0][2] == [{"k": 1}]


LABELS = """
<source>
  @type sample
  tag t
  @label @in
</source>
<label @in>
  <filter **>
    @type parser
    key_name log
    <parse>
      @type json
    </parse>
  </filter>
  <match to.top>
    @type relabel
    @label @ROOT
  </match>
  <match **>
    @type relabel
    @label @out
  </match>
</label>
<label @out>
  <match **>
    @type null
    @id out
  </match>
</label>
<label @ERROR>
  <match **>
    @type null
    @id error
  </match>
</label>
<match **>
  @type null
  @id top
</match>
"""


def test_labels_and_relabel_and_error():
    some = batch({"log": '{"a": 1}'}, {"log": "{"}, {"log": '{"a": 2}'}, tag="x")
    found = routed(LABELS, some, "@in")
    assert delivered(found) == [("error", "x", [{"log": "{"}]), ("out", "x", [{"a": 1}, {"a": 2}])]
    assert found.lost == []
    assert [one[0] for one in delivered(routed(LABELS, batch({"log": "{}"}, tag="to.top"), "@in"))] == ["top"]


def test_a_circle_ends():
    text = """
<label @a>
  <match **>
    @type relabel
    @label @a
  </match>
</label>
"""
    found = routed(text, batch({}), "@a")
    assert f"more than {MAX_HOPS} times" in found.lost[0][1]


def test_without_error_label_what_is_refused_is_lost():
    text = (
        "<filter **>\n@type parser\nkey_name log\n<parse>\n@type json\n</parse>\n</filter>\n"
        "<match **>\n@type null\n</match>"
    )
    found = routed(text, batch({"log": "x"}))
    assert found.deliveries == []
    assert found.lost[0][1].startswith("parser: it is no JSON")


def test_a_label_that_is_not_there():
    found = routed(SEED_LIKE, batch({}), "@gone")
    assert found.lost[0][1] == "there is no label @gone"


HELD = """
<filter **>
  @type concat
  key log
  n_lines 3
  flush_interval 5
</filter>
<filter **>
  @type record_transformer
  <record>
    seen ${tag}
  </record>
</filter>
<match **>
  @type null
</match>
"""


def test_what_filters_hold_back_goes_on_behind_them():
    router = Router(pipeline(HELD))
    state = router.start()
    assert router.remembers
    assert router.next_deadline(state) is None
    found = router.route(state, batch({"log": "a"}, {"log": "b"}, tag="x"), NOW_MS)
    assert (found.deliveries, router.held(found.state), router.held(state)) == ([], 2, 0)
    assert router.next_deadline(found.state) == NOW_MS + 5_000
    assert router.expired(found.state, NOW_MS + 4_999).deliveries == []
    later = router.expired(found.state, NOW_MS + 5_000)
    assert delivered(later)[0][2] == [{"log": "a\nb", "seen": "x"}]
    assert router.held(later.state) == 0
    assert delivered(router.finished(found.state, NOW_MS))[0][2] == [{"log": "a\nb", "seen": "x"}]


def test_a_batch_that_was_not_delivered_can_be_offered_again():
    router = Router(pipeline(HELD))
    first = router.route(router.start(), batch({"log": "a"}, {"log": "b"}), NOW_MS)
    once = router.route(first.state, batch({"log": "c"}), NOW_MS)
    again = router.route(first.state, batch({"log": "c"}), NOW_MS)
    assert delivered(once) == delivered(again)
    assert delivered(once)[0][2] == [{"log": "a\nb\nc", "seen": "app.web"}]


REWRITE = """
<match raw.**>
  @type rewrite_tag_filter
  <rule>
    key level
    pattern /^(error|warn)$/
    tag $1.${tag}
  </rule>
  <rule>
    key level
    pattern /^debug$/
    tag x
    label @debug
  </rule>
</match>
<match error.**>
  @type null
  @id errors
</match>
<match warn.raw.a>
  @type null
  @id warnings
</match>
<label @debug>
  <match **>
    @type null
    @id debug
  </match>
</label>
"""


def test_tags_that_are_rewritten():
    some = batch({"level": "error"}, {"level": "warn"}, {"level": "debug"}, {"level": "other"}, {}, tag="raw.a")
    found = routed(REWRITE, some)
    assert [(one[0], one[1]) for one in delivered(found)] == [
        ("errors", "error.raw.a"),
        ("warnings", "warn.raw.a"),
        ("debug", "x"),
    ]


def test_detect_exceptions_as_a_match_takes_a_prefix_off_the_tag():
    text = """
<match raw.**>
  @type detect_exceptions
  remove_tag_prefix raw
  message log
</match>
<match app>
  @type null
</match>
"""
    router = Router(pipeline(text))
    lines = ["Traceback (most recent call last):", '  File "a.py", line 1, in f', "    g()", "ValueError: x", "next"]
    found = router.route(router.start(), batch(*({"log": line} for line in lines), tag="raw.app"), NOW_MS)
    records = [event.record["log"] for one in found.deliveries for event in one.batch.events]
    assert records == ["\n".join(lines[:4]), "next"]
    assert found.deliveries[0].batch.tag == "app"
    held = router.route(router.start(), batch({"log": lines[0]}, tag="raw.app"), NOW_MS)
    assert [one.batch.tag for one in router.expired(held.state, NOW_MS + 1_000).deliveries] == ["app"]


def test_a_fault_of_ours_in_one_event_stops_no_other(monkeypatch: pytest.MonkeyPatch):
    text = "<filter **>\n@type grep\nexclude1 a no\n</filter>\n<match **>\n@type null\n</match>"
    router = Router(pipeline(text))
    passes = Grep._passes

    def broken(self: Grep, event: Event) -> bool:
        if event.record["a"] == "bad":
            raise KeyError("x")
        return passes(self, event)

    monkeypatch.setattr(Grep, "_passes", broken)
    found = router.route(router.start(), batch({"a": 1}, {"a": "bad"}, {"a": "no"}, {"a": 2}), NOW_MS)
    assert delivered(found)[0][2] == [{"a": 1}, {"a": 2}]
    assert [(one.events[0].record, reason) for one, reason in found.lost] == [
        ({"a": "bad"}, "grep: a fault of our own: KeyError")
    ]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(1, 5))
def test_no_event_is_lost_or_doubled_however_batches_are_cut(numbers: list[int], size: int):
    """A counted join gives the same events however the lines come."""
    router = Router(pipeline(HELD))
    lines = [{"log": str(number)} for number in numbers]

    def all_of(batches: list[list[dict]]) -> list[str]:
        state, found = router.start(), []
        for some in batches:
            events = tuple(Event(NOW_NS, record) for record in some)
            one = router.route(state, Batch("t", events), NOW_MS)
            state = one.state
            found += [event.record["log"] for out in one.deliveries for event in out.batch.events]
        last = router.finished(state, NOW_MS)
        return found + [event.record["log"] for out in last.deliveries for event in out.batch.events]

    cut = [lines[at : at + size] for at in range(0, len(lines), size)]
    assert all_of(cut) == all_of([lines])
    assert "\n".join(all_of(cut)) == "\n".join(str(number) for number in numbers)
