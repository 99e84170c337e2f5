"""Own small cases in Prometheus' test language, and Prometheus' own files where they lie beside the checkout."""

import re

import pytest
from required_tools import requires_shared, shared_folder

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.promql.testing import Outcome, expand_values, run_file

# Evaluations of each file: how many pass, and how many are unsupported. None fails.
CASES = {
    "aggregators": (160, 0),
    "at_modifier": (78, 0),
    "collision": (2, 0),
    "duration_expression": (59, 0),
    "extended_vectors": (124, 45),
    "fill-modifier": (46, 0),
    "functions": (431, 0),
    "histograms": (185, 0),
    "info": (53, 0),
    "limit": (37, 0),
    "literals": (25, 0),
    "name_label_dropping": (30, 0),
    "native_histograms": (513, 9),
    "operators": (214, 0),
    "range_queries": (18, 0),
    "selectors": (31, 0),
    "staleness": (17, 0),
    "subquery": (34, 0),
    "trig_functions": (19, 0),
    "type_and_unit": (58, 0),
}
# Files about what is not supported. What passes in them says nothing: it is arithmetic, or expects no answer.
UNSUPPORTED_FILES = {"start_timestamps": 26}
# Evaluations, by line, that are right but for a warning which Prometheus gives because it reads histograms for
# histogram_count in a way of its own (HistogramStatsIterator), with resets noted that its storage does not note.
WITHOUT_WARNING = {"native_histograms": {1857, 1862, 1867, 1872, 1880, 1885, 1947, 1951, 1955}}
UNSUPPORTED = re.compile(
    r"reads start timestamps"
    r"|(anchored|smoothed) ranges of native histograms are not supported"
    r"|smoothed native histograms are not supported"
    r"|start_timestamp needs start timestamps, which are not evaluated"
)


@requires_shared("promqltest")
@pytest.mark.parametrize("name", sorted({**CASES, **UNSUPPORTED_FILES}))
def test_prometheus_own_files(name):
    result = run_file((shared_folder("promqltest") / f"{name}.test").read_text(), name)
    without_warning = WITHOUT_WARNING.get(name, set())
    failed = {case.line: f"{case.command}: {case.detail}" for case in result.cases if case.outcome is Outcome.FAILED}
    assert {line: detail for line, detail in failed.items() if line not in without_warning} == {}
    assert all("expected warn 'PromQL warning: conflicting counter resets" in detail for detail in failed.values())
    unsupported = [case.detail for case in result.cases if case.outcome is Outcome.UNSUPPORTED]
    assert [detail for detail in unsupported if not UNSUPPORTED.fullmatch(detail)] == []
    unsupported += failed.values()
    if name in UNSUPPORTED_FILES:
        assert len(unsupported) == UNSUPPORTED_FILES[name]
    else:
        assert (result.count(Outcome.PASSED), len(unsupported)) == CASES[name]


@requires_shared("promqltest")
def test_every_file_of_prometheus_is_run():
    names = {path.stem for path in shared_folder("promqltest").glob("*.test")}
    assert names == {*CASES, *UNSUPPORTED_FILES}


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


def test_start_timestamps_count_as_unsupported():
    text = "load 1m\n  foo@st 1\n  foo 2\n\neval instant at 0 foo\n\neval instant at 0 start_timestamp(bar)\n"
    assert [case.outcome for case in run_file(text).cases] == [Outcome.UNSUPPORTED, Outcome.UNSUPPORTED]
    assert all(UNSUPPORTED.fullmatch(case.detail) for case in run_file(text).cases)


NATIVE = """
load 1m
  took{job="a"} {{schema:1 count:4 sum:6 buckets:[1 2 1]}}+{{schema:1 count:2 sum:3 buckets:[1 1]}}x4
  took{job="b"} {{schema:0 count:4 sum:6 buckets:[1 3]}}x4
  mixed 1 {{count:1 sum:1 buckets:[1]}} stale

eval instant at 4m took
  took{job="a"} {{schema:1 count:12 sum:18 buckets:[5 6 1]}}
  took{job="b"} {{schema:0 count:4 sum:6 buckets:[1 3]}}

eval instant at 4m sum(took)
  {} {{schema:0 count:16 sum:24 buckets:[6 10]}}

eval instant at 4m histogram_count(rate(took[4m1s])) * 60
  expect no_warn
  {job="a"} 2
  {job="b"} 0

eval range from 0 to 2m step 1m mixed
  mixed 1 {{count:1 sum:1 buckets:[1]}} _

eval instant at 4m took > 1
  expect info msg: PromQL info: incompatible sample types encountered for binary operator ">": histogram > float (1:1)

eval instant at 1m sum_over_time(mixed[5m])
  expect warn msg: PromQL warning: encountered a mix of histograms and floats for metric name "mixed" (1:15)

eval instant at 4m max(took)
  expect info msg: PromQL info: ignored histogram in max aggregation (1:5)
"""


def test_own_cases_of_native_histograms():
    result = run_file(NATIVE)
    assert [(case.command, case.detail) for case in result.cases if case.outcome is not Outcome.PASSED] == []
    assert len(result.cases) == 7


def test_a_histogram_that_is_not_the_one_expected_fails():
    text = "load 1m\n  foo {{count:1 buckets:[1]}}\n\neval instant at 0 foo\n  foo {{count:1 buckets:[0 1]}}\n"
    assert [case.outcome for case in run_file(text).cases] == [Outcome.FAILED]


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
