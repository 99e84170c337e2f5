"""Automatic recovery with its alerts, incidents and restarts of the platform in between."""

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import replace

import pytest
from service_world import HOUR, MINUTE, SECOND, World, open_world

from eldonia_ops.model.incidents import IncidentStatus
from eldonia_ops.ports import ActuatorError, ProbeResult
from eldonia_ops.recovery.policy import RecoveryPolicy
from eldonia_ops.services.api import NotFoundError
from eldonia_ops.services.recovery import Recoverable

POLICY = RecoveryPolicy(failures=3, successes=2, max_attempts=3, delay_ms=30 * SECOND)


class Shop:
    """A service that is restarted; ``comes_back`` says whether a restart helps."""

    def __init__(self) -> None:
        self.up = True
        self.comes_back = True
        self.restarts = 0
        self.hangs: asyncio.Event | None = None
        self.fault: Exception | None = None

    async def restart(self) -> str:
        self.restarts += 1
        if self.hangs is not None:
            await self.hangs.wait()
        if self.fault is not None:
            raise self.fault
        self.up = self.comes_back
        return "restarted the shop"


def recoverable(shop: Shop, paused: Callable[[int], bool] = lambda _: False) -> Recoverable:
    return Recoverable("shop", "shop-health", POLICY, shop, paused)


