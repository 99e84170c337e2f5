"""Work that takes long, kept off the event loop and within bounds.

While one person looks at a hundred thousand series, alerting goes on and others are answered: the work runs on
two threads, few requests wait for them, and those beyond are asked to come back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final, TypeVar

T = TypeVar("T")

RETRY_AFTER: Final = "2"
"""Seconds after which to come back, for the ``Retry-After`` header."""


class BusyError(RuntimeError):
    """Too many requests of this kind are under way."""

    def __init__(self) -> None:
        super().__init__("too many requests of this kind are under way; try again in a moment")


class HeavyWork:
    """At most ``places`` requests are at work at once, and ``waiting`` more wait for a place."""

    def __init__(self, places: int = 2, waiting: int = 8) -> None:
        self._places = asyncio.Semaphore(places)
        self._room = places + waiting
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="heavy")

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place, for the whole of a request: what it has fetched takes memory.

        Raises:
            BusyError: as many as may wait are waiting already.
        """
        if not self._room:
            raise BusyError
        self._room -= 1
        try:
            async with self._places:
                yield
        finally:
            self._room += 1

    async def run(self, work: Callable[[], T]) -> T:
        """Run work on one of the threads. It must touch nothing that the event loop changes meanwhile."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
