import math

import numpy as np
import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import ABSENT_NAN, HISTOGRAM_NAN, STALE_NAN, SeriesBlock
from eldonia_ops.promql import EvaluationError, LimitError, PromQLError, QueryLimits, evaluate, parse, plan
from eldonia_ops.promql.result import ResultType

START = 1_700_000_000_000


def block(names, rows, step_ms=15_000, start=START):
    labels = tuple(Labels(item) for item in names)
    stamps = start + step_ms * np.arange(len(rows), dtype=np.int64)
    return SeriesBlock(labels, stamps, np.array(rows, dtype=np.float64).reshape(len(rows), len(names)))


def ask(query, blocks, start, end=None, step=0, **options):
    planned = plan(parse(query), start, end or start, step, **options)
    data = [
        [item for item in blocks if any(all(m.matches(x) for m in fetch.matchers) for x in item.labels)]
        for fetch in planned.fetches
    ]
    return evaluate(planned, data)


def test_plan_says_what_to_fetch():
    planned = plan(parse("rate(foo[5m] offset 1m) + bar"), START, START + 60_000, 30_000)
    spans = {fetch.matchers[0].value: (fetch.start_ms - START, fetch.end_ms - START) for fetch in planned.fetches}
    assert spans == {"foo": (-359_999, 0), "bar": (-299_999, 60_000)}


def test_plan_fetches_the_same_selector_once():
    planned = plan(parse("rate(foo[5m]) / rate(foo[10m])"), START, START)
    assert [(fetch.end_ms - fetch.start_ms) for fetch in planned.fetches] == [599_999]


def test_plan_follows_subqueries():
    (fetch,) = plan(parse("max_over_time(rate(foo[1m])[10m:1m] offset 5m)"), START, START).fetches
    assert fetch.end_ms <= START - 300_000
    assert fetch.start_ms <= START - 900_000


def test_lookback_is_left_open_and_ends_at_stale_markers():
    data = [block([{"__name__": "foo"}], [[1.0]])]
    assert ask("foo", data, START + 299_999).vector == [(Labels({"__name__": "foo"}), 1.0)]
    assert ask("foo", data, START + 300_000).vector == []
    stale = [block([{"__name__": "foo"}], [[1.0], [STALE_NAN]])]
    assert ask("foo", stale, START + 14_999).vector != []
    assert ask("foo", stale, START + 15_000).vector == []
    assert ask("count_over_time(foo[1m])", stale, START + 15_000).vector[0][1] == 1


def test_absent_cells_are_looked_past_and_nan_is_a_value():
    names = [{"__name__": "foo", "a": "1"}, {"__name__": "foo", "a": "2"}]
    data = [block(names, [[1, 2], [ABSENT_NAN, math.nan]])]
    found = {labels["a"]: value for labels, value in ask("foo", data, START + 15_000).vector}
    assert found["1"] == 1
    assert math.isnan(found["2"])


def test_native_histograms_are_values_beside_floats():
    cells = block([{"__name__": "x"}, {"__name__": "x", "a": "1"}], [[1.0, HISTOGRAM_NAN]])
    mixed = SeriesBlock(cells.labels, cells.timestamps, cells.values, {(0, 1): NativeHistogram(0, 1, 1)})
    result = ask("count(x)", [mixed], START)
    assert result.series[0].points == [(START, 2.0)]
    both = {item.labels.get("a", ""): item for item in ask("x", [mixed], START).series}
    assert (both[""].points, both["1"].points) == ([(START, 1.0)], [])
    assert both["1"].histogram_points == [(START, NativeHistogram(0, 1, 1))]
    assert [value for _, value in ask("x", [mixed], START).vector] == [1.0]


def test_rate_extrapolates_and_survives_resets():
    data = [block([{"__name__": "c_total"}], [[0], [10], [20], [5], [15]], 60_000)]
    result = ask("increase(c_total[5m])", data, START + 240_000)
    # Counted: 20 up, a reset to 5, 10 more, so 35 in 240 s; the first sample is 0, so no reach to the left.
    assert result.vector[0][1] == pytest.approx(35.0)
    assert ask("resets(c_total[5m])", data, START + 240_000).vector[0][1] == 1


