"""The wall clock, and one that tests move by hand."""

import asyncio
import heapq
import itertools
import time


class SystemClock:
    """Unix milliseconds from the operating system."""

    def now(self) -> int:
        """The current instant, Unix milliseconds."""
        return time.time_ns() // 1_000_000

    async def sleep_until(self, at: int) -> None:
        """Return once ``now() >= at``; sleeps in steps, so that a clock that is set does not strand us."""
        while (left := at - self.now()) > 0:  # noqa: ASYNC110 - there is no event to wait for but time itself
            await asyncio.sleep(min(left, 60_000) / 1000)


class ManualClock:
    """A clock that stands still until :meth:`advance` moves it, waking sleepers in the order of their deadlines."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self._now = now
        self._sleepers: list[tuple[int, int, asyncio.Event]] = []
        self._order = itertools.count()

    def now(self) -> int:
        """The current instant, Unix milliseconds."""
        return self._now

    async def sleep_until(self, at: int) -> None:
        """Return once the clock has been moved to ``at`` or beyond."""
        if at > self._now:
            event = asyncio.Event()
            heapq.heappush(self._sleepers, (at, next(self._order), event))
            await event.wait()

    async def advance(self, ms: int) -> None:
        """Move the clock forward, stopping at each sleeper's deadline so that it sees its own time."""
        target = self._now + ms
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            at, _, event = heapq.heappop(self._sleepers)
            self._now = max(self._now, at)
            event.set()
            await self._settle()
        self._now = target
        await self._settle()

    async def _settle(self) -> None:
        """Let every task that can run do so; work in threads needs real time, hence the small sleeps."""
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.sleep(0.002)
