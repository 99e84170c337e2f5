"""What a metric would make of records: its numbers, buckets that fit them, and PromQL that can be read."""

import random

import pytest

from eldonia_ops.log_metrics import LogMetric, LogMetricType
from eldonia_ops.log_metrics.preview import fitting_bounds, in_buckets, names_of, numbers_of, queries_of
from eldonia_ops.log_metrics.series import MetricSeries, labels_of
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.promql import parse


def _metric(kind: LogMetricType, *labels: str, factor: float = 1.0) -> LogMetric:
    fields = tuple((label, FieldName((label,))) for label in labels)
    return LogMetric("took", kind, value=FieldName(("took",)), labels=fields, factor=factor)


def test_the_numbers_are_those_that_the_metric_would_count() -> None:
    records = [LogRecord(timestamp_ns=1, message="m", metadata={"took": took}) for took in (250, "50", "x", -1, None)]
    found = numbers_of(_metric(LogMetricType.HISTOGRAM, factor=0.001), records)
    assert (found.values, found.skipped) == ((-0.001, 0.05, 0.25), 2)
    assert numbers_of(_metric(LogMetricType.COUNTER, factor=0.001), records).values == (0.05, 0.25)


def test_buckets_are_those_of_the_stored_histogram() -> None:
    metric = _metric(LogMetricType.HISTOGRAM)
    chance = random.Random(7)
    values = [chance.choice([*metric.buckets, chance.expovariate(1.0)]) for _ in range(500)]
    series = MetricSeries(metric, labels_of(metric, ()), 0)
    for value in values:
        series.add(value)
    counts = in_buckets(metric.buckets, values)
    assert [float(sum(counts[: place + 1])) for place in range(len(counts))] == series.values()[: len(counts)]


def test_bounds_that_fit_are_round_ascending_and_cover_what_is_usual() -> None:
    chance = random.Random(7)
    for _ in range(200):
        scale = 10.0 ** chance.uniform(-9, 12)
        values = sorted(
            chance.lognormvariate(0, chance.uniform(0.01, 4)) * scale for _ in range(chance.randint(1, 400))
        )
        found = fitting_bounds(values)
        assert 1 <= len(found) <= 15
        assert list(found) == sorted(set(found))
        assert found[-1] >= values[-1 - len(values) // 100]
        assert all(f"{bound:e}"[0:3] in ("1.0", "2.5", "5.0") for bound in found)
    assert fitting_bounds([]) == ()
    assert fitting_bounds([-3.0, 0.0]) == ()
    assert fitting_bounds([5e-324, 1.7e308])[-1] <= 1.7e308 * 10


@pytest.mark.parametrize("kind", list(LogMetricType))
@pytest.mark.parametrize("labels", [(), ("service", "operation")])
def test_the_promql_that_is_shown_can_be_read_and_asks_for_the_names_that_are_stored(kind, labels) -> None:
    metric = _metric(kind, *labels)
    stored = {dict(one.pairs)["__name__"] for one in labels_of(metric, labels)}
    assert stored <= set(names_of(metric))
    for key, query in queries_of(metric):
        parse(query)
        assert key
        assert any(name in query for name in stored)
