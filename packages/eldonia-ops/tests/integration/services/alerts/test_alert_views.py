"""Lists of alerts are kept until something in them may have changed; time alone may change them."""

from dataclasses import replace

from service_world import MINUTE, ROUTING, SECOND, alert, open_world

from eldonia_ops import simulation
from eldonia_ops.model.alerts import Silence
from eldonia_ops.model.matchers import Matcher, MatchOp

MUTED = """
route: {receiver: team, group_by: [alertname], routes: [{receiver: team, mute_time_intervals: [later]}]}
receivers: [{name: team, webhook_configs: [{url: "http://team.invalid"}]}]
time_intervals:
  - name: later
    time_intervals: [{times: [{start_time: '22:15', end_time: '22:20'}]}]
"""


async def test_a_second_look_shows_the_same_views() -> None:
    # With a store of its own: one whose tables were emptied beneath it knows nothing of what it had committed.
    async with simulation.open_world(rules="", routing=ROUTING) as world:
        await world.start()
        await world.alerts.receive([alert(service=f"service-{n}") for n in range(5)])
        first = await world.alerts.current()
        again = await world.alerts.current()
        assert all(one is other for one, other in zip(first, again, strict=True))
        assert first is not again, "a reader may change its list"
        # Those that have not changed are shown as before.
        await world.alerts.receive([alert(service="service-3", labels={"instance": "b"})])
        third = await world.alerts.current()
        assert len(third) == 6
        assert [one for one in third if one in first] == list(first)


async def test_an_alert_that_nothing_is_heard_of_is_shown_no_longer() -> None:
    async with open_world() as world:
        await world.start()
        now = world.clock.now()
        await world.alerts.receive([alert(service="a", ends_at=now + 10 * SECOND), alert(service="b")])
        assert len(await world.alerts.current()) == 2
        await world.pass_time(9 * SECOND)
        assert len(await world.alerts.current()) == 2
        await world.pass_time(2 * SECOND)
        assert [view.alert.labels["service"] for view in await world.alerts.current()] == ["b"]


async def test_a_silence_begins_and_ends_for_readers_at_its_time() -> None:
    async with open_world() as world:
        await world.start()
        now = world.clock.now()
        await world.alerts.receive([alert(ends_at=now + 60 * MINUTE)])
        everything = (Matcher("alertname", MatchOp.EQUAL, "DiskFull"),)
        silence = Silence("", everything, now + 10 * SECOND, now + 20 * SECOND, "hana", "works")

        async def state() -> str:
            [view] = await world.alerts.current()
            return view.state

        assert await state() == "firing"
        id = await world.alerts.set_silence(silence, "hana")
        assert await state() == "firing"
        await world.pass_time(11 * SECOND)
        assert await state() == "suppressed"
        await world.pass_time(10 * SECOND)
        assert await state() == "firing"
        again = replace(silence, starts_at=world.clock.now(), ends_at=world.clock.now() + MINUTE)
        id = await world.alerts.set_silence(again, "hana")
        assert await state() == "suppressed"
        await world.alerts.expire_silence(id, "hana")
        assert await state() == "firing"


async def test_a_route_is_muted_for_readers_from_the_minute_on() -> None:
    async with open_world(routing=MUTED) as world:
        await world.start()
        now = world.clock.now()
        await world.alerts.receive([alert(ends_at=now + 60 * MINUTE)])
        states: list[str] = []
        for _ in range(12):
            [view] = await world.alerts.current()
            states.append(view.state)
            await world.pass_time(MINUTE)
        assert states.count("suppressed") == 5
        assert states[0] == states[-1] == "firing"
