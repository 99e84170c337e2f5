"""In a storm requests are answered when their alerts are stored, and the alerts are taken in a little later."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service_world import MINUTE, SECOND, World, alert, open_world
from sqlalchemy import text

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.incidents import IncidentStatus
from eldonia_ops.services.alerts import inbox as alert_inbox
from eldonia_ops.services.api import OverloadedError


def warnings(count: int, *, start: int = 0) -> list[Alert]:
    return [alert("Slow", severity="warning", service=f"service-{n}") for n in range(start, start + count)]


async def waiting(world: World) -> int:
    items = await world.state.read(lambda tx: tx.inbox.all())
    assert sum(len(item.alerts) for item in items) == world.intake.waiting
    return world.intake.waiting


async def known(world: World) -> set[str]:
    return {one.labels["service"] for one in await world.state.read(lambda tx: tx.alerts.all())}


@pytest.fixture
async def stormy() -> AsyncIterator[World]:
    """A world in which 600 alerts have been posted and wait."""
    async with open_world() as world:
        await world.start()
        await world.alerts.receive(warnings(600))
        yield world


async def test_a_few_alerts_are_taken_in_before_the_request_is_answered() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive(warnings(20))
        assert await waiting(world) == 0
        assert len(await known(world)) == 20


async def test_in_a_storm_a_request_is_answered_when_its_alerts_are_stored(stormy: World) -> None:
    assert await waiting(stormy) == 600
    assert await known(stormy) == set()
    await stormy.pass_time(SECOND)
    assert await waiting(stormy) == 0
    assert len(await known(stormy)) == 600


async def test_who_reads_sees_what_was_posted_before(stormy: World) -> None:
    assert len(await stormy.alerts.current()) == 600
    await stormy.alerts.receive([alert("DiskFull", service="database")])
    assert await waiting(stormy) == 1
    assert [one.title for one in await stormy.incidents.find(limit=1)] == ["DiskFull"]
    await stormy.alerts.receive([alert("DiskFull", service="mail")])
    assert (await stormy.alerts.explain(alertname="DiskFull"))[0].verdict == "grouped"
    assert await waiting(stormy) == 0


async def test_what_was_acknowledged_is_taken_in_once_after_a_kill(stormy: World) -> None:
    await stormy.restart(down_for=MINUTE)
    assert len(await stormy.alerts.current()) == 600
    lines = await stormy.alerts.explain(alertname="Slow", limit=1_000)
    assert [line.verdict for line in lines] == ["grouped"] * 600
    incidents = await stormy.incidents.find(limit=1_000)
    await stormy.restart()
    assert await waiting(stormy) == 0
    assert await stormy.incidents.find(limit=1_000) == incidents
    assert len(await stormy.alerts.explain(alertname="Slow", limit=1_000)) == 600


async def test_an_end_that_is_posted_after_its_alert_ends_it_whatever_waits() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert("DiskFull", service="database"), *warnings(600)])
        await world.alerts.receive([alert("Other"), alert("DiskFull", service="database", ends_at=world.clock.now())])
        await world.restart()
        assert {one.alert.name for one in await world.alerts.current()} == {"Slow", "Other"}
        [incident] = [one for one in await world.incidents.find(limit=1_000) if one.service == "database"]
        assert incident.status is IncidentStatus.RESOLVED


async def test_a_critical_alert_is_taken_in_before_what_waits_longer(stormy: World) -> None:
    await stormy.alerts.receive(warnings(4_000, start=600))
    await stormy.alerts.receive([alert("DiskFull", service="database")])
    await stormy.intake.caught_up()
    lines = await stormy.state.read(lambda tx: tx.ledger.find(limit=10_000))
    [place] = [place for place, line in enumerate(reversed(lines)) if line.alertname == "DiskFull"][:1]
    assert place < 1_000, "with the first transaction"


async def test_groups_wait_from_when_their_alerts_came(stormy: World) -> None:
    came = stormy.clock.now()
    await stormy.pass_time(SECOND)
    groups = await stormy.state.read(lambda tx: tx.groups.all())
    assert {group.flush_at for group in groups.values()} == {came + 30 * SECOND}


async def test_what_another_process_has_taken_in_is_not_taken_in_again(stormy: World) -> None:
    items = await stormy.state.read(lambda tx: tx.inbox.all())
    await stormy.state.write(lambda tx: tx.inbox.remove([items[0].id]))
    await stormy.pass_time(SECOND)
    assert len(await known(stormy)) == 500
    assert stormy.intake.waiting == 0


async def test_senders_are_asked_to_come_back_when_too_much_waits(
    stormy: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_inbox, "_MOST_WAITING", 700)
    with pytest.raises(OverloadedError, match="600 alerts wait"):
        await stormy.alerts.receive(warnings(200, start=600))
    assert await waiting(stormy) == 600
    await stormy.alerts.receive([alert("DiskFull", service=f"database-{n}") for n in range(200)])
    assert await waiting(stormy) == 800, "urgent ones have more room"
    await stormy.pass_time(SECOND)
    await stormy.alerts.receive(warnings(200, start=600))


async def break_store(world: World, condition: str) -> None:
    """The database refuses alerts that meet a condition."""
    with world.state._backend.writer.begin() as connection:
        connection.execute(
            text(f"CREATE TRIGGER broken BEFORE INSERT ON alerts WHEN {condition} BEGIN SELECT RAISE(ABORT, 'no'); END")
        )


async def mend_store(world: World) -> None:
    with world.state._backend.writer.begin() as connection:
        connection.execute(text("DROP TRIGGER IF EXISTS broken"))


async def test_what_was_acknowledged_waits_for_a_store_that_fails_and_keeps_its_order(stormy: World) -> None:
    await break_store(stormy, "1")
    try:
        await stormy.pass_time(5 * SECOND)
        await stormy.alerts.receive([replace(one, ends_at=stormy.clock.now()) for one in warnings(600)])
        assert stormy.intake.waiting == 1_200
        assert await known(stormy) == set()
        assert "posted alerts" in [loop.name for loop in stormy.loops.all() if loop.in_row]
    finally:
        await mend_store(stormy)
    await stormy.pass_time(MINUTE)
    assert await waiting(stormy) == 0
    assert await stormy.alerts.current() == []
    assert {one.status for one in await stormy.incidents.find(limit=1_000)} == {IncidentStatus.RESOLVED}
    assert not [loop.name for loop in stormy.loops.all() if loop.in_row]


async def test_one_alert_that_cannot_be_taken_in_keeps_no_other_and_is_not_lost() -> None:
    async with open_world() as world:
        await world.start()
        await break_store(world, "NEW.labels LIKE '%DiskFull%'")
        try:
            await world.alerts.receive([*warnings(600), alert("DiskFull", service="database")])
            await world.pass_time(SECOND)
            assert len(await known(world)) == 600
            assert await waiting(world) == 1
        finally:
            await mend_store(world)
        await world.pass_time(MINUTE)
        assert "database" in await known(world)
        assert await waiting(world) == 0


posts = st.lists(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["critical", "warning"]), st.booleans()),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=6,
)


@given(posts, st.lists(st.booleans(), min_size=6, max_size=6))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_storm_ends_as_if_each_request_had_been_taken_in_at_once(
    requests: list[list[tuple[str, str, bool]]], kills: list[bool]
) -> None:
    """The same requests, taken in one by one and through the inbox with kills in between, lead to the same alerts."""

    async def outcome(storm: bool) -> set[tuple[str, str, bool]]:
        limit = alert_inbox._STORM
        alert_inbox._STORM = 0 if storm else limit
        try:
            async with open_world() as world:
                await world.start()
                for request, kill in zip(requests, kills, strict=False):
                    now = world.clock.now()
                    await world.alerts.receive(
                        [
                            alert("Down", service=service, severity=severity, ends_at=now if over else 0)
                            for service, severity, over in request
                        ]
                    )
                    if storm and kill:
                        await world.restart()
                    await world.clock.advance(1)
                await world.intake.caught_up()
                now = world.clock.now()
                found = await world.state.read(lambda tx: tx.alerts.all())
                return {(one.labels["service"], one.labels["severity"], one.resolved(now)) for one in found}
        finally:
            alert_inbox._STORM = limit

    calm = {one for one in asyncio.run(outcome(storm=False)) if not one[2]}
    assert {one for one in asyncio.run(outcome(storm=True)) if not one[2]} == calm
