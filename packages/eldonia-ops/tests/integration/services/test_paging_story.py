"""From a sample over the line to a page, an incident, an escalation and its end: hours in milliseconds."""

import itertools
from collections import Counter

import pytest
from service_world import GONE, HOUR, MINUTE, SECOND, alert, open_world, shipped_runbook, unavailable

from eldonia_ops.incidents.policy import Policy, Tier
from eldonia_ops.incidents.timeline import describe
from eldonia_ops.model.alerts import OutgoingStatus
from eldonia_ops.model.incidents import IncidentStatus, Severity
from eldonia_ops.ports import Delivery, DeliveryResult
from eldonia_ops.services.metric_declarations import DELIVERY, GROUP_FLUSH, RULE_EVALUATION

TIERS = (
    Tier("development"),
    Tier("infrastructure", "infrastructure", {Severity.CRITICAL: 15 * MINUTE, Severity.MEDIUM: 4 * HOUR}),
    Tier("vendor", "vendor", {Severity.CRITICAL: 30 * MINUTE, Severity.MEDIUM: 8 * HOUR}),
    Tier("management", "management", {Severity.CRITICAL: 45 * MINUTE}),
)


def policy() -> Policy:
    return Policy(tiers=TIERS, runbook=shipped_runbook())


async def test_a_fault_is_paged_escalated_repaired_and_recorded() -> None:
    async with open_world(policy=policy()) as world:
        await world.start()
        world.measure("errors", 1.0, job="shop")
        await world.pass_time(10 * MINUTE)
        assert await world.alerts.current() == []

        broken_at = world.clock.now()
        world.measure("errors", 9.0, job="shop")
        await world.pass_time(3 * MINUTE)
        assert [view.state for view in await world.alerts.current()] == ["pending"]
        assert world.receivers.arrived == []

        await world.pass_time(5 * MINUTE)
        [page] = world.receivers.at("pager")
        assert page.payload["client_url"].endswith("/incidents/INC-1")
        [message] = world.receivers.at("team")
        [attachment] = message.payload["attachments"]
        assert attachment["title"] == "[FIRING:1] errors at 9"
        assert attachment["title_link"].endswith("/incidents/INC-1")
        assert attachment["text"].startswith("errors at 9\nHighErrorRate · since ")
        incident = await world.incident()
        assert (incident.severity, incident.status, incident.service) == (
            Severity.CRITICAL,
            IncidentStatus.OPEN,
            "shop",
        )
        # The evidence starts with the first sample over the line, not with the alert five minutes later.
        assert broken_at <= incident.started_at <= broken_at + 2 * MINUTE
        assert incident.detected_at - incident.started_at == 5 * MINUTE
        assert incident.respond_by == incident.detected_at + 15 * MINUTE
        assert incident.checklist
        assert [len(world.receivers.at(name)) for name in ("pager", "team")] == [1, 1]
        timed = Counter[str]()
        for one in world.loops.metrics.durations():
            timed[one.name] += one.count
        assert timed[DELIVERY] == 2
        assert timed[RULE_EVALUATION] > 0
        assert timed[GROUP_FLUSH] > 0
        waited = world.receivers.arrived[0][0] - incident.detected_at
        assert waited == 30 * SECOND, "group_wait"

        # No response: tier by tier, each at its time and once.
        for name, after in (("infrastructure", 15), ("vendor", 30), ("management", 45)):
            await world.pass_time(incident.detected_at + after * MINUTE - 1 - world.clock.now())
            assert world.receivers.at(name) == []
            await world.pass_time(1)
            assert len(world.receivers.at(name)) == 1
            assert world.receivers.at(name)[0].purpose == "escalation"
        await world.pass_time(2 * HOUR)
        assert [len(world.receivers.at(name)) for name in ("infrastructure", "vendor", "management")] == [1, 1, 1]
        assert (await world.incident()).status is IncidentStatus.ESCALATED

        await world.incidents.acknowledge("INC-1", "hana")
        assert (await world.incident()).acknowledged_at == world.clock.now()

        world.measure("errors", 0.0, job="shop")
        await world.pass_time(10 * MINUTE)
        resolved = await world.incident()
        assert resolved.status is IncidentStatus.RESOLVED
        pages = world.receivers.at("pager")
        assert [page.payload["event_action"] for page in pages] == ["trigger", "resolve"]
        assert len({page.payload["dedup_key"] for page in pages}) == 1
        assert (await world.verdicts("HighErrorRate", "pager"))[-1] == "delivered", "of the end, when the alert is gone"
        assert (await world.verdicts("HighErrorRate", "pager")).count("delivered") == 2
        assert await world.alerts.current() == []

        kinds = await world.kinds()
        order = ["alert.pending", "alert.firing", "incident.opened", "notification.queued", "notification.delivered"]
        assert [kinds.index(kind) for kind in order] == sorted(kinds.index(kind) for kind in order)
        assert kinds.count("escalation.tier") == 3
        assert kinds.index("human.acknowledged") < kinds.index("alert.resolved") <= kinds.index("incident.resolved")
        draft = await world.incidents.draft_postmortem("INC-1", "en")
        assert "[T1]" in draft
        assert "hana" in draft
        report = await world.incidents.metrics(0)
        assert report["all"]["mttd"]["mean"] == 5 * MINUTE
        assert await world.pending() == []


