"""Messages that no receiver takes: an escalation moves on, other receivers are notified, and no loop arises."""

from collections import Counter
from collections.abc import Callable

import httpx
import pytest
from service_world import HOUR, MINUTE, ROUTING, SECOND, World, alert, open_world, shipped_runbook, unavailable

from eldonia_ops.app.routing import Notifiers
from eldonia_ops.incidents.policy import Policy, Tier
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.model.incidents import IncidentStatus, Severity
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.ports import Delivery, DeliveryResult
from eldonia_ops.services.api import AlertView

EVERYBODY = ("team", "pager", "infrastructure", "vendor", "management")
FAILED = "NotificationFailed"

TWO_WAYS = ROUTING.replace(
    "slack_configs: [{channel: '#infrastructure'}]",
    "slack_configs: [{channel: '#infrastructure'}]\n    webhook_configs: [{url: 'http://infrastructure.invalid'}]",
)


TIERS = (
    Tier("development"),
    Tier("infrastructure", "infrastructure", {Severity.CRITICAL: 15 * MINUTE}),
    Tier("vendor", "vendor", {Severity.CRITICAL: 30 * MINUTE}),
    Tier("management", "management", {Severity.CRITICAL: 45 * MINUTE}),
)


def policy() -> Policy:
    return Policy(tiers=TIERS, runbook=shipped_runbook())


def rejected() -> Delivery:
    return Delivery(DeliveryResult.REJECTED, "invalid_auth")


def escalations(rows: list[Outgoing]) -> list[Outgoing]:
    """Those about the first incident."""
    return [row for row in rows if row.purpose == "escalation" and "DiskFull" in str(row.payload)]


async def failing(world: World) -> dict[str, AlertView]:
    """The alerts of failed notifications, by integration."""
    return {
        view.alert.labels["integration"]: view for view in await world.alerts.current() if view.alert.name == FAILED
    }


async def test_an_escalation_that_is_rejected_moves_on_to_the_next_tier_at_once() -> None:
    async with open_world(policy=policy()) as world:
        world.receivers.answers = {"infrastructure": rejected}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(15 * MINUTE)
        assert len(escalations(world.receivers.at("vendor"))) == 1, "15 minutes before its own time"
        incident = await world.incident()
        assert (incident.status, incident.escalation_level) == (IncidentStatus.ESCALATED, 2)
        await world.pass_time(30 * MINUTE - 1)
        assert escalations(world.receivers.at("management")) == [], "who can be reached gets the usual time"
        await world.pass_time(1)
        assert [len(escalations(world.receivers.at(name))) for name in ("vendor", "management")] == [1, 1]
        kinds = await world.kinds()
        assert kinds.count("escalation.tier.unreached") == 1
        # A receiver notified by moving on is notified of the end too, if it wants that.
        await world.alerts.receive([alert(ends_at=world.clock.now())])
        assert (await world.incident()).status is IncidentStatus.RESOLVED


async def test_a_tier_whose_receiver_notifies_no_one_is_passed_over_at_once() -> None:
    empty = ROUTING.replace("    slack_configs: [{channel: '#infrastructure'}]\n", "")
    assert empty != ROUTING
    async with open_world(policy=policy(), routing=empty) as world:
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(15 * MINUTE)
        assert len(escalations(world.receivers.at("vendor"))) == 1
        assert (await world.incident()).escalation_level == 2
        await world.pass_time(30 * MINUTE)
        assert [len(escalations(world.receivers.at(name))) for name in ("vendor", "management")] == [1, 1]
        kinds = await world.kinds()
        assert [kinds.count(kind) for kind in ("escalation.tier", "escalation.tier.unreached")] == [2, 1]


async def test_a_tier_that_one_of_its_ways_reaches_is_not_passed_over() -> None:
    async with open_world(policy=policy(), routing=TWO_WAYS) as world:
        answers = {"slack": rejected, "webhook": lambda: Delivery(DeliveryResult.DELIVERED)}
        world.delivery._find = lambda receiver, kind, _: _Way(world, kind, receiver, answers)
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(20 * MINUTE)
        assert (await world.incident()).escalation_level == 1
        assert "escalation.tier.unreached" not in await world.kinds()
        assert "infrastructure/slack/0" in await failing(world)


