"""A receiver is tested: the message arrives now, says that it is a test, and closes what it opened."""

import asyncio

import pytest
from service_world import GONE, MINUTE, ROUTING, SECOND, open_world, unavailable

from eldonia_ops.services.api import NotFoundError


async def test_a_test_arrives_at_once_and_closes_the_page_that_it_opened() -> None:
    async with open_world() as world:
        await world.start()
        [found] = await world.alerts.test_receiver("pager", "hana")
        assert (found.title, found.delivered) == ("PagerDuty", True)
        sent = world.receivers.at("pager")
        assert [one.payload["event_action"] for one in sent] == ["trigger", "resolve"]
        assert len({one.payload["dedup_key"] for one in sent}) == 1
        assert "hana" in str(sent[0].payload)
        assert "Nothing is wrong" in str(sent[0].payload)
        # Nothing of it is kept: no incident, no message that waits.
        assert await world.incidents.find() == []
        assert await world.alerts.notifications() == []


async def test_what_the_far_side_answers_is_said() -> None:
    async with open_world() as world:
        await world.start()
        world.receivers.answers["team"] = unavailable
        [found] = await world.alerts.test_receiver("team", "hana")
        assert (found.delivered, found.detail) == (False, "503 Service Unavailable")
        assert len(world.receivers.attempts) == 1, "an end of what did not arrive is not sent"


async def test_a_receiver_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eldonia_ops.services.messages.receiver_trials._TIMEOUT", 0.01)
    async with open_world() as world:
        await world.start()
        world.receivers.answers["team"] = lambda: asyncio.sleep(3600)
        [found] = await world.alerts.test_receiver("team", "hana")
        assert (found.delivered, found.detail) == (False, "no answer within 0.01 s")


async def test_receivers_that_cannot_be_tested() -> None:
    unset = ROUTING.replace(
        "pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]", "opsgenie_configs: [{}]"
    )
    async with open_world(routing=unset) as world:
        await world.start()
        with pytest.raises(NotFoundError, match="no receiver 'nothing'"):
            await world.alerts.test_receiver("nothing", "hana")
        [found] = await world.alerts.test_receiver("pager", "hana")
        assert not found.delivered
        assert "opsgenie" in found.detail
        world.receivers.answers["team"] = GONE
        [found] = await world.alerts.test_receiver("team", "hana")
        assert found.detail == "this receiver is not configured any more"


async def test_where_an_alert_would_go() -> None:
    muted = (
        ROUTING.replace(
            "receiver: pager, continue: true}", "receiver: pager, continue: true, mute_time_intervals: [always]}"
        )
        + "time_intervals: [{name: always, time_intervals: [{years: ['2000:2100']}]}]\n"
    )
    async with open_world(routing=muted) as world:
        await world.start()
        found = world.alerts.routes_of({"alertname": "DiskFull", "severity": "critical", "job": "x"})
        assert [one.receiver for one in found] == ["pager", "team"]
        assert found[0].group == {"alertname": "DiskFull", "service": ""}
        assert (found[0].group_wait, found[0].group_interval) == (30 * SECOND, 5 * MINUTE)
        assert found[0].muted == "within the route's mute time always"
        assert found[1].muted == ""
        assert found[0].line < found[1].line
