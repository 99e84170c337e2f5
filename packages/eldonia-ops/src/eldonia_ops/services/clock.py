"""The wall clock, and one that tests move by hand."""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable

log = logging.getLogger("eldonia_ops.services.clock")

_STEP_MS = 1_000


class SystemClock:
    """Unix milliseconds from the operating system.

    ``times_set_back`` counts how often it was set back, as NTP does to a machine that started with local time
    for UTC. What is slewed, or stepped by less than a second, does not count.
    """

    def __init__(self, nanoseconds: Callable[[], int] = time.time_ns) -> None:
        self._nanoseconds = nanoseconds
        self._latest = 0
        self.times_set_back = 0

    def now(self) -> int:
        """The current instant, Unix milliseconds."""
        now = self._nanoseconds() // 1_000_000
        if went_back(self._latest, now):
            self.times_set_back += 1
            log.warning("the clock was set back by %.0f s; deadlines are counted anew", (self._latest - now) / 1000)
            self._latest = now
        self._latest = max(self._latest, now)
        return now

    async def sleep_until(self, at: int) -> None:
        """Return once ``now() >= at``, or earlier when the clock is set back; sleeps in steps, to notice."""
        while (left := at - (before := self.now())) > 0:
            await asyncio.sleep(min(left, 60_000) / 1000)
            if went_back(before, self.now()):
                return


def went_back(before: int, now: int) -> bool:
    """Whether a clock that showed ``before`` earlier and shows ``now`` (Unix ms) was set back in between."""
    return now < before - _STEP_MS


class SetBack:
    """Tells a loop when what it has stored may lie in the future: at its first look, for the clock may have been set
    back while the platform was down, and whenever time goes back."""

    def __init__(self) -> None:
        self._before: int | None = None

    def noticed(self, now: int) -> bool:
        """Whether the clock was set back, so that stored instants have to be checked; ``now`` is the present."""
        before, self._before = self._before, now
        return before is None or went_back(before, now)


class ManualClock:
    """A clock that does not move until :meth:`advance` moves it, waking sleepers in the order of their deadlines."""

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

    async def suspend(self, ms: int) -> None:
        """Move the clock forward at once, as a machine sees it that slept: every deadline on the way is missed."""
        await self._settle()
        self._now += ms
        await self.advance(0)

    async def set_back(self, ms: int) -> None:
        """Set the clock back; all who sleep wake up, as with the real one."""
        await self._settle()
        self._now -= ms
        sleepers, self._sleepers = self._sleepers, []
        for _, _, event in sleepers:
            event.set()
        await self._settle()

    async def _settle(self) -> None:
        """Let every task that can run do so; work in threads needs real time, hence the small sleeps."""
        for _ in range(5):
            await asyncio.sleep(0)
        await asyncio.sleep(0.002)
