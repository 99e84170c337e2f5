"""Actions of people on an incident. Signatures: ``(incident, event, now, policy) -> (incident, effects)``."""

from dataclasses import replace
from typing import Final

from eldonia_ops.incidents import escalation
from eldonia_ops.incidents.changes import (
    MAX_TEXT,
    TRANSITIONS,
    Result,
    TransitionError,
    acknowledged,
    entry,
    identity,
    opening_data,
    parse_severity,
    set_severity,
    start_clock,
)
from eldonia_ops.incidents.correlation import UNRESOLVED
from eldonia_ops.incidents.events import (
    Acknowledge,
    ActError,
    AddNote,
    Assign,
    ChangeStatus,
    Effect,
    NotifyResolved,
    OpenByHand,
    SetFields,
    TickChecklist,
)
from eldonia_ops.incidents.fields import apply_fields
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.incidents import Incident, IncidentStatus

_FULFILLING: Final = ("root_cause", "impact", "postmortem")
"""Fields that, once filled in, fulfil the steps of the checklist whose action they are."""


def open_by_hand(event: OpenByHand, now: int, policy: Policy) -> Result:
    """A person opens an incident."""
    title = event.title.strip()
    if not title:
        raise ActError("an incident needs a title")
    severity = parse_severity(event.severity)
    playbook = policy.runbook.select("", event.service)
    incident = Incident(
        id=identity(event.actor, title, now, event.ordinal),
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
    incident = start_clock(incident, now, policy)
    opened = entry(
        incident, now, "incident.opened", opening_data(incident), f"incident.opened:{now}", actor=event.actor
    )
    if not policy.tiers:
        return incident, (opened,)
    # No alert notifies the first tier by its route.
    first = policy.tiers[0]
    data = {"tier": first.name, "receiver": first.receiver, "level": 0}
    notified = entry(incident, now, "escalation.opened", data, actor=event.actor)
    return incident, (opened, notified, escalation.escalate(incident, 0, first, now))


def acknowledge(incident: Incident, event: Acknowledge, now: int, policy: Policy) -> Result:
    """A person takes charge."""
    if incident.status not in UNRESOLVED:
        raise TransitionError(f"{incident.reference} is {incident.status.value}; reopen it to work on it again")
    if incident.acknowledged_at:
        return incident, ()
    incident = replace(acknowledged(incident, event.actor, now), status=IncidentStatus.INVESTIGATING)
    incident = _fulfilled(incident, "acknowledge", event.actor, now, policy)
    data = {"after": max(0, now - (incident.reopened_at or incident.detected_at))}
    return incident, (entry(incident, now, "human.acknowledged", data, actor=event.actor),)


def change_status(incident: Incident, event: ChangeStatus, now: int, policy: Policy) -> Result:
    """A person moves the incident along the table of transitions."""
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
    effects: list[Effect] = [entry(incident, now, "human.status", data, actor=event.actor)]
    reopening = before not in UNRESOLVED and after in UNRESOLVED
    if reopening:
        incident = replace(incident, reopened_at=now, held_by=event.actor, recovered_at=0)
    incident = replace(incident, status=after)
    match after:
        case IncidentStatus.OPEN:
            incident = start_clock(replace(incident, reopened_at=now), now, policy)
        case IncidentStatus.INVESTIGATING:
            if reopening:
                incident = start_clock(incident, now, policy)
            incident = acknowledged(incident, event.actor, now)
        case IncidentStatus.ESCALATED:
            incident = _fulfilled(incident, "escalate", event.actor, now, policy)
            incident, escalate = _escalate_by_hand(acknowledged(incident, event.actor, now), event, now, policy)
            effects.extend(escalate)
        case IncidentStatus.RESOLVED if before in UNRESOLVED:
            # With alerts that fire it is a person who says that it is over, and the time of that counts.
            recovered_at = 0 if incident.firing or incident.held_by else incident.recovered_at
            incident = replace(acknowledged(incident, event.actor, now), resolved_at=now, recovered_at=recovered_at)
            incident = _fulfilled(incident, "resolve", event.actor, now, policy)
            if incident.escalation_level or incident.held_by:
                effects.append(NotifyResolved(incident.id))
        case IncidentStatus.RESOLVED:
            incident = replace(incident, closed_at=0)
        case IncidentStatus.CLOSED:
            incident = replace(incident, closed_at=now, escalate_at=0)
    if incident.acknowledged_at:
        incident = _fulfilled(incident, "acknowledge", event.actor, now, policy)
    return incident, tuple(effects)


def _fulfilled(incident: Incident, action: str, actor: str, now: int, policy: Policy) -> Incident:
    return replace(incident, checklist=policy.runbook.fulfilled(incident.checklist, action, actor, now))


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
    asked = entry(incident, now, "escalation.requested", data, actor=event.actor)
    return incident, (asked, escalation.escalate(incident, level, tier, now))


def tick(incident: Incident, event: TickChecklist, now: int, _policy: Policy) -> Result:
    """A person ticks or unticks a step."""
    _refuse_closed(incident)
    item = next((item for item in incident.checklist if item.key == event.key), None)
    if item is None:
        raise ActError(f"{incident.reference} has no step {event.key!r} on its checklist")
    if bool(item.done_at) == event.done:
        return incident, ()
    ticked = replace(item, done_at=now if event.done else 0, done_by=event.actor if event.done else "")
    checklist = tuple(ticked if other.key == event.key else other for other in incident.checklist)
    data = {"step": event.key, "phase": item.phase, "state": "done" if event.done else "undone"}
    return replace(incident, checklist=checklist), (entry(incident, now, "human.checklist", data, actor=event.actor),)


def assign(incident: Incident, event: Assign, now: int, _policy: Policy) -> Result:
    """A person hands the incident over."""
    _refuse_closed(incident)
    if event.to == incident.assigned_to:
        return incident, ()
    data = {"from": incident.assigned_to, "to": event.to or "-"}
    return replace(incident, assigned_to=event.to), (entry(incident, now, "human.assigned", data, actor=event.actor),)


def note(incident: Incident, event: AddNote, now: int, _policy: Policy) -> Result:
    """A person writes something down."""
    text = event.text.strip()
    if not text:
        raise ActError("a note needs a text")
    return incident, (entry(incident, now, "human.note", {"text": text[:MAX_TEXT]}, actor=event.actor),)


def set_fields(incident: Incident, event: SetFields, now: int, policy: Policy) -> Result:
    """A person fills in fields."""
    _refuse_closed(incident)
    fields = dict(event.fields)
    wanted = fields.pop("severity", None)
    effects: list[Effect] = []
    changed, names, values = apply_fields(incident, fields)
    if names:
        data = {"names": ", ".join(names), "values": values}
        effects.append(entry(incident, now, "human.fields", data, actor=event.actor))
        for name in names:
            if name in _FULFILLING:
                changed = _fulfilled(changed, name, event.actor, now, policy)
    if wanted is not None:
        severity = parse_severity(str(wanted))
        if severity is not changed.severity:
            changed, notified = set_severity(changed, severity, now, policy, actor=event.actor)
            effects.append(notified)
    return changed, tuple(effects)


def _refuse_closed(incident: Incident) -> None:
    if incident.status is IncidentStatus.CLOSED:
        raise TransitionError(f"{incident.reference} is closed; reopen it to change it")
