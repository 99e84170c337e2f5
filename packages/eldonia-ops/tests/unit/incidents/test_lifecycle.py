from dataclasses import replace

import pytest

from eldonia_ops.incidents.correlation import Unclosed, correlate
from eldonia_ops.incidents.escalation import Escalate
from eldonia_ops.incidents.events import (
    Acknowledge,
    AddNote,
    AlertFiring,
    AlertResolved,
    AppendTimeline,
    Assign,
    ChangeStatus,
    Deadline,
    Evidence,
    NotificationOutcome,
    OpenByHand,
    RecoveryEvent,
    SetFields,
    TickChecklist,
)
from eldonia_ops.incidents.lifecycle import TRANSITIONS, TransitionError, next_deadline, step
from eldonia_ops.incidents.policy import HOUR, MINUTE, Policy
from eldonia_ops.incidents.runbook import Runbook, Step, Text
from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert
from eldonia_ops.model.incidents import Impact, IncidentStatus, Severity
from eldonia_ops.model.labels import Labels

RUNBOOK = Runbook(
    steps=(
        Step("look", "assess", Text("Look", "見る")),
        Step("shout", "detect", Text("Shout", "叫ぶ"), (Severity.CRITICAL,)),
        Step("learn", "learn", Text("Learn", "学ぶ"), (Severity.CRITICAL, Severity.MEDIUM)),
    )
)
POLICY = Policy(runbook=RUNBOOK)
NOW = 1_700_000_000_000
OPEN, INVESTIGATING, ESCALATED, RESOLVED, CLOSED = IncidentStatus


def alert(name="HighErrorRate", severity="critical", service="shop", starts_at=NOW, **labels):
    return Alert(
        Labels({"alertname": name, "severity": severity, "service": service, **labels}),
        Labels({"summary": f"{name} on {service}"}),
        starts_at=starts_at,
        ends_at=UNTIL_RESOLVED,
        source="rule",
        evidence={"value": 0.25, "series": ["not", "scalar"]},
    )


class Story:
    """An incident and everything that was said about it."""

    def __init__(self, policy=POLICY, now=NOW):
        self.policy, self.now, self.incident = policy, now, None
        self.entries, self.notified = [], []

    def feed(self, *events, after=0):
        for event in events:
            self.now += after
            self.incident, effects = step(self.incident, event, self.now, self.policy)
            self.entries += [effect.entry for effect in effects if isinstance(effect, AppendTimeline)]
            self.notified += [effect for effect in effects if isinstance(effect, Escalate)]
        return self

    def opened(self, **labels):
        return self.feed(AlertFiring(alert(**labels), started_at=self.now - 90_000, ordinal=7))

    def kinds(self):
        return [entry.kind for entry in self.entries]


def test_a_critical_alert_opens():
    incident = (story := Story().opened()).incident
    assert (incident.reference, incident.severity, incident.status) == ("INC-7", Severity.CRITICAL, OPEN)
    assert (incident.started_at, incident.detected_at) == (NOW - 90_000, NOW)
    assert incident.respond_by == incident.escalate_at == NOW + 15 * MINUTE
    assert [item.key for item in incident.checklist] == ["shout", "look", "learn"]
    assert incident.title == "HighErrorRate on shop"
    assert incident.version == 1
    assert story.kinds() == ["alert.pending", "alert.firing", "incident.opened"]
    assert story.entries[1].data["value"] == 0.25
    assert "series" not in story.entries[1].data
    assert all(entry.incident_id == incident.id and entry.key for entry in story.entries)


@pytest.mark.parametrize(
    ("label", "severity", "target"),
    [
        ("critical", "critical", 15 * MINUTE),
        ("high", "high", HOUR),
        ("error", "high", HOUR),
        ("Warning", "medium", 4 * HOUR),
    ],
)
def test_which_alerts_open_what(label, severity, target):
    incident = Story().opened(severity=label).incident
    assert incident.severity == severity
    assert incident.respond_by - incident.detected_at == target


@pytest.mark.parametrize("label", ["info", "none", ""])
def test_which_alerts_open_nothing(label):
    story = Story().opened(severity=label)
    assert story.incident is None
    assert story.entries == []


def test_saying_it_again_changes_nothing():
    story = Story().opened()
    before = story.incident
    story.feed(AlertFiring(alert(), NOW), AlertResolved(alert(name="Other")), Deadline(), after=1000)
    assert story.incident is before
    assert len(story.entries) == 3


