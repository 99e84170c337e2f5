"""From a log record to a finding, its page, its verdict; and through a crash in between."""

import asyncio
import logging
from typing import Any

import pytest
from service_world import HOUR, MINUTE, SECOND, World, open_world, security_record

from eldonia_ops.model.incidents import IncidentStatus
from eldonia_ops.model.security import FindingStatus, SecurityEventType, SecuritySeverity
from eldonia_ops.security.detection import DetectionState
from eldonia_ops.security.thresholds import Threshold
from eldonia_ops.services.api import NotFoundError
from eldonia_ops.storage.state.errors import StateError


async def attack(world: World, count: int, *, first: int = 1, **facts: object) -> None:
    await world.ingest.logs([security_record(world.clock, first + index, **facts) for index in range(count)])  # type: ignore[arg-type]


async def test_five_failed_logins_make_one_finding_one_alert_and_one_page() -> None:
    async with open_world() as world:
        await world.start()
        await attack(world, 4)
        assert await world.security.find() == []
        await attack(world, 4, first=5)
        (finding,) = await world.security.find()
        assert (finding.type, finding.source, finding.count) == (SecurityEventType.FAILED_LOGIN, "203.0.113.9", 8)
        (view,) = await world.alerts.current()
        assert (view.alert.source, view.incident_reference) == ("security", "INC-1")
        await attack(world, 4, first=9, address="203.0.113.200")
        await world.pass_time(2 * MINUTE)
        assert len(world.receivers.at("team")) == 1, "an alert a window, not one an event"
        assert "security.finding" in await world.kinds()


async def test_quiet_ends_the_alert_and_its_incident_but_not_the_finding() -> None:
    async with open_world() as world:
        await world.start()
        await attack(world, 5)
        await world.pass_time(10 * MINUTE - 1)
        assert len(await world.alerts.current()) == 1
        await world.pass_time(1)
        assert await world.alerts.current() == []
        assert (await world.incident()).status is IncidentStatus.RESOLVED
        assert "security.quiet" in await world.kinds()
        assert [finding.status for finding in await world.security.find()] == [FindingStatus.OPEN]


async def test_a_persons_verdict_ends_the_alert_and_stands_on_the_timeline() -> None:
    async with open_world() as world:
        await world.start()
        await attack(world, 5)
        (finding,) = await world.security.find()
        await world.security.change_status(finding.id, "hana", FindingStatus.INVESTIGATING, "looking")
        assert len(await world.alerts.current()) == 1
        settled = await world.security.change_status(finding.id, "hana", FindingStatus.RESOLVED, "blocked")
        assert (settled.status, settled.changed_by, settled.note) == (FindingStatus.RESOLVED, "hana", "blocked")
        assert await world.alerts.current() == []
        judged = next(entry for entry in await world.timeline() if entry.kind == "security.judged")
        assert (judged.actor, judged.data["note"]) == ("hana", "blocked")
        report = await world.security.report(0)
        assert (report["findings"], report["by_status"]["resolved"]) == (1, 1)
        with pytest.raises(NotFoundError):
            await world.security.change_status("nothing", "hana", FindingStatus.RESOLVED)


async def test_records_stored_just_before_a_crash_are_counted_after_it() -> None:
    async with open_world() as world:
        await world.start()
        await attack(world, 3)
        # The next two reach the telemetry store; the crash comes before their windows are committed.
        records = [security_record(world.clock, number) for number in (4, 5)]
        await world.telemetry.logs.insert_logs(records)
        assert await world.security.find() == []
        await world.restart(down_for=20 * SECOND)
        (finding,) = await world.security.find()
        assert finding.count == 5
        await world.pass_time(MINUTE)
        assert len(world.receivers.at("team")) == 1


async def test_a_restart_counts_nothing_twice() -> None:
    async with open_world() as world:
        await world.start()
        await attack(world, 7)
        before = await world.security.find()
        for _ in range(3):
            await world.restart(down_for=10 * SECOND)
        assert await world.security.find() == before
        await world.pass_time(MINUTE)
        assert len(world.receivers.at("team")) == 1


async def test_a_restart_finds_what_was_not_counted_behind_thousands_of_newer_records() -> None:
    async with open_world() as world:
        await world.start()
        lost = [security_record(world.clock, number, address="198.51.100.7") for number in range(1, 6)]
        await world.telemetry.logs.insert_logs(lost)
        await world.pass_time(SECOND)
        noise = [security_record(world.clock, number, "data_access") for number in range(10, 2_600)]
        await world.telemetry.logs.insert_logs(noise)
        await world.restart()
        found = {finding.source for finding in await world.security.find()}
        assert found == {"198.51.100.7", "203.0.113.9"}


