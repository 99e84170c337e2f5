"""How a service loop runs and waits: until its next deadline, or until it is woken."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from eldonia_ops.ports import Clock
from eldonia_ops.services.loops import Loops, LoopWatch

log = logging.getLogger("eldonia_ops.services")

CALM_MS: Final = 10_000
_SHORTEST_PAUSE_MS: Final = 1_000
_LONGEST_PAUSE_MS: Final = 30_000


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
                # Not `await waiter`: its CancelledError could not be separated from our own, and a loop that
                # swallows the one meant for it cannot be stopped any more.
                await asyncio.wait(waiters)
        self._event.clear()


def asked_to_stop() -> bool:
    """Whether the running task was cancelled by others.

    A ``CancelledError`` also comes out of what a task awaits: a future of a library that was cancelled there, or a task
    of a plug-in. That is a failure like any other, and must not end a loop.
    """
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


async def supervise(name: str, clock: Clock, turn: Callable[[], Awaitable[None]], loops: Loops | None = None) -> None:
    """Run ``turn`` again and again until cancelled. One that raises is logged and tried again after a growing pause
    (1 s to 30 s).

    One loop's trouble (a locked database, a full disk) must not take the others down with it. ``loops`` hears of
    each turn. A turn may wait for hours; one that is still running after :data:`CALM_MS` has got over what the last
    one failed at.
    """
    watch = (loops or Loops()).watch(name)
    pause = _SHORTEST_PAUSE_MS
    while True:
        try:
            await (_watched(turn, clock, watch) if watch.in_row else turn())
            pause = _SHORTEST_PAUSE_MS
            watch.succeeded()
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and asked_to_stop():
                raise
            watch.failed(error)
            log.exception("%s: will try again in %d s", name, pause // 1000)
            await clock.sleep_until(clock.now() + pause)
            pause = min(pause * 2, _LONGEST_PAUSE_MS)


async def _watched(turn: Callable[[], Awaitable[None]], clock: Clock, watch: LoopWatch) -> None:
    """One turn after a failure; noted as a success already while it waits."""

    async def calm() -> None:
        await clock.sleep_until(clock.now() + CALM_MS)
        watch.succeeded()

    noting = asyncio.create_task(calm())
    try:
        await turn()
    finally:
        noting.cancel()