def test_it_resolves_when_the_last_alert_has_ended():
    story = Story().opened()
    story.feed(AlertFiring(alert(name="Slow")), after=MINUTE)
    assert story.kinds()[-1] == "incident.merged"
    story.feed(AlertResolved(replace(alert(), ends_at=story.now)), after=MINUTE)
    assert story.incident.status is OPEN
    story.feed(AlertResolved(alert(name="Slow")), after=MINUTE)
    assert story.incident.status is RESOLVED
    assert story.incident.resolved_at == story.now
    assert story.kinds()[-1] == "incident.resolved"
    assert next_deadline(story.incident) is None
    assert story.incident.version == 4


def test_it_was_over_when_the_last_condition_ended_and_not_when_that_had_been_watched():
    held, other = alert(), alert("Slow", severity="warning")
    story = Story().opened().feed(AlertFiring(other, started_at=NOW))
    story.feed(AlertResolved(replace(held, ends_at=NOW + 5 * MINUTE)), after=11 * MINUTE)
    story.feed(AlertResolved(replace(other, ends_at=NOW + 4 * MINUTE)), after=1 * MINUTE)
    assert (story.incident.status, story.incident.resolved_at) == (RESOLVED, NOW + 12 * MINUTE)
    assert story.incident.recovered_at == NOW + 5 * MINUTE
    story.feed(AlertFiring(held))
    assert (story.incident.status, story.incident.recovered_at) == (OPEN, 0), "it is not over after all"
    story.feed(AlertFiring(other), AlertResolved(replace(other, ends_at=story.now)))
    story.feed(ChangeStatus("hana", RESOLVED))
    assert (story.incident.firing, story.incident.recovered_at) == ((held.fingerprint,), 0), "hana said so"
    story.feed(AlertResolved(replace(held, ends_at=story.now)), after=MINUTE)
    assert story.incident.recovered_at == 0


def test_a_graver_alert_raises_severity_and_tightens_the_target():
    story = Story().opened(severity="warning")
    assert story.incident.respond_by == NOW + 4 * HOUR
    story.feed(TickChecklist("yu", "look"))
    story.feed(AlertFiring(alert(name="Worse")), after=MINUTE)
    assert story.incident.severity is Severity.CRITICAL
    assert story.incident.respond_by == story.incident.escalate_at == NOW + MINUTE + 15 * MINUTE
    assert [item.key for item in story.incident.checklist] == ["shout", "look", "learn"]
    assert story.incident.checklist[1].done_by == "yu"
    story.feed(AlertFiring(alert(name="Milder", severity="warning")), after=MINUTE)
    assert story.incident.severity is Severity.CRITICAL


def test_raising_never_grants_more_time():
    story = Story().opened(severity="warning")
    story.feed(AlertFiring(alert(name="Worse")), after=4 * HOUR - MINUTE)
    assert story.incident.respond_by == NOW + 4 * HOUR


def test_it_reopens_within_the_time_and_the_clock_starts_again():
    story = Story().opened().feed(Acknowledge("yu"), after=1000).feed(AlertResolved(alert()), after=1000)
    story.now += 10 * MINUTE
    again = alert(starts_at=story.now)
    assert correlate(again, Unclosed([story.incident]), story.now, POLICY) == story.incident
    story.feed(AlertFiring(again))
    incident = story.incident
    assert incident.status is OPEN
    assert (incident.acknowledged_at, incident.resolved_at, incident.reopened_at) == (0, 0, story.now)
    assert incident.respond_by == story.now + 15 * MINUTE
    assert story.kinds()[-1] == "incident.reopened"


