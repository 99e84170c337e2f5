"""What a metric would make of some records, which buckets fit their numbers, and how it is asked for; pure."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.log_metrics.definition import LogMetric, LogMetricType
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.search.values import field_value, value_number

_STEPS: Final = (1.0, 2.5, 5.0)
_MOST_FITTING: Final = 15
_LARGEST_EXPONENT: Final = 300


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a metric's field in some records, ascending and in its unit; ``skipped`` records have none."""

    values: tuple[float, ...]
    skipped: int


def numbers_of(metric: LogMetric, records: Sequence[LogRecord]) -> Numbers:
    """The numbers that records which match would bring; a counter takes none below zero."""
    if metric.value is None:
        return Numbers((), 0)
    found = [value_number(field_value(record, metric.value)) for record in records]
    counter = metric.type is LogMetricType.COUNTER
    taken = [number * metric.factor for number in found if number is not None and not (counter and number < 0)]
    return Numbers(tuple(sorted(taken)), len(found) - len(taken))


def in_buckets(bounds: Sequence[float], values: Sequence[float]) -> list[int]:
    """How many of the values fall into each bucket; the last one is what is above all bounds."""
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    return counts


def fitting_bounds(values: Sequence[float]) -> tuple[float, ...]:
    """Round bounds (1, 2.5, 5 and their tens) around where the ascending ``values`` lie, 15 at most; none without
    numbers above zero. The outermost hundredths are left to the first and the last bucket."""
    above = [value for value in values if value > 0]
    if not above:
        return ()
    low, high = above[len(above) // 100], above[-1 - len(above) // 100]
    found = [bound for bound in _ladder(low, high) if bound >= low]
    wanted = [bound for bound in found if bound < high] + [bound for bound in found if bound >= high][:1]
    every = math.ceil(len(wanted) / _MOST_FITTING)
    return tuple(wanted[::-1][::every][::-1])


def _ladder(low: float, high: float) -> list[float]:
    first = max(math.floor(math.log10(low)), -_LARGEST_EXPONENT)
    last = min(math.ceil(math.log10(high)) + 1, _LARGEST_EXPONENT)
    return [float(f"{step:g}e{exponent}") for exponent in range(first, last + 1) for step in _STEPS]


def queries_of(metric: LogMetric) -> list[tuple[str, str]]:
    """Questions in PromQL that a metric answers, each under the key of its description."""
    labels = ", ".join(label for label, _ in metric.labels)
    by = f" by ({labels})" if labels else ""
    name = metric.name
    if metric.type is LogMetricType.COUNTER:
        return [("rate", f"sum{by} (rate({name}[5m]))"), ("increase", f"sum{by} (increase({name}[1h]))")]
    if metric.type is LogMetricType.GAUGE:
        return [("now", f"max{by} ({name})"), ("highest", f"max{by} (max_over_time({name}[1h]))")]
    of_buckets = ", ".join(["le", *(label for label, _ in metric.labels)])
    return [
        ("p95", f"histogram_quantile(0.95, sum by ({of_buckets}) (rate({name}_bucket[5m])))"),
        ("mean", f"sum{by} (rate({name}_sum[5m])) / sum{by} (rate({name}_count[5m]))"),
        ("rate", f"sum{by} (rate({name}_count[5m]))"),
    ]


def names_of(metric: LogMetric) -> tuple[str, ...]:
    """The names under which its series are stored."""
    if metric.type is not LogMetricType.HISTOGRAM:
        return (metric.name,)
    return (metric.name, *(f"{metric.name}_{part}" for part in ("bucket", "sum", "count")))