def test_small_increases_of_huge_counters_are_not_lost():
    data = [block([{"__name__": "c_total"}], [[2.0**52 + item] for item in range(0, 50, 10)], 15_000)]
    assert ask("delta(c_total[1m])", data, START + 60_000).vector[0][1] == pytest.approx(40.0)


def test_series_with_different_holes_are_computed_each_on_its_own():
    names = [{"__name__": "c", "a": str(item)} for item in range(3)]
    rows = [[0, 0, 0], [1, ABSENT_NAN, 1], [2, 2, ABSENT_NAN], [3, 3, 3]]
    found = dict(ask("count_over_time(c[10m])", [block(names, rows)], START + 60_000).vector)
    assert {labels["a"]: value for labels, value in found.items()} == {"0": 4, "1": 3, "2": 3}


@pytest.mark.parametrize("series", [3, 100])
@pytest.mark.parametrize("function", ["sum", "avg", "min", "max", "stddev", "quantile"])
def test_window_functions_agree_with_plain_numpy(function, series):
    generator = np.random.default_rng(7)
    values = generator.normal(size=(200, series)) * 100
    data = [block([{"__name__": "g", "i": str(item)} for item in range(series)], values)]
    query = "quantile_over_time(0.3, g[2m])" if function == "quantile" else f"{function}_over_time(g[2m])"
    end = START + 199 * 15_000
    result = ask(query, data, START + 200_000, end, 30_000)
    plain = {
        "sum": np.sum, "avg": np.mean, "min": np.min, "max": np.max, "stddev": np.std,
        "quantile": lambda part, axis: np.quantile(part, 0.3, axis=axis),
    }[function]  # fmt: skip
    stamps = data[0].timestamps
    for item in result.series:
        column = int(item.labels["i"])
        for at, value in item.points:
            inside = (stamps > at - 120_000) & (stamps <= at)
            assert value == pytest.approx(float(plain(values[inside, column], axis=0)))


def test_aggregates_by_label_over_many_steps():
    generator = np.random.default_rng(3)
    values = generator.random((100, 300))
    names = [{"__name__": "g", "job": str(item % 7), "i": str(item)} for item in range(300)]
    result = ask("sum by (job) (g)", [block(names, values)], START, START + 99 * 15_000, 15_000)
    assert len(result.series) == 7
    for item in result.series:
        assert item.values == pytest.approx(values[:, int(item.labels["job"]) :: 7].sum(axis=1))


def test_many_to_many_matching_is_refused_with_both_series():
    data = [
        block([{"__name__": "a", "x": "1"}], [[1]]),
        block([{"__name__": "b", "x": "1", "y": "1"}, {"__name__": "b", "x": "1", "y": "2"}], [[1, 2]]),
    ]
    with pytest.raises(EvaluationError, match="found duplicate series for the match group") as caught:
        ask("a * on(x) b", data, START)
    assert 'y="2"' in str(caught.value)


def test_absent_knows_the_labels_it_asked_for():
    assert ask('absent(up{job="x", a=~"b.*"})', [], START).vector == [(Labels({"job": "x"}), 1.0)]


def test_histogram_quantile_of_classic_buckets():
    names = [{"__name__": "h_bucket", "le": bound} for bound in ("0.1", "0.5", "+Inf")]
    data = [block(names, [[50, 90, 100]])]
    assert ask("histogram_quantile(0.7, h_bucket)", data, START).vector[0][1] == pytest.approx(0.3)
    assert ask("histogram_quantile(0.99, h_bucket)", data, START).vector[0][1] == 0.5


def test_remarks_carry_their_place():
    data = [block([{"__name__": "gauge"}], [[1], [2]])]
    query = "sum(rate(gauge[5m]))"
    (remark,) = ask(query, data, START + 15_000).annotations
    assert remark.render(query).startswith("PromQL info: metric might not be a counter")
    assert remark.render(query).endswith("(1:10)")


def test_scalars_and_strings_have_their_own_types():
    assert ask("1 + 1", [], START).scalar == 2
    assert ask("'x'", [], START).text == "x"
    assert ask("1 + 1", [], START, START + 60_000, 60_000).type is ResultType.MATRIX