def test_correlation_in_order():
    shop = Story().opened().incident
    payment = replace(Story().opened(service="payment", name="Gateway").incident, id="payment")
    attack = Story().opened(service="security", name="Attack", source="203.0.113.9").incident
    everything = [shop, payment, attack]

    def where(item, now=NOW, incidents=everything):
        found = correlate(item, Unclosed(incidents), now, POLICY)
        return found and found.id

    assert where(alert()) == shop.id
    assert where(alert(name="Slow", severity="warning")) == shop.id
    assert where(alert(name="Slow", severity="info")) is None
    assert where(alert(name="Gateway2", service="payment")) == "payment"
    assert where(alert(name="X", service="database")) is None
    assert where(alert(name="X", service="")) is None
    assert where(alert(name="Brute", service="security", source="203.0.113.9")) == attack.id
    assert where(alert(name="Brute", service="security", source="198.51.100.1")) is None
    assert where(alert(name="HighFailedLogins", service="security")) == attack.id
    resolved = replace(shop, status=RESOLVED, resolved_at=NOW, firing=())
    assert where(alert(), NOW + 30 * MINUTE, [resolved]) == resolved.id
    assert where(alert(), NOW + 30 * MINUTE + 1, [resolved]) is None
    assert where(alert(name="Slow"), NOW, [resolved]) is None
    newer = replace(shop, id="newer", detected_at=NOW + 1, fingerprints=("x",), firing=("x",))
    assert where(alert(), NOW, [newer, resolved]) == "newer"
    assert where(alert(), NOW, [newer, shop]) == shop.id
    assert Unclosed(everything).holder(alert().fingerprint) == shop
    assert Unclosed(everything).holder("nobody") is None


@pytest.mark.parametrize("service", ["application", "external", "infrastructure"])
def test_what_names_no_service_is_no_outage_of_its_own(service):
    """The rules call the service of whatever names none like that: what shares it need not be one outage."""
    story = Story().opened(name="DiskFull", service=service, instance="a:9100")
    known = Unclosed([story.incident])

    def joins(name, **labels):
        return correlate(alert(name, service=service, **labels), known, story.now, POLICY) is not None

    assert joins("DiskFull", instance="b:9100"), "for the same reason"
    assert joins("HighCPUUsage", instance="a:9100"), "the same machine"
    assert not joins("HighCPUUsage", instance="b:9100")
    assert not joins("TargetDown", job="shop")
    of_job = Story().opened(name="HighErrorRate", service=service, job="shop")
    known = Unclosed([of_job.incident])
    assert of_job.incident.component == "shop"
    assert joins("HighResponseTime", job="shop")
    assert not joins("HighResponseTime", job="mail")


def test_a_person_may_resolve_early_and_the_same_firing_does_not_reopen_it():
    story = Story().opened().feed(ChangeStatus("yu", RESOLVED, "workaround"), after=MINUTE)
    assert story.incident.status is RESOLVED
    assert story.incident.acknowledged_at == story.now
    far = story.now + 10 * HOUR
    assert correlate(alert(), Unclosed([story.incident]), far, POLICY) == story.incident
    story.feed(AlertFiring(alert()), after=MINUTE)
    assert story.incident.status is RESOLVED
    with pytest.raises(TransitionError, match="1 of its alerts"):
        story.feed(ChangeStatus("yu", CLOSED))
    story.feed(AlertResolved(alert()), ChangeStatus("yu", CLOSED), after=MINUTE)
    assert story.incident.closed_at == story.now
    with pytest.raises(TransitionError, match="reopen"):
        story.feed(TickChecklist("yu", "look"))


def test_what_a_person_reopened_only_a_person_resolves():
    story = Story().opened().feed(AlertResolved(alert()), ChangeStatus("yu", OPEN, "not convinced"), after=MINUTE)
    assert story.incident.held_by == "yu"
    assert story.incident.escalate_at == story.now + 15 * MINUTE
    story.feed(AlertFiring(alert()), AlertResolved(alert()), after=MINUTE)
    assert story.incident.status is OPEN
    story.feed(ChangeStatus("yu", RESOLVED), after=MINUTE)
    assert story.incident.status is RESOLVED


def test_transitions_are_as_the_table_says():
    for before in IncidentStatus:
        for after in IncidentStatus:
            story = Story().opened()
            story.incident = replace(story.incident, status=before, firing=())
            if after in TRANSITIONS[before]:
                assert story.feed(ChangeStatus("yu", after)).incident.status is after
            elif after is not before:
                with pytest.raises(TransitionError, match=f"from {before} to {after}"):
                    story.feed(ChangeStatus("yu", after))


def test_handing_back_starts_the_clock_again():
    story = Story().opened().feed(Acknowledge("yu"), after=MINUTE)
    assert story.incident.escalate_at == 0
    story.feed(ChangeStatus("yu", OPEN, "wrong team"), after=MINUTE)
    assert story.incident.acknowledged_at == 0
    assert story.incident.escalate_at == story.now + 15 * MINUTE


