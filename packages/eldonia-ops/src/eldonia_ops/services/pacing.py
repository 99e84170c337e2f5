"""How a service loop waits: until its next deadline, or until somebody brings news."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from eldonia_ops.ports import Clock

log = logging.getLogger("eldonia_ops.services")


class Wakeup:
    """A flag that a loop waits on and others raise; raising it twice wakes once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        """Let the waiting loop look again. Call it from the event loop's thread."""
        self._event.set()

    async def wait(self, clock: Clock, deadline: int | None) -> None:
        """Return at the deadline (Unix ms; None for never) or as soon as the flag is raised; lowers the flag."""
        if not self._event.is_set():
            waiters: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._event.wait())]
            if deadline is not None:
                waiters.append(asyncio.ensure_future(clock.sleep_until(deadline)))
            try:
                await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for waiter in waiters:
                    waiter.cancel()
                # Not `await waiter`: its CancelledError could not be told from our own, and a loop that
                # swallows the one meant for it cannot be stopped any more.
                await asyncio.wait(waiters)
        self._event.clear()


async def keep_running(name: str, clock: Clock, turn: Callable[[], Awaitable[None]]) -> None:
    """Run ``turn`` for ever. A turn that raises is logged and tried again after a growing pause (1 s to 30 s).

    One loop's trouble (a locked database, a full disk) must not take the others down with it.
    """
    pause = 1_000
    while True:
        try:
            await turn()
            pause = 1_000
        except Exception:
            log.exception("%s: will try again in %d s", name, pause // 1000)
            await clock.sleep_until(clock.now() + pause)
            pause = min(pause * 2, 30_000)
