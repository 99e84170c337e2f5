import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import is_stale
from eldonia_ops.promql import EvaluationError, parse
from eldonia_ops.rules import (
    AlertingRule,
    GroupState,
    Health,
    RecordingRule,
    RuleError,
    RuleGroup,
    plans,
    resume,
    scale,
    sequential,
    tick,
)
from eldonia_ops.rules.recording import step

T0 = 1_700_000_000_000


def recording(name, query, **options):
    return RecordingRule(name, query, parse(query), **options)


def alerting(name, query, **options):
    return AlertingRule(name, query, parse(query), **options)


def group(*rules, **options):
    return RuleGroup("g", rules, 30_000, file="f.yml", **options)


def test_recording_renames_and_adds_labels():
    wanted = recording("job:x:sum", "sum by (job) (x)", labels=Labels({"team": "a", "drop": ""}))
    (sample,) = step(wanted, [(Labels({"__name__": "x", "job": "j"}), 2.0)], T0)
    assert str(sample.labels) == 'job:x:sum{job="j", team="a"}'
    with pytest.raises(RuleError, match="same labelset"):
        step(wanted, [(Labels({"__name__": name}), 1.0) for name in "ab"], T0)


def test_a_tick_writes_alerts_and_ends_series_that_vanish():
    rules = group(recording("r", "x"), alerting("A", "x > 1"))
    one, two = Labels({"i": "1"}), Labels({"i": "2"})
    first = tick(rules, GroupState(), [[(one, 1.0), (two, 2.0)], [(two, 2.0)]], T0)
    assert [(str(item.labels), item.value) for item in first.samples[:2]] == [('r{i="1"}', 1.0), ('r{i="2"}', 2.0)]
    assert [alert.name for alert in first.alerts] == ["A"]
    second = tick(rules, first.state, [[(one, 1.0)], []], T0 + 30_000, written=first.written)
    ended = {str(item.labels) for item in second.samples if is_stale(__import__("numpy").array([item.value]))[0]}
    assert 'r{i="2"}' in ended
    assert any(name.startswith("ALERTS{") for name in ended)
    assert [item.kind.value for item in second.transitions] == ["resolved"]


def test_a_failed_query_keeps_alerts_and_shows_its_error():
    rules = group(alerting("A", "x > 1"))
    first = tick(rules, GroupState(), [[(Labels({"i": "1"}), 2.0)]], T0)
    second = tick(rules, first.state, [EvaluationError("too much")], T0 + 30_000, written=first.written)
    (state,) = second.state.rules.values()
    assert (state.health, state.last_error) == (Health.ERROR, "too much")
    assert len(state.alerts) == 1
    assert second.alerts == ()
    assert second.written == first.written


def test_rules_keep_their_keys_and_states_when_others_come_and_go():
    old = group(alerting("A", "x > 1"), alerting("B", "y > 1"))
    state = tick(old, GroupState(), [[(Labels({"i": "1"}), 2.0)], [(Labels({"i": "2"}), 2.0)]], T0).state
    new = group(alerting("C", "z > 1"), alerting("B", "y > 1"))
    resumed = resume(new, state, T0 + 30_000)
    assert list(resumed.rules) == ["f.yml;g;alert;B;0"]


def test_knows_when_rules_build_on_each_other():
    assert sequential(group(recording("r", "x"), alerting("A", "r > 1")))
    assert sequential(group(recording("r", "x"), alerting("A", '{__name__=~"r.*"} > 1')))
    assert not sequential(group(recording("r", "x"), alerting("A", "x > 1")))


def test_plans_look_back_by_the_query_offset():
    (wanted,) = plans(group(recording("r", "x"), query_offset_ms=60_000), T0)
    assert wanted.start_ms == T0 - 60_000


def test_scaling_divides_every_duration():
    original = group(
        alerting("A", "rate(x[5m] offset 1m) > 10", for_ms=120_000, keep_firing_for_ms=60_000), query_offset_ms=30_000
    )
    fast = scale(original, 60)
    (rule,) = fast.rules
    assert isinstance(rule, AlertingRule)
    assert (fast.interval_ms, fast.query_offset_ms, rule.for_ms, rule.keep_firing_for_ms) == (500, 500, 2_000, 1_000)
    assert rule.query == "rate(x[5s] offset 1s) > 10"
    assert rule.expr == parse(rule.query)
