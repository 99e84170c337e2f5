"""Metrics that follow from spans: an application that only sends traces has rates, errors and latencies."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from eldonia_ops.model.samples import MetricMetadata, SampleRow
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import Clock
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import supervise
from eldonia_ops.services.span_counts import METADATA, SpanCounts

StoreRow = Callable[[SampleRow, Sequence[MetricMetadata]], Awaitable[Mapping[str, int]]]

_IDLE_MS: Final = 60_000


class SpanMetrics:
    """Counts spans as they are stored, and stores the counts every ``interval_ms``. Off with an interval of 0.

    What was counted since the last turn is lost when the process is killed: at most an interval of requests. When it
    is stopped it is stored. Counters begin at zero with each start, which PromQL takes for a reset.
    """

    def __init__(
        self, clock: Clock, store: StoreRow, *, interval_ms: int, max_series: int, loops: Loops | None = None
    ) -> None:
        self._clock = clock
        self._store = store
        self._interval_ms = interval_ms
        self._loops = loops
        self._last_ms = clock.now()
        self._described = False
        self.counts = SpanCounts(max_series)

    def observe(self, spans: Sequence[Span]) -> None:
        """Count spans that were stored."""
        if self._interval_ms:
            self.counts.add(spans, self._clock.now())

    def configure(self, interval_ms: int, max_series: int) -> None:
        """Go on with other settings; counts are kept."""
        self._interval_ms, self.counts.max_series = interval_ms, max_series
        if not interval_ms:
            self.counts = SpanCounts(max_series)

    async def run(self) -> None:
        """Store what was counted, again and again, until cancelled."""
        await supervise("span metrics", self._clock, self._turn, self._loops)

    async def close(self) -> None:
        """Store what was counted since the last turn."""
        await self._flush()

    async def _turn(self) -> None:
        await self._clock.sleep_until(self._clock.now() + (self._interval_ms or _IDLE_MS))
        await self._flush()

    async def _flush(self) -> None:
        now = self._clock.now()
        counts = self.counts
        # The row of the last turn has its own instant: a zero may only come after it.
        for row in counts.rows(min(self._last_ms + 1, now - 1), now):
            await self._store(row, () if self._described else METADATA)
            self._described = True
        counts.stored()
        self._last_ms = now
