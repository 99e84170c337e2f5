"""Thousands of alerts at once, and one alert beside thousands: a step reads and writes what it touches."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from service_world import HOUR, MINUTE, SECOND, World, alert, open_world
from sqlalchemy import event

from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.incidents import IncidentStatus
from eldonia_ops.services.incidents.transactions import AlertChange

TWO_PACES = """
route:
  receiver: quick
  group_by: [alertname]
  group_wait: 10s
  group_interval: 1m
  routes:
    - {receiver: quick, continue: true}
    - {receiver: slow, group_interval: 30m}
receivers:
  - name: quick
    webhook_configs: [{url: "http://quick.invalid"}]
  - name: slow
    webhook_configs: [{url: "http://slow.invalid"}]
"""

INHIBITED = """
route: {receiver: team, group_by: [alertname, service], group_wait: 30s}
receivers:
  - name: team
    webhook_configs: [{url: "http://team.invalid"}]
inhibit_rules:
  - {source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [service]}
"""


def storm(count: int, **fields: Any) -> list[Alert]:
    return [alert("Down", service=f"service-{number}", **fields) for number in range(count)]


class Statements:
    """Counts what a store is asked."""

    def __init__(self, world: World) -> None:
        self.count = 0
        self.texts: list[str] = []
        self._engines = {world.state._backend.writer, world.state._backend.reader}

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.count += 1
        self.texts.append(statement)

    def __enter__(self) -> "Statements":
        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for engine in self._engines:
            event.remove(engine, "before_cursor_execute", self._note)


async def test_a_storm_is_committed_in_as_many_statements_as_one_alert() -> None:
    async with open_world() as world:
        for _ in range(2):  # what a store reads once
            await world.alerts.receive([alert("First")])
        with Statements(world) as few:
            await world.alerts.receive(storm(2))
        with Statements(world) as many:
            await world.alerts.receive(storm(60)[2:])
        assert many.count == few.count
        with Statements(world) as again:
            await world.alerts.receive(storm(60))
        assert again.count < many.count, "nothing has changed"
        assert len(await world.incidents.find(limit=1000)) == 61


async def test_a_storm_opens_an_incident_for_each_service_and_pages_for_each() -> None:
    async with open_world(policy=Policy(outage_after=1000)) as world:
        await world.start()
        await world.alerts.receive(storm(450))
        incidents = await world.incidents.find(limit=1000)
        assert sorted(item.ordinal for item in incidents) == list(range(1, 451))
        assert {item.version for item in incidents} == {1}
        await world.pass_time(MINUTE)
        paged = world.receivers.at("pager")
        assert len(paged) == len({item.incident_ids for item in paged}) == 450, "more than one turn flushes"
        assert (await world.kinds(450)).count("notification.queued") == 2
        await world.alerts.receive([replace(item, ends_at=world.clock.now()) for item in storm(450)])
        assert {item.status for item in await world.incidents.find(limit=1000)} == {IncidentStatus.RESOLVED}
        await world.pass_time(6 * MINUTE)
        assert len(world.receivers.at("pager")) == 900
        assert (await world.state.read(world.intake.load)).alerts == {}


async def test_an_outage_of_many_services_is_not_an_incident_for_each() -> None:
    async with open_world(policy=Policy(outage_after=10)) as world:
        await world.start()
        for start in range(0, 2_500, 500):
            await world.alerts.receive(storm(2_500)[start : start + 500])
        incidents = await world.incidents.find(limit=1000)
        assert len(incidents) == 10, "what came after the tenth joined those"
        assert sum(len(incident.firing) for incident in incidents) == 2_500
        assert {view.incident_reference != "" for view in await world.alerts.current()} == {True}
        # Another cause, or a graver alert, is not lost in it.
        await world.alerts.receive([alert("DatabaseDown", service="database")])
        assert (await world.incident(11)).title.startswith("DatabaseDown")
        # The end of each reaches the incident that it joined, however long ago.
        await world.pass_time(HOUR)
        await world.alerts.receive([replace(item, ends_at=world.clock.now()) for item in storm(2_500)])
        unresolved = {item.ordinal for item in await world.incidents.find(limit=1000) if not item.resolved_at}
        assert unresolved == {11}
        kinds = await world.kinds(10)
        assert len(kinds) < 300


async def test_a_storm_of_one_service_is_one_incident_written_once() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert("Down", labels={"instance": str(number)}) for number in range(200)])
        incident = await world.incident()
        assert (len(incident.firing), incident.version) == (200, 1)
        kinds = await world.kinds()
        assert kinds.count("alert.firing") == 50, "200 lines that say the same are unreadable"
        assert kinds.count("incident.grown") == 3, "when the 51st, the 100th and the 200th joined"
        await world.alerts.receive([alert("Down", labels={"instance": str(number)}) for number in range(190, 210)])
        incident = await world.incident()
        assert (len(incident.firing), incident.version) == (210, 2)


async def test_an_alert_that_joins_a_group_is_told_with_those_that_were_there() -> None:
    async with open_world() as world:
        await world.start()
        for instance in "abc":
            await world.alerts.receive([alert(labels={"instance": instance})])
        await world.pass_time(30 * SECOND)
        [page] = world.receivers.at("pager")
        assert len(page.fingerprints) == 3


async def test_an_end_is_told_by_every_group_in_its_own_time() -> None:
    async with open_world(routing=TWO_PACES) as world:
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(MINUTE)
        await world.alerts.receive([alert(ends_at=world.clock.now())])
        await world.pass_time(2 * MINUTE)
        assert [len(world.receivers.at(name)) for name in ("quick", "slow")] == [2, 1]
        await world.pass_time(HOUR)
        assert [len(world.receivers.at(name)) for name in ("quick", "slow")] == [2, 2]


@pytest.mark.parametrize("service", ["shop", "", '"service":"x"', "100 %_\\"])
async def test_an_alert_is_inhibited_by_one_of_another_group(service: str) -> None:
    async with open_world(routing=INHIBITED) as world:
        await world.start()
        await world.alerts.receive([alert("Down", service=service), alert("Down", service="elsewhere")])
        await world.pass_time(MINUTE)
        before = len(world.receivers.arrived)
        await world.alerts.receive([alert("Slow", service=service, severity="warning")])
        await world.pass_time(MINUTE)
        assert len(world.receivers.arrived) == before
        assert "inhibited" in await world.verdicts("Slow")


async def test_an_alert_committed_after_its_end_ends_its_incident() -> None:
    """A client's word may lie in the queue of writes until its time is over."""
    async with open_world() as world:
        await world.start()
        await world.pass_time(HOUR)
        short = alert(ends_at=world.clock.now() - 1)
        then = world.clock.now() - 10
        await world.state.write(lambda tx: world.intake.accept(tx, [AlertChange(short, True)], then))
        world.intake.wake()
        assert (await world.incident()).status is IncidentStatus.OPEN
        await world.pass_time(MINUTE)
        assert (await world.incident()).status is IncidentStatus.RESOLVED


