import numpy as np
import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import HistogramSample, Sample, is_stale
from eldonia_ops.promql import EvaluationError, PromQLError, parse
from eldonia_ops.rules import (
    AlertingRule,
    RecordingRule,
    RuleError,
    RuleGroup,
    RuleGroupState,
    RuleHealth,
    RuleState,
    evaluate_rule,
    numbers,
    resume,
    rule_plan,
    scale,
    sequential,
    template_plan,
)
from eldonia_ops.rules.recording import step

T0 = 1_700_000_000_000


def recording(name, query, **options):
    return RecordingRule(name, query, parse(query), **options)


def alerting(name, query, **options):
    return AlertingRule(name, query, parse(query), **options)


def group(*rules, **options):
    return RuleGroup("g", rules, 30_000, file="f.yml", **options)


def test_histograms_are_recorded_as_they_are_and_alerts_see_zero():
    one = NativeHistogram(0, 1.0, 1.0, positive=((0, 1.0),))
    vector = [(Labels({"a": "1"}), one), (Labels({"a": "2"}), 2.0)]
    assert step(recording("r", "x"), vector, 5) == [
        HistogramSample(Labels({"__name__": "r", "a": "1"}), 5, one),
        Sample(Labels({"__name__": "r", "a": "2"}), 5, 2.0),
    ]
    assert [value for _, value in numbers(vector)] == [0.0, 2.0]


def test_recording_renames_and_adds_labels():
    wanted = recording("job:x:sum", "sum by (job) (x)", labels=Labels({"team": "a", "drop": ""}))
    (sample,) = step(wanted, [(Labels({"__name__": "x", "job": "j"}), 2.0)], T0)
    assert str(sample.labels) == 'job:x:sum{job="j", team="a"}'
    with pytest.raises(RuleError, match="same labelset"):
        step(wanted, [(Labels({"__name__": name}), 1.0) for name in "ab"], T0)


def test_an_evaluation_writes_alerts_and_ends_series_that_vanish():
    rules = group(recording("r", "x"), alerting("A", "x > 1"))
    one, two = Labels({"i": "1"}), Labels({"i": "2"})
    outcomes = [[(one, 1.0), (two, 2.0)], [(two, 2.0)]]
    first = [
        evaluate_rule(rules, rule, RuleState(), outcome, T0)
        for rule, outcome in zip(rules.rules, outcomes, strict=True)
    ]
    assert [(str(item.labels), item.value) for item in first[0].samples] == [('r{i="1"}', 1.0), ('r{i="2"}', 2.0)]
    assert [alert.name for alert in first[1].alerts] == ["A"]
    second = [
        evaluate_rule(rules, rule, before.state, outcome, T0 + 30_000, written=before.written)
        for rule, before, outcome in zip(rules.rules, first, [[(one, 1.0)], []], strict=True)
    ]
    samples = [sample for effects in second for sample in effects.samples]
    ended = {str(item.labels) for item in samples if is_stale(np.array([item.value]))[0]}
    assert 'r{i="2"}' in ended
    assert any(name.startswith("ALERTS{") for name in ended)
    assert [alert.resolved(T0 + 30_000) for alert in second[1].alerts] == [True]


def test_a_failed_query_keeps_alerts_and_shows_its_error():
    rules = group(alerting("A", "x > 1"))
    (rule,) = rules.rules
    first = evaluate_rule(rules, rule, RuleState(), [(Labels({"i": "1"}), 2.0)], T0)
    error = EvaluationError("too much")
    second = evaluate_rule(rules, rule, first.state, error, T0 + 30_000, written=first.written)
    assert (second.state.health, second.state.last_error) == (RuleHealth.ERROR, "too much")
    assert len(second.state.alerts) == 1
    assert second.alerts == ()
    assert second.written == first.written


def test_rules_keep_their_keys_and_states_when_others_come_and_go():
    old = group(alerting("A", "x > 1"), alerting("B", "y > 1"))
    states = {
        key: evaluate_rule(old, rule, RuleState(), [(Labels({"i": "1"}), 2.0)], T0).state
        for key, rule in old.keyed_rules()
    }
    state = RuleGroupState(states, T0)
    new = group(alerting("C", "z > 1"), alerting("B", "y > 1"))
    resumed = resume(new, state, T0 + 30_000)
    assert list(resumed.rules) == ["f.yml;g;alert;B;0"]


def test_knows_when_rules_build_on_each_other():
    assert sequential(group(recording("r", "x"), alerting("A", "r > 1")))
    assert sequential(group(recording("r", "x"), alerting("A", '{__name__=~"r.*"} > 1')))
    assert not sequential(group(recording("r", "x"), alerting("A", "x > 1")))


def test_plans_look_back_by_the_query_offset():
    rules = group(recording("r", "x"), query_offset_ms=60_000)
    wanted = rule_plan(rules, rules.rules[0], T0)
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


def test_a_template_that_queries_may_read_what_an_earlier_rule_writes():
    asks = Labels({"summary": '{{ query "r" | first | value }}'})
    assert sequential(group(recording("r", "x"), alerting("A", "y", annotations=asks)))
    assert not sequential(group(alerting("A", "y", annotations=asks), recording("r", "x")))
    assert not sequential(group(recording("r", "x"), alerting("A", "y", annotations=Labels({"summary": "query r"}))))


def test_the_durations_in_the_query_of_a_template_are_divided_as_those_of_rules_are():
    usual, fast = (template_plan("rate(x[10m])", T0, speed=speed) for speed in (1, 10))
    assert [T0 - item.fetches[0].start_ms for item in (usual, fast)] == [599_999, 59_999]
    with pytest.raises(PromQLError):
        template_plan("rate(x", T0)
