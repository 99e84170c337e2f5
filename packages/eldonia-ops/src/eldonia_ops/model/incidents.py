"""Incidents and their timelines (the seed's sections 9.5.1 and 9.5.2)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """The seed's five incident severities, gravest first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class IncidentStatus(StrEnum):
    """The seed's five incident states."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """One step of the runbook as this incident walks it. ``key`` names the text in the runbook data."""

    key: str
    phase: str
    done_at: int = 0
    done_by: str = ""


@dataclass(frozen=True, slots=True)
class Impact:
    """What the incident cost, as far as known; the seed's fields."""

    users: int = 0
    revenue: float = 0.0
    reputation: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. All ``*_at`` fields are Unix milliseconds, 0 for 'not yet'.

    ``started_at`` is the earliest evidence of the fault (the first bad probe, the first sample over
    the line), ``detected_at`` the moment an alert fired. ``fingerprints`` are the alerts attached so
    far and ``firing`` those still firing. ``respond_by`` is the response target as an instant;
    ``escalation_level`` counts the tiers notified so far beyond the first; ``escalate_at`` is the next
    instant at which, still unacknowledged, it escalates (0 for never). ``ordinal`` gives the
    people's name ``INC-<ordinal>``. ``reopened_at`` is the latest reopening; acknowledgement and
    escalation then start afresh. ``held_by`` names the person who reopened or opened it by hand: it
    no longer resolves by itself. ``cause`` is the name of the alert that opened it; ``outage`` says that alerts of
    other services joined it, because too many incidents opened at once. ``recovered_at`` is when the last condition of
    its alerts ended, if by that it resolved: an alert that is kept firing for a while ends later than its condition.
    """

    id: str
    ordinal: int
    title: str
    description: str
    severity: Severity
    status: IncidentStatus
    service: str
    component: str = ""
    started_at: int = 0
    detected_at: int = 0
    acknowledged_at: int = 0
    resolved_at: int = 0
    closed_at: int = 0
    respond_by: int = 0
    escalate_at: int = 0
    escalation_level: int = 0
    assigned_to: str = ""
    runbook: str = ""
    checklist: tuple[ChecklistItem, ...] = ()
    fingerprints: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()
    impact: Impact = Impact()
    root_cause: str = ""
    resolution: str = ""
    lessons_learned: str = ""
    postmortem: str = ""
    created_at: int = 0
    updated_at: int = 0
    version: int = 0
    reopened_at: int = 0
    held_by: str = ""
    cause: str = ""
    outage: bool = False
    recovered_at: int = 0

    @property
    def reference(self) -> str:
        """The name that people use, such as ``INC-12``."""
        return f"INC-{self.ordinal}"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event on an incident's timeline.

    ``kind`` is a dotted name (``alert.firing``, ``notification.delivered``, ``recovery.attempt``,
    ``human.acknowledged``); the text is rendered from ``kind`` and ``data`` in the reader's
    language. ``actor`` is ``system`` or the name of the person. ``key`` makes appending idempotent:
    a second entry with the same incident and key is dropped ('' never collides).
    """

    id: int
    incident_id: str
    at: int
    kind: str
    actor: str = "system"
    data: dict[str, Any] = field(default_factory=dict)
    key: str = ""
