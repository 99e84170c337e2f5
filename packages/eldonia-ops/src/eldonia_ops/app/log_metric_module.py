"""The module that makes metrics of log records."""

import logging
from collections.abc import Mapping

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.metrics import escaped
from eldonia_ops.app.modules import Inert
from eldonia_ops.log_metrics import LogMetric
from eldonia_ops.ports import TelemetryError
from eldonia_ops.services.ingest import IngestService
from eldonia_ops.services.logs.metrics import LogMetrics

log = logging.getLogger("eldonia_ops")

_INTERVAL_MS = 15_000


class LogMetricsModule(Inert):
    """Makes metrics of log records."""

    name = "log metrics"

    def __init__(self, base: Foundation, ingest: IngestService) -> None:
        metrics, interval_ms = _wanted(base.configuration)
        self.service = LogMetrics(base.clock, ingest.row, metrics, interval_ms=interval_ms, loops=base.loops)
        ingest.count_logs_by(self.service.observe)

    async def run(self) -> None:
        """Store what was counted, until cancelled."""
        await self.service.run()

    async def apply(self, configuration: Configuration) -> None:
        """Count by other metrics."""
        self.service.configure(*_wanted(configuration))

    async def close(self) -> None:
        """Store what was counted last."""
        try:
            await self.service.close()
        except TelemetryError as error:
            log.warning("the last metrics of logs could not be stored: %s", error)

    def metrics(self) -> Mapping[str, float]:
        """Series, records counted, and what was beyond the bounds or had no number, by metric."""
        found: dict[str, float] = {}
        for state in self.service.states():
            label = f'{{metric="{escaped(state.metric.name)}"}}'
            found[f"eldonia_ops_log_metric_series{label}"] = float(state.series)
            found[f"eldonia_ops_log_metric_records_total{label}"] = float(state.records)
            found[f"eldonia_ops_log_metric_overflow_total{label}"] = float(state.overflow)
            found[f"eldonia_ops_log_metric_skipped_total{label}"] = float(state.skipped)
        return found


def _wanted(configuration: Configuration) -> tuple[list[LogMetric], int]:
    metrics = [one.metric() for one in configuration.settings.log_metrics]
    return metrics, max(1_000, round(_INTERVAL_MS / configuration.speed))
