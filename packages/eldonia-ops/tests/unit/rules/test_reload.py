"""Rules that change while their alerts wait and fire."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.labels import Labels
from eldonia_ops.promql import parse
from eldonia_ops.rules import (
    AlertingRule,
    AlertState,
    GroupMemory,
    RecordingRule,
    RuleGroup,
    RuleGroupState,
    RuleRenderer,
    evaluate_rule,
    reload,
)

MINUTE = 60_000
T0 = 1_700_000_000_000


def alert(name: str = "Down", query: str = "up == 0", for_minutes: int = 2, **labels: str) -> AlertingRule:
    return AlertingRule(name, query, parse(query), for_minutes * MINUTE, labels=Labels({"severity": "page", **labels}))


def record(name: str = "job:up", query: str = "sum(up)") -> RecordingRule:
    return RecordingRule(name, query, parse(query))


def group(*rules, name: str = "g", file: str = "f.yml", **options) -> RuleGroup:
    return RuleGroup(name, tuple(rules), MINUTE, file=file, **options)


SERIES = [(Labels({"__name__": "up", "job": "shop"}), 0.0)]


def evaluated(groups, minutes: int, vector=SERIES, memory=None) -> dict[str, GroupMemory]:
    """The memory after an evaluation each minute, the last one at ``minutes``."""
    memory = dict(memory or {})
    for at in range(minutes + 1):
        for one in groups:
            known = memory.get(one.key, GroupMemory())
            states, written = {}, {}
            for key, rule in one.keyed_rules():
                before = known.written.get(key, frozenset())
                effects = evaluate_rule(one, rule, known.state.rule(key), vector, T0 + at * MINUTE, written=before)
                states[key], written[key] = effects.state, effects.written
            memory[one.key] = GroupMemory(RuleGroupState(states, T0 + at * MINUTE), written)
    return memory


def only(memory: GroupMemory):
    [found] = [alert for state in memory.state.rules.values() for alert in state.alerts.values()]
    return found


def test_a_pending_alert_keeps_its_clock_through_edits_around_it() -> None:
    before = [group(alert())]
    memory = evaluated(before, 1)
    after = [group(record(), alert("Other"), alert(), line=7)]
    found = reload(before, after, memory, T0 + 90_000)
    assert only(found.memory["f.yml;g"]) == only(memory["f.yml;g"])
    assert (found.ended, found.removed) == ((), frozenset())


def test_an_earlier_rule_of_the_same_name_that_goes_does_not_take_the_clock_along() -> None:
    low, high = alert(severity="ticket"), alert()
    before = [group(low, high)]
    memory = evaluated(before, 5)
    found = reload(before, [group(high)], memory, T0 + 5 * MINUTE)
    left = only(found.memory["f.yml;g"])
    assert (left.labels["severity"], left.active_at, left.state) == ("page", T0, AlertState.FIRING)
    [ended] = found.ended
    assert (ended.labels["severity"], ended.ends_at) == ("ticket", T0 + 5 * MINUTE)


def test_a_longer_for_makes_a_firing_alert_pending_again_and_a_shorter_one_does_not() -> None:
    before = [group(alert(for_minutes=2))]
    memory = evaluated(before, 5)
    assert only(memory["f.yml;g"]).state is AlertState.FIRING
    longer = [group(alert(for_minutes=10))]
    found = reload(before, longer, memory, T0 + 5 * MINUTE)
    waiting = only(found.memory["f.yml;g"])
    assert (waiting.state, waiting.active_at, waiting.fired_at) == (AlertState.PENDING, T0, 0)
    assert [one.ends_at for one in found.ended] == [T0 + 5 * MINUTE]
    assert only(evaluated(longer, 9, memory=found.memory)["f.yml;g"]).state is AlertState.PENDING
    assert only(evaluated(longer, 10, memory=found.memory)["f.yml;g"]).state is AlertState.FIRING
    # Long enough for both: it goes on firing.
    assert only(reload(before, [group(alert(for_minutes=4))], memory, T0 + 5 * MINUTE).memory["f.yml;g"]) == only(
        memory["f.yml;g"]
    )
    assert reload(before, [group(alert(for_minutes=1))], memory, T0 + 5 * MINUTE).ended == ()


def test_labels_that_are_written_otherwise_keep_the_clock() -> None:
    before = [group(alert(team="a", where="{{ $labels.job }}"))]
    memory = evaluated(before, 1)
    after = [group(alert(team="{{ if lt $value 1.0 }}down{{ else }}up{{ end }}", where="{{ $labels.job }}", more="x"))]
    found = reload(before, after, memory, T0 + MINUTE, render=RuleRenderer())
    moved = only(found.memory["f.yml;g"])
    assert moved.labels == {
        "alertname": "Down", "job": "shop", "severity": "page", "team": "down", "where": "shop", "more": "x",
    }  # fmt: skip
    assert (moved.active_at, moved.state) == (T0, AlertState.PENDING)
    [fingerprint] = [key for state in found.memory["f.yml;g"].state.rules.values() for key in state.alerts]
    assert fingerprint == Labels(moved.labels).fingerprint_hex
    # The next evaluation finds the same alert, not a new one.
    fired = evaluated(after, 2, memory=found.memory)["f.yml;g"]
    assert (only(fired).active_at, only(fired).state) == (T0, AlertState.FIRING)


def test_a_firing_alert_under_new_labels_ends_under_the_old_ones() -> None:
    before = [group(alert(team="a"))]
    memory = evaluated(before, 5)
    found = reload(before, [group(alert(team="b"))], memory, T0 + 5 * MINUTE)
    assert [one.labels["team"] for one in found.ended] == ["a"]
    moved = only(found.memory["f.yml;g"])
    assert (moved.labels["team"], moved.state, moved.active_at, moved.last_sent_at) == (
        "b", AlertState.FIRING, T0, 0,
    )  # fmt: skip


def test_a_label_that_only_a_query_can_tell_starts_anew() -> None:
    before = [group(alert(team="a"))]
    memory = evaluated(before, 5)
    asking = '{{ with query "up" }}{{ . | first | value }}{{ end }}'
    found = reload(before, [group(alert(team=asking))], memory, T0 + 5 * MINUTE)
    assert not any(state.alerts for state in found.memory["f.yml;g"].state.rules.values())
    assert [one.labels["team"] for one in found.ended] == ["a"]


def test_removed_rules_end_their_alerts_and_their_series() -> None:
    before = [group(alert(), record()), group(record("other:up"), name="h")]
    memory = evaluated(before, 5)
    found = reload(before, [group(record())], memory, T0 + 5 * MINUTE)
    assert [one.labels["alertname"] for one in found.ended] == ["Down"]
    assert found.removed == {"f.yml;h"}
    names = {labels.name for series in found.stale.values() for labels in series}
    assert names == {"ALERTS", "ALERTS_FOR_STATE", "other:up"}
    assert found.memory["f.yml;g"].written == {
        "f.yml;g;record;job:up;0": frozenset({Labels({"__name__": "job:up", "job": "shop"})})
    }


def test_a_rule_that_moves_to_another_file_takes_its_clock_and_its_series_along() -> None:
    before = [group(alert(), record())]
    memory = evaluated(before, 1)
    after = [group(record(), file="a.yml"), group(alert(), file="b.yml", name="new")]
    found = reload(before, after, memory, T0 + MINUTE)
    assert only(found.memory["b.yml;new"]).active_at == T0
    assert (found.ended, found.stale) == ((), {})
    assert found.removed == {"f.yml;g"}


def test_what_was_never_sent_is_not_ended() -> None:
    before = [group(alert(for_minutes=2))]
    found = reload(before, [], evaluated(before, 1), T0 + MINUTE)
    assert (found.ended, found.memory) == ((), {})


RULES = st.one_of(
    st.builds(
        alert,
        st.sampled_from(["A", "B"]),
        st.sampled_from(["up == 0", "up < 1"]),
        st.integers(0, 3),
        team=st.sampled_from(["x", "{{ $labels.job }}", "{{ $value }}"]),
    ),
    st.builds(record, st.sampled_from(["a:b", "c:d"]), st.sampled_from(["sum(up)", "max(up)"])),
)
GROUPS = st.lists(
    st.builds(lambda rules, name: group(*rules, name=name), st.lists(RULES, max_size=4), st.sampled_from("ghi")),
    max_size=3,
    unique_by=lambda one: one.key,
)


def series_of(before):
    """Several rules of one name and the same labels would yield one alert twice, which is a rule error."""
    return [(Labels({"__name__": "up", "job": job}), 0.0) for job in before]


@given(GROUPS, st.integers(0, 4), st.sets(st.sampled_from(["shop", "pay"])))
def test_equal_groups_change_nothing(groups: list[RuleGroup], minutes: int, jobs: set[str]) -> None:
    memory = evaluated(groups, minutes, series_of(sorted(jobs)))
    again = [
        replace(one, line=one.line + 3, rules=tuple(replace(rule, line=9) for rule in one.rules)) for one in groups
    ]
    found = reload(groups, again, memory, T0 + minutes * MINUTE + 1)
    assert found.memory == memory
    assert all(found.memory[key] is memory[key] for key in memory)
    assert (found.changed, found.removed, found.ended, found.stale) == (frozenset(), frozenset(), (), {})


@given(GROUPS, GROUPS, st.integers(0, 4))
def test_nothing_is_left_behind(before: list[RuleGroup], after: list[RuleGroup], minutes: int) -> None:
    now = T0 + minutes * MINUTE
    memory = evaluated(before, minutes)
    found = reload(before, after, memory, now)
    assert set(found.memory) == {one.key for one in after}
    firing = lambda some, sent: {  # noqa: E731
        key
        for one in some.values()
        for state in one.state.rules.values()
        for key, alert in state.alerts.items()
        if alert.state is AlertState.FIRING and (alert.last_sent_at or not sent)
    }
    was, ended = firing(memory, sent=True), {one.fingerprint for one in found.ended}
    # What the router knows as firing is held up by a rule, which may have come to its labels just now, or ends.
    assert was <= firing(found.memory, sent=False) | ended
    # Nothing counts as sent, or ends, that was not sent.
    assert firing(found.memory, sent=True) | ended <= was
    written = frozenset().union(*(series for one in memory.values() for series in one.written.values()))
    alive = frozenset().union(*(series for one in found.memory.values() for series in one.written.values()))
    assert written == alive | frozenset().union(*found.stale.values())
    # Every rule's key is one of its group.
    for one in after:
        keys = {key for key, _ in one.keyed_rules()}
        assert set(found.memory[one.key].state.rules) <= keys
        assert set(found.memory[one.key].written) <= keys
