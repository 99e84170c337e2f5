"""Who is mentioned, or gets an incident, hears of it through their own receiver."""

from dataclasses import replace

from service_world import SECOND, World, open_world

from eldonia_ops.model.access import Account, Preferences, Role

_PEOPLE = (
    Account("a1", "mio", Role.RESPONDER, 1, preferences=Preferences(receiver="vendor", language="ja")),
    Account("a2", "ken", Role.RESPONDER, 1, preferences=Preferences(receiver="management")),
    Account("a3", "quiet", Role.RESPONDER, 1),
    Account("a4", "gone", Role.RESPONDER, 1, disabled=True, preferences=Preferences(receiver="management")),
)


async def _begun(world: World) -> None:
    await world.start()
    await world.state.write(lambda tx: [tx.accounts.put(account) for account in _PEOPLE])
    await world.incidents.open("hana", "Search is slow", "high", "search")
    await world.pass_time(5 * SECOND)


def _titles(world: World, receiver: str) -> list[str]:
    return [str(one.payload) for one in world.receivers.at(receiver) if one.purpose == "personal"]


async def test_a_mention_reaches_the_person_and_the_timeline() -> None:
    async with open_world() as world:
        await _begun(world)
        await world.incidents.note("INC-1", "hana", "@mio @ken @quiet @gone @stranger: is it the index?")
        await world.pass_time(5 * SECOND)
        [mio] = _titles(world, "vendor")
        assert "hana があなたに言及しました: INC-1 Search is slow" in mio
        assert "is it the index?" in mio
        assert "/incidents/INC-1" in mio
        [ken] = _titles(world, "management")
        assert "hana mentions you on INC-1 Search is slow" in ken
        _, timeline = await world.incidents.get("INC-1")
        delivered = [
            one for one in timeline if one.kind == "notification.delivered" and one.data["purpose"] == "personal"
        ]
        assert {one.data["receiver"] for one in delivered} == {"vendor", "management"}


async def test_an_assignment_reaches_the_person_but_not_who_takes_it_themselves() -> None:
    async with open_world() as world:
        await _begun(world)
        await world.incidents.assign("INC-1", "ken", "ken")
        await world.pass_time(5 * SECOND)
        assert _titles(world, "management") == []
        await world.incidents.assign("INC-1", "ken", "mio")
        await world.pass_time(5 * SECOND)
        [mio] = _titles(world, "vendor")
        assert "ken があなたを担当者にしました: INC-1 Search is slow" in mio


async def test_a_receiver_that_is_gone_keeps_the_note() -> None:
    async with open_world() as world:
        await _begun(world)
        lost = replace(_PEOPLE[0], preferences=Preferences(receiver="removed"))
        await world.state.write(lambda tx: tx.accounts.put(lost))
        await world.incidents.note("INC-1", "hana", "@mio?")
        _, timeline = await world.incidents.get("INC-1")
        assert timeline[-1].kind == "human.note"


async def test_the_same_note_twice_in_different_moments_is_two_messages() -> None:
    async with open_world() as world:
        await _begun(world)
        for _ in range(2):
            await world.incidents.note("INC-1", "hana", "@ken ping")
            await world.pass_time(5 * SECOND)
        assert len(_titles(world, "management")) == 2
