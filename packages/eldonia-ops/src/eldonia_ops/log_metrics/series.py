"""One series, or one histogram's series, of a metric made of logs."""

from bisect import bisect_left
from itertools import accumulate
from typing import Final

from eldonia_ops.log_metrics.definition import LogMetric, LogMetricType
from eldonia_ops.model.labels import METRIC_NAME, Labels

OTHER: Final = "(other)"
"""The value of all labels of what is beyond the bound of series."""


class MetricSeries:
    """The value of a counter or gauge, or the buckets, sum and count of a histogram. ``seen`` is Unix ms."""

    __slots__ = ("_bounds", "_counts", "_sets", "_value", "labels", "seen")

    def __init__(self, metric: LogMetric, labels: tuple[Labels, ...], seen: int) -> None:
        self.labels = labels
        self.seen = seen
        self._sets = metric.type is LogMetricType.GAUGE
        self._bounds = metric.buckets if metric.type is LogMetricType.HISTOGRAM else ()
        self._counts = [0] * (len(metric.buckets) + 1) if self._bounds else []
        self._value = 0.0

    def add(self, number: float) -> None:
        """Add to a counter, set a gauge, observe in a histogram."""
        if self._sets:
            self._value = number
            return
        self._value += number
        if self._counts:
            self._counts[bisect_left(self._bounds, number)] += 1

    def values(self) -> list[float]:
        """What there is, in the order of :attr:`labels`."""
        if not self._counts:
            return [self._value]
        buckets = [float(count) for count in accumulate(self._counts)]
        return [*buckets, self._value, buckets[-1]]


def labels_of(metric: LogMetric, key: tuple[str, ...]) -> tuple[Labels, ...]:
    """The label sets of what a metric has for some values of its labels: of a histogram its buckets, sum and count."""
    own = dict(zip((name for name, _ in metric.labels), key, strict=True))
    if metric.type is not LogMetricType.HISTOGRAM:
        return (Labels({**own, METRIC_NAME: metric.name}),)
    bounds = [*map(bucket_label, metric.buckets), "+Inf"]
    return (
        *(Labels({**own, METRIC_NAME: f"{metric.name}_bucket", "le": bound}) for bound in bounds),
        Labels({**own, METRIC_NAME: f"{metric.name}_sum"}),
        Labels({**own, METRIC_NAME: f"{metric.name}_count"}),
    )


def bucket_label(bound: float) -> str:
    """An upper bound as OpenMetrics writes it: whole numbers with a point (``1.0``)."""
    return repr(bound)
