"""``@type prometheus``: counts records, and lets them pass."""

from typing import ClassVar

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.filters.filter import Filtered, StatelessFilter
from eldonia_ops.pipeline.filters.record_metrics import RecordMetrics, read_record_metrics
from eldonia_ops.pipeline.section import SectionReader


class Prometheus(StatelessFilter):
    """https://github.com/fluent/fluent-plugin-prometheus#prometheus-filter-plugin"""

    type: ClassVar[str] = "prometheus"

    def __init__(self, reader: SectionReader, hostname: str = "") -> None:
        self.metrics: RecordMetrics = read_record_metrics(reader, hostname)

    def filter(self, batch: Batch) -> Filtered:
        """The batch as it is, and what is counted of it."""
        return Filtered(batch.events, counted=self.metrics.counted(batch))
