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

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from eldonia_ops.incidents import escalation
from eldonia_ops.incidents.correlation import UNRESOLVED
from eldonia_ops.incidents.events import (
    Acknowledge,
    AddNote,
    AlertFiring,
    AlertResolved,
    AppendTimeline,
    Assign,
    ChangeStatus,
    Deadline,
    Effect,
    Event,
    Evidence,
    NotificationOutcome,
    OpenByHand,
    RecoveryEvent,
    SetFields,
    TickChecklist,
)
from eldonia_ops.incidents.fields import apply_fields
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.incidents.timeline import KINDS
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.incidents import Incident, IncidentStatus, Severity, TimelineEntry

O, I, E, R, C = (  # noqa: E741 - the table below is read as a picture
    IncidentStatus.OPEN,
    IncidentStatus.INVESTIGATING,
    IncidentStatus.ESCALATED,
    IncidentStatus.RESOLVED,
    IncidentStatus.CLOSED,
)
TRANSITIONS: Final[Mapping[IncidentStatus, tuple[IncidentStatus, ...]]] = {
    O: (I, E, R),
    I: (O, E, R),
    E: (O, I, R),
    R: (O, I, C),
    C: (O, R),
}
"""Where people may move an incident from each status."""

SEVERITIES: Final = tuple(Severity)  # gravest first
MAX_TEXT: Final = 10_000
NOTIFICATION_OUTCOMES: Final = ("queued", "delivered", "retry", "failed")

Result = tuple[Incident | None, tuple[Effect, ...]]


class TransitionError(ValueError):
    """An act that the incident's present state does not allow; the message says what would be."""


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
    if changed == incident:
        return incident, effects
    return replace(changed, version=incident.version + 1, updated_at=now), effects


def next_deadline(incident: Incident) -> int | None:
    """When :class:`Deadline` is next of consequence, Unix ms, or None."""
    return escalation.next_deadline(incident)


def _without_incident(event: Event, now: int, policy: Policy) -> Result:
    match event:
        case AlertFiring():
            severity = policy.severity_of(event.alert.labels.get("severity", ""))
            return (None, ()) if severity is None else _open(event, severity, now, policy)
        case OpenByHand():
            return _open_by_hand(event, now, policy)
        case AlertResolved() | Deadline():
            return None, ()
        case _:
            raise TransitionError("there is no such incident")


def _entry(
    incident: Incident, at: int, kind: str, data: Mapping[str, Any], key: str = "", *, actor: str = "system"
) -> AppendTimeline:
    return AppendTimeline(TimelineEntry(0, incident.id, at, kind, actor, dict(data), key))


# --- opening ---------------------------------------------------------------------------------


def _identity(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _open(event: AlertFiring, severity: Severity, now: int, policy: Policy) -> Result:
    alert = event.alert
    labels = alert.labels
    service = labels.get("service", "")
    playbook = policy.runbook.select(alert.name, service)
    incident = Incident(
        id=_identity(alert.fingerprint, now, event.ordinal),
        ordinal=event.ordinal,
        title=(alert.annotations.get("summary", "") or alert.name or "Unnamed alert")[:MAX_TEXT],
        description=alert.annotations.get("description", "")[:MAX_TEXT],
        severity=severity,
        status=IncidentStatus.OPEN,
        service=service,
        component=labels.get("source", "") or labels.get("component", "") or labels.get("instance", ""),
        started_at=_started_at(event, now),
        detected_at=now,
        runbook=playbook,
        checklist=policy.runbook.checklist(severity, playbook),
        fingerprints=(alert.fingerprint,),
        firing=(alert.fingerprint,),
        created_at=now,
        updated_at=now,
        version=1,
    )
    incident = _start_clock(incident, now, policy)
    opened = _entry(incident, now, "incident.opened", _opening_data(incident), f"incident.opened:{now}")
    return incident, (*_alert_entries(incident, event, now), opened)


def _open_by_hand(event: OpenByHand, now: int, policy: Policy) -> Result:
    title = event.title.strip()
    if not title:
        raise ValueError("an incident needs a title")
    severity = parse_severity(event.severity)
    playbook = policy.runbook.select("", event.service)
    incident = Incident(
        id=_identity(event.actor, title, now, event.ordinal),
        ordinal=event.ordinal,
        title=title[:MAX_TEXT],
        description=event.description[:MAX_TEXT],
        severity=severity,
        status=IncidentStatus.OPEN,
        service=event.service,
        started_at=min(event.started_at or now, now),
        detected_at=now,
        runbook=playbook,
        checklist=policy.runbook.checklist(severity, playbook),
        created_at=now,
        updated_at=now,
        version=1,
        held_by=event.actor,
    )
    incident = _start_clock(incident, now, policy)
    return incident, (
        _entry(incident, now, "incident.opened", _opening_data(incident), f"incident.opened:{now}", actor=event.actor),
    )


def parse_severity(text: str) -> Severity:
    """One of the five severities.

    Raises:
        ValueError: the text is none of them.
    """
    try:
        return Severity(text.lower())
    except ValueError:
        raise ValueError(f"no such severity: {text!r} (one of {', '.join(SEVERITIES)})") from None


def _opening_data(incident: Incident) -> dict[str, Any]:
    return {
        "severity": incident.severity.value,
        "service": incident.service,
        "title": incident.title,
        "respond_by": incident.respond_by,
        "runbook": incident.runbook,
    }


def _started_at(event: AlertFiring, now: int) -> int:
    known = [at for at in (event.started_at, event.alert.starts_at) if 0 < at <= now]
    return min(known, default=now)


def _start_clock(incident: Incident, now: int, policy: Policy) -> Incident:
    """Start the response clock at ``now``: a new opening in which no tier beyond the first has been told."""
    target = policy.target(incident.severity)
    incident = replace(
        incident,
        acknowledged_at=0,
        escalation_level=0,
        resolved_at=0,
        closed_at=0,
        respond_by=now + target if target else 0,
    )
    return escalation.schedule(incident, policy)


# --- alerts ----------------------------------------------------------------------------------


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
        labels=dict(alert.labels),
        raised_by=alert.source,
        starts_at=alert.starts_at,
    )
    return facts


