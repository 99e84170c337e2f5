import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.incidents.correlation import Unclosed, correlate
from eldonia_ops.incidents.escalation import Escalate, unreached
from eldonia_ops.incidents.events import (
    Acknowledge,
    AlertFiring,
    AlertResolved,
    AppendTimeline,
    ChangeStatus,
    Deadline,
    SetFields,
    TierUnreached,
)
from eldonia_ops.incidents.lifecycle import TransitionError, next_deadline, step
from eldonia_ops.incidents.policy import MINUTE, Policy
from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry
from eldonia_ops.model.labels import Labels

POLICY = Policy()
NOW = 1_700_000_000_000


def alert(name="A", severity="critical", starts_at=NOW):
    labels = Labels({"alertname": name, "severity": severity, "service": "shop"})
    return Alert(labels, starts_at=starts_at, ends_at=UNTIL_RESOLVED)


def opened(severity="critical", policy=POLICY):
    return step(None, AlertFiring(alert(severity=severity), ordinal=1), NOW, policy)[0]


def tiers(effects):
    return [effect.tier for effect in effects if isinstance(effect, Escalate)]


def test_tier_by_tier():
    incident, notified = opened(), []
    while (deadline := next_deadline(incident)) is not None:
        assert step(incident, Deadline(), deadline - 1, POLICY) == (incident, ())
        incident, effects = step(incident, Deadline(), deadline, POLICY)
        notified.append(((deadline - NOW) // MINUTE, *tiers(effects)))
        assert incident.status is IncidentStatus.ESCALATED
    assert notified == [(15, "infrastructure"), (30, "vendor"), (45, "management")]
    assert incident.escalation_level == 3


def test_several_tiers_after_a_long_sleep_in_order_and_once():
    incident, effects = step(opened(), Deadline(), NOW + 31 * MINUTE, POLICY)
    assert tiers(effects) == ["infrastructure", "vendor"]
    assert len({effect.key for effect in effects if isinstance(effect, Escalate)}) == 2
    entries = [effect.entry for effect in effects if isinstance(effect, AppendTimeline)]
    assert [entry.data["due_at"] for entry in entries] == [NOW + 15 * MINUTE, NOW + 30 * MINUTE]
    assert step(incident, Deadline(), NOW + 31 * MINUTE, POLICY)[1] == ()


def test_acknowledgement_stops_it():
    incident, _ = step(opened(), Deadline(), NOW + 15 * MINUTE, POLICY)
    incident, _ = step(incident, Acknowledge("yu"), NOW + 16 * MINUTE, POLICY)
    assert incident.status is IncidentStatus.INVESTIGATING
    assert next_deadline(incident) is None
    assert step(incident, Deadline(), NOW + 1000 * MINUTE, POLICY) == (incident, ())


def test_medium_never_reaches_management():
    incident, effects = step(opened("warning"), Deadline(), NOW + 10_000 * MINUTE, POLICY)
    assert tiers(effects) == ["infrastructure", "vendor"]
    assert next_deadline(incident) is None


def test_by_hand():
    incident, effects = step(opened(), ChangeStatus("yu", IncidentStatus.ESCALATED, "help"), NOW + MINUTE, POLICY)
    assert tiers(effects) == ["infrastructure"]
    assert incident.acknowledged_at
    for expected in ("vendor", "management"):
        incident, _ = step(incident, ChangeStatus("yu", IncidentStatus.INVESTIGATING), NOW + MINUTE, POLICY)
        incident, effects = step(incident, ChangeStatus("yu", IncidentStatus.ESCALATED), NOW + MINUTE, POLICY)
        assert tiers(effects) == [expected]
    incident, _ = step(incident, ChangeStatus("yu", IncidentStatus.INVESTIGATING), NOW + MINUTE, POLICY)
    with pytest.raises(TransitionError, match="last tier"):
        step(incident, ChangeStatus("yu", IncidentStatus.ESCALATED), NOW + MINUTE, POLICY)


def test_faster_policy():
    policy = POLICY.faster(60)
    incident = opened(policy=policy)
    assert incident.respond_by - NOW == 15_000
    assert tiers(step(incident, Deadline(), NOW + 45_000, policy)[1]) == ["infrastructure", "vendor", "management"]
    with pytest.raises(ValueError, match="positive"):
        POLICY.faster(-1)


def test_a_configuration_without_tiers():
    bare = Policy(tiers=())
    incident, effects = step(opened(), Deadline(), NOW + 15 * MINUTE, bare)
    assert tiers(effects) == []
    assert next_deadline(incident) is None
    assert next_deadline(opened(policy=bare)) is None


moves = st.lists(
    st.tuples(
        st.sampled_from(
            ["fire", "fire", "resolve", "deadline", "deadline", "deadline", "ack", "status", "severity", "again"]
        ),
        st.sampled_from("ABC"),
        st.sampled_from(["critical", "high", "warning", "info"]),
        st.sampled_from(list(IncidentStatus)),
        st.integers(0, 25) | st.integers(0, 600),
    ),
    max_size=50,
)


@settings(max_examples=150, deadline=None)
@given(moves, st.booleans())
def test_stories(sequence, persist):
    """Whatever happens: no resolution with firing alerts unless by a person, each tier once per opening, in
    order, and the same behaviour when the incident is stored and read back at every step."""
    now = NOW
    incident: Incident | None = None
    firing: dict[str, Alert] = {}
    keys: set[str] = set()
    levels: list[int] = []
    for move, name, severity, status, minutes in sequence:
        now += minutes * MINUTE
        item = firing.get(name) or alert(name, severity, now)
        event = {
            "fire": AlertFiring(item, now, ordinal=1),
            "again": AlertFiring(item, now, ordinal=1),
            "resolve": AlertResolved(item),
            "deadline": Deadline(),
            "ack": Acknowledge("yu"),
            "status": ChangeStatus("yu", status),
            "severity": SetFields("yu", {"severity": {"warning": "medium"}.get(severity, severity)}),
        }[move]
        if isinstance(event, AlertFiring):
            firing[name] = item
            unclosed = [incident] if incident and incident.status is not IncidentStatus.CLOSED else []
            if correlate(item, Unclosed(unclosed), now, POLICY) is None:
                if incident is not None:
                    continue  # it would open another incident
            elif incident is None:
                raise AssertionError("correlated with nothing")
        before = incident
        if persist and before is not None:
            copy = msgspec.json.decode(msgspec.json.encode(before), type=Incident)
            assert copy == before
            before = copy
        try:
            incident, effects = step(before, event, now, POLICY)
        except TransitionError:
            continue
        if isinstance(event, AlertResolved):
            firing.pop(name, None)
        if incident is None:
            continue
        human = isinstance(event, ChangeStatus)
        if incident.status is IncidentStatus.RESOLVED and (before is None or before.status is not incident.status):
            assert human or not incident.firing
        if not human and before is not None and before.status is not IncidentStatus.CLOSED:
            assert incident.status is not IncidentStatus.CLOSED
        if incident.reopened_at != (before.reopened_at if before else 0):
            levels = []
        for effect in effects:
            if isinstance(effect, Escalate):
                assert effect.key not in keys
                keys.add(effect.key)
                assert not levels or effect.level > levels[-1]
                levels.append(effect.level)
        if incident.acknowledged_at or incident.status in (IncidentStatus.RESOLVED, IncidentStatus.CLOSED):
            assert next_deadline(incident) is None
        assert before is None or incident == before or incident.version == before.version + 1
        assert set(incident.firing) <= set(incident.fingerprints)
        assert all(fingerprint in {item.fingerprint for item in firing.values()} for fingerprint in incident.firing)


def on_timeline(*kinds_and_keys):
    """Entries as a step and its messages leave them; a message is ``kind key``."""
    found = []
    for number, text in enumerate(kinds_and_keys):
        kind, _, key = text.partition(" ")
        data = {"purpose": "escalation"} if key else {}
        found.append(TimelineEntry(0, "i", NOW + number, kind, key=f"{kind}:{key}:1", data=data))
    return found


FIRST = ("escalation.tier", "notification.queued a")


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        ([], False),
        (["escalation.tier"], False),
        (["escalation.tier", "notification.queued a"], False),
        (["escalation.tier", "notification.queued a", "notification.failed a"], True),
        (["escalation.tier", "notification.queued a", "notification.queued b", "notification.failed a"], False),
        (["escalation.tier", "notification.queued a", "notification.delivered a"], False),
        (["escalation.tier", "notification.queued a", "notification.failed a", "notification.delivered a"], False),
        # The tier before failed late: the one notified last may still be reached.
        ([*FIRST, "escalation.tier.unreached", "notification.queued b", "notification.failed a"], False),
        (["escalation.requested", "notification.queued a", "notification.failed a"], True),
    ],
)
def test_a_tier_is_unreached_when_every_message_to_it_was_given_up(timeline, expected):
    assert unreached(on_timeline(*timeline)) is expected


def test_moving_on_tells_the_next_tier_now_and_those_after_it_in_their_time():
    incident, _ = step(opened(), Deadline(), NOW + 15 * MINUTE, POLICY)
    moved, effects = step(incident, TierUnreached(), NOW + 16 * MINUTE, POLICY)
    assert tiers(effects) == ["vendor"]
    (entry,) = [effect.entry for effect in effects if isinstance(effect, AppendTimeline)]
    assert (entry.kind, entry.data["missed"]) == ("escalation.tier.unreached", "infrastructure")
    assert next_deadline(moved) == NOW + 45 * MINUTE
    last, effects = step(moved, TierUnreached(), NOW + 17 * MINUTE, POLICY)
    assert tiers(effects) == ["management"]
    assert next_deadline(last) is None
    assert step(last, TierUnreached(), NOW + 18 * MINUTE, POLICY) == (last, ())


def test_no_tier_is_passed_over_once_it_is_acknowledged():
    incident, _ = step(opened(), Deadline(), NOW + 15 * MINUTE, POLICY)
    incident, _ = step(incident, Acknowledge("hana"), NOW + 16 * MINUTE, POLICY)
    assert step(incident, TierUnreached(), NOW + 17 * MINUTE, POLICY) == (incident, ())
