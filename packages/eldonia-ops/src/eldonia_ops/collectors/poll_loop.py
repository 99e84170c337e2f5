"""The loop of collectors that measure by themselves: host, database, probes."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol, TypeAlias

from eldonia_ops.collectors import failure_info
from eldonia_ops.collectors.collector import LoopContext, LoopPlan
from eldonia_ops.collectors.schedule import Ticks
from eldonia_ops.collectors.status import TargetStatus, TurnWatch, Unwatched
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import MetricMetadata
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.prometheus.scrape_rows import Collected, CollectedSink, Readings

log = logging.getLogger("eldonia_ops.collectors")

Reading: TypeAlias = tuple[str, Mapping[str, str], float]
"""``(metric name, labels, value)``."""

Measure: TypeAlias = Callable[[], Awaitable[tuple[list[Reading], str]]]
"""Takes the readings, ``up`` among them; the text says in words what is wrong, empty for nothing.

It bounds its own time. One that raises is a target that is down.
"""


class Source(Protocol):
    """What a :class:`ReadingsLoop` reads, with the connections that it keeps."""

    async def measure(self) -> tuple[list[Reading], str]:
        """See :data:`Measure`."""
        ...

    async def close(self) -> None:
        """Let go of connections. Idempotent."""
        ...


class ReadingsLoop:
    """Measures on its ticks and hands each row to ``sink``. The first row brings the metadata along.

    Implements :class:`~eldonia_ops.collectors.collector.CollectorLoop`; ``close`` lets go of what ``measure`` keeps.
    """

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
        close: Callable[[], Awaitable[None]] | None = None,
        watch: TurnWatch | None = None,
    ) -> None:
        self._measure = measure
        self._readings = readings
        self._sink = sink
        self._clock = clock
        self._metadata = tuple(metadata)
        self._close = close
        self._ticks = Ticks(f"{status.kind} {status.name}", interval_ms)
        self._watch: TurnWatch = watch or Unwatched()
        self._fault: Exception | None = None
        self.status = status
        self.status.interval_ms = interval_ms

    def statuses(self) -> list[TargetStatus]:
        """The status of the one target."""
        return [self.status]

    async def close(self) -> None:
        """Let go of what is kept between measurements."""
        if self._close is not None:
            await self._close()

    async def run(self) -> None:
        """Measure until cancelled, the first time at once. What the sink raises is logged and does not end it."""
        tick = self._clock.now()
        while True:
            await self._clock.sleep_until(tick)
            try:
                await self.measure_once(self._ticks.stamp(tick, self._clock.now()))
                if self._fault is None:
                    self._watch.succeeded()
                else:
                    self._watch.failed(self._fault)
            except Exception as error:
                self._watch.failed(error)
                log.exception("%s %s was not stored", self.status.kind, self.status.name)
                self.status.error = f"not stored: {error}"
            self.status.skipped += self._ticks.missed(tick, self._clock.now())
            tick = self._ticks.following(tick, self._clock.now())

    async def measure_once(self, at_ms: int) -> Collected:
        """Measure and hand over one row."""
        started = time.perf_counter()
        self._fault = None
        try:
            found, problem = await self._measure()
        except Exception as error:
            # The target is down all the same, and rules have to see it.
            log.exception("%s %s was not measured", self.status.kind, self.status.name)
            self._fault = error
            found, problem = [("up", {}, 0.0)], f"a fault of our own: {type(error).__name__}"
        seconds = time.perf_counter() - started
        if problem:
            found = [*found, (failure_info.NAME, {"reason": failure_info.reason_of(problem)}, 1.0)]
            self._metadata = (*self._metadata, failure_info.METADATA)
            self.status.failed(at_ms, seconds, problem)
        else:
            self.status.succeeded(at_ms, seconds, len(found))
        collected = Collected(self._readings.row(at_ms, found), metadata=self._metadata)
        await self._sink(collected)
        self._metadata = ()
        return collected


def poll_plan(
    *,
    kind: str,
    name: str,
    specification: object,
    labels: Labels,
    source: Callable[[], Source],
    interval_ms: int,
    metadata: Iterable[MetricMetadata] = (),
    url: str = "",
) -> LoopPlan:
    """The plan of a loop that measures one target.

    ``labels`` are put on every series (``job`` and ``instance`` among them), ``source`` makes what is read,
    ``url`` is where people find the target, without a password.
    """

    def build(context: LoopContext) -> ReadingsLoop:
        made = source()
        return ReadingsLoop(
            measure=made.measure,
            readings=Readings(f"{kind}/{name}", labels),
            status=TargetStatus(kind, name, url, labels),
            sink=context.store,
            clock=context.clock,
            interval_ms=interval_ms,
            metadata=metadata,
            close=made.close,
            watch=context.watch(f"{kind} {name}"),
        )

    return LoopPlan(name, specification, build)
