"""Metrics that filters and outputs of the pipeline count, as metrics of logs."""

from collections.abc import Sequence
from typing import Final

from eldonia_ops.log_metrics import LogMetric, LogMetricType
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.pipeline.filters import Counted
from eldonia_ops.pipeline.filters.prometheus import Prometheus
from eldonia_ops.pipeline.filters.record_metrics import RecordMetric
from eldonia_ops.pipeline.graph import Pipeline, single_outputs
from eldonia_ops.pipeline.outputs import PrometheusOutput
from eldonia_ops.services.logs.metrics import LogMetrics

_TYPES: Final = {one.value: one for one in LogMetricType}


class PipelineMetrics:
    """Hands what a pipeline counts to the metrics of logs."""

    def __init__(self, metrics: LogMetrics) -> None:
        self._metrics = metrics

    def configure(self, pipeline: Pipeline | None) -> None:
        """Count for this pipeline from now on; None for none."""
        found = record_metrics(pipeline) if pipeline is not None else []
        named = {one.name: one for one in found}
        initial = [(one.name, values) for one in found for values in one.initial]
        self._metrics.configure_fed([log_metric(one) for one in named.values()], initial)

    def count(self, counted: Sequence[Counted], key: str) -> None:
        """Add what was counted, once for each key that is not ''."""
        self._metrics.feed([(one.metric, one.values, one.numbers) for one in counted], key)


def record_metrics(pipeline: Pipeline) -> list[RecordMetric]:
    """All metrics of the filters and outputs of a pipeline; several may count for one."""
    found: list[RecordMetric] = []
    for rule in pipeline.rules:
        if isinstance(rule.filter, Prometheus):
            found += rule.filter.metrics.metrics
        if rule.output is not None:
            for output in single_outputs(rule.output):
                found += output.metrics.metrics if isinstance(output, PrometheusOutput) else ()
    return found


def log_metric(one: RecordMetric) -> LogMetric:
    """The same as the counting takes it."""
    return LogMetric(
        name=one.name,
        type=_TYPES[one.kind],
        text="(pipeline)",
        labels=tuple((label, FieldName((label,))) for label in one.labels),
        buckets=one.buckets,
        help=one.help,
        fed=True,
    )
