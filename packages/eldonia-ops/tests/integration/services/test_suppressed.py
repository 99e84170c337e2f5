"""Silences and inhibition, and the ledger that explains them."""

import pytest
from service_world import HOUR, MINUTE, SECOND, alert, open_world

from eldonia_ops.incidents.policy import Policy, Tier
from eldonia_ops.model.alerts import Silence
from eldonia_ops.model.incidents import IncidentStatus, Severity
from eldonia_ops.services.api import NotFoundError, RefusedError

TIERS = (
    Tier("development"),
    Tier("infrastructure", "infrastructure", {Severity.CRITICAL: 15 * MINUTE}),
    Tier("management", "management", {Severity.CRITICAL: 45 * MINUTE}),
)


async def test_a_silenced_alert_notifies_no_one_until_the_silence_ends_and_the_ledger_says_why() -> None:
    async with open_world() as world:
        await world.start()
        id = await world.silence(HOUR, alertname="DiskFull")
        await world.alerts.receive([alert("DiskFull")])
        await world.pass_time(30 * MINUTE)
        assert world.receivers.arrived == []
        (view,) = await world.alerts.current()
        assert (view.state, view.silenced_by) == ("suppressed", (id,))
        silenced = [line for line in await world.ledger("DiskFull") if line.verdict == "silenced"]
        assert {line.receiver for line in silenced} == {"pager", "team"}
        assert all("by hana: maintenance" in line.reason for line in silenced)
        assert len(silenced) == 2, "one line a receiver, not one a flush"

        await world.incidents.acknowledge("INC-1", "hana")
        await world.pass_time(40 * MINUTE)
        assert {len(world.receivers.at(name)) for name in ("pager", "team")} == {1}
        assert "delivered" in await world.verdicts("DiskFull", "pager")


async def test_a_silence_that_is_ended_early_lets_the_alert_through() -> None:
    async with open_world() as world:
        await world.start()
        id = await world.silence(HOUR, alertname="DiskFull")
        await world.alerts.receive([alert("DiskFull")])
        await world.pass_time(2 * MINUTE)
        await world.alerts.expire_silence(id, "jun")
        await world.pass_time(6 * MINUTE)
        assert len(world.receivers.at("pager")) == 1
        (silence,) = await world.alerts.silences()
        assert silence.comment == "maintenance"
        said = [line.reason for line in await world.ledger() if line.verdict == "silence"]
        assert said == [f"hana created silence {id}: maintenance", f"jun ended silence {id}: maintenance"]
        with pytest.raises(NotFoundError):
            await world.alerts.expire_silence("nothing", "jun")


async def test_a_warning_is_inhibited_by_a_critical_alert_of_the_same_service() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert("Down"), alert("Slow", severity="warning")])
        await world.alerts.receive([alert("Slow", severity="warning", service="other")])
        await world.pass_time(2 * MINUTE)
        notified = [(row.receiver, row.fingerprints) for _, row in world.receivers.arrived]
        assert ("team", (alert("Slow", severity="warning", service="other").fingerprint,)) in notified
        assert ("team", (alert("Slow", severity="warning").fingerprint,)) not in notified
        inhibited = [line for line in await world.ledger("Slow") if line.verdict == "inhibited"]
        assert len(inhibited) == 1
        assert "inhibited by Down" in inhibited[0].reason
        views = {(view.alert.name, view.alert.labels["service"]): view for view in await world.alerts.current()}
        assert views["Slow", "shop"].inhibited_by == (alert("Down").fingerprint,)
        assert views["Slow", "other"].state == "firing"


async def test_silences_that_would_do_harm_are_refused() -> None:
    async with open_world() as world:
        now = world.clock.now()
        with pytest.raises(RefusedError, match="at least one matcher"):
            await world.alerts.set_silence(Silence("", (), now, now + HOUR, "hana", ""), "hana")
        with pytest.raises(RefusedError, match="match every alert"):
            await world.silence(HOUR, alertname="")
        with pytest.raises(RefusedError, match="end after it starts"):
            await world.silence(-1, alertname="DiskFull")
        id = await world.silence(HOUR, alertname="DiskFull")
        (known,) = await world.alerts.silences()
        assert known.id == id
        with pytest.raises(NotFoundError):
            await world.alerts.set_silence(Silence("other", known.matchers, now, now + HOUR, "hana", ""), "hana")


async def test_alerts_without_a_severity_are_told_to_the_default_receiver_and_open_no_incident() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert("Note", severity="")])
        await world.pass_time(MINUTE)
        assert [row.receiver for _, row in world.receivers.arrived] == ["team"]
        assert await world.incidents.find() == []


async def test_groups_show_what_they_hold() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert("DiskFull", labels={"disk": "a"}), alert("DiskFull", labels={"disk": "b"})])
        groups = await world.alerts.groups()
        assert sorted((group.receiver, len(group.alerts)) for group in groups) == [("pager", 2), ("team", 2)]
        assert dict(groups[0].labels) == {"alertname": "DiskFull", "service": "shop"}