async def test_a_tier_is_passed_over_once_the_last_of_its_ways_is_given_up() -> None:
    async with open_world(policy=policy(), routing=TWO_WAYS) as world:
        answers = {"slack": rejected, "webhook": unavailable}
        world.delivery._find = lambda receiver, kind, _: _Way(world, kind, receiver, answers)
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(16 * MINUTE)
        assert (await world.incident()).escalation_level == 1, "the webhook may come back"
        answers["webhook"] = rejected
        await world.pass_time(6 * MINUTE)
        assert (await world.incident()).escalation_level == 2


class _Way:
    """Answers by kind for the receiver ``infrastructure``; all others take what they get."""

    def __init__(self, world: World, kind: str, receiver: str, answers: dict[str, Callable[[], Delivery]]) -> None:
        self._world = world
        self._kind = kind if receiver == "infrastructure" else ""
        self._answers = answers

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        answer = self._answers.get(self._kind)
        return answer() if answer else await self._world.receivers.deliver(outgoing)


async def test_an_incident_that_is_acknowledged_or_silenced_escalates_no_further() -> None:
    async with open_world(policy=policy()) as world:
        world.receivers.answers = {"infrastructure": unavailable}
        await world.start()
        await world.alerts.receive([alert(), alert("DiskFull", service="other")])
        await world.pass_time(16 * MINUTE)
        await world.incidents.acknowledge("INC-1", "hana")
        await world.silence(HOUR, service="other")
        world.receivers.answers = {"infrastructure": rejected}
        await world.pass_time(6 * MINUTE)
        kinds = [*await world.kinds(1), *await world.kinds(2)]
        assert kinds.count("notification.failed") == 2
        assert "escalation.tier.unreached" not in kinds
        assert escalations(world.receivers.at("vendor")) == []
        assert "infrastructure/slack/0" in await failing(world), "but its failure is notified"


async def test_a_critical_page_that_is_rejected_is_told_to_others_until_one_gets_through() -> None:
    async with open_world(policy=policy()) as world:
        world.receivers.answers = {"pager": rejected}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(MINUTE)
        (view,) = (await failing(world)).values()
        assert view.alert.labels["integration"] == "pager/pagerduty/0"
        assert (view.state, view.incident_reference) == ("firing", "INC-2")
        assert view.alert.annotations["description"] == "invalid_auth"
        await world.pass_time(MINUTE)
        notified = [row for row in world.receivers.at("team") if FAILED in str(row.payload)]
        assert len(notified) == 1
        about_itself = [
            row for _, row in world.receivers.attempts if row.receiver == "pager" and FAILED in str(row.payload)
        ]
        assert about_itself == []
        assert "unrouted" in await world.verdicts(FAILED, "pager")

        world.receivers.answers = {}
        await world.pass_time(6 * MINUTE)
        assert await failing(world) == {}
        assert (await world.incident(2)).status is IncidentStatus.RESOLVED
        assert len(world.receivers.at("pager")) == 1


async def test_what_the_tree_leads_to_the_failing_receiver_alone_goes_to_the_default_one() -> None:
    routing = ROUTING.replace("receiver: pager, continue: true", "receiver: pager")
    async with open_world(routing=routing, policy=policy()) as world:
        world.receivers.answers = {"pager": rejected}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(2 * MINUTE)
        assert [FAILED in str(row.payload) for row in world.receivers.at("team")] == [True]
        (view,) = (await failing(world)).values()
        assert view.receivers == ("pager", "team")


async def test_a_failing_default_receiver_is_notified_to_the_remaining_receivers() -> None:
    async with open_world(policy=policy()) as world:
        world.receivers.answers = {"team": rejected}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(2 * MINUTE)
        assert [FAILED in str(row.payload) for row in world.receivers.at("pager")] == [False, True]


async def test_what_is_not_critical_raises_nothing() -> None:
    async with open_world(policy=policy()) as world:
        world.receivers.answers = {"team": rejected}
        await world.start()
        await world.alerts.receive([alert(severity="warning")])
        await world.pass_time(HOUR)
        assert await failing(world) == {}


async def test_a_critical_page_on_its_way_for_too_long_is_told_to_others() -> None:
    async with open_world(policy=policy()) as world:
        world.receivers.answers = {"pager": unavailable}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(15 * MINUTE)
        assert await failing(world) == {}
        await world.pass_time(6 * MINUTE)
        assert list(await failing(world)) == ["pager/pagerduty/0"]
        world.receivers.answers = {}
        await world.pass_time(6 * MINUTE)
        assert await failing(world) == {}


