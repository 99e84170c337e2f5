"""Many small writes, one insert: each caller returns when its own rows are stored."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.engines.engine import EngineUnavailableError

R = TypeVar("R")


def kibibytes(row: bytes) -> int:
    """The weight of an encoded row: one for each KiB of it that is begun, so that bounds on rows bound the memory."""
    return 1 + len(row) // 1024


class GroupCommit(Generic[R]):
    """Gathers rows for a while, or until there are ``max_rows``, and stores them with one call of ``store``.

    After a pause rows wait ``delay_seconds`` for others; under a steady trickle stores begin four times that long
    after one another, since each leaves a part behind that takes some 30 kB of memory until the engine lets go of
    it (eight minutes). While one store runs the next group gathers, so the rate adapts to what the disk can do.
    ``max_waiting`` rows may wait in all; more are refused, so that a stalled disk cannot fill the memory.
    ``weight`` says how many rows an item counts for. When a group is refused each submission is tried alone,
    unless ``retry_apart`` is off.
    """

    def __init__(
        self,
        store: Callable[[Sequence[R]], Awaitable[None]],
        *,
        delay_seconds: float = 0.1,
        max_rows: int = 1_000,
        max_waiting: int = 200_000,
        weight: Callable[[R], int] = lambda _: 1,
        retry_apart: bool = True,
    ) -> None:
        self._store = store
        self._delay = delay_seconds
        self._max_rows = max_rows
        self._max_waiting = max_waiting
        self._weight = weight
        self._retry_apart = retry_apart
        self._groups: list[tuple[Sequence[R], asyncio.Future[None]]] = []
        self._gathered = 0
        self._waiting = 0
        self._began = float("-inf")
        self._full = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def idle(self) -> bool:
        """Whether nothing is gathered or being stored."""
        return self._task is None

    @property
    def waiting(self) -> int:
        """Rows accepted and not yet stored."""
        return self._waiting

    async def submit(self, rows: Sequence[R]) -> None:
        """Return once ``rows``, and all that were submitted before, are stored.

        An empty sequence is a barrier: it waits for what is under way.

        Raises:
            TelemetryError: the rows could not be stored, too many wait, or the store is closed.
        """
        if self._closed:
            raise TelemetryError("the telemetry store is closed")
        if not rows and self._task is None:
            return
        weight = sum(map(self._weight, rows))
        if self._waiting and self._waiting + weight > self._max_waiting:
            raise TelemetryError(f"{len(self._groups)} batches already wait to be stored: try again later")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._groups.append((rows, done))
        self._waiting += weight
        self._gathered += weight
        if self._gathered >= self._max_rows:
            self._full.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="telemetry-commit")
        # Shielded: a caller who gives up must not tear down the group of the others.
        await asyncio.shield(done)

    async def close(self) -> None:
        """Refuse new rows and return when the accepted ones are stored or have failed."""
        self._closed = True
        self._full.set()
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        began = self._began
        while self._groups:
            if not self._full.is_set():
                pause = max(self._delay, began + 4 * self._delay - loop.time())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), pause)
            if not self._closed:
                self._full.clear()
            began = self._began = loop.time()
            groups, self._groups = self._groups, []
            gathered, self._gathered = self._gathered, 0
            try:
                await self._commit(groups)
            finally:
                self._waiting -= gathered
        self._task = None

    async def _commit(self, groups: list[tuple[Sequence[R], asyncio.Future[None]]]) -> None:
        try:
            everything = [row for rows, _ in groups for row in rows]
            if everything:
                await self._store(everything)
        except TelemetryError as error:
            if self._retry_apart and len(groups) > 1 and not isinstance(error, EngineUnavailableError):
                # Rows that cannot be stored must not take their neighbours with them.
                for group in groups:
                    await self._commit([group])
                return
            _settle(groups, error)
        except BaseException as error:
            _settle(groups, TelemetryError(f"not stored: {error!r}"))
            if not isinstance(error, Exception):
                raise
        else:
            _settle(groups, None)


def _settle(groups: list[tuple[Sequence[R], asyncio.Future[None]]], error: TelemetryError | None) -> None:
    for _, done in groups:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
            done.exception()  # the caller gave up, so no one looks at it