async def test_who_looks_at_a_storm_again_reads_no_incident_again() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([*storm(60), alert("Note", severity="info")])
        with Statements(world) as first:
            before = await world.alerts.current()
        assert any("FROM incidents" in text for text in first.texts)
        await world.clock.settle()
        with Statements(world) as again:
            assert await world.alerts.current() == before
        assert not any("FROM incidents" in text for text in again.texts)
        assert len({view.incident_reference for view in before}) == 61, "each its own, and none for the note"
        # Saying it again changes nothing; a new alert is looked up alone.
        await world.alerts.receive(storm(61))
        views = {view.alert.labels["service"]: view for view in await world.alerts.current()}
        assert views["service-60"].incident_reference == "INC-61"
        assert {item: view.incident_reference for item, view in views.items() if item == "service-7"} == {
            view.alert.labels["service"]: view.incident_reference
            for view in before
            if view.alert.labels["service"] == "service-7"
        }


async def test_an_alert_that_comes_back_is_shown_with_the_incident_that_it_came_back_to() -> None:
    async def shown() -> str:
        (view,) = [view for view in await world.alerts.current() if view.alert.name == "DiskFull"]
        return view.incident_reference

    async with open_world() as world:
        await world.start()
        began = world.clock.now()
        await world.alerts.receive([alert(starts_at=began)])
        assert await shown() == "INC-1"
        await world.pass_time(MINUTE)
        await world.alerts.receive([alert(starts_at=began, ends_at=world.clock.now())])
        await world.incidents.change_status("INC-1", "hana", IncidentStatus.CLOSED)
        # The end was not observed, and its source says that it is the same occurrence.
        await world.alerts.receive([alert(starts_at=began)])
        assert await shown() == "INC-2"
        await world.pass_time(MINUTE)
        await world.alerts.receive([alert(starts_at=began, ends_at=world.clock.now())])
        await world.alerts.receive([alert("Other")])
        await world.alerts.receive([alert(starts_at=began)])
        assert await shown() == (await world.incident(3)).reference, "it joins what is open for its service"
        await world.restart()
        assert await shown() == "INC-3"


