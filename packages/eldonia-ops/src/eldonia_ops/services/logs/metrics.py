"""Metrics that follow from log records: counted at intake, whatever way records came, and stored as any samples."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from eldonia_ops.log_metrics import LogCounts, LogMetric
from eldonia_ops.log_metrics.counting import LogMetricState
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import MetricMetadata, SampleRow
from eldonia_ops.ports import Clock
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import supervise

StoreRow = Callable[[SampleRow, Sequence[MetricMetadata]], Awaitable[Mapping[str, int]]]

_IDLE_MS: Final = 15_000


class LogMetrics:
    """Counts records as they are stored, and stores the counts every ``interval_ms``.

    What was counted since the last turn is lost when the process is killed: at most an interval of records. When it is
    stopped it is stored. Counters begin at zero with each start, which PromQL takes for a reset.
    """

    def __init__(
        self,
        clock: Clock,
        store: StoreRow,
        metrics: Sequence[LogMetric],
        *,
        interval_ms: int,
        loops: Loops | None = None,
    ) -> None:
        self._clock = clock
        self._store = store
        self._interval_ms = interval_ms
        self._loops = loops
        self._last_ms = clock.now()
        self._described: Sequence[MetricMetadata] = ()
        self._counts = LogCounts(metrics)

    def observe(self, records: Sequence[LogRecord], batch_key: str) -> None:
        """Count records that were stored."""
        self._counts.add(records, self._clock.now(), batch_key)

    def configure(self, metrics: Sequence[LogMetric], interval_ms: int) -> None:
        """Count by other metrics; those that are the same go on."""
        self._interval_ms = interval_ms
        self._counts.configure(metrics)

    def states(self) -> list[LogMetricState]:
        """What was counted."""
        return self._counts.states

    async def run(self) -> None:
        """Store what was counted, again and again, until cancelled."""
        await supervise("log metrics", self._clock, self._turn, self._loops)

    async def close(self) -> None:
        """Store what was counted since the last turn."""
        await self._flush()

    async def _turn(self) -> None:
        await self._clock.sleep_until(self._clock.now() + (self._interval_ms or _IDLE_MS))
        await self._flush()

    async def _flush(self) -> None:
        now = self._clock.now()
        counts, metadata = self._counts, self._counts.metadata
        # The row of the last turn has its own instant: a zero may only come after it.
        for row in counts.rows(min(self._last_ms + 1, now - 1), now):
            await self._store(row, () if metadata == self._described else metadata)
            self._described = metadata
        counts.stored()
        self._last_ms = now
