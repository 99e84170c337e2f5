"""One group that cannot be flushed stops no other."""

import logging

import pytest
from service_world import MINUTE, SECOND, World, alert, open_world

from eldonia_ops.model.alerts import Outgoing, OutgoingStatus

NUL = """
route: {receiver: team, group_by: [alertname, instance], group_wait: 10s}
receivers:
  - name: team
    webhook_configs: [{url: "http://team.invalid"}]
"""


async def break_group(world: World, name: str, text: str) -> None:
    def work(tx: object) -> None:
        connection = tx.alerts._connection  # type: ignore[attr-defined]
        connection.exec_driver_sql("UPDATE alert_groups SET log = ? WHERE cause = ?", (text, name))

    await world.state.write(work)


def causes(world: World) -> list[str]:
    """What the team was notified about, without the alert that the group fails again and again."""
    return [row.cause for row in world.receivers.at("team") if row.cause != "PlatformLoopFailing"]


async def test_one_that_cannot_be_read_is_put_off_and_the_others_go_out(caplog: pytest.LogCaptureFixture) -> None:
    async with open_world(routing=NUL) as world:
        await world.start()
        await world.alerts.receive([alert("Bad"), alert("Good")])
        await break_group(world, "Bad", '"no log"')
        with caplog.at_level(logging.ERROR):
            await world.pass_time(11 * SECOND)
        assert causes(world) == ["Good"]
        (failing,) = world.intake.failing.values()
        assert "cannot be read" in failing.error
        assert any("cannot be flushed" in record.message for record in caplog.records)
        # A critical alert that comes later is sent as ever.
        await world.alerts.receive([alert("DatabaseDown")])
        await world.pass_time(11 * SECOND)
        assert causes(world) == ["Good", "DatabaseDown"]
        assert 2 <= world.intake.failures <= 8, "it is tried again, with growing pauses"
        await break_group(world, "Bad", "{}")
        await world.pass_time(MINUTE)
        assert causes(world) == ["Good", "DatabaseDown", "Bad"]
        assert world.intake.failing == {}


async def test_one_that_cannot_be_read_is_grouped_anew_at_a_start() -> None:
    async with open_world(routing=NUL) as world:
        await world.start()
        await world.alerts.receive([alert("Bad"), alert("Good")])
        await break_group(world, "Bad", '"no log"')
        await world.restart()
        await world.pass_time(MINUTE)
        assert {row.cause for row in world.receivers.at("team")} == {"Bad", "Good"}


async def test_a_stored_message_that_cannot_be_read_has_failed_and_those_behind_it_go_out() -> None:
    async with open_world(routing=NUL) as world:
        await world.start()
        rows = [Outgoing(0, key, "team", "webhook", 0, "q", {"k": key}, urgent=True) for key in ("bad", "good")]
        # One by one: what is queued together is delivered as it was committed, without being read.
        await world.state.write(lambda tx: [tx.outbox.add(row) for row in rows])

        def work(tx: object) -> None:
            connection = tx.alerts._connection  # type: ignore[attr-defined]
            connection.exec_driver_sql("UPDATE outbox SET payload = 'x{' WHERE idempotency_key = 'bad'")

        await world.state.write(work)
        await world.restart()
        await world.pass_time(MINUTE)
        assert [row.idempotency_key for row in world.receivers.at("team")] == ["good"]
        failed, pending, said = await world.state.read(
            lambda tx: (
                tx.outbox.count(OutgoingStatus.FAILED),
                tx.outbox.count(OutgoingStatus.PENDING),
                [entry.reason for entry in tx.ledger.find() if entry.verdict == "failed"],
            )
        )
        assert (failed, pending) == (1, 0)
        assert said == ["given up after 1 attempts: the stored message cannot be read"]


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "\x1b[31m", "\x1a0000", "￿"])
async def test_an_odd_label_costs_no_page(value: str) -> None:
    async with open_world(routing=NUL) as world:
        await world.start()
        odd = {"instance": value, value: "name"}
        await world.alerts.receive([alert("Odd", labels=odd), alert("Down", service="database")])
        await world.pass_time(11 * SECOND)
        assert sorted(row.cause for row in world.receivers.at("team")) == ["Down", "Odd"]
        await world.restart()
        await world.alerts.receive([alert("Odd", labels=odd, ends_at=world.clock.now())])
        await world.pass_time(10 * MINUTE)
        assert [row.cause for row in world.receivers.at("team")][2:] == ["Odd"]
        assert world.intake.failures == 0