async def test_an_incident_opened_by_hand_notifies_at_once_and_says_when_it_is_over() -> None:
    async with open_world(policy=policy()) as world:
        await world.start()
        await world.incidents.open("hana", "Customers cannot pay", "critical", service="payment")
        await world.pass_time(SECOND)
        [message] = world.receivers.at("team")
        assert "INC-1" in str(message.payload)
        assert "hana opened this incident" in str(message.payload)
        assert (await world.kinds())[:2] == ["incident.opened", "escalation.opened"]
        opened = (await world.incidents.get("INC-1"))[1][1]
        # It goes where an alert of its service and severity would go.
        assert (opened.data["receiver"], describe(opened).endswith("(receiver pager, team)")) == ("", True)
        assert [page.payload["event_action"] for page in world.receivers.at("pager")] == ["trigger"]
        await world.incidents.acknowledge("INC-1", "ken")
        await world.incidents.change_status("INC-1", "ken", IncidentStatus.RESOLVED)
        await world.pass_time(SECOND)
        assert len(world.receivers.at("team")) == 2
        assert "It is over" in str(world.receivers.at("team")[1].payload)
        pages = world.receivers.at("pager")
        assert [page.payload["event_action"] for page in pages] == ["trigger", "resolve"]
        assert len({page.payload["dedup_key"] for page in pages}) == 1


async def test_what_a_person_opened_ends_where_it_was_sent_although_it_is_graver_or_less_grave_by_now() -> None:
    async with open_world(policy=policy()) as world:
        await world.start()
        await world.incidents.open("hana", "Customers cannot pay", "critical", service="payment")
        await world.incidents.open("hana", "The shop is slow", "high", service="shop")
        await world.pass_time(SECOND)
        assert [len(world.receivers.at(name)) for name in ("pager", "team")] == [1, 2]
        for id, severity in (("INC-1", "low"), ("INC-2", "critical")):
            await world.incidents.describe(id, "hana", {"severity": severity})
            await world.incidents.change_status(id, "hana", IncidentStatus.RESOLVED)
        await world.pass_time(SECOND)
        pages = world.receivers.at("pager")
        assert [page.payload["event_action"] for page in pages] == ["trigger", "resolve"]
        assert len({page.payload["dedup_key"] for page in pages}) == 1
        assert len(world.receivers.at("team")) == 4


async def test_a_condition_that_ends_within_for_notifies_no_one() -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0)
        await world.pass_time(4 * MINUTE)
        world.measure("errors", 0.0)
        await world.pass_time(30 * MINUTE)
        assert world.receivers.arrived == []
        assert await world.incidents.find() == []


async def test_a_firing_alert_is_repeated_at_its_interval_and_no_sooner() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert(ends_at=world.clock.now() + 9 * HOUR)])
        await world.pass_time(8 * HOUR + 20 * MINUTE)
        notified = [at for at, outgoing in world.receivers.arrived if outgoing.receiver == "pager"]
        assert len(notified) == 3
        assert all(
            4 * HOUR <= later - earlier <= 4 * HOUR + 10 * MINUTE for earlier, later in itertools.pairwise(notified)
        )
        assert len(await world.incidents.find()) == 1


