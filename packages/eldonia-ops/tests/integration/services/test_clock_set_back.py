"""The clock is set back by hours, as NTP does to a machine that took local time for UTC: nothing waits for it."""

import asyncio
import logging

import pytest
from service_world import HOUR, MINUTE, SECOND, SteppedClock, alert, open_world, security_record, unavailable

from eldonia_ops.incidents.policy import Policy, Tier
from eldonia_ops.model.incidents import Severity
from eldonia_ops.services.clock import SetBack, SystemClock
from eldonia_ops.services.rules.evaluation import next_turn

TIERS = (Tier("development"), Tier("infrastructure", "infrastructure", {Severity.CRITICAL: 15 * MINUTE}))


def test_the_system_clock_counts_and_says_that_it_was_set_back(caplog: pytest.LogCaptureFixture) -> None:
    instants = iter([100_000, 101_000, 100_500, 9_000, 10_000])
    clock = SystemClock(lambda: next(instants) * 1_000_000)
    with caplog.at_level(logging.WARNING):
        assert [clock.now() for _ in range(5)] == [100_000, 101_000, 100_500, 9_000, 10_000]
    assert clock.times_set_back == 1, "half a second is no such step"
    assert [record.getMessage() for record in caplog.records] == [
        "the clock was set back by 92 s; deadlines are counted anew"
    ]


async def test_who_sleeps_until_an_instant_wakes_when_the_clock_is_set_back() -> None:
    instants = iter([100_000, 9_000])
    clock = SystemClock(lambda: next(instants) * 1_000_000)
    await asyncio.wait_for(clock.sleep_until(100_001), 10)


def test_a_loop_looks_over_what_is_stored_at_its_start_and_whenever_time_goes_back() -> None:
    watch = SetBack()
    assert [watch.noticed(now) for now in (50_000, 50_000, 49_500, 60_000, 10_000, 10_000)] == [
        True, False, False, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("now", "expected"), [(0, 7), (6, 7), (7, 17), (16, 17), (-5, -3)])
def test_the_next_turn_is_on_the_grid_and_later_than_now(now: int, expected: int) -> None:
    assert next_turn(now, 10, 7) == expected


async def test_sleepers_of_the_clock_of_the_tests_wake_too() -> None:
    clock = SteppedClock()
    task = asyncio.create_task(clock.sleep_until(clock.now() + HOUR))
    await clock.set_back(MINUTE)
    await asyncio.wait_for(task, 1)


async def test_a_rule_fires_after_its_wait_although_the_clock_was_set_back_meanwhile() -> None:
    async with open_world() as world:
        await world.start()
        await world.pass_time(10 * MINUTE)
        await world.set_back(9 * HOUR)
        world.measure("errors", 9.0, job="shop")
        await world.pass_time(4 * MINUTE)
        assert [view.state for view in await world.alerts.current()] == ["pending"]
        await world.set_back(2 * HOUR)
        await world.pass_time(3 * MINUTE)
        assert [view.state for view in await world.alerts.current()] == ["firing"]
        await world.pass_time(MINUTE)
        assert len(world.receivers.at("pager")) == 1
        world.measure("errors", 1.0, job="shop")
        await world.pass_time(8 * MINUTE)
        assert len(world.receivers.at("pager")) == 2
        assert [view.state for view in await world.alerts.current()] == []


async def test_a_firing_alert_stays_up_and_is_told_once_although_the_clock_is_set_back() -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0, job="shop")
        await world.pass_time(8 * MINUTE)
        assert len(world.receivers.at("pager")) == 1
        await world.set_back(9 * HOUR)
        await world.pass_time(30 * MINUTE)
        assert len([row for row in world.receivers.at("pager") if row.purpose == "alert"]) == 1
        (incident,) = await world.incidents.find()
        assert incident.reopened_at == 0
        # And the repeat interval of 4 h counts from then on.
        await world.pass_time(4 * HOUR)
        assert len([row for row in world.receivers.at("pager") if row.purpose == "alert"]) == 2


@pytest.mark.parametrize("restart", [False, True])
async def test_pages_retries_and_escalations_do_not_wait_for_the_clock_to_catch_up(restart: bool) -> None:
    async with open_world(policy=Policy(tiers=TIERS)) as world:
        await world.start()
        world.receivers.answers["pager"] = unavailable
        await world.alerts.receive([alert("Down")])
        await world.pass_time(10 * MINUTE)
        await world.alerts.receive([alert("Late", service="other")])
        if restart:
            await world.crash()
            await world.clock.set_back(9 * HOUR)
            await world.start()
        else:
            await world.clock.set_back(9 * HOUR)
        del world.receivers.answers["pager"]
        await world.pass_time(5 * MINUTE)
        paged = {row.fingerprints for row in world.receivers.at("pager")}
        assert paged == {(alert("Down").fingerprint,), (alert("Late", service="other").fingerprint,)}
        await world.pass_time(11 * MINUTE)
        assert len(world.receivers.at("infrastructure")) == 2


async def test_an_attack_is_found_and_ends_although_the_clock_was_set_back() -> None:
    async with open_world() as world:
        await world.start()
        await world.ingest.logs([security_record(world.clock, number) for number in range(2)])
        await world.clock.set_back(9 * HOUR)
        await world.ingest.logs([security_record(world.clock, number) for number in range(2, 12)])
        await world.pass_time(MINUTE)
        assert [finding.type for finding in await world.security.find()]
        await world.pass_time(10 * SECOND)
        assert await world.alerts.current()
        await world.clock.set_back(HOUR)
        await world.pass_time(31 * MINUTE)
        assert await world.alerts.current() == []