@pytest.mark.parametrize("sources", [1, 200])
async def test_a_restart_after_a_long_attack_counts_nothing_twice_and_pages_no_one(sources: int) -> None:
    """More events than a window remembers the ids of: from one address, or on one account from many."""
    async with open_world() as world:
        await world.start()
        for batch in range(8):
            start = world.clock.now()
            await world.pass_time(10 * SECOND)
            await world.ingest.logs(
                [
                    security_record(
                        world.clock,
                        batch * 50 + number,
                        address=f"10.0.0.{(batch * 50 + number) % sources}",
                        at=start + number * 200,
                        userId="hana",
                    )
                    for number in range(1, 51)
                ]
            )
        before = {finding.id: finding for finding in await world.security.find(limit=1000)}
        assert before
        for finding in before.values():
            await world.security.change_status(finding.id, "hana", FindingStatus.RESOLVED, "blocked")
        await world.pass_time(MINUTE)
        notified = len(world.receivers.arrived)
        for _ in range(2):
            await world.restart()
        await world.pass_time(MINUTE)
        after = {finding.id: finding for finding in await world.security.find(limit=1000)}
        assert {id: finding.count for id, finding in after.items()} == {
            id: finding.count for id, finding in before.items()
        }
        assert len(world.receivers.arrived) == notified


async def test_a_restart_reopens_no_finding_that_was_settled_long_ago() -> None:
    thresholds = {
        SecurityEventType.SQL_INJECTION_ATTEMPT: Threshold(1, MINUTE, quiet_ms=MINUTE, floor=SecuritySeverity.HIGH),
        SecurityEventType.DATA_ACCESS: Threshold(100, HOUR),  # a long window makes the look back long
    }
    async with open_world(thresholds=thresholds) as world:
        await world.start()
        await attack(world, 1, type_="sql_injection_attempt")
        (finding,) = await world.security.find()
        await world.security.change_status(finding.id, "hana", FindingStatus.RESOLVED, "blocked")
        await world.pass_time(30 * MINUTE)
        notified = len(world.receivers.arrived)
        await world.restart()
        await world.pass_time(10 * MINUTE)
        assert [found.status for found in await world.security.find()] == [FindingStatus.RESOLVED]
        assert len(world.receivers.arrived) == notified


async def test_a_batch_whose_windows_cannot_be_committed_is_not_acknowledged_and_counts_once_when_sent_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_world() as world:
        await world.start()
        records = [security_record(world.clock, number) for number in range(1, 5)]

        async def full(_: object) -> None:
            raise StateError("disk is full")

        with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL):
            patch.setattr(world.state, "write", full)
            with pytest.raises(StateError):
                await world.ingest.logs(records, batch_key="a")
        assert world.ingest.counts["logs"] == 0
        await world.ingest.logs(records, batch_key="a")
        assert len(world.telemetry.logs.records) == 4
        assert await world.security.find() == []
        await world.ingest.logs([security_record(world.clock, 5)])
        assert [finding.count for finding in await world.security.find()] == [5]


async def test_a_verdict_that_waits_for_events_under_way_does_not_undo_what_they_taught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_world() as world:
        await world.start()
        await attack(world, 5, user="mai")
        (finding,) = await world.security.find()
        write = world.state.write

        async def slow(work: Any) -> Any:
            await world.clock.sleep_until(world.clock.now() + SECOND)
            return await write(work)

        with monkeypatch.context() as patch:
            patch.setattr(world.state, "write", slow)
            acts = [
                asyncio.create_task(attack(world, 1, first=6, address="198.51.100.7", user="jun")),
                asyncio.create_task(world.security.change_status(finding.id, "hana", FindingStatus.INVESTIGATING, "")),
            ]
            await world.pass_time(5 * SECOND)
        await asyncio.gather(*acts)
        assert (await world.security.get(finding.id)).status is FindingStatus.INVESTIGATING
        kept = await world.state.read(lambda tx: tx.machines.load("security_detection", "", DetectionState))
        assert kept is not None
        assert "198.51.100.7" in str(kept)
        assert kept == world.security._detection


async def test_records_are_completed_counted_and_stored_before_anybody_reacts() -> None:
    async with open_world() as world:
        await world.start()
        await attack(world, 2)
        assert {(record.environment, record.hostname) for record in world.telemetry.logs.records} == {("test", "here")}
        assert world.security.events_taken == 2
        assert world.ingest.counts["logs"] == 2
        world.telemetry.break_down("disk is full")
        with pytest.raises(RuntimeError, match="disk is full"):
            await attack(world, 9, first=3)
        world.telemetry.break_down("")
        assert await world.security.find() == []