@pytest.mark.parametrize("answer", [rejected, unavailable])
async def test_when_no_receiver_works_no_loop_arises(answer: object) -> None:
    async with open_world(policy=policy()) as world:
        world.receivers.answers = dict.fromkeys(EVERYBODY, answer)  # type: ignore[arg-type]
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(2 * HOUR)
        before = Counter(row.receiver for _, row in world.receivers.attempts)
        assert len(await failing(world)) == len(EVERYBODY), "one for each integration"
        assert len(await world.incidents.find()) == 2
        await world.pass_time(HOUR)
        after = Counter(row.receiver for _, row in world.receivers.attempts) - before
        # Two groups, each with its queue for two receivers, and their retries or flushes every 5 minutes.
        assert all(count <= 2 * 16 for count in after.values())
        assert len(await failing(world)) == len(EVERYBODY)
        assert len(await world.incidents.find()) == 2
        tiers = [kind for number in (1, 2) for kind in await world.kinds(number) if kind.startswith("escalation.")]
        assert len(tiers) == 2 * 3, "each tier once for each incident"

        world.receivers.answers = {}
        await world.pass_time(HOUR)
        await world.alerts.receive([alert(ends_at=world.clock.now())])
        await world.pass_time(10 * MINUTE)
        assert not {"team/slack/0", "pager/pagerduty/0"} & set(await failing(world))


async def test_a_person_who_mends_a_receiver_ends_the_alert_by_trying_again() -> None:
    async with open_world(policy=policy()) as world:
        world.receivers.answers = {"management": rejected}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(46 * MINUTE)
        for incident in ("INC-1", "INC-2"):
            await world.incidents.acknowledge(incident, "hana")
        assert list(await failing(world)) == ["management/slack/0"]
        world.receivers.answers = {}
        await world.pass_time(3 * HOUR)
        assert list(await failing(world)) == ["management/slack/0"], "nothing has shown that it works"
        (row,) = [row for row in await world.alerts.notifications(1000) if row.receiver == "management"]
        await world.alerts.retry_notification(row.id, "hana")
        await world.pass_time(SECOND)
        assert await failing(world) == {}


async def test_an_integration_that_is_configured_no_more_has_no_alert_after_the_restart() -> None:
    async with open_world(policy=policy()) as world:
        world.receivers.answers = {"pager": rejected}
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(2 * MINUTE)
        await world.restart()
        assert list(await failing(world)) == ["pager/pagerduty/0"]
        await world.crash()
        world._routing = ROUTING.replace(
            "pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]",
            "webhook_configs: [{url: 'http://pager.invalid'}]",
        )
        world._build()
        await world.start()
        assert await failing(world) == {}
        assert (await world.incident(2)).status is IncidentStatus.RESOLVED


async def test_a_receiver_of_a_kind_that_is_lacked_is_told_to_others_written_down_and_marked() -> None:
    lacked = ROUTING.replace(
        "pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]", "opsgenie_configs: [{}]"
    )
    assert lacked != ROUTING
    reason = "opsgenie_configs of receiver 'pager' is not supported yet"
    async with open_world(policy=policy(), routing=lacked) as world, httpx.AsyncClient() as client:
        real = Notifiers(world.intake.routing, client, built_in())  # for this kind what is installed is what runs
        world.delivery._find = lambda receiver, kind, index: (
            real.find(receiver, kind, index) if receiver == "pager" else world.receivers.find(receiver, kind, index)
        )
        await world.start()
        await world.alerts.receive([alert()])
        await world.pass_time(MINUTE)
        (view,) = (await failing(world)).values()
        assert view.alert.labels["integration"] == "pager/opsgenie/0"
        assert view.alert.annotations["description"] == reason
        notified = [str(row.payload) for row in world.receivers.at("team")]
        assert any(FAILED in text for text in notified), "others hear of it"
        ledger = await world.alerts.explain(alertname="DiskFull")
        assert any(one.receiver == "pager" and one.verdict == "failed" and reason in one.reason for one in ledger)
        assert {one.receiver: one.obstacle for one in world.alerts.integrations() if one.obstacle} == {"pager": reason}