def _alert_entries(incident: Incident, event: AlertFiring, now: int) -> tuple[AppendTimeline, ...]:
    facts = _alert_facts(event.alert)
    firing = f"{event.alert.fingerprint}:{event.alert.starts_at or now}"
    entries = [_entry(incident, now, "alert.firing", facts, f"alert.firing:{firing}")]
    if 0 < event.started_at < now:
        pending = {**facts, "value": event.alert.evidence.get("pending_value")}
        entries.insert(0, _entry(incident, event.started_at, "alert.pending", pending, f"alert.pending:{firing}"))
    return tuple(entries)


def _alert_firing(incident: Incident, event: AlertFiring, now: int, policy: Policy) -> Result:
    alert = event.alert
    fingerprint = alert.fingerprint
    if fingerprint in incident.firing:
        return incident, ()
    if incident.status is IncidentStatus.CLOSED:
        raise TransitionError(f"{incident.reference} is closed; a new alert opens a new incident")
    known = fingerprint in incident.fingerprints
    effects: list[Effect] = list(_alert_entries(incident, event, now))
    firing_since = alert.starts_at or now
    if not known:
        shared = "source" if alert.labels.get("source") else "service"
        data = {"alertname": alert.name, "fingerprint": fingerprint, "shared": shared}
        effects.append(_entry(incident, now, "incident.merged", data, f"incident.merged:{fingerprint}"))
    was_resolved_at = incident.resolved_at
    incident = replace(
        incident,
        fingerprints=incident.fingerprints if known else (*incident.fingerprints, fingerprint),
        firing=(*incident.firing, fingerprint),
    )
    severity = policy.severity_of(alert.labels.get("severity", ""))
    if incident.status is IncidentStatus.RESOLVED:
        graver = severity if severity and _graver(severity, incident.severity) else incident.severity
        incident = replace(
            incident,
            severity=graver,
            checklist=policy.runbook.checklist(graver, incident.runbook, incident.checklist),
            status=IncidentStatus.OPEN,
            reopened_at=now,
            held_by="",
        )
        incident = _start_clock(incident, now, policy)
        data = {"alertname": alert.name, "after": max(0, now - was_resolved_at), "respond_by": incident.respond_by}
        effects.append(
            _entry(incident, now, "incident.reopened", data, f"incident.reopened:{fingerprint}:{firing_since}")
        )
    elif severity and _graver(severity, incident.severity):
        incident, raised = _set_severity(incident, severity, now, policy, alertname=alert.name)
        effects.append(raised)
    return incident, tuple(effects)