def test_ticks_can_be_taken_back():
    story = Story().opened().feed(TickChecklist("yu", "look"), TickChecklist("yu", "look"), after=1)
    assert story.incident.checklist[1].done_at == NOW + 1
    story.feed(TickChecklist("rin", "look", False))
    assert story.incident.checklist[1].done_at == 0
    assert story.kinds()[-2:] == ["human.checklist", "human.checklist"]
    with pytest.raises(ValueError, match="'dance'"):
        story.feed(TickChecklist("yu", "dance"))


def test_fields():
    story = Story().opened()
    story.feed(SetFields("yu", {"root_cause": " pool too small ", "impact": {"users": "12", "revenue": 3.5}}))
    assert story.incident.root_cause == "pool too small"
    assert story.incident.impact == Impact(12, 3.5, "")
    assert story.entries[-1].data["names"] == "root_cause, impact"
    story.feed(SetFields("yu", {"severity": "low"}))
    assert (story.incident.severity, story.incident.respond_by, story.incident.escalate_at) == ("low", 0, 0)
    assert [item.key for item in story.incident.checklist] == ["look"]
    story.feed(SetFields("yu", {"severity": "high"}), after=MINUTE)
    assert story.incident.respond_by == story.now + HOUR
    before = story.incident
    assert story.feed(SetFields("yu", {"root_cause": "pool too small"})).incident is before


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"root_cuase": "x"}, "did you mean 'root_cause'"),
        ({"title": "  "}, "title"),
        ({"title": 3}, "text"),
        ({"title": "x" * 501}, "500"),
        ({"severity": "awful"}, "no such severity"),
        ({"impact": {"users": -1}}, "not negative"),
        ({"impact": {"users": "many"}}, "numbers"),
        ({"impact": {"revenue": "inf"}}, "finite"),
        ({"impact": {"money": 1}}, "money"),
        ({"impact": 3}, "mapping"),
    ],
)
def test_fields_that_cannot_be(fields, message):
    with pytest.raises(ValueError, match=message):
        Story().opened().feed(SetFields("yu", fields))


def test_opened_by_hand_stays_until_a_person_resolves():
    story = Story().feed(OpenByHand("yu", "Strange invoices", "medium", "payment", "two so far", ordinal=3))
    assert (story.incident.reference, story.incident.held_by) == ("INC-3", "yu")
    assert story.entries[0].actor == "yu"
    with pytest.raises(ValueError, match="title"):
        Story().feed(OpenByHand("yu", " ", "medium", "x"))
    with pytest.raises(ValueError, match="severity"):
        Story().feed(OpenByHand("yu", "x", "dire", "x"))


def test_what_happened_elsewhere_is_written_down_and_changes_nothing():
    story = Story().opened()
    before = story.incident
    story.feed(
        NotificationOutcome("delivered", "team", "slack", "key-1", attempt=2),
        RecoveryEvent("recovery.attempt", NOW + 5, {"service": "shop", "attempt": 1, "max_attempts": 3}, "k"),
        Evidence("security.finding", NOW + 6, {"type": "failed_login"}),
        AddNote("yu", "looking"),
        Assign("yu", "rin"),
    )
    assert story.kinds()[3:] == [
        "notification.delivered",
        "recovery.attempt",
        "security.finding",
        "human.note",
        "human.assigned",
    ]
    assert story.entries[3].key == "notification.delivered:key-1:2"
    assert story.entries[4].at == NOW + 5
    assert story.incident.version == before.version + 1  # by the assignment alone
    for event in (
        NotificationOutcome("lost", "a", "b", "c"),
        Evidence("made.up", 1),
        RecoveryEvent("alert.firing", 1),
        AddNote("yu", " "),
    ):
        with pytest.raises(ValueError, match=r"no such|not about|needs a text"):
            story.feed(event)


def test_acting_on_nothing():
    assert Story().feed(AlertResolved(alert()), Deadline()).incident is None
    with pytest.raises(TransitionError, match="no such incident"):
        Story().feed(Acknowledge("yu"))
    with pytest.raises(TransitionError, match="open already"):
        Story().opened().feed(OpenByHand("yu", "x", "low", ""))
    with pytest.raises(TransitionError, match="resolved"):
        Story().opened().feed(AlertResolved(alert()), Acknowledge("yu"))
