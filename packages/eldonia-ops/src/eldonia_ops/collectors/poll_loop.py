"""The loop of collectors that measure by themselves: host, database, probes."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeAlias

from eldonia_ops.collectors.schedule import Ticks
from eldonia_ops.collectors.status import TargetStatus, TurnWatch, Unwatched
from eldonia_ops.model.samples import MetricMetadata
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.scrape_rows import Collected, CollectedSink, Readings

log = logging.getLogger("eldonia_ops.collectors")

Reading: TypeAlias = tuple[str, Mapping[str, str], float]
"""``(metric name, labels, value)``."""

Measure: TypeAlias = Callable[[], Awaitable[tuple[list[Reading], str]]]
"""Takes the readings; the text says in words what is wrong, empty for nothing. Should not raise."""


class ReadingsLoop:
    """Measures on its ticks and hands each row to ``sink``. The first row brings the metadata along."""

    def __init__(
        self,
        *,
        measure: Measure,
        readings: Readings,
        status: TargetStatus,
        sink: CollectedSink,
        clock: Clock,
        interval_ms: int,
        metadata: Iterable[MetricMetadata] = (),
    ) -> None:
        self._measure = measure
        self._readings = readings
        self._sink = sink
        self._clock = clock
        self._metadata = tuple(metadata)
        self._ticks = Ticks(f"{status.kind} {status.name}", interval_ms)
        self.watch: TurnWatch = Unwatched()
        self.status = status
        self.status.interval_ms = interval_ms

    async def run(self) -> None:
        """Measure until cancelled, the first time at once. What the sink raises is logged and does not end it."""
        tick = self._clock.now()
        while True:
            await self._clock.sleep_until(tick)
            try:
                await self.measure_once(self._ticks.stamp(tick, self._clock.now()))
                self.watch.succeeded()
            except Exception as error:
                self.watch.failed(error)
                log.exception("%s %s was not stored", self.status.kind, self.status.name)
                self.status.error = f"not stored: {error}"
            self.status.skipped += self._ticks.missed(tick, self._clock.now())
            tick = self._ticks.following(tick, self._clock.now())

    async def measure_once(self, at_ms: int) -> Collected:
        """Measure and hand over one row."""
        started = time.perf_counter()
        found, problem = await self._measure()
        seconds = time.perf_counter() - started
        if problem:
            self.status.failed(at_ms, seconds, problem)
        else:
            self.status.succeeded(at_ms, seconds, len(found))
        collected = Collected(self._readings.row(at_ms, found), metadata=self._metadata)
        await self._sink(collected)
        self._metadata = ()
        return collected