def _alert_resolved(incident: Incident, event: AlertResolved, now: int, _policy: Policy) -> Result:
    alert = event.alert
    if alert.fingerprint not in incident.firing:
        return incident, ()
    ended_at = alert.ends_at if 0 < alert.ends_at <= now else now
    lasted = max(0, ended_at - alert.starts_at) if alert.starts_at else 0
    key = f"alert.resolved:{alert.fingerprint}:{alert.starts_at or now}"
    effects: list[Effect] = [_entry(incident, now, "alert.resolved", {**_alert_facts(alert), "lasted": lasted}, key)]
    still_firing = tuple(item for item in incident.firing if item != alert.fingerprint)
    incident = replace(incident, firing=still_firing)
    if not still_firing and not incident.held_by and incident.status in UNRESOLVED:
        incident = replace(incident, status=IncidentStatus.RESOLVED, resolved_at=now, escalate_at=0)
        data = {"after": max(0, now - incident.detected_at), "alerts": len(incident.fingerprints)}
        effects.append(_entry(incident, now, "incident.resolved", data, f"incident.resolved:{now}"))
    return incident, tuple(effects)


def _graver(one: Severity, other: Severity) -> bool:
    return SEVERITIES.index(one) < SEVERITIES.index(other)


def _set_severity(
    incident: Incident, severity: Severity, now: int, policy: Policy, *, alertname: str = "", actor: str = "system"
) -> tuple[Incident, AppendTimeline]:
    """Change the severity. A graver one gives people its whole target from now, but never more than they had;
    a milder one counts its target from the start of the same clock."""
    before = incident.severity
    target = policy.target(severity)
    start = escalation.clock_started_at(incident, policy)
    if not target:
        respond_by = 0
    elif _graver(severity, before):
        respond_by = min(incident.respond_by or now + target, now + target)
    else:
        respond_by = start + target
    incident = replace(
        incident,
        severity=severity,
        respond_by=respond_by,
        checklist=policy.runbook.checklist(severity, incident.runbook, incident.checklist),
    )
    incident = escalation.schedule(incident, policy)
    data = {"from": before.value, "to": severity.value, "alertname": alertname, "respond_by": incident.respond_by}
    return incident, _entry(incident, now, "incident.severity", data, actor=actor)


# --- people ----------------------------------------------------------------------------------


def _acknowledged(incident: Incident, actor: str, now: int) -> Incident:
    return replace(
        incident,
        acknowledged_at=incident.acknowledged_at or now,
        assigned_to=incident.assigned_to or actor,
        escalate_at=0,
    )


def _acknowledge(incident: Incident, event: Acknowledge, now: int, _policy: Policy) -> Result:
    if incident.status not in UNRESOLVED:
        raise TransitionError(f"{incident.reference} is {incident.status.value}; reopen it to work on it again")
    if incident.acknowledged_at:
        return incident, ()
    incident = replace(_acknowledged(incident, event.actor, now), status=IncidentStatus.INVESTIGATING)
    data = {"after": max(0, now - (incident.reopened_at or incident.detected_at))}
    return incident, (_entry(incident, now, "human.acknowledged", data, actor=event.actor),)


def _change_status(incident: Incident, event: ChangeStatus, now: int, policy: Policy) -> Result:
    before, after = incident.status, event.status
    if after is before:
        return incident, ()
    if after not in TRANSITIONS[before]:
        allowed = ", ".join(status.value for status in TRANSITIONS[before])
        raise TransitionError(
            f"{incident.reference} cannot go from {before.value} to {after.value}; it can go to {allowed}"
        )
    if after is IncidentStatus.CLOSED and incident.firing:
        count = len(incident.firing)
        raise TransitionError(
            f"{incident.reference} cannot be closed while {count} of its alerts fire; silence or fix them"
        )
    note = event.note[:MAX_TEXT]
    data = {"from": before.value, "to": after.value, "note": note}
    effects: list[Effect] = [_entry(incident, now, "human.status", data, actor=event.actor)]
    reopening = before not in UNRESOLVED and after in UNRESOLVED
    if reopening:
        incident = replace(incident, reopened_at=now, held_by=event.actor)
    incident = replace(incident, status=after)
    match after:
        case IncidentStatus.OPEN:
            incident = _start_clock(replace(incident, reopened_at=now), now, policy)
        case IncidentStatus.INVESTIGATING:
            if reopening:
                incident = _start_clock(incident, now, policy)
            incident = _acknowledged(incident, event.actor, now)
        case IncidentStatus.ESCALATED:
            incident, telling = _escalate_by_hand(_acknowledged(incident, event.actor, now), event, now, policy)
            effects.extend(telling)
        case IncidentStatus.RESOLVED if before in UNRESOLVED:
            incident = replace(_acknowledged(incident, event.actor, now), resolved_at=now)
        case IncidentStatus.RESOLVED:
            incident = replace(incident, closed_at=0)
        case IncidentStatus.CLOSED:
            incident = replace(incident, closed_at=now, escalate_at=0)
    return incident, tuple(effects)


