"""Rows that are durable in the write-ahead log, on their way into the engine in large blocks."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from eldonia_ops.ports import TelemetryError, TelemetryUnavailableError

_log = logging.getLogger(__name__)
R = TypeVar("R")

RETRY_SECONDS: Final = (0.5, 30.0)
"""The first pause after a block that was not stored, and the longest."""

ROOM_SECONDS: Final = 10.0
READ_SECONDS: Final = 2.0


class NotStoredError(TelemetryError):
    """A block of which a part was not stored: ``rest`` are the items to be offered again."""

    def __init__(self, message: str, rest: Sequence[object]) -> None:
        super().__init__(message)
        self.rest = rest


class BlockWriter(Generic[R]):
    """Gathers items and stores them with one call of ``store`` for many.

    A block is begun ``delay_seconds`` after its first item, when ``max_rows`` have gathered, or when a query comes:
    :meth:`flush`. Blocks that are begun because of a reader begin at least ``pause_seconds`` after one another.
    What ``store`` refuses stays and is offered again, for it is acknowledged; a :class:`NotStoredError` says which
    part. ``weight`` says how many rows an item counts for; ``progress`` is called after each block.
    """

    def __init__(
        self,
        name: str,
        store: Callable[[Sequence[R]], Awaitable[None]],
        *,
        delay_seconds: float,
        pause_seconds: float,
        max_rows: int = 50_000,
        max_waiting: int = 100_000,
        weight: Callable[[R], int] = lambda _: 1,
        progress: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._store = store
        self._delay = delay_seconds
        self._pause = pause_seconds
        self._max_rows = max_rows
        self._max_waiting = max_waiting
        self._weight = weight
        self._progress = progress
        self._gathered: deque[tuple[int, R]] = deque()
        self._storing: Sequence[tuple[int, R]] = ()
        self._gathered_rows = 0
        self._waiting = 0
        self._hurry = asyncio.Event()
        self._changed = asyncio.Event()
        self._began = float("-inf")
        self._attempts = 0
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.failing = ""

    @property
    def waiting(self) -> int:
        """Rows that are in the write-ahead log and not in the engine."""
        return self._waiting

    @property
    def oldest(self) -> int | None:
        """The sequence number of the oldest of them, or None."""
        if self._storing:
            return min(sequence for sequence, _ in self._storing)
        return self._gathered[0][0] if self._gathered else None

    async def room(self, item: R) -> None:
        """Wait until there is room for an item.

        Raises:
            TelemetryUnavailableError: there was none for :data:`ROOM_SECONDS`.
        """
        weight = self._weight(item)
        if not self._waiting or self._waiting + weight <= self._max_waiting:
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + ROOM_SECONDS
        while self._waiting and self._waiting + weight > self._max_waiting:
            self.hurry()
            try:
                await asyncio.wait_for(self._changed.wait(), until - loop.time())
            except TimeoutError:
                why = f": {self.failing}" if self.failing else ""
                message = f"{self._waiting} rows already wait to be stored{why}; try again later"
                raise TelemetryUnavailableError(message) from None

    def add(self, item: R, sequence: int) -> None:
        """Take an item whose record in the write-ahead log has this number."""
        self._gathered.append((sequence, item))
        weight = self._weight(item)
        self._waiting += weight
        self._gathered_rows += weight
        if self._gathered_rows >= self._max_rows:
            self._hurry.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"telemetry-{self._name}")

    def hurry(self) -> None:
        """Begin the next block now."""
        if self._gathered:
            self._hurry.set()

    async def flush(self, seconds: float = READ_SECONDS) -> None:
        """Return when all that was taken before is stored, when an attempt failed, or after some seconds. Never raises.

        A reader sees what was acknowledged; trouble with storing must not keep it from what is there.
        """
        if self.oldest is None or (self.failing and seconds <= READ_SECONDS):
            return
        last = self._gathered[-1][0] if self._gathered else max(sequence for sequence, _ in self._storing)
        loop = asyncio.get_running_loop()
        until, attempts = loop.time() + seconds, self._attempts
        while (oldest := self.oldest) is not None and oldest <= last:
            if self.failing and self._attempts > attempts:
                return
            changed = self._changed
            if not self._storing and not self._hurry.is_set():
                self._hurry_after_pause(loop)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), max(0.0, until - loop.time()))
            if loop.time() >= until:
                return

    async def close(self) -> None:
        """Store what waits; what is refused now stays in the write-ahead log."""
        self._closing = True
        self._hurry.set()
        if self._task is not None:
            await asyncio.shield(self._task)

    def _hurry_after_pause(self, loop: asyncio.AbstractEventLoop) -> None:
        pause = self._began + self._pause - loop.time()
        if pause <= 0:
            self._hurry.set()
        else:
            loop.call_later(pause, self.hurry)

    async def _run(self) -> None:
        retry = RETRY_SECONDS[0]
        loop = asyncio.get_running_loop()
        try:
            while self._gathered:
                if not self._closing:
                    await self._wait(retry if self.failing else self._delay)
                    self._hurry.clear()
                self._began = loop.time()
                block = self._take()
                self._storing = block
                rest = await self._offer(block)
                self._storing = ()
                self._gathered.extendleft(reversed(rest))
                self._waiting = self._gathered_rows = sum(self._weight(item) for _, item in self._gathered)
                self._attempts += 1
                retry = min(retry * 2, RETRY_SECONDS[1]) if rest else RETRY_SECONDS[0]
                changed, self._changed = self._changed, asyncio.Event()
                changed.set()
                self._progress()
                if rest and self._closing:
                    break
                if self._gathered_rows >= self._max_rows and not rest:
                    self._hurry.set()
        finally:
            self._task = None

    async def _wait(self, seconds: float) -> None:
        if self.failing:
            # Urgent requests wait too: the engine has just refused.
            self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), seconds)

    def _take(self) -> list[tuple[int, R]]:
        block: list[tuple[int, R]] = []
        rows = 0
        while self._gathered and (not block or rows + self._weight(self._gathered[0][1]) <= self._max_rows):
            rows += self._weight(self._gathered[0][1])
            block.append(self._gathered.popleft())
        self._gathered_rows -= rows
        return block

    async def _offer(self, block: list[tuple[int, R]]) -> list[tuple[int, R]]:
        """Store a block; returns what has to be offered again."""
        try:
            await self._store([item for _, item in block])
        except NotStoredError as error:
            self._failed(error)
            oldest = min(sequence for sequence, _ in block)
            return [(oldest, item) for item in error.rest]  # pyright: ignore[reportReturnType]
        except Exception as error:  # noqa: BLE001 - whatever it is, what was acknowledged is kept
            self._failed(error)
            return block
        if self.failing:
            _log.warning("%s are stored again", self._name)
            self.failing = ""
        return []

    def _failed(self, error: Exception) -> None:
        if not self.failing:
            _log.warning("%s stay in the write-ahead log for now: %s", self._name, error)
        self.failing = str(error) or type(error).__name__
