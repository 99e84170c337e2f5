"""How loops wait, stop and survive; and the purge."""

import asyncio
import itertools
import logging

import pytest
from service_world import HOUR, MINUTE, SECOND, SteppedClock, alert, open_world

from eldonia_ops.model.incidents import IncidentStatus
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import Wakeup, supervise


async def test_a_waiting_loop_wakes_at_its_deadline_or_at_once_when_there_is_news() -> None:
    clock, wakeup = SteppedClock(), Wakeup()
    woken: list[int] = []

    async def loop() -> None:
        while True:
            await wakeup.wait(clock, clock.now() + MINUTE)
            woken.append(clock.now())

    start = clock.now()
    task = asyncio.create_task(loop())
    await clock.advance(MINUTE)
    await clock.advance(10 * SECOND)
    wakeup.wake()
    wakeup.wake()
    await clock.settle()
    await clock.advance(MINUTE)
    task.cancel()
    assert [at - start for at in woken] == [MINUTE, 70 * SECOND, 130 * SECOND]


async def test_news_that_comes_before_the_wait_is_not_lost() -> None:
    clock, wakeup = SteppedClock(), Wakeup()
    wakeup.wake()
    await asyncio.wait_for(wakeup.wait(clock, None), 1)


@pytest.mark.parametrize("turns", range(8))
async def test_a_loop_can_be_stopped_at_any_moment_of_waking_up(turns: int) -> None:
    clock, wakeup = SteppedClock(), Wakeup()

    async def loop() -> None:
        while True:
            await wakeup.wait(clock, clock.now() + HOUR)

    task = asyncio.create_task(loop())
    await clock.settle()
    wakeup.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    assert task.cancelled()


async def test_a_loop_that_fails_tries_again_with_growing_pauses_and_starts_over_after_a_success(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = SteppedClock()
    at: list[int] = []

    async def turn() -> None:
        at.append(clock.now())
        if len(at) != 8:
            raise OSError("no space left on device")
        await clock.sleep_until(clock.now() + SECOND)

    with caplog.at_level(logging.CRITICAL):
        task = asyncio.create_task(supervise("a loop", clock, turn))
        await clock.advance(3 * MINUTE)
    task.cancel()
    pauses = [(later - earlier) // SECOND for earlier, later in itertools.pairwise(at)]
    assert pauses[:9] == [1, 2, 4, 8, 16, 30, 30, 1, 1]


async def test_a_loop_goes_on_when_what_it_waits_for_was_cancelled_elsewhere() -> None:
    clock, loops = SteppedClock(), Loops()
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        future = asyncio.get_running_loop().create_future()
        future.cancel()  # as a library does to what waits for a connection that it closes
        await future

    task = asyncio.create_task(supervise("a loop", clock, turn, loops))
    await clock.advance(MINUTE)
    assert turns > 3
    assert [(loop.name, loop.error) for loop in loops.failing()] == [("a loop", "CancelledError")]
    task.cancel()
    await asyncio.wait([task], timeout=1)
    assert task.cancelled()


async def test_the_system_clock_returns_when_it_is_time() -> None:
    clock = SystemClock()
    at = clock.now() + 30
    await asyncio.wait_for(clock.sleep_until(at), 2)
    assert clock.now() >= at
    await asyncio.wait_for(clock.sleep_until(0), 1)


async def test_the_purge_takes_what_is_finished_and_old_and_leaves_the_rest() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert("Old"), alert("Open", service="other")])
        await world.pass_time(MINUTE)
        await world.alerts.receive([alert("Old", ends_at=world.clock.now())])
        await world.incidents.change_status("INC-1", "hana", IncidentStatus.CLOSED)
        await world.pass_time(10 * MINUTE)
        assert await world.purge.purge_once() == 0
        await world.pass_time(10 * MINUTE)
        world.purge._keep_ms = 5 * MINUTE
        assert await world.purge.purge_once() > 0
        assert [incident.ordinal for incident in await world.incidents.find()] == [2, 1], "their figures stay"
        assert [len(await world.timeline(ordinal)) > 0 for ordinal in (1, 2)] == [False, True]
        assert [view.alert.name for view in await world.alerts.current()] == ["Open"]
        # Purging while notifications are sent must not send them again.
        notified = len(world.receivers.arrived)
        await world.pass_time(2 * HOUR)
        assert len([1 for _, row in world.receivers.arrived[notified:] if row.purpose == "alert"]) == 0
