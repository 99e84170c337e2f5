"""Objectives over recorded ratios: what was attained, what is left, and how it came about."""

from pathlib import Path

import pytest
from service_world import MINUTE
from site_world import site, world_of

from eldonia_ops.services.api import NotFoundError
from eldonia_ops.services.rules.objectives import ObjectiveReports


async def test_attained_and_left_always_agree_and_the_history_ends_at_now(tmp_path: Path) -> None:
    async with world_of(tmp_path) as world:
        reports = ObjectiveReports(world.clock, world.state, world.queries, world.configuration.objectives, 1.0)
        await reports.resume()
        [before] = await reports.all()
        assert (before.availability, before.budget_remaining, before.burn_rate) == (None, None, None)
        site(world, True)
        await world.pass_time(60 * MINUTE)
        site(world, False)
        await world.pass_time(6 * MINUTE)
        site(world, True)
        await world.pass_time(54 * MINUTE)
        [view] = await reports.all()
        assert view.measured_seconds == 7200
        assert view.availability is not None
        assert view.budget_remaining is not None
        # About six minutes of the 43 that 99.9 % of thirty days allow.
        assert 1 - view.budget_remaining == pytest.approx(6 / 43.2, rel=0.2)
        assert (1 - view.availability) / (1 - view.target) == pytest.approx(1 - view.budget_remaining)
        assert view.measured_availability is not None
        share = view.measured_seconds / view.window_seconds
        assert 1 - view.availability == pytest.approx((1 - view.measured_availability) * share)
        history = await reports.history("site-availability")
        assert [one.at for one in history] == sorted(one.at for one in history)
        assert history[0].at <= world.clock.now() - 119 * MINUTE
        known = [one for one in history if one.budget_remaining is not None]
        assert known[-1].budget_remaining == pytest.approx(view.budget_remaining, abs=0.01)
        assert known[0].budget_remaining == pytest.approx(1)
        burn = {one.at: one.burn_rate for one in known if one.burn_rate is not None}
        assert max(burn.values()) > 14
        assert min(burn.values()) == pytest.approx(0)
        with pytest.raises(NotFoundError, match="no objective is called"):
            await reports.history("other")
