"""Changes that several events share, and the table of what people may do."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from eldonia_ops.incidents import escalation
from eldonia_ops.incidents.events import ActError, AppendTimeline, Effect
from eldonia_ops.incidents.policy import Policy
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

Result = tuple[Incident | None, tuple[Effect, ...]]


class TransitionError(ActError):
    """An act that the incident's present state does not allow; the message says what would be."""


def entry(
    incident: Incident, at: int, kind: str, data: Mapping[str, Any], key: str = "", *, actor: str = "system"
) -> AppendTimeline:
    """An entry for the incident's timeline; entries with an empty ``key`` never collide."""
    return AppendTimeline(TimelineEntry(0, incident.id, at, kind, actor, dict(data), key))


def identity(*parts: object) -> str:
    """16 hex digits that the parts determine: no randomness, so a repeated transaction opens the same incident."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def parse_severity(text: str) -> Severity:
    """One of the five severities.

    Raises:
        ActError: the text is none of them.
    """
    try:
        return Severity(text.lower())
    except ValueError:
        raise ActError(f"no such severity: {text!r} (one of {', '.join(SEVERITIES)})") from None


def opening_data(incident: Incident) -> dict[str, Any]:
    """What the timeline says about an opening."""
    return {
        "severity": incident.severity.value,
        "service": incident.service,
        "title": incident.title,
        "respond_by": incident.respond_by,
        "runbook": incident.runbook,
    }


def start_clock(incident: Incident, now: int, policy: Policy) -> Incident:
    """Start the response clock at ``now``: a new opening in which no tier beyond the first has been notified."""
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


def graver(one: Severity, other: Severity) -> bool:
    """Whether one severity is graver than another."""
    return SEVERITIES.index(one) < SEVERITIES.index(other)


def set_severity(
    incident: Incident, severity: Severity, now: int, policy: Policy, *, alertname: str = "", actor: str = "system"
) -> tuple[Incident, AppendTimeline]:
    """Change the severity. A graver one gives people its whole target from now, but never more than they had;
    a milder one counts its target from the start of the same clock."""
    before = incident.severity
    target = policy.target(severity)
    start = escalation.clock_started_at(incident, policy)
    if not target:
        respond_by = 0
    elif graver(severity, before):
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
    return incident, entry(incident, now, "incident.severity", data, actor=actor)


def acknowledged(incident: Incident, actor: str, now: int) -> Incident:
    """The incident with a response by a person: the first one counts, and no further tier is notified."""
    return replace(
        incident,
        acknowledged_at=incident.acknowledged_at or now,
        assigned_to=incident.assigned_to or actor,
        escalate_at=0,
    )