def _escalate_by_hand(
    incident: Incident, event: ChangeStatus, now: int, policy: Policy
) -> tuple[Incident, tuple[Effect, ...]]:
    """Tell the next tier now, also one that this severity would not reach by itself."""
    level = incident.escalation_level + 1
    if level >= len(policy.tiers):
        raise TransitionError(f"{incident.reference} has been escalated to the last tier already")
    tier = policy.tiers[level]
    incident = replace(incident, escalation_level=level)
    data = {"tier": tier.name, "receiver": tier.receiver, "level": level, "note": event.note[:MAX_TEXT]}
    entry = _entry(incident, now, "escalation.requested", data, actor=event.actor)
    return incident, (entry, escalation.telling(incident, level, tier, now))


def _tick(incident: Incident, event: TickChecklist, now: int, _policy: Policy) -> Result:
    _refuse_closed(incident)
    item = next((item for item in incident.checklist if item.key == event.key), None)
    if item is None:
        raise ValueError(f"{incident.reference} has no step {event.key!r} on its checklist")
    if bool(item.done_at) == event.done:
        return incident, ()
    ticked = replace(item, done_at=now if event.done else 0, done_by=event.actor if event.done else "")
    checklist = tuple(ticked if other.key == event.key else other for other in incident.checklist)
    data = {"step": event.key, "phase": item.phase, "state": "done" if event.done else "undone"}
    return replace(incident, checklist=checklist), (_entry(incident, now, "human.checklist", data, actor=event.actor),)


def _assign(incident: Incident, event: Assign, now: int, _policy: Policy) -> Result:
    _refuse_closed(incident)
    if event.to == incident.assigned_to:
        return incident, ()
    data = {"from": incident.assigned_to, "to": event.to or "-"}
    return replace(incident, assigned_to=event.to), (_entry(incident, now, "human.assigned", data, actor=event.actor),)


def _note(incident: Incident, event: AddNote, now: int, _policy: Policy) -> Result:
    text = event.text.strip()
    if not text:
        raise ValueError("a note needs a text")
    return incident, (_entry(incident, now, "human.note", {"text": text[:MAX_TEXT]}, actor=event.actor),)


def _fields(incident: Incident, event: SetFields, now: int, policy: Policy) -> Result:
    _refuse_closed(incident)
    fields = dict(event.fields)
    wanted = fields.pop("severity", None)
    effects: list[Effect] = []
    changed, names, values = apply_fields(incident, fields)
    if names:
        data = {"names": ", ".join(names), "values": values}
        effects.append(_entry(incident, now, "human.fields", data, actor=event.actor))
    if wanted is not None:
        severity = parse_severity(str(wanted))
        if severity is not changed.severity:
            changed, entry = _set_severity(changed, severity, now, policy, actor=event.actor)
            effects.append(entry)
    return changed, tuple(effects)


def _refuse_closed(incident: Incident) -> None:
    if incident.status is IncidentStatus.CLOSED:
        raise TransitionError(f"{incident.reference} is closed; reopen it to change it")


# --- what happened elsewhere -----------------------------------------------------------------


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
    return incident, (_entry(incident, now, f"notification.{event.outcome}", data, key),)


def _evidence(incident: Incident, event: Evidence | RecoveryEvent, _now: int, _policy: Policy) -> Result:
    if event.kind not in KINDS:
        raise ValueError(f"no such kind of timeline entry: {event.kind!r}")
    if isinstance(event, RecoveryEvent) and not event.kind.startswith("recovery."):
        raise ValueError(f"{event.kind!r} is not about recovery")
    return incident, (_entry(incident, event.at, event.kind, event.data, event.key, actor=event.actor),)


def _deadline(incident: Incident, _event: Deadline, now: int, policy: Policy) -> Result:
    incident, told = escalation.due(incident, now, policy)
    effects: list[Effect] = []
    for telling in told:
        data = {
            "tier": telling.tier,
            "receiver": telling.receiver,
            "level": telling.level,
            "due_at": telling.due_at,
        }
        effects += [_entry(incident, now, "escalation.tier", data, telling.key), telling]
    return incident, tuple(effects)


_HANDLERS: Final[Mapping[type, Callable[..., Any]]] = {
    AlertFiring: _alert_firing,
    AlertResolved: _alert_resolved,
    Acknowledge: _acknowledge,
    ChangeStatus: _change_status,
    TickChecklist: _tick,
    Assign: _assign,
    AddNote: _note,
    SetFields: _fields,
    NotificationOutcome: _notification,
    Evidence: _evidence,
    RecoveryEvent: _evidence,
    Deadline: _deadline,
}
