"""The machine sleeps, the process is stopped or killed for a while: silence in that time ends no alert."""

import pytest
from service_world import HOUR, MINUTE, SECOND, World, alert, open_world

from eldonia_ops.model.incidents import IncidentStatus


async def be_away(world: World, how: str, ms: int) -> None:
    if how == "asleep":
        await world.clock.suspend(ms)
    else:
        await world.restart(down_for=ms)


@pytest.mark.parametrize("how", ["asleep", "killed"])
async def test_an_alert_that_its_client_goes_on_sending_is_not_told_to_be_over(how: str) -> None:
    async with open_world() as world:
        await world.start()
        for _ in range(3):
            await world.alerts.receive([alert(ends_at=0)])  # as Alertmanager's clients do, every minute
            await world.pass_time(MINUTE)
        assert len(world.receivers.at("pager")) == 1
        await be_away(world, how, HOUR)
        await world.pass_time(30 * SECOND)
        for _ in range(10):
            await world.alerts.receive([alert(ends_at=0)])
            await world.pass_time(MINUTE)
        assert len(world.receivers.at("pager")) == 1
        incident = await world.incident()
        assert (incident.resolved_at, incident.reopened_at) == (0, 0)


@pytest.mark.parametrize("how", ["asleep", "killed"])
async def test_an_alert_of_a_rule_that_still_holds_is_not_told_to_be_over(how: str) -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0, job="shop")
        await world.pass_time(8 * MINUTE)
        assert len(world.receivers.at("pager")) == 1
        await be_away(world, how, HOUR)
        await world.pass_time(10 * MINUTE)
        assert len(world.receivers.at("pager")) == 1
        assert (await world.incident()).reopened_at == 0


@pytest.mark.parametrize("how", ["asleep", "killed"])
async def test_an_alert_that_is_no_longer_posted_ends_a_little_later(how: str) -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert(ends_at=0)])
        await world.pass_time(MINUTE)
        await be_away(world, how, HOUR)
        await world.pass_time(4 * MINUTE)
        assert len(await world.alerts.current()) == 1
        await world.pass_time(6 * MINUTE)
        assert await world.alerts.current() == []
        assert (await world.incident()).status is IncidentStatus.RESOLVED
        assert len(world.receivers.at("pager")) == 2
