"""Own small cases in Prometheus' test language, and Prometheus' own files where they lie beside the checkout."""

from pathlib import Path

import pytest

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.promql.testing import Outcome, expand_values, run_file

_SHARED = next(
    (
        parent.parent / "shared" / "promqltest"
        for parent in Path(__file__).resolve().parents
        if (parent.parent / "shared" / "promqltest").is_dir()
    ),
    None,
)

# How many evaluations of each file pass; none fails, the rest needs native histograms or start timestamps.
FLOORS = {
    "aggregators": 125,
    "at_modifier": 78,
    "collision": 2,
    "duration_expression": 59,
    "extended_vectors": 120,
    "fill-modifier": 46,
    "functions": 323,
    "histograms": 93,
    "info": 52,
    "limit": 1,
    "literals": 25,
    "name_label_dropping": 30,
    "native_histograms": 3,
    "operators": 142,
    "range_queries": 16,
    "selectors": 31,
    "staleness": 17,
    "start_timestamps": 0,
    "subquery": 32,
    "trig_functions": 19,
    "type_and_unit": 58,
}


@pytest.mark.skipif(_SHARED is None, reason="../shared/promqltest, Prometheus' own test files, is not there")
@pytest.mark.parametrize("name", sorted(FLOORS))
def test_prometheus_own_files(name):
    assert _SHARED is not None
    result = run_file((_SHARED / f"{name}.test").read_text(), name)
    failed = [f"{case.line}: {case.command}: {case.detail}" for case in result.cases if case.outcome is Outcome.FAILED]
    assert failed == []
    assert result.count(Outcome.PASSED) >= FLOORS[name]


OWN = """
load 30s
  requests_total{job="shop", code="200"} 0+30x20
  requests_total{job="shop", code="500"} 0+3x10 30x10
  temperature 10 _ 12 stale 14

eval instant at 5m rate(requests_total{code="200"}[2m])
  {job="shop", code="200"} 1

eval instant at 5m sum by (job) (rate(requests_total[2m]))
  {job="shop"} 1.1

eval range from 0 to 2m step 30s temperature
  temperature 10 10 12 _ 14

eval instant at 5m requests_total / 0 > 1e9
  expect no_warn
  {job="shop", code="200"} +Inf
  {job="shop", code="500"} +Inf

eval instant at 5m requests_total * on(job) requests_total
  expect fail

eval instant at 5m sort_desc(requests_total)
  expect ordered
  requests_total{job="shop", code="200"} 300
  requests_total{job="shop", code="500"} 30

eval instant at 5m rate(temperature[5m])
  expect info
  {} 0.0166666666667

eval instant at 5m 6 * 7
  42
"""


def test_own_cases_in_the_test_language():
    result = run_file(OWN)
    assert [(case.command, case.detail) for case in result.cases if case.outcome is not Outcome.PASSED] == []
    assert len(result.cases) == 8


def test_a_wrong_expectation_fails():
    text = "load 1m\n  foo 1 2\n\neval instant at 1m foo\n  foo 3\n\neval instant at 1m foo\n  expect fail\n"
    result = run_file(text)
    assert [case.outcome for case in result.cases] == [Outcome.FAILED, Outcome.FAILED]
    assert "expected 3.0, got 2.0" in result.cases[0].detail


def test_native_histograms_count_as_unsupported():
    text = "load 1m\n  foo {{count:1}}\n\neval instant at 0 foo\n\neval instant at 0 histogram_count(bar)\n"
    assert [case.outcome for case in run_file(text).cases] == [Outcome.UNSUPPORTED, Outcome.UNSUPPORTED]


def test_series_notation():
    assert expand_values("1+2x3") == [1, 3, 5, 7]
    assert expand_values("5-1x2 _ 3x2 -Inf") == [5, 4, 3, None, 3, 3, 3, float("-inf")]
    assert expand_values("_x3") == [None, None, None]
    with pytest.raises(ValueError, match="bad series notation"):
        expand_values("1 two")


def test_a_line_that_is_no_command_is_named():
    with pytest.raises(ConfigError) as caught:
        run_file("load 1m\n  foo 1\n\nevaluate foo\n", "x.test")
    assert caught.value.diagnostics[0].line == 4