EACH_ALONE = """
route: {receiver: team, group_by: ['...'], group_wait: 1s}
receivers:
  - name: team
    webhook_configs: [{url: "http://team.invalid"}]
"""

BY_NAME = EACH_ALONE.replace("'...'", "alertname")


async def test_a_page_of_another_cause_does_not_wait_behind_a_storm() -> None:
    async with open_world(routing=EACH_ALONE) as world:
        await world.start()
        await world.alerts.receive(storm(400))
        await world.alerts.receive([alert("DatabaseDown", service="database")])
        await world.pass_time(2 * SECOND)
        causes = [row.cause for row in world.receivers.at("team")]
        assert len(causes) == 401
        assert causes.index("DatabaseDown") < 50


async def test_what_a_storm_still_adds_to_a_group_is_in_its_first_message() -> None:
    async with open_world(routing=BY_NAME) as world:
        await world.start()
        down = storm(800)
        for start in range(0, 800, 100):  # for 1.6 s, while the group waits for one
            await world.alerts.receive(down[start : start + 100])
            await world.pass_time(200)
        await world.pass_time(SECOND)
        [message] = world.receivers.at("team")
        assert len(message.fingerprints) == 800


async def test_a_few_alerts_put_no_message_off() -> None:
    async with open_world(routing=BY_NAME) as world:
        await world.start()
        for number in range(20):
            await world.alerts.receive(storm(20)[number : number + 1])
            await world.pass_time(100)
        [message] = world.receivers.at("team")
        assert len(message.fingerprints) == 10, "those of the first second"


async def test_what_one_client_posts_cannot_fail_another() -> None:
    async with open_world() as world:
        await world.start()
        bad = alert("Bad", evidence={"what": object()})
        outcomes = await asyncio.gather(
            world.alerts.receive([bad]), world.alerts.receive([alert("Good")]), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [TypeError, list]
        assert [view.alert.name for view in await world.alerts.current()] == ["Good"]
        assert await world.alerts.receive([alert("Better")]) == []


async def test_what_was_queued_is_delivered_without_being_read() -> None:
    async with open_world(policy=Policy(outage_after=1000)) as world:
        await world.start()
        await world.alerts.receive(storm(400))
        with Statements(world) as asked:
            await world.pass_time(MINUTE)
        assert len(world.receivers.at("pager")) == 400
        looks = [text for text in asked.texts if text.startswith("SELECT") and "FROM outbox" in text]
        assert not any("outbox.payload" in text for text in looks)
        assert len([text for text in looks if "outbox.order_key" in text]) < 40, "not one for each message"