@pytest.mark.parametrize("down_for", [0, 20 * SECOND, 3 * HOUR])
async def test_a_restart_ends_no_firing_alert_and_pages_no_one_again(down_for: int) -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0)
        await world.pass_time(10 * MINUTE)
        assert len(world.receivers.at("pager")) == 1

        await world.restart(down_for=down_for)
        await world.pass_time(20 * MINUTE)
        assert [page.payload["event_action"] for page in world.receivers.at("pager")] == ["trigger"]
        assert (await world.incident()).resolved_at == 0
        assert "alert.resolved" not in await world.kinds()

        # And its end is still noticed by the platform that came after.
        world.measure("errors", 0.0)
        await world.pass_time(10 * MINUTE)
        assert [page.payload["event_action"] for page in world.receivers.at("pager")] == ["trigger", "resolve"]
        assert (await world.incident()).status is IncidentStatus.RESOLVED


async def test_the_condition_that_ended_while_the_platform_was_down_is_told_as_ended() -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0)
        await world.pass_time(10 * MINUTE)
        await world.crash()
        world.measure("errors", 0.0)
        await world.clock.advance(HOUR)
        await world.start()
        await world.pass_time(15 * MINUTE)
        assert [page.payload["event_action"] for page in world.receivers.at("pager")] == ["trigger", "resolve"]
        assert (await world.incident()).status is IncidentStatus.RESOLVED


async def test_a_crash_between_detection_and_notification_loses_no_page() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert()])
        assert world.receivers.arrived == [], "its group still waits for company"
        await world.restart(down_for=10 * SECOND)
        await world.pass_time(MINUTE)
        assert len(world.receivers.at("pager")) == 1
        assert (await world.incident()).fingerprints == (alert().fingerprint,)


async def test_a_crash_with_notifications_pending_delivers_each_of_them() -> None:
    async with open_world() as world:
        world.receivers.answers = {"pager": unavailable, "team": unavailable}
        await world.start()
        await world.alerts.receive([alert("DiskFull"), alert("LogsLost", service="logs")])
        await world.pass_time(MINUTE)
        waiting = {row.idempotency_key for row in await world.pending()}
        assert len(waiting) == 4
        await world.restart()
        world.receivers.answers = {}
        await world.pass_time(10 * MINUTE)
        assert Counter(row.idempotency_key for _, row in world.receivers.arrived) == dict.fromkeys(waiting, 1)
        assert await world.pending() == []


async def test_a_crash_during_a_delivery_repeats_it_with_the_same_key() -> None:
    async with open_world() as world:
        keys: list[str] = []

        async def dies_before_it_is_recorded() -> Delivery:
            keys.append(world.receivers.attempts[-1][1].idempotency_key)
            await world.clock.sleep_until(world.clock.now() + HOUR)
            return Delivery(DeliveryResult.DELIVERED)

        world.receivers.answers = {"pager": dies_before_it_is_recorded}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(40 * SECOND)
        assert len(keys) == 1
        await world.restart()
        assert len(keys) == 2
        assert keys[0] == keys[1]


async def test_a_broken_receiver_is_retried_with_growing_pauses_and_delays_no_other() -> None:
    async with open_world() as world:
        world.receivers.answers = {"pager": unavailable}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(10 * MINUTE)
        assert len(world.receivers.at("team")) == 1
        tries = [at for at, outgoing in world.receivers.attempts if outgoing.receiver == "pager"]
        pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
        assert pauses[0] < 2 * SECOND
        assert all(later > 1.2 * earlier for earlier, later in itertools.pairwise(pauses[:6]))
        (row,) = await world.pending()
        assert (row.receiver, row.attempts, row.last_error) == ("pager", len(tries), "503 Service Unavailable")
        assert (await world.verdicts("DiskFull", "pager")).count("retry") == len(tries)

        world.receivers.answers = {}
        await world.pass_time(5 * MINUTE)
        assert len(world.receivers.at("pager")) == 1
        assert await world.pending() == []
        kinds = await world.kinds()
        assert kinds.count("notification.retry") == len(tries)
        assert (await world.verdicts("DiskFull", "pager"))[-1] == "delivered"


async def test_a_receiver_that_hangs_delays_neither_others_nor_their_retries() -> None:
    async with open_world() as world:
        answers = iter([unavailable()])

        async def hangs() -> Delivery:
            await world.clock.sleep_until(world.clock.now() + 10 * MINUTE)
            return unavailable()

        world.receivers.answers = {
            "pager": hangs,
            "team": lambda: next(answers, Delivery(DeliveryResult.DELIVERED)),
        }
        await world.start()
        # Many queues for the one that hangs, more than may be under way at once.
        await world.alerts.receive([alert(f"Disk{number}Full") for number in range(60)])
        await world.pass_time(35 * SECOND)
        # One of the team's messages was refused at first; its retry did not wait for the pager's ten minutes.
        assert len(world.receivers.at("team")) == 60
        under_way = [outgoing for _, outgoing in world.receivers.attempts if outgoing.receiver == "pager"]
        assert len(under_way) == 12


