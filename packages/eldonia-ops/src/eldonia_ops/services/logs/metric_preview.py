"""What a metric of logs would have counted in the last hour, before it is made."""

from collections.abc import Callable, Collection
from datetime import UTC
from typing import Final

from eldonia_ops.log_metrics import LogMetric, LogMetricType
from eldonia_ops.log_metrics.preview import fitting_bounds, in_buckets, names_of, numbers_of, queries_of
from eldonia_ops.log_metrics.series import bucket_label
from eldonia_ops.model.condition_text import format_field
from eldonia_ops.model.labels import METRIC_NAME
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.ports import Clock, LogQuery, LogStore, MetricStore
from eldonia_ops.search.aggregates import COUNT, Metric, MetricFunction
from eldonia_ops.search.pipes.pipeline import Pipeline, Stats
from eldonia_ops.services.api.managed import BucketView, LabelValuesView, LogMetricPreview, PromqlView
from eldonia_ops.services.logs.pipelines import run_pipeline, width_of

HOUR_MS: Final = 3_600_000
SAMPLE: Final = 5_000
"""Records whose numbers are looked at: the newest."""
_NS: Final = 1_000_000


class LogMetricPreviews:
    """Previews metrics. ``own`` names those that the settings have already."""

    def __init__(self, clock: Clock, logs: LogStore, metrics: MetricStore, own: Callable[[], Collection[str]]) -> None:
        self._clock = clock
        self._logs = logs
        self._metrics = metrics
        self._own = own

    async def preview(self, metric: LogMetric) -> LogMetricPreview:
        """What there was for it in the last hour.

        Raises:
            TelemetryError: the store failed, or it is too much to count.
        """
        now = self._clock.now()
        query = LogQuery((now - HOUR_MS) * _NS, now * _NS, search=metric.search, limit=SAMPLE)
        records, values = await self._values(metric, query)
        sample = await self._logs.search_logs(query) if metric.value is not None else None
        numbers = numbers_of(metric, sample.records if sample else ())
        counts = in_buckets(metric.buckets, numbers.values) if metric.type is LogMetricType.HISTOGRAM else []
        bounds = [*map(bucket_label, metric.buckets), "+Inf"]
        return LogMetricPreview(
            hours=HOUR_MS / 3_600_000,
            records=records,
            sample=len(sample.records) if sample else 0,
            skipped=numbers.skipped,
            lowest=numbers.values[0] if numbers.values else None,
            highest=numbers.values[-1] if numbers.values else None,
            series=await self._combinations(metric, query, values),
            max_series=metric.max_series,
            labels=tuple(
                LabelValuesView(label, format_field(field), count)
                for (label, field), count in zip(metric.labels, values, strict=True)
            ),
            buckets=tuple(BucketView(bound, count) for bound, count in zip(bounds, counts, strict=False)),
            fitting=fitting_bounds(numbers.values) if counts else (),
            queries=tuple(PromqlView(key, text) for key, text in queries_of(metric)),
            taken=await self._is_taken(metric, now),
        )

    async def _values(self, metric: LogMetric, query: LogQuery) -> tuple[int, list[int]]:
        """How many records there are, and how many values each label would have."""
        wanted = [("records", COUNT)]
        wanted += [(str(at), Metric(MetricFunction.UNIQ, field)) for at, (_, field) in enumerate(metric.labels)]
        found = await run_pipeline(
            self._logs, query, Pipeline(metric.search, (Stats(tuple(wanted)),)), width_of(query, UTC)
        )
        row = found.items[0].values if found.items else {}
        return int(row.get("records") or 0), [int(row.get(name) or 0) for name, _ in wanted[1:]]

    async def _combinations(self, metric: LogMetric, query: LogQuery, values: Collection[int]) -> int:
        if len(metric.labels) < 2:
            return max([1, *values])
        stats = Stats((("records", COUNT),), tuple(field for _, field in metric.labels))
        found = await run_pipeline(self._logs, query, Pipeline(metric.search, (stats,)), width_of(query, UTC), 1)
        return found.groups

    async def _is_taken(self, metric: LogMetric, now: int) -> bool:
        if metric.name in self._own():
            return False  # its own series, when it is changed; a second entry of the name is refused by the loader
        for name in names_of(metric):
            if await self._metrics.series([Matcher(METRIC_NAME, MatchOp.EQUAL, name)], now - HOUR_MS, now):
                return True
        return False