async def probe(world: World, shop: Shop, seconds: int) -> None:
    """Look at the shop every five seconds for so long."""
    for _ in range(seconds // 5):
        result = ProbeResult(shop.up, 0.01, 200 if shop.up else 0, "" if shop.up else "connection refused")
        await world.recovery.on_probe("shop-health", result, world.clock.now())
        await world.pass_time(5 * SECOND)


async def test_a_crash_is_restarted_verified_and_told_and_its_incident_ends() -> None:
    shop = Shop()
    async with open_world(recoverables=[recoverable(shop)]) as world:
        await world.start()
        await probe(world, shop, 30)
        shop.up = False
        await probe(world, shop, 15)
        assert shop.restarts == 1
        assert [view.alert.name for view in await world.alerts.current()] == ["ServiceDown"]
        await probe(world, shop, 60)
        assert shop.restarts == 1
        assert (await world.incident()).status is IncidentStatus.RESOLVED
        kinds = await world.kinds()
        steps = ["alert.firing", "recovery.detected", "recovery.attempt", "recovery.restarted", "recovery.verified"]
        assert [kinds.index(kind) for kind in steps] == sorted(kinds.index(kind) for kind in steps)
        (view,) = await world.recovery.status()
        assert (view.state, view.healthy, view.attempts) == ("healthy", True, 1)
        # It was back before the half minute was over that a group waits: no page was needed.
        await world.pass_time(6 * MINUTE)
        assert world.receivers.arrived == []


async def test_three_restarts_at_the_most_then_people_are_called() -> None:
    shop = Shop()
    async with open_world(recoverables=[recoverable(shop)]) as world:
        await world.start()
        shop.up = shop.comes_back = False
        await probe(world, shop, 300)
        assert shop.restarts == 3
        names = {view.alert.name for view in await world.alerts.current()}
        assert names == {"ServiceDown", "RecoveryFailed"}
        assert len(await world.incidents.find()) == 1, "both belong to one incident"
        assert (await world.recovery.status())[0].state == "exhausted"
        attempts = [entry.at for entry in await world.timeline() if entry.kind == "recovery.attempt"]
        assert len(attempts) == 3
        assert min(later - earlier for earlier, later in itertools.pairwise(attempts)) >= 30 * SECOND

        shop.comes_back = True
        await world.recovery.reset("shop", "hana")
        await probe(world, shop, 60)
        assert shop.restarts == 4
        assert (await world.incident()).status is IncidentStatus.RESOLVED


@pytest.mark.parametrize("fault", [ActuatorError("unit not found"), RuntimeError("a fault of our own")])
async def test_a_restart_that_fails_uses_an_attempt_and_is_said(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop()
    shop.fault = fault
    async with open_world(recoverables=[recoverable(shop)]) as world:
        await world.start()
        shop.up = False
        with caplog.at_level(logging.CRITICAL):
            await probe(world, shop, 20)
        (view,) = await world.recovery.status()
        assert (view.attempts, view.state) == (1, "waiting")
        failed = next(entry for entry in await world.timeline() if entry.kind == "recovery.unverified")
        assert str(fault) in failed.data["detail"]
        shop.fault = None
        await probe(world, shop, 60)
        assert (await world.recovery.status())[0].state == "healthy"


async def test_a_platform_that_dies_during_a_restart_looks_before_it_acts_again() -> None:
    shop = Shop()
    shop.hangs = asyncio.Event()
    async with open_world(recoverables=[recoverable(shop)]) as world:
        await world.start()
        shop.up = False
        await probe(world, shop, 15)
        assert (shop.restarts, (await world.recovery.status())[0].state) == (1, "restarting")
        shop.hangs = None
        await world.restart()
        (view,) = await world.recovery.status()
        assert (view.state, view.attempts) == ("verifying", 1)
        # The restart had worked after all: nothing more is done.
        shop.up = True
        await probe(world, shop, 60)
        assert shop.restarts == 1
        assert "recovery.interrupted" in await world.kinds()
        assert (await world.incident()).status is IncidentStatus.RESOLVED


async def test_attempts_that_were_used_are_still_used_after_a_restart_of_the_platform() -> None:
    shop = Shop()
    async with open_world(recoverables=[recoverable(shop)]) as world:
        await world.start()
        shop.up = shop.comes_back = False
        for _ in range(5):
            await probe(world, shop, 60)
            await world.restart()
        await probe(world, shop, 200)
        assert shop.restarts == 3
        assert len(await world.incidents.find()) == 1


async def test_a_service_under_maintenance_is_left_alone_by_every_request() -> None:
    shop = Shop()
    quiet_until = [0]
    async with open_world(recoverables=[recoverable(shop, lambda now: now < quiet_until[0])]) as world:
        quiet_until[0] = world.clock.now() + HOUR
        await world.start()
        shop.up = False
        await probe(world, shop, 120)
        assert (shop.restarts, await world.alerts.current()) == (0, [])
        quiet_until[0] = 0
        view = await world.recovery.set_maintenance("shop", True, "hana")
        assert view.maintenance
        await world.restart()
        await probe(world, shop, 120)
        assert (shop.restarts, await world.alerts.current()) == (0, [])
        await world.recovery.set_maintenance("shop", False, "hana")
        await probe(world, shop, 60)
        assert shop.restarts == 1


async def test_an_action_that_never_ends_is_given_up_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    shop.hangs = asyncio.Event()
    item = Recoverable("shop", "shop-health", RecoveryPolicy(failures=1, restart_timeout_ms=10), shop)
    async with open_world(recoverables=[item]) as world:
        await world.start()
        await world.recovery.on_probe("shop-health", ProbeResult(False, 0.1, 0, "down"), world.clock.now())
        async with asyncio.timeout(30):
            while (view := (await world.recovery.status())[0]).state != "waiting":  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
        assert view.last_detail == "no end after 0.01 s"


async def test_what_is_not_configured_is_refused_and_other_probes_are_ignored() -> None:
    shop = Shop()
    async with open_world(recoverables=[recoverable(shop)]) as world:
        await world.start()
        await world.recovery.on_probe("another", ProbeResult(False, 0.1), world.clock.now())
        for act in (world.recovery.reset("x", "hana"), world.recovery.set_maintenance("x", True, "hana")):
            with pytest.raises(NotFoundError, match="no recovery is configured for 'x'"):
                await act
        assert (await world.recovery.status())[0].healthy is None


async def test_a_service_that_the_settings_no_longer_name_leaves_no_alert_behind() -> None:
    shop = Shop()
    shop.comes_back = False
    async with open_world(recoverables=[recoverable(shop)]) as world:
        await world.start()
        shop.up = False
        await probe(world, shop, 180)
        assert sorted(view.alert.name for view in await world.alerts.current()) == ["RecoveryFailed", "ServiceDown"]
        world._recoverables = []
        await world.restart()
        assert await world.alerts.current() == []
        assert (await world.incident()).status is IncidentStatus.RESOLVED
        world._recoverables = [recoverable(shop)]
        await world.restart()
        assert await world.alerts.current() == [], "it is not known to be down"


async def test_alerts_take_the_labels_that_the_settings_now_give_them() -> None:
    shop = Shop()
    shop.comes_back = False
    async with open_world(recoverables=[recoverable(shop)]) as world:
        await world.start()
        shop.up = False
        await probe(world, shop, 180)
        moved = replace(POLICY, labels={"team": "market"})
        world._recoverables = [Recoverable("shop", "shop-health", moved, shop)]
        for _ in range(2):
            await world.restart()
            views = await world.alerts.current()
            assert [view.alert.labels.get("team") for view in views] == ["market", "market"]
        assert (await world.incident()).reopened_at == 0, "one goes up before the other comes down"
        shop.up = True
        await probe(world, shop, 30)
        assert await world.alerts.current() == []