async def test_a_rejected_notification_is_given_up_shown_and_told_again_at_the_next_flush() -> None:
    async with open_world() as world:
        world.receivers.answers = {"team": lambda: Delivery(DeliveryResult.REJECTED, "channel_not_found")}
        await world.start()
        await world.alerts.receive([alert(ends_at=world.clock.now() + 3 * HOUR)])
        await world.pass_time(MINUTE)
        (failed,) = await world.state.read(lambda tx: tx.outbox.find(status=OutgoingStatus.FAILED))
        assert (failed.receiver, failed.last_error) == ("team", "channel_not_found")
        assert "notification.failed" in await world.kinds()
        world.receivers.answers = {}
        await world.pass_time(6 * MINUTE)
        assert len(world.receivers.at("team")) == 1


async def test_a_failed_notification_is_tried_again_when_a_person_asks() -> None:
    async with open_world() as world:
        world.receivers.answers = {"team": lambda: Delivery(DeliveryResult.REJECTED, "no")}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(MINUTE)
        world.receivers.answers = {}
        (failed,) = await world.state.read(lambda tx: tx.outbox.find(status=OutgoingStatus.FAILED))
        await world.alerts.retry_notification(failed.id, "hana")
        await world.pass_time(1)
        assert [row.id for row in world.receivers.at("team")] == [failed.id]
        reasons = [line.reason for line in await world.ledger("") if line.verdict == "retry"]
        assert "hana asked for another attempt" in reasons
        with pytest.raises(ValueError, match="has been delivered"):
            await world.alerts.retry_notification(failed.id, "hana")
        with pytest.raises(LookupError, match="no such notification"):
            await world.alerts.retry_notification(999, "hana")


async def test_a_receiver_that_left_the_configuration_is_given_up_with_the_reason() -> None:
    async with open_world() as world:
        world.receivers.answers = {"pager": GONE}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(40 * SECOND)
        failed = await world.state.read(lambda tx: tx.outbox.find(status=OutgoingStatus.FAILED))
        assert [row.last_error for row in failed] == ["the configuration no longer has this receiver"]
        assert len(world.receivers.at("team")) == 1


async def test_a_notifier_with_a_fault_of_its_own_is_retried() -> None:
    async with open_world() as world:

        def breaks() -> Delivery:
            raise KeyError("a fault in a notifier")

        world.receivers.answers = {"pager": breaks}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(MINUTE)
        assert [row.last_error for row in await world.pending()] == ["KeyError"]
        world.receivers.answers = {}
        await world.pass_time(5 * MINUTE)
        assert len(world.receivers.at("pager")) == 1


async def test_an_alert_whose_source_falls_silent_ends_with_its_incident() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert(ends_at=world.clock.now() + 5 * MINUTE)])
        await world.pass_time(5 * MINUTE - 1)
        assert (await world.incident()).status is IncidentStatus.OPEN
        await world.pass_time(1)
        assert (await world.incident()).status is IncidentStatus.RESOLVED
        await world.pass_time(6 * MINUTE)
        assert [page.payload["event_action"] for page in world.receivers.at("pager")] == ["trigger", "resolve"]
        # Once it was notified, nothing of it remains.
        assert await world.state.read(lambda tx: tx.alerts.all()) == []


async def test_an_alert_that_ended_while_the_routes_were_changed_ends_its_incident_too() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert(ends_at=world.clock.now() + 5 * MINUTE)])
        await world.pass_time(2 * MINUTE)
        await world.crash()
        await world.clock.advance(HOUR)
        # The group that held the alert is gone with its route; an ended alert opens no new group.
        world._routing = world._routing.replace("group_by: [alertname, service]", "group_by: [service]")
        world._build()
        await world.start()
        # No source could post it again meanwhile; now there is time for that, and then it ends.
        await world.pass_time(5 * MINUTE)
        assert (await world.incident()).status is IncidentStatus.RESOLVED