def test_limits():
    with pytest.raises(LimitError, match="11,001"):
        plan(parse("foo"), START, START + 11_001_000, 1_000)
    assert plan(parse("foo"), START, START + 11_000_000, 1_000), "what Prometheus still answers"
    with pytest.raises(LimitError, match="subquery"):
        plan(parse("max_over_time(foo[30d:1s])"), START, START)
    names = [{"__name__": "foo", "i": str(item)} for item in range(50)]
    with pytest.raises(LimitError, match="50 series at 10 steps"):
        ask("foo", [block(names, [[1.0] * 50])], START, START + 9_000, 1_000, limits=QueryLimits(cells=400))
    many = block([{"__name__": "a", "x": "1", "j": str(item)} for item in range(30)], [[1.0] * 30] * 2)
    churned = block([{"__name__": "b", "x": "1", "i": item} for item in "12"], [[1, ABSENT_NAN], [STALE_NAN, 2]])
    query, span = "a * on(x) group_left b", (START, START + 15_000, 15_000)
    assert [item.points[1][1] for item in ask(query, [many, churned], *span).series] == [2.0] * 30
    with pytest.raises(LimitError, match="pair 60 series at 2 steps"):
        ask(query, [many, churned], *span, limits=QueryLimits(cells=100))
    with pytest.raises(PromQLError, match="range vector"):
        plan(parse("foo[5m]"), START, START + 60_000, 1_000)


def test_wide_windows_are_computed_in_parts():
    values = np.random.default_rng(5).random((3_000, 1_500))
    data = [block([{"__name__": "g", "i": str(item)} for item in range(1_500)], values)]
    result = ask("stdvar_over_time(g[12h30m])", data, START + 2_999 * 15_000)
    assert len(result.series) == 1_500
    for item in result.series[::100]:
        assert item.values[0] == pytest.approx(values[:, int(item.labels["i"])].var())


def test_data_must_answer_the_plan():
    with pytest.raises(ValueError, match="1 fetches"):
        evaluate(plan(parse("foo"), START, START), [])


@pytest.mark.parametrize(
    "query",
    [
        'label_replace(label_replace(foo, "a", "${1}${1}", "a", "(.*)"), "a", "${1}${1}", "a", "(.*)")',
        'label_join(label_join(foo, "a", ",", "a", "a"), "a", ",", "a", "a")',
        'label_replace(foo, "a", "' + "x" * 20_000 + '", "", "")',
    ],
)
def test_label_values_cannot_be_made_without_end(query):
    data = [block([{"__name__": "foo", "a": "x" * 6_000}], [[1.0]])]
    with pytest.raises(LimitError, match="longer than 16,384 characters"):
        ask(query, data, START)


def test_count_values_keeps_to_the_limit_of_cells():
    with pytest.raises(LimitError, match="count_values"):
        ask('count_values("v", vector(time()))', [], START, START + 100_000, 1_000, limits=QueryLimits(cells=5_000))


@pytest.mark.parametrize(
    "query",
    [
        "quantile_over_time(0.5, vector(time())[6h:1s])",
        "stddev_over_time(vector(time())[6h:1s])",
        " + ".join(["vector(time())"] * 50),
    ],
)
def test_a_computation_can_be_broken_off(query):
    calls = 0

    def proceed():
        nonlocal calls
        calls += 1
        if calls > 10:
            raise LimitError("enough")

    planned = plan(parse(query), START, START + 600_000, 1_000)
    with pytest.raises(LimitError, match="enough"):
        evaluate(planned, [[] for _ in planned.fetches], proceed)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ('label_replace(vector(1), "a", "x\\xff", "", "")', "x\ufffd"),
        ('label_join(label_replace(vector(1), "b", "y", "", ""), "a", "\\xff", "b", "b")', "y\ufffdy"),
    ],
)
def test_bytes_that_are_no_text_never_reach_a_label(query, value):
    expression = plan(parse(query), 0, 0)
    [(labels, _)] = evaluate(expression, [()] * len(expression.fetches)).vector
    assert labels["a"] == value


def test_a_pattern_that_is_no_text_is_a_fault_of_the_query():
    expression = plan(parse('label_replace(vector(1), "a", "", "", "\\xff")'), 0, 0)
    with pytest.raises(EvaluationError, match="invalid regular expression"):
        evaluate(expression, [()] * len(expression.fetches))


def test_a_string_result_is_text():
    expression = plan(parse('"a\\xff"'), 0, 0)
    assert evaluate(expression, []).text == "a\ufffd"
