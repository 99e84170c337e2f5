"""Shipped rules are changed by name."""

import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.promql import parse
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.rules import AlertingRule, RecordingRule, RuleGroup
from eldonia_ops.rules.tuning import RuleChange, names_of, threshold_of, tuned


def alert(name, query, severity="warning", **annotations):
    return AlertingRule(
        name, query, parse(query), 60_000, labels=Labels({"severity": severity}), annotations=Labels(annotations)
    )


def group(*rules, name="g"):
    return RuleGroup(name, rules)


@pytest.mark.parametrize(
    ("query", "threshold"),
    [
        ("a > 80", 80),
        ("a < -2.5", -2.5),
        ("a > 85 unless b == 1", 85),
        ("a > 85 and (b < 5 or c > 7)", 85),
        ("(a - b) / 3 <= 14", 14),
        ("(a > 5)", 5),
        ("rate(a[5m]) > 0.1 and on (job) b > 3", 0.1),
        ("a + 2 > b", None),
        ("up == 0", None),
        ("sum(a > 5)", None),
        ("a", None),
    ],
)
def test_the_threshold_is_the_number_of_the_comparison_nearest_to_the_top(query, threshold):
    assert threshold_of(alert("A", query)) == threshold


def test_another_threshold_is_in_the_expression_the_query_and_the_text():
    rule = alert("A", 'x{m="80"} > 80 unless y == 80', description='{{ printf "%.80f" $value }}; the limit is 80 %.')
    [changed] = tuned([group(rule)], {"A": RuleChange(threshold=92.5)})
    [found] = changed.rules
    assert found.query == 'x{m="80"} > 92.5 unless y == 80'
    assert found.expr == parse(found.query)
    assert found.annotations["description"] == '{{ printf "%.80f" $value }}; the limit is 92.5 %.'
    assert (found.for_ms, found.labels) == (rule.for_ms, rule.labels)


def test_a_negative_threshold_still_parses():
    [changed] = tuned([group(alert("A", "x > 1"))], {"A": RuleChange(threshold=-0.000001)})
    assert threshold_of(changed.rules[0]) == -0.000001
    assert parse(changed.rules[0].query) == changed.rules[0].expr


def test_waiting_time_and_severity():
    [changed] = tuned([group(alert("A", "x > 1"))], {"A": RuleChange(for_ms=0, severity="critical")})
    assert (changed.rules[0].for_ms, changed.rules[0].labels["severity"]) == (0, "critical")


def test_a_rule_that_is_off_is_gone_and_its_neighbours_stay():
    recording = RecordingRule("r", "x", parse("x"))
    rules = [group(recording, alert("A", "x > 1"), alert("B", "x > 2"))]
    assert [rule.name for one in tuned(rules, {"A": RuleChange(enabled=False)}) for rule in one.rules] == ["r", "B"]
    off = {"A": RuleChange(enabled=False), "B": RuleChange(enabled=False)}
    assert tuned(rules, off) == []  # what only these rules read is not recorded for nothing
    assert tuned([group(recording)], off) == [group(recording)]


def test_rules_of_one_name_are_told_apart_by_their_severity():
    rules = [group(alert("A", "x > 1"), alert("A", "x > 5", "critical"))]
    assert set(names_of(rules)) == {"A", "A.warning", "A.critical"}
    [changed] = tuned(rules, {"A.critical": RuleChange(threshold=9), "A": RuleChange(for_ms=0)})
    assert [(rule.query, rule.for_ms) for rule in changed.rules] == [("x > 1", 0), ("x > 9", 60_000)]


def test_every_shipped_rule_can_be_changed_and_stays_a_rule():
    for name, rules in names_of(shipped_groups()).items():
        threshold = None if threshold_of(rules[0]) is None else 12.5
        for one in tuned(shipped_groups(), {name: RuleChange(threshold=threshold, for_ms=1_000)}):
            for rule in one.rules:
                assert parse(rule.query) == rule.expr


def test_nothing_changes_without_changes():
    assert tuned(shipped_groups(), {}) == list(shipped_groups())
