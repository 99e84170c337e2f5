"""Searches of logs become vectors, or say at their place why they cannot."""

import pytest

from eldonia_ops.lint.rules import check_rules
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.prometheus.rules import examine_rule_file, parse_rule_file
from eldonia_ops.rules import scale
from eldonia_ops.rules.log_expression import LogExpressionError, read_log_expression
from eldonia_ops.search import SearchError
from eldonia_ops.search.pipes.pipeline import Timechart


@pytest.mark.parametrize(
    ("text", "labels", "value"),
    [
        ("a | stats count()", {}, "count"),
        (
            "a | stats count(), p95(d) as p by service, http.status",
            {"service": "service", "http.status": "http_status"},
            "count",
        ),
        ("a | stats count(), p95(d) as p by service | fields p, service", {"service": "service"}, "p"),
        ("a | stats count() as n by x | rename x as y, n as m", {"y": "y"}, "m"),
        ("a | top 3 path", {"path": "path"}, "count"),
        (
            "a | timechart 1m sum(x) by service | eval half = sum_x / 2 | fields half, service",
            {"service": "service"},
            "half",
        ),
    ],
)
def test_columns_become_labels_and_the_value(text: str, labels: dict[str, str], value: str) -> None:
    found = read_log_expression(text)
    assert (found.labels, found.value) == (labels, value)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("level:error", 11, "finds records"),
        ("a | dedup x | head 3", 20, "finds records"),
        ("a | stats count() by x | fields x", 25, "no number is left"),
        ("a | stats count() by a.b, a_b | sort count", 32, "become the label a_b"),
    ],
)
def test_what_makes_no_vector_is_refused(text: str, position: int, words: str) -> None:
    with pytest.raises(LogExpressionError, match=words) as caught:
        read_log_expression(text)
    assert caught.value.position == position
    assert caught.value.hint


def test_the_range_holds_a_whole_bucket_of_a_timechart() -> None:
    assert read_log_expression("a | timechart 1m", 120_000).range_ms == 120_000
    for text, range_ms in (
        ("a | timechart 1m", 119_000),
        ("a | timechart day", 86_400_000),
        ("a | timechart week", 86_400_000),
    ):
        with pytest.raises(LogExpressionError, match="no whole bucket") as caught:
            read_log_expression(text, range_ms)
        assert caught.value.position == 4


def test_rows_without_a_number_make_no_series() -> None:
    found = read_log_expression("a | stats avg(x) as v by service")
    rows = [{"service": "shop", "v": 2.5}, {"service": None, "v": 1.0}, {"service": "mail", "v": None}]
    assert found.vector(rows) == [(Labels({"service": "shop"}), 2.5), (Labels(), 1.0)]
    with pytest.raises(ValueError, match="more than 10,000 series"):
        found.vector({"service": str(number), "v": 1} for number in range(10_001))


RULE = """groups:
  - name: g
    rules:
      - alert: A
        logs: >-
          level:error
          | {stages}
        range: {range}
        labels: {{severity: warning}}
"""


def test_faults_have_their_place_in_the_file() -> None:
    for stages, place, words in (
        ("stats cnt() by service", (7, 19), "there is no function cnt"),
        ("stats count() | where p > 3", (7, 35), "there is no column p"),
        ("head 3", (7, 19), "finds records"),
    ):
        with pytest.raises(ConfigError) as caught:
            parse_rule_file(RULE.format(stages=stages, range="5m"), "rules.yml")
        fault = caught.value.diagnostics[0]
        assert words in fault.message
        assert fault.hint
        assert (fault.line, fault.column) == place, stages


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RULE.format(stages="top 3 x", range="32d"), "the range is between"),
        (RULE.format(stages="top 3 x", range="5m") + "        expr: up\n", "both expr and logs"),
        ("groups: [{name: g, rules: [{alert: A, expr: up, range: 5m}]}]", "range is for rules with logs"),
        ("groups: [{name: g, rules: [{alert: A, logs: [x]}]}]", "logs must be a text"),
        ("groups: [{name: g, rules: [{alert: A}]}]", "expr"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_rule_file(text, "rules.yml")


def test_an_alert_that_compares_nothing_is_doubtful() -> None:
    for stages, doubtful in (("stats count() by x", True), ("stats count() as n by x | where n>3", False)):
        text = RULE.format(stages=stages, range="5m")
        found = check_rules(examine_rule_file(text, "r.yml"), text, "r.yml")
        assert ["fires for every row" in one.message for one in found] == [True] * doubtful


def test_a_faster_clock_looks_at_less_time() -> None:
    group = scale(parse_rule_file(RULE.format(stages="timechart 1m", range="5m"), "r.yml")[0], 10)
    rule = group.rules[0]
    assert rule.logs is not None
    assert rule.logs.range_ms == 30_000
    stage = rule.logs.pipeline.stages[0]
    assert isinstance(stage, Timechart)
    assert stage.width == 6 * 10**9


def test_a_search_that_cannot_be_read_says_where() -> None:
    with pytest.raises(SearchError):
        read_log_expression("a | stat")
