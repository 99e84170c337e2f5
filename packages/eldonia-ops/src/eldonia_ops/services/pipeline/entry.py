"""Where the events of one source enter a pipeline: counted, and only so many at once.

A source that sends fifty times as much as usual waits for itself: each has the same few places, however many
connections or files it has, so those that send little never wait behind all that it has sent.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.graph import TOP
from eldonia_ops.pipeline_outputs.running import OutputError

PLACES: Final = 8
"""Batches of one source that are on their way through filters to outputs at once."""

RATE_MS: Final = 60_000
_SLICE_MS: Final = 5_000
_LONGEST_FAULT: Final = 300


class Pipeline(Protocol):
    """What takes events: see :class:`~eldonia_ops.services.pipeline.runner.PipelineRunner`."""

    @property
    def held(self) -> int:
        """How many events filters hold back."""
        ...

    async def emit(self, batch: Batch, label: str = TOP) -> None:
        """Send a batch through the pipeline.

        Raises:
            OutputError: an output has not taken its part.
        """
        ...

    async def refuse(self, batch: Batch, reason: str) -> None:
        """Send events on that could not be read."""
        ...


class PipelineEntry:
    """Implements :class:`Pipeline` for one source. ``now_ms`` is the clock, Unix ms."""

    def __init__(self, runner: Pipeline, now_ms: Callable[[], int], places: int = PLACES) -> None:
        self._runner = runner
        self._now_ms = now_ms
        self._free = asyncio.Semaphore(places)
        self._slices: deque[tuple[int, int]] = deque()
        self.events = 0
        self.unread = 0
        self.last_ms = 0
        self.waiting = 0
        self.fault = ""
        self.fault_ms = 0

    @property
    def held(self) -> int:
        """How many events filters hold back."""
        return self._runner.held

    async def emit(self, batch: Batch, label: str = TOP) -> None:
        """Send a batch through the pipeline.

        Raises:
            OutputError: an output has not taken its part.
        """
        self.waiting += 1
        try:
            async with self._free:
                await self._runner.emit(batch, label)
        except OutputError as error:
            self._failed(str(error))
            raise
        finally:
            self.waiting -= 1
        self._count(len(batch.events))

    async def refuse(self, batch: Batch, reason: str) -> None:
        """Send events on that could not be read."""
        async with self._free:
            await self._runner.refuse(batch, reason)
        self.unread += len(batch.events)
        self._failed(reason)

    def per_minute(self) -> int:
        """How many events came in the last minute."""
        oldest = self._now_ms() - RATE_MS
        return sum(count for at, count in self._slices if at >= oldest)

    def _count(self, events: int) -> None:
        if not events:
            return
        now = self._now_ms()
        self.events += events
        self.last_ms = now
        if self._slices and now - self._slices[-1][0] < _SLICE_MS:
            at, count = self._slices.pop()
            self._slices.append((at, count + events))
        else:
            self._slices.append((now, events))
        while self._slices[0][0] < now - RATE_MS:
            self._slices.popleft()

    def _failed(self, reason: str) -> None:
        self.fault, self.fault_ms = reason[:_LONGEST_FAULT], self._now_ms()
