"""The life of an incident: ``step(incident, event, now, policy) -> (incident, effects)``.

Decisions taken here:

* An incident resolves by itself when the last of its alerts has ended, whatever its status, unless a
  person opened or reopened it (``held_by``): then only a person resolves it.
* People may resolve an incident while alerts still fire; it cannot be closed before they end.
* Moving an incident to ``investigating`` or ``escalated``, or resolving it, is a response, and so acknowledges it.
  Moving it back to ``open`` takes the response back: the response clock starts again.
* ``version`` rises by one with each step that changes the incident, as
  :class:`~eldonia_ops.ports.IncidentRepository` expects: put it after every such step.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from eldonia_ops.incidents import escalation, people
from eldonia_ops.incidents.changes import (
    MAX_TEXT,
    TRANSITIONS,
    Result,
    TransitionError,
    entry,
    graver,
    identity,
    opening_data,
    set_severity,
    start_clock,
)
from eldonia_ops.incidents.correlation import UNRESOLVED, component_of
from eldonia_ops.incidents.events import (
    Acknowledge,
    AddNote,
    AlertFiring,
    AlertResolved,
    AlertsSuppressed,
    AppendTimeline,
    Assign,
    ChangeStatus,
    ClockSetBack,
    ConditionsEnded,
    Deadline,
    Effect,
    Event,
    Evidence,
    NotificationOutcome,
    NotifyResolved,
    OpenByHand,
    RecoveryEvent,
    SetFields,
    TickChecklist,
    TierUnreached,
)
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.incidents.timeline import KINDS
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.frozen import copier
from eldonia_ops.model.incidents import Incident, IncidentStatus, Severity

__all__ = ["TRANSITIONS", "TransitionError", "next_deadline", "step"]

DETAILED: Final = 50
"""How many alerts of an incident the timeline lists one by one; the ledger lists all of them."""

_copy: Final = copier(Incident)

_COUNTED: Final = frozenset({100, 200, 500, 1_000})

NOTIFICATION_OUTCOMES: Final = ("queued", "delivered", "retry", "failed")


def step(incident: Incident | None, event: Event, now: int, policy: Policy) -> Result:
    """The incident after an event, and what has to be done about it.

    ``incident`` is None for an alert that :func:`correlate` left alone and for :class:`OpenByHand`; the
    result is None when the alert opens none. ``now`` is Unix ms.

    Raises:
        TransitionError: the act is not allowed in this state, or there is no incident to act on.
        ValueError: the event itself is malformed (unknown step, field or kind).
    """
    if incident is None:
        return _without_incident(event, now, policy)
    if isinstance(event, OpenByHand):
        raise TransitionError(f"{incident.reference} is open already")
    changed, effects = _HANDLERS[type(event)](incident, event, now, policy)
    if changed.version > incident.version:  # counted already: a storm has no time for another copy
        return changed, effects
    if changed == incident:
        return incident, effects
    return _copy(changed, version=incident.version + 1, updated_at=now), effects


def next_deadline(incident: Incident) -> int | None:
    """When :class:`Deadline` is next of consequence, Unix ms, or None."""
    return escalation.next_deadline(incident)


def _without_incident(event: Event, now: int, policy: Policy) -> Result:
    match event:
        case AlertFiring():
            severity = policy.severity_of(event.alert.labels.get("severity", ""))
            return (None, ()) if severity is None else _open(event, severity, now, policy)
        case OpenByHand():
            return people.open_by_hand(event, now, policy)
        case AlertResolved() | Deadline() | TierUnreached() | AlertsSuppressed() | ConditionsEnded() | ClockSetBack():
            return None, ()
        case _:
            raise TransitionError("there is no such incident")


def _open(event: AlertFiring, severity: Severity, now: int, policy: Policy) -> Result:
    alert = event.alert
    labels = alert.labels
    service = labels.get("service", "")
    playbook = policy.runbook.select(alert.name, service)
    incident = Incident(
        id=identity(alert.fingerprint, now, event.ordinal),
        ordinal=event.ordinal,
        title=_title(alert),
        description=alert.annotations.get("description", "")[:MAX_TEXT],
        severity=severity,
        status=IncidentStatus.OPEN,
        service=service,
        component=component_of(alert),
        started_at=_started_at(event, now),
        detected_at=now,
        runbook=playbook,
        checklist=policy.runbook.checklist(severity, playbook),
        fingerprints=(alert.fingerprint,),
        firing=(alert.fingerprint,),
        created_at=now,
        updated_at=now,
        version=1,
        cause=alert.name,
    )
    incident = start_clock(incident, now, policy)
    opened = entry(incident, now, "incident.opened", opening_data(incident), f"incident.opened:{now}")
    return incident, (*_alert_entries(incident, event, now), opened)


def _started_at(event: AlertFiring, now: int) -> int:
    known = [at for at in (event.started_at, event.alert.starts_at) if 0 < at <= now]
    return min(known, default=now)


def _alert_facts(alert: Alert) -> dict[str, Any]:
    facts: dict[str, Any] = {
        name: value[:500] if isinstance(value, str) else value
        for name, value in alert.evidence.items()
        if isinstance(value, (str, int, float, bool))
    }
    facts.update(
        alertname=alert.name,
        fingerprint=alert.fingerprint,
        severity=alert.labels.get("severity", ""),
        summary=alert.annotations.get("summary", "")[:500],
        description=alert.annotations.get("description", "")[:2_000],
        runbook_url=alert.annotations.get("runbook_url", "")[:2_000],
        labels=dict(alert.labels),
        raised_by=alert.source,
        starts_at=alert.starts_at,
    )
    if "expression" not in facts and alert.generator_url:
        facts["generator_url"] = alert.generator_url[:4_000]
    return facts


def _alert_entries(incident: Incident, event: AlertFiring, now: int) -> tuple[AppendTimeline, ...]:
    facts = _alert_facts(event.alert)
    firing = f"{event.alert.fingerprint}:{event.alert.starts_at or now}"
    entries = [entry(incident, now, "alert.firing", facts, f"alert.firing:{firing}")]
    if 0 < event.started_at < now:
        pending = {**facts, "value": event.alert.evidence.get("pending_value")}
        entries.insert(0, entry(incident, event.started_at, "alert.pending", pending, f"alert.pending:{firing}"))
    return tuple(entries)


def _alert_firing(incident: Incident, event: AlertFiring, now: int, policy: Policy) -> Result:
    alert = event.alert
    fingerprint = alert.fingerprint
    if fingerprint in incident.firing:
        return incident, ()
    if incident.status is IncidentStatus.CLOSED:
        raise TransitionError(f"{incident.reference} is closed; a new alert opens a new incident")
    known = fingerprint in incident.fingerprints
    effects: list[Effect] = []
    if explained(incident, (fingerprint,)):
        effects += _alert_entries(incident, event, now)
    firing_since = alert.starts_at or now
    shared = "outage"
    if not known:
        if alert.labels.get("service", "") == incident.service != "":
            shared = "source" if alert.labels.get("source") else "service"
        effects += _joined(incident, alert, shared, now)
    was_resolved_at = incident.resolved_at
    incident = _copy(
        incident,
        fingerprints=incident.fingerprints if known else (*incident.fingerprints, fingerprint),
        firing=(*incident.firing, fingerprint),
        outage=incident.outage or (not known and shared == "outage"),
        recovered_at=0,
        version=incident.version + 1,
        updated_at=now,
    )
    if event.leads and not incident.acknowledged_at:
        incident = _named_after(incident, alert, policy)
    severity = policy.severity_of(alert.labels.get("severity", ""))
    if incident.status is IncidentStatus.RESOLVED:
        raised_to = severity if severity and graver(severity, incident.severity) else incident.severity
        incident = replace(
            incident,
            severity=raised_to,
            checklist=policy.runbook.checklist(raised_to, incident.runbook, incident.checklist),
            status=IncidentStatus.OPEN,
            reopened_at=now,
            held_by="",
        )
        incident = start_clock(incident, now, policy)
        data = {"alertname": alert.name, "after": max(0, now - was_resolved_at), "respond_by": incident.respond_by}
        effects.append(
            entry(incident, now, "incident.reopened", data, f"incident.reopened:{fingerprint}:{firing_since}")
        )
    elif severity and graver(severity, incident.severity):
        incident, raised = set_severity(incident, severity, now, policy, alertname=alert.name)
        effects.append(raised)
    return incident, tuple(effects)


def _named_after(incident: Incident, alert: Alert, policy: Policy) -> Incident:
    """What is sent and what the incident is called are the same, and so is whom it affects and what is done about it.
    By its former service it need not be found: an outage is looked at whatever service an alert is of."""
    service = (alert.labels.get("service", "") if incident.outage else "") or incident.service
    playbook = policy.runbook.select(alert.name, service)
    return _copy(
        incident,
        title=_title(alert),
        description=alert.annotations.get("description", "")[:MAX_TEXT],
        cause=alert.name,
        service=service,
        component=component_of(alert),
        runbook=playbook,
        checklist=policy.runbook.checklist(incident.severity, playbook, incident.checklist),
    )


def _title(alert: Alert) -> str:
    return (alert.annotations.get("summary", "") or alert.name or "Unnamed alert")[:MAX_TEXT]


def explained(incident: Incident, fingerprints: Iterable[str]) -> bool:
    """Whether the timeline lists these alerts one by one, as it does the first :data:`DETAILED` of an incident.

    An alert that is about to join counts as the next one.
    """
    if len(incident.fingerprints) < DETAILED:
        return True
    first = incident.fingerprints[:DETAILED]
    return any(fingerprint in first for fingerprint in fingerprints)


def _joined(incident: Incident, alert: Alert, shared: str, now: int) -> Iterator[AppendTimeline]:
    """What the timeline says of an alert that joins: each of the first, then how many there are."""
    count = len(incident.fingerprints) + 1
    if count <= DETAILED:
        data = {"alertname": alert.name, "fingerprint": alert.fingerprint, "shared": shared}
        yield entry(incident, now, "incident.merged", data, f"incident.merged:{alert.fingerprint}")
    elif count == DETAILED + 1 or count in _COUNTED:
        data = {"alerts": count, "alertname": alert.name, "shared": shared, "detailed": DETAILED}
        yield entry(incident, now, "incident.grown", data, f"incident.grown:{count}")


def _alert_resolved(incident: Incident, event: AlertResolved, now: int, _policy: Policy) -> Result:
    alert = event.alert
    if alert.fingerprint not in incident.firing:
        return incident, ()
    ended_at = alert.ends_at if 0 < alert.ends_at <= now else now
    lasted = max(0, ended_at - alert.starts_at) if alert.starts_at else 0
    key = f"alert.resolved:{alert.fingerprint}:{alert.starts_at or now}"
    effects: list[Effect] = []
    still_firing = tuple(item for item in incident.firing if item != alert.fingerprint)
    if explained(incident, (alert.fingerprint,)):
        effects.append(entry(incident, now, "alert.resolved", {**_alert_facts(alert), "lasted": lasted}, key))
    elif len(still_firing) in _COUNTED:
        data = {"firing": len(still_firing), "alerts": len(incident.fingerprints)}
        key = f"incident.shrunk:{len(still_firing)}:{now}"
        effects.append(entry(incident, now, "incident.shrunk", data, key))
    recovered_at = max(incident.recovered_at, ended_at) if incident.status in UNRESOLVED else incident.recovered_at
    incident = _copy(incident, firing=still_firing, recovered_at=recovered_at)
    if not still_firing and not incident.held_by and incident.status in UNRESOLVED:
        incident = replace(incident, status=IncidentStatus.RESOLVED, resolved_at=now, escalate_at=0)
        data = {"after": max(0, now - incident.detected_at), "alerts": len(incident.fingerprints)}
        effects.append(entry(incident, now, "incident.resolved", data, f"incident.resolved:{now}"))
        if incident.escalation_level:
            effects.append(NotifyResolved(incident.id))
    return incident, tuple(effects)


def _notification(incident: Incident, event: NotificationOutcome, now: int, _policy: Policy) -> Result:
    if event.outcome not in NOTIFICATION_OUTCOMES:
        raise ValueError(f"no such outcome of a notification: {event.outcome!r}")
    data = {
        "receiver": event.receiver,
        "integration": event.integration,
        "purpose": event.purpose,
        "attempt": event.attempt,
        "detail": event.detail[:1000],
        "next_attempt_at": event.next_attempt_at,
    }
    key = f"notification.{event.outcome}:{event.key}:{event.attempt}"
    return incident, (entry(incident, now, f"notification.{event.outcome}", data, key),)


def _evidence(incident: Incident, event: Evidence | RecoveryEvent, _now: int, _policy: Policy) -> Result:
    if event.kind not in KINDS:
        raise ValueError(f"no such kind of timeline entry: {event.kind!r}")
    if isinstance(event, RecoveryEvent) and not event.kind.startswith("recovery."):
        raise ValueError(f"{event.kind!r} is not about recovery")
    return incident, (entry(incident, event.at, event.kind, event.data, event.key, actor=event.actor),)


def _deadline(incident: Incident, _event: Deadline, now: int, policy: Policy) -> Result:
    incident, notified = escalation.due(incident, now, policy)
    effects: list[Effect] = []
    for escalate in notified:
        data = {
            "tier": escalate.tier,
            "receiver": escalate.receiver,
            "level": escalate.level,
            "due_at": escalate.due_at,
        }
        effects += [entry(incident, now, "escalation.tier", data, escalate.key), escalate]
    return incident, tuple(effects)


def _tier_unreached(incident: Incident, _event: TierUnreached, now: int, policy: Policy) -> Result:
    level = incident.escalation_level
    missed = policy.tiers[level].name if level < len(policy.tiers) else ""
    incident, notified = escalation.move_on(incident, now, policy)
    effects: list[Effect] = []
    for escalate in notified:
        data = {"tier": escalate.tier, "receiver": escalate.receiver, "level": escalate.level, "missed": missed}
        effects += [entry(incident, now, "escalation.tier.unreached", data, escalate.key), escalate]
    return incident, tuple(effects)


def _quiet(incident: Incident, event: AlertsSuppressed, now: int, policy: Policy) -> Result:
    if not incident.escalate_at:
        return incident, ()
    changed = escalation.hold(incident, now, policy)
    data = {"why": event.why, "until": event.until}
    key = f"escalation.quiet:{incident.reopened_at or incident.detected_at}:{event.why}:{event.until}"
    return changed, (entry(incident, now, "escalation.quiet", data, key),)


def _conditions_ended(incident: Incident, event: ConditionsEnded, now: int, policy: Policy) -> Result:
    until = event.until + escalation.UNTIL_ENDED_MS
    if not 0 < incident.escalate_at <= now or now >= until:
        return _deadline(incident, Deadline(), now, policy)
    data = {"ended_at": event.ended_at, "until": event.until}
    waits = entry(incident, now, "escalation.recovered", data, f"escalation.recovered:{event.ended_at}")
    return replace(incident, escalate_at=until), (waits,)


def _clock_set_back(incident: Incident, _event: ClockSetBack, now: int, _policy: Policy) -> Result:
    return escalation.on_the_clock_of(incident, now), ()


_HANDLERS: Final[Mapping[type, Callable[..., Any]]] = {
    AlertFiring: _alert_firing,
    AlertResolved: _alert_resolved,
    Acknowledge: people.acknowledge,
    ChangeStatus: people.change_status,
    TickChecklist: people.tick,
    Assign: people.assign,
    AddNote: people.note,
    SetFields: people.set_fields,
    NotificationOutcome: _notification,
    Evidence: _evidence,
    RecoveryEvent: _evidence,
    Deadline: _deadline,
    TierUnreached: _tier_unreached,
    AlertsSuppressed: _quiet,
    ConditionsEnded: _conditions_ended,
    ClockSetBack: _clock_set_back,
}
