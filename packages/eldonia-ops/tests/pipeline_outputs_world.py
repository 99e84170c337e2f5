"""What tests of outputs share: an edge with a clock of its own, deliveries that can be made to fail."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline_outputs.running import OutputEdge, OutputError, RunningOutput

EPOCH_MS = 1_796_083_200_000


class World:
    """A wall clock that is moved by hand, and what was sent to @ERROR and to labels."""

    def __init__(self, folder: Path) -> None:
        self.now_ms = EPOCH_MS
        self.refused: list[tuple[Batch, str]] = []
        self.relabelled: list[tuple[str, Batch]] = []
        self.edge = OutputEdge(
            now_ms=lambda: self.now_ms,
            buffers=folder / "buffers",
            errors=self._errors,
            relabel=self._relabel,
            random=lambda: 0.5,
        )

    async def _errors(self, batch: Batch, reason: str) -> None:
        self.refused.append((batch, reason))

    async def _relabel(self, label: str, batch: Batch) -> None:
        self.relabelled.append((label, batch))


class Receiver:
    """A delivery that keeps what came, and fails while it is asked to."""

    def __init__(self) -> None:
        self.failure: OutputError | None = None
        self.chunks: list[tuple[Chunk, list[Batch]]] = []
        self.attempts = 0

    async def deliver(self, chunk: Chunk, batches: Sequence[Batch]) -> None:
        self.attempts += 1
        if self.failure is not None:
            raise self.failure
        self.chunks.append((chunk, list(batches)))

    async def close(self) -> None:
        pass

    @property
    def records(self) -> list[Any]:
        return [event.record for _, batches in self.chunks for batch in batches for event in batch.events]


def batch(*numbers: int, tag: str = "t.a", at_ns: int = EPOCH_MS * 1_000_000) -> Batch:
    """Events that are known by a number."""
    return Batch(tag, tuple(Event(at_ns, {"n": number}) for number in numbers), "test")


@contextlib.asynccontextmanager
async def running(output: RunningOutput) -> AsyncIterator[RunningOutput]:
    """The output with its loop; it is closed at the end."""
    loop = asyncio.ensure_future(output.run())
    try:
        yield output
    finally:
        await output.close()
        loop.cancel()
        await asyncio.wait([loop])


async def until(condition: Any, seconds: float = 10.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)