async def test_a_silenced_incident_calls_no_tier_and_the_time_to_respond_starts_anew() -> None:
    async with open_world(policy=Policy(tiers=TIERS)) as world:
        await world.start()
        await world.silence(2 * HOUR + MINUTE, service="shop")
        await world.alerts.receive([alert("DiskFull")])
        await world.pass_time(2 * HOUR)
        assert world.receivers.arrived == []
        incident = await world.incident()
        assert (incident.status, incident.respond_by) == (IncidentStatus.OPEN, world.clock.now() + 15 * MINUTE)
        assert (await world.kinds()).count("escalation.quiet") == 1
        await world.pass_time(14 * MINUTE)
        assert sorted(row.receiver for _, row in world.receivers.arrived) == ["pager", "team"]
        await world.pass_time(MINUTE)
        # Not all tiers at once, although all of their times would be long past.
        assert len(world.receivers.at("infrastructure")) == 1
        assert world.receivers.at("management") == []
        await world.pass_time(30 * MINUTE)
        assert len(world.receivers.at("management")) == 1


async def test_the_time_to_respond_starts_when_people_are_asked_not_when_the_alert_began() -> None:
    async with open_world(policy=Policy(tiers=TIERS)) as world:
        await world.start()
        await world.silence(14 * MINUTE, service="shop")
        await world.alerts.receive([alert("DiskFull")])
        await world.pass_time(28 * MINUTE - SECOND)
        assert len(world.receivers.at("pager")) == 1
        assert world.receivers.at("infrastructure") == []
        assert (await world.incident()).escalate_at <= world.clock.now() + MINUTE + SECOND
        await world.pass_time(MINUTE + SECOND)
        assert len(world.receivers.at("infrastructure")) == 1


AT_NIGHT = """
route:
  receiver: team
  group_wait: 30s
  group_interval: 5m
  routes:
    - {matchers: ['service="shop"'], receiver: team, mute_time_intervals: [night]}
    - {matchers: ['service="both"'], receiver: team, mute_time_intervals: [night], continue: true}
    - {matchers: ['service="both"'], receiver: pager}
receivers:
  - name: team
    webhook_configs: [{url: "http://team.invalid"}]
  - name: pager
    webhook_configs: [{url: "http://pager.invalid"}]
  - name: infrastructure
    webhook_configs: [{url: "http://infrastructure.invalid"}]
  - name: management
    webhook_configs: [{url: "http://management.invalid"}]
time_intervals:
  - name: night
    time_intervals: [{times: [{start_time: "22:00", end_time: "24:00"}]}]
inhibit_rules:
  - {source_matchers: [alertname="Datacenter"], target_matchers: [alertname="Down"]}
"""


async def test_what_is_muted_at_night_wakes_no_tier_and_the_time_to_respond_starts_in_the_morning() -> None:
    async with open_world(routing=AT_NIGHT, policy=Policy(tiers=TIERS)) as world:
        await world.start()  # 22:13:20 UTC
        await world.alerts.receive([alert(), alert(service="both")])
        # The other one has a route that is not muted: people were asked.
        await world.pass_time(100 * MINUTE)
        assert {row.incident_ids for _, row in world.receivers.arrived} == {((await world.incident(2)).id,)}
        (entry,) = [entry for entry in await world.timeline(1) if entry.kind.startswith("escalation.")]
        assert (entry.kind, entry.data) == ("escalation.quiet", {"why": "muted", "until": 0})
        midnight = world.clock.now() - world.clock.now() % (24 * HOUR) + 24 * HOUR
        await world.pass_time(midnight - world.clock.now() + 16 * MINUTE)
        mine = (await world.incident(1)).id
        notified = [(at - midnight, row.receiver) for at, row in world.receivers.arrived if row.incident_ids == (mine,)]
        assert [receiver for _, receiver in notified] == ["team", "infrastructure"]
        assert notified[0][0] <= 5 * MINUTE
        assert 14 * MINUTE <= notified[1][0] <= 16 * MINUTE


async def test_what_follows_from_another_alert_escalates_only_once_that_is_over() -> None:
    async with open_world(routing=AT_NIGHT, policy=Policy(tiers=TIERS)) as world:
        await world.start()
        await world.alerts.receive([alert("Datacenter", service="all"), alert("Down", service="payment")])
        await world.pass_time(50 * MINUTE)
        assert [row.incident_ids for row in world.receivers.at("infrastructure")] == [((await world.incident(1)).id,)]
        assert [row.incident_ids for row in world.receivers.at("management")] == [((await world.incident(1)).id,)]
        assert (await world.incident(2)).status is IncidentStatus.OPEN
        assert [entry.data["why"] for entry in await world.timeline(2) if entry.kind == "escalation.quiet"] == [
            "inhibited"
        ]
        await world.alerts.receive([alert("Datacenter", service="all", ends_at=world.clock.now())])
        await world.pass_time(14 * MINUTE)
        assert [row.purpose for row in world.receivers.at("infrastructure")] == ["escalation", "status"]
        await world.pass_time(2 * MINUTE)
        assert world.receivers.at("infrastructure")[-1].purpose == "escalation"
        assert world.receivers.at("infrastructure")[-1].incident_ids == ((await world.incident(2)).id,)


async def test_an_incident_is_escalated_for_the_alert_that_is_not_silenced() -> None:
    async with open_world(policy=Policy(tiers=TIERS)) as world:
        await world.start()
        id = await world.silence(9 * HOUR, alertname="DiskFull")
        await world.alerts.receive([alert("DiskFull"), alert("DiskFull", service="x"), alert("Other", service="x")])
        await world.pass_time(20 * MINUTE)
        assert [row.incident_ids for row in world.receivers.at("infrastructure")] == [((await world.incident(2)).id,)]
        await world.alerts.expire_silence(id, "hana")
        await world.pass_time(15 * MINUTE)
        assert len(world.receivers.at("infrastructure")) == 2