async def test_the_same_alert_soon_after_reopens_its_incident() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(MINUTE)
        await world.alerts.receive([alert(ends_at=world.clock.now())])
        assert (await world.incident()).status is IncidentStatus.RESOLVED
        await world.pass_time(10 * MINUTE)
        await world.alerts.receive([alert(starts_at=world.clock.now())])
        assert (await world.incident()).status is IncidentStatus.OPEN
        assert len(await world.incidents.find()) == 1
        await world.pass_time(MINUTE)
        actions = [page.payload["event_action"] for page in world.receivers.at("pager")]
        assert actions == ["trigger", "resolve", "trigger"]


async def test_a_hundred_alerts_of_one_service_make_one_incident() -> None:
    async with open_world() as world:
        await world.start()
        await world.alerts.receive([alert("DiskFull", labels={"disk": str(number)}) for number in range(100)])
        await world.pass_time(MINUTE)
        assert len(await world.incidents.find()) == 1
        assert len((await world.incident()).firing) == 100
        assert len(world.receivers.at("pager")) == 1
        await world.alerts.receive(
            [alert("DiskFull", labels={"disk": str(number)}, ends_at=world.clock.now()) for number in range(100)]
        )
        assert (await world.incident()).status is IncidentStatus.RESOLVED


async def test_a_look_at_the_outbox_that_is_late_delivers_nothing_twice() -> None:
    async with open_world() as world:
        read = world.state.read
        late: list[int] = []

        async def slow_read(work: object) -> object:
            found = await read(work)  # type: ignore[arg-type]
            if world.receivers.attempts and len(late) < 3:
                # What was read is old by the time it is used: a delivery may end meanwhile.
                late.append(world.clock.now())
                await world.clock.sleep_until(world.clock.now() + 3 * SECOND)
            return found

        async def takes_a_second() -> Delivery:
            await world.clock.sleep_until(world.clock.now() + SECOND)
            return Delivery(DeliveryResult.DELIVERED)

        world.receivers.answers = {"pager": takes_a_second, "team": takes_a_second}
        world.delivery._state = type("Late", (), {"read": staticmethod(slow_read), "write": world.state.write})()  # type: ignore[assignment]
        await world.start()
        await world.alerts.receive([alert("A"), alert("B", service="b")])
        await world.pass_time(30 * SECOND)
        await world.alerts.receive([alert("C", service="c", starts_at=world.clock.now() - HOUR)])
        await world.pass_time(2 * MINUTE)
        assert late
        assert set(Counter(row.id for _, row in world.receivers.attempts).values()) == {1}


ON_CALL = """
route: {receiver: team, group_wait: 30s}
receivers:
  - name: team
    webhook_configs: [{url: "http://team.invalid"}]
  - name: infrastructure
    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]
  - name: vendor
    slack_configs: [{api_url: "http://slack.invalid/x", channel: "#vendor"}]
  - name: management
    webhook_configs: [{url: "http://management.invalid"}]
"""


@pytest.mark.parametrize("by", ["alert", "person"])
async def test_receivers_notified_by_escalation_are_notified_of_the_end(by: str) -> None:
    async with open_world(routing=ON_CALL, policy=policy()) as world:
        await world.start()
        for _ in range(2):
            seen = len(world.receivers.at("infrastructure"))
            await world.alerts.receive([alert("Down")])
            await world.pass_time(32 * MINUTE)
            if by == "alert":
                await world.alerts.receive([alert("Down", ends_at=world.clock.now())])
            else:
                await world.incidents.change_status("INC-1", "hana", IncidentStatus.RESOLVED)
                await world.alerts.receive([alert("Down", ends_at=world.clock.now())])
            await world.pass_time(MINUTE)
            began, ended = world.receivers.at("infrastructure")[seen:]
            assert (began.purpose, ended.purpose) == ("escalation", "status")
            assert (began.payload["event_action"], ended.payload["event_action"]) == ("trigger", "resolve")
            assert began.payload["dedup_key"] == ended.payload["dedup_key"], "the far side closes what it opened"
            await world.pass_time(5 * MINUTE)
        # Slack's default is no notification of the end, and management was never notified of the beginning.
        assert {row.purpose for row in world.receivers.at("vendor")} == {"escalation"}
        assert world.receivers.at("management") == []
        assert len({row.payload["dedup_key"] for row in world.receivers.at("infrastructure")}) == 2, "two openings"
