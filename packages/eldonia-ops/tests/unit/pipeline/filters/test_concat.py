"""Lines that belong together."""

from typing import Any

import pytest
from fluent_conf import NOW_MS, NOW_NS, batch, filter_with, made
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.held_lines import MAX_BYTES

REGEXP = "@type concat\nkey log\nmultiline_start_regexp /^>/\n"


def run(text: str, lines: list[str], **fields: Any) -> tuple[list[str], int]:
    one = filter_with(text)
    found, state = one.step(one.start(), batch(*({"log": line, **fields} for line in lines)), NOW_MS)
    return [event.record["log"] for event in found.events], one.held(state)


@pytest.mark.parametrize(
    ("text", "lines", "found", "held"),
    [
        ("@type concat\nkey log\nn_lines 2", ["a", "b", "c"], ["a\nb"], 1),
        ("@type concat\nkey log\nn_lines 2\nseparator ''", ["a", "b"], ["ab"], 0),
        (REGEXP, [">a", "b", ">c", "d"], [">a\nb"], 2),
        (REGEXP, ["x", ">a", "b"], ["x"], 2),
        (REGEXP + "multiline_end_regexp /<$/", [">a", "b<", "c", ">d<"], [">a\nb<", "c", ">d<"], 0),
        (REGEXP + "continuous_line_regexp /^ /", [">a", " b", "c", "d"], [">a\n b", "c", "d"], 0),
        ("@type concat\nkey log\nmultiline_end_regexp /;$/", ["a", "b;", "c"], ["a\nb;"], 1),
    ],
)
def test_modes(text: str, lines: list[str], found: list[str], held: int):
    assert run(text, lines) == (found, held)


def test_parts_of_docker_and_cri():
    one = filter_with("@type concat\nkey log\npartial_key partial_message\npartial_value true\nseparator ''")
    found, state = one.step(
        one.start(), batch({"log": "a", "partial_message": "true"}, {"log": "b"}, {"log": "c"}), NOW_MS
    )
    assert [event.record for event in found.events] == [{"log": "ab"}, {"log": "c"}]
    one = filter_with("@type concat\nkey log\nuse_partial_cri_logtag true\nseparator ''")
    lines = [("a", "P", "stdout"), ("x", "P", "stderr"), ("b", "F", "stdout"), ("y", "F", "stderr")]
    records = [{"log": log, "logtag": tag, "stream": stream} for log, tag, stream in lines]
    found, state = one.step(one.start(), batch(*records), NOW_MS)
    assert [event.record for event in found.events] == [
        {"log": "ab", "stream": "stdout"},
        {"log": "xy", "stream": "stderr"},
    ]
    assert one.held(state) == 0


def test_streams_and_tags_are_apart():
    one = filter_with("@type concat\nkey log\nn_lines 2\nstream_identity_key id")
    found, state = one.step(one.start(), batch({"log": "a", "id": 1}, {"log": "b", "id": 2}), NOW_MS)
    assert (found.events, one.held(state)) == ((), 2)
    found, state = one.step(state, batch({"log": "c", "id": 1}), NOW_MS)
    assert [event.record["log"] for event in found.events] == ["a\nc"]
    found, state = one.step(state, batch({"log": "d", "id": 2}, tag="other"), NOW_MS)
    assert one.held(state) == 2


def test_what_waits_for_too_long_goes_on_or_to_its_label():
    one = filter_with(REGEXP + "flush_interval 5s\ntimeout_label @late\nuse_first_timestamp true")
    some = Batch("t", (Event(NOW_NS, {"log": ">a"}), Event(NOW_NS + 7, {"log": "b"})))
    _, state = one.step(one.start(), some, NOW_MS)
    assert one.next_deadline(state) == NOW_MS + 5_000
    assert one.expired(state, NOW_MS + 4_999) == ((), state)
    (late,), after = one.expired(state, NOW_MS + 5_000)
    assert late == ("@late", Batch("t", (Event(NOW_NS, {"log": ">a\nb"}),)))
    assert (after, one.next_deadline(after)) == ({}, None)
    assert one.finished(state)[0] == (late,)


def test_the_time_is_that_of_the_last_line_unless_asked_for():
    one = filter_with("@type concat\nkey log\nn_lines 2")
    found, _ = one.step(one.start(), Batch("t", (Event(1, {"log": "a"}), Event(2, {"log": "b"}))), NOW_MS)
    assert found.events[0].time_ns == 2


def test_what_has_no_such_field_passes():
    one = filter_with(REGEXP)
    found, state = one.step(one.start(), batch({"other": 1}), NOW_MS)
    assert (len(found.events), one.held(state)) == (1, 0)


def test_what_is_held_back_is_bounded():
    line = "x" * (MAX_BYTES // 4)
    found, held = run("@type concat\nkey log\nn_lines 100", [line] * 9)
    assert (len(found), held) == (2, 1)


@pytest.mark.parametrize("text", ["", "n_lines 2\nmultiline_start_regexp /a/", "multiline_start_regexp /(?=a)/"])
def test_faults(text: str):
    assert made(f"@type concat\nkey log\n{text}")[0] is None


@given(st.lists(st.sampled_from([">a", "b", "c"]), max_size=20), st.integers(1, 5))
def test_nothing_is_lost_or_doubled(lines: list[str], size: int):
    one = filter_with(REGEXP)
    state, found = one.start(), []
    for at in range(0, len(lines), size):
        some, state = one.step(state, batch(*({"log": line} for line in lines[at : at + size])), NOW_MS)
        found += [event.record["log"] for event in some.events]
    last, state = one.finished(state)
    found += [event.record["log"] for _, some in last for event in some.events]
    assert "\n".join(found) == "\n".join(lines)
    assert one.held(state) == 0
