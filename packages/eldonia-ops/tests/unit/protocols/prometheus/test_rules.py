import pytest

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.protocols.prometheus.rules import examine_rule_file, parse_rule_file
from eldonia_ops.rules import AlertingRule, RecordingRule

GOOD = """\
groups:
  - name: shop
    interval: 15s
    limit: 10
    query_offset: 5s
    labels:
      team: dev
    rules:
      - record: job:requests:rate5m
        expr: sum by (job) (rate(requests_total[5m]))
        labels: {tier: web}
      # Said twice:
      # too slow.
      - alert: Slow
        expr: |
          job:latency > 2
        for: 5m
        keep_firing_for: 1m
        labels:
          severity: warning
        annotations:
          summary: "{{ $labels.job }} takes {{ $value }}s"
"""


def faults(text):
    with pytest.raises(ConfigError) as caught:
        parse_rule_file(text, "r.yml")
    return [(item.line, item.column, item.message) for item in caught.value.diagnostics]


def test_reads_groups_and_rules_with_their_places():
    (group,) = parse_rule_file(GOOD, "r.yml")
    assert (group.name, group.interval_ms, group.limit, group.query_offset_ms) == ("shop", 15_000, 10, 5_000)
    record, alert = group.rules
    assert isinstance(record, RecordingRule)
    assert dict(record.labels) == {"team": "dev", "tier": "web"}
    assert isinstance(alert, AlertingRule)
    assert (alert.for_ms, alert.keep_firing_for_ms, alert.query) == (300_000, 60_000, "job:latency > 2")
    assert (alert.file, alert.line, alert.column) == ("r.yml", 14, 9)
    assert alert.comment == "Said twice: too slow."


def test_an_empty_file_has_no_groups():
    assert parse_rule_file("", "r.yml") == []
    assert parse_rule_file("groups: []\n", "r.yml") == []


def test_all_faults_are_found_at_once():
    found = faults(
        """\
groups:
  - name: a
    intervall: 3m
    rules:
      - alert: X
        expr: up ==
        for: 5x
        labels: {"": x}
        annotations:
          summary: '{{ $value }'
      - record: x{a="b"}
        expr: foo
        for: 1m
      - expr: foo
      - alert: B
        record: b
        expr: foo
      - alert: M
        expr: foo[5m]
      - alert: N
  - name: a
    rules: []
"""
    )
    assert [(line, message.split(" (")[0][:40]) for line, _, message in found] == [
        (3, "unknown key 'intervall' in a rule group"),
        (6, "bad PromQL expression: unexpected end of"),
        (7, "for must be a duration, not '5x'"),
        (8, "invalid label name: ''"),
        (10, found[4][2][:40]),
        (11, "invalid recording rule name: 'x{a=\"b\"}'"),
        (13, "invalid field 'for' in recording rule"),
        (14, "a rule needs either record or alert"),
        (15, "a rule has both record and alert"),
        (19, "a rule needs an instant vector or a scal"),
        (20, "a rule needs expr"),
        (21, "groupname: 'a' is repeated in the same f"),
    ]
    assert "bad template in annotation summary" in found[4][2]


@pytest.mark.parametrize(
    ("expr", "line", "column"),
    [
        ("expr: rate(foo)", 5, 20),
        ('expr: "rate(foo)"', 5, 21),
        ("expr: 'a{b=''c''} + rate(foo)'", 5, 34),
        ('expr: "a{b=\\"c\\"} + rate(foo)"', 5, 34),
        ("expr: |\n          sum(\n            rate(foo)\n          )", 7, 18),
        ("expr: |-\n\n          sum(\n            rate(foo)\n          )", 8, 18),
        ("expr: >\n          sum(\n          rate(foo)\n          )", 7, 16),
        ("expr: sum(\n          rate(foo)\n          )", 6, 16),
    ],
)
def test_promql_errors_are_placed_inside_the_file(expr, line, column):
    text = f"groups:\n  - name: a\n    rules:\n      - alert: X\n        {expr}\n"
    ((found_line, found_column, message),) = faults(text)
    assert "expected type range vector" in message
    assert (found_line, found_column) == (line, column)
    assert text.splitlines()[line - 1][column - 1 :].startswith("foo")


def test_names_of_any_utf8_as_in_prometheus_3():
    text = "groups: [{name: g, rules: [{alert: A, expr: up == 0, labels: {app.name: x}, annotations: {要約: y}}]}]"
    [group] = parse_rule_file(text, "r.yml")
    assert dict(group.rules[0].labels) == {"app.name": "x"}
    assert parse_rule_file("groups: [{name: g, rules: [{record: a.b, expr: up}]}]", "r.yml")
    assert "invalid label name" in str(faults(text.replace("app.name", '"a\\nb"')))


def test_what_is_in_order_is_known_beside_what_is_not():
    text = "groups: [{name: g, rules: [{record: a, expr: up}, {record: b, expr: up(}]}]\n---\nx: 1"
    found = examine_rule_file(text, "r.yml")
    assert [rule.name for rule, _ in found.rules] == ["a"]
    assert [item.level.value for item in found.diagnostics] == ["error", "warning"]
