"""Hands the lines of a followed file to a sink, batch after batch, and remembers how far they are stored."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from eldonia_ops.collectors.collector import Positions
from eldonia_ops.collectors.status import TargetStatus, TurnWatch
from eldonia_ops.collectors.tail.batches import TailBatch, TailOptions, TailSink
from eldonia_ops.collectors.tail.files import TailLine
from eldonia_ops.protocols.line_formats.recognise import form_of

log = logging.getLogger("eldonia_ops.collectors.tail")
_T = TypeVar("_T")
_STOP_SECONDS: Final = 5.0
"""How long a tail that is stopped waits for the batch that it has handed over."""


class TailDelivery:
    """``identity`` is the file that is read, ``delivered`` the byte up to which its lines were taken; ``saved`` is the
    last position of all files of the path. Trouble is shown in ``status``."""

    def __init__(
        self,
        name: str,
        sink: TailSink,
        positions: Positions,
        options: TailOptions,
        watch: TurnWatch,
        status: TargetStatus,
    ) -> None:
        self._name = name
        self._sink = sink
        self._positions = positions
        self._options = options
        self._watch = watch
        self._status = status
        self.identity = ""
        self.delivered = 0
        self.saved: tuple[str, int] | None = None
        self._unsaved = False
        self._saved_at = 0.0

    def begin(self, identity: str, offset: int) -> None:
        """The lines that follow are of this file, from this byte on."""
        self.identity, self.delivered = identity, offset

    async def deliver(self, lines: list[TailLine]) -> None:
        """Hand a batch to the sink until it takes it, then remember the position."""
        if not lines:
            return
        identity = self.identity
        batch = TailBatch(self._name, self._source(identity), self.delivered, lines)
        pause = self._options.retry_seconds
        started = time.monotonic()
        while True:
            try:
                unread = await self._finished(self._sink(batch), identity, batch.end)
                self._watch.succeeded()
                break
            except Exception as error:
                self._watch.failed(error)
                log.warning("tail %s: not stored, will try again", self._name, exc_info=True)
                self.fail(f"not stored yet: {error}")
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)
        self._status.parse_errors += unread or 0
        self._status.recognised = self._options.form or form_of(lines[0].data, time.time_ns())
        self._status.succeeded(time.time_ns() // 1_000_000, time.monotonic() - started, len(lines))
        self.delivered = batch.end
        self.saved, self._unsaved = (identity, batch.end), True
        if time.monotonic() - self._saved_at >= self._options.save_seconds:
            await self.save_late()

    async def save_late(self) -> None:
        """Save the position of the last batch, if it is not."""
        if self._unsaved and self.saved is not None:
            await self.save(*self.saved)

    async def _finished(self, storing: Awaitable[int | None], identity: str, end: int) -> int | None:
        """What the sink returns. Who is cancelled meanwhile waits for it, and still remembers the position.

        The rows are on their way: a tail that follows the same file next must not find them missing and send them
        a second time.
        """
        task = asyncio.ensure_future(storing)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task], timeout=_STOP_SECONDS)
            if not task.done():
                task.cancel()
            elif not task.cancelled() and task.exception() is None:
                await self.save(identity, end)
            raise

    async def save(self, identity: str, offset: int) -> None:
        """Save a position."""
        self.saved, self._unsaved, self._saved_at = (identity, offset), False, time.monotonic()
        try:
            await self._positions.save_position(self._name, identity, offset)
        except Exception:
            # The store knows the position too, and the next batch saves again.
            log.warning("tail %s: position not saved", self._name, exc_info=True)

    async def load(self) -> None:
        """Learn which position was saved."""
        self.saved = await self.insist(lambda: self._positions.load_position(self._name))

    async def stored(self, identity: str) -> int:
        """How far the store itself knows a file."""
        return await self.insist(lambda: self._positions.source_position(self._source(identity))) or 0

    async def insist(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """What a call answers, asked until it does."""
        pause = self._options.retry_seconds
        while True:
            try:
                return await call()
            except Exception as error:
                self._watch.failed(error)
                log.warning("tail %s: position unknown, will try again", self._name, exc_info=True)
                self.fail(f"the position cannot be read: {error}")
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)

    def fail(self, error: str) -> None:
        """Show what is wrong."""
        self._status.failed(time.time_ns() // 1_000_000, 0.0, error)

    def _source(self, identity: str) -> str:
        return f"{self._name}#{identity}"
