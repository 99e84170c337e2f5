"""One loop of a collector as it runs: what it stores, how it is stopped, and what it leaves behind.

A series that is no longer collected has ended, and gets a staleness marker, as in Prometheus; otherwise it would be
seen with its last value for five minutes more. Which series a loop has is seen from the rows that it stores, so no
collector has to care. A loop that takes the place of another inherits its series: those that it does not bring in its
first row get their marker with that row, and the others have no gap.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from eldonia_ops.collectors.collector import CollectorLoop, LoopContext, LoopPlan
from eldonia_ops.collectors.status import TurnWatch
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import STALE_NAN, SampleRow, is_stale
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.prometheus.scrape_rows import Collected, CollectedSink
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.metric_declarations import COLLECTION
from eldonia_ops.services.service_loop import supervise

log = logging.getLogger("eldonia_ops.collectors")

_SET_BACK_MS: Final = 1_000

STOP_SECONDS: Final = 10.0
"""How long is waited for a loop that is stopped, and for one that lets go of its connections."""


class LoopOutput:
    """Takes what one loop stores, and knows which series are live."""

    def __init__(self, clock: Clock, sink: CollectedSink) -> None:
        self._clock = clock
        self._sink = sink
        self._last: dict[str, SampleRow] = {}
        self._inherited: list[SampleRow] = []

    async def store(self, collected: Collected) -> None:
        """Store a row, with the markers of inherited series that it does not hold.

        Raises:
            TelemetryError: it is not stored.
        """
        row = collected.row
        self._last[row.target] = row
        inherited = self._inherited
        brought = set(row.labels) if inherited else set[Labels]()
        for old in inherited:
            gone = tuple(labels for labels in old.labels if labels not in brought)
            if gone and old.target == row.target:
                row = SampleRow(
                    row.target,
                    row.timestamp_ms,
                    (*row.labels, *gone),
                    np.concatenate([row.values, np.full(len(gone), STALE_NAN)]),
                )
            elif gone:
                await self._sink(Collected(ended(old, row.timestamp_ms, gone)))
        await self._sink(replace(collected, row=row) if inherited else collected)
        self._inherited = []

    def inherit(self, rows: Iterable[SampleRow]) -> None:
        """Be responsible for the live series of another loop."""
        self._inherited += rows

    def live(self) -> list[SampleRow]:
        """The last row of each block, without the series that had ended."""
        found = list(self._inherited)
        for row in self._last.values():
            kept = np.flatnonzero(~is_stale(row.values))
            if len(kept):
                labels = tuple(row.labels[index] for index in kept)
                found.append(SampleRow(row.target, row.timestamp_ms, labels, row.values[kept]))
        return found

    async def end(self) -> None:
        """Store a marker for every live series. A failure is logged."""
        rows, self._last, self._inherited = self.live(), {}, []
        now = self._clock.now()
        for row in rows:
            try:
                await self._sink(Collected(ended(row, now, row.labels)))
            except Exception:
                log.exception("the end of %d series of %s was not stored", len(row.labels), row.target)


def ended(last: SampleRow, now_ms: int, labels: tuple[Labels, ...]) -> SampleRow:
    """A row that marks these series of the last row as ended, ``now_ms`` or just after it."""
    # A last row far ahead is from before the clock was set back: what it says of the time does not count.
    ahead = last.timestamp_ms - now_ms
    at = now_ms if ahead > _SET_BACK_MS else max(now_ms, last.timestamp_ms + 1)
    return SampleRow(last.target, at, labels, np.full(len(labels), STALE_NAN))


class RunningLoop:
    """A loop with its plan, its output and its task. ``name`` is unique among all loops and shown to people."""

    def __init__(self, name: str, kind: str, plan: LoopPlan, clock: Clock, sink: CollectedSink, loops: Loops) -> None:
        """Build the loop.

        Raises:
            Exception: whatever the collector raises.
        """
        self.name = name
        self.kind = kind
        self.plan = plan
        self.output = LoopOutput(clock, sink)
        self._clock = clock
        self._loops = loops
        self._watched: set[str] = set()
        self._after: tuple[asyncio.Task[None], ...] = ()
        self._task: asyncio.Task[None] | None = None
        self.loop: CollectorLoop = plan.build(LoopContext(clock, self.output.store, self._watch))
        for status in self.loop.statuses():
            status.observe = self._took

    @property
    def task(self) -> "asyncio.Task[None] | None":
        """The task that runs it, None before the start."""
        return self._task

    def start(self, after: Sequence["asyncio.Task[None]"] = ()) -> None:
        """Run it from now on, once these tasks are over."""
        if self._task is None:
            self._after = tuple(after)
            self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """End its task, and forget its failures. A task that does not end in time is left to itself."""
        if self._task is not None:
            self._task.cancel()
            if self._after:
                # One that never began may still get the series of the loop whose place it was to take.
                await asyncio.wait(self._after)
            _, pending = await asyncio.wait([self._task], timeout=STOP_SECONDS)
            if pending:
                log.error("%s does not stop", self.name)
            elif not self._task.cancelled() and (error := self._task.exception()) is not None:
                log.error("%s has ended", self.name, exc_info=error)
            self._task = None
        for name in (self.name, *self._watched):
            self._loops.forget(name)

    async def close(self) -> None:
        """Let go of its connections, once it has stopped."""
        await closed(self.name, self.loop.close)

    async def _run(self) -> None:
        if self._after:
            await asyncio.wait(self._after)
        await supervise(self.name, self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        try:
            await self.loop.run()
        except (SystemExit, KeyboardInterrupt, GeneratorExit) as error:
            # The first two would end the platform, the third the loop.
            raise RuntimeError("the collector's loop wants to exit") from error
        # Were this no failure, it would be tried again without a pause.
        raise RuntimeError("the collector's loop has returned")

    def _took(self, seconds: float) -> None:
        self._loops.metrics.observe(COLLECTION, seconds, self.kind)

    def _watch(self, name: str) -> TurnWatch:
        if name == self.name:
            return self._loops.watch(name)
        watch = self._loops.item(name)
        self._watched.add(watch.name)
        return watch


async def closed(name: str, close: Callable[[], Awaitable[None]]) -> None:
    """Close something of a collector; one that fails or hangs is logged and does not stop the others."""

    async def closing() -> None:
        try:
            await close()
        except (Exception, SystemExit, KeyboardInterrupt):
            log.exception("%s was not closed", name)

    task = asyncio.create_task(closing(), name=f"{name}, closing")
    _, pending = await asyncio.wait([task], timeout=STOP_SECONDS)
    if pending:
        task.cancel()
        log.error("%s does not close", name)
