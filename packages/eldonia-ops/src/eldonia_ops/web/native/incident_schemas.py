"""What the native API answers about incidents. Instants are Unix milliseconds, 0 for 'not yet'."""

from typing import Any

import msgspec

from eldonia_ops.incidents.metrics import ResponseMetrics
from eldonia_ops.incidents.timeline import category
from eldonia_ops.model.incidents import ChecklistItem, Impact, Incident, IncidentStatus, Severity, TimelineEntry


class IncidentSummaryShape(msgspec.Struct):
    """An incident's fields plus ``reference``; the saved postmortem's text is left to its own address."""

    id: str
    ordinal: int
    reference: str
    title: str
    description: str
    severity: Severity
    status: IncidentStatus
    service: str
    component: str
    started_at: int
    detected_at: int
    acknowledged_at: int
    resolved_at: int
    closed_at: int
    respond_by: int
    escalate_at: int
    escalation_level: int
    assigned_to: str
    runbook: str
    checklist: tuple[ChecklistItem, ...]
    fingerprints: tuple[str, ...]
    firing: tuple[str, ...]
    impact: Impact
    root_cause: str
    resolution: str
    lessons_learned: str
    has_postmortem: bool
    created_at: int
    updated_at: int
    version: int
    reopened_at: int
    held_by: str
    cause: str
    outage: bool
    recovered_at: int


_OF_INCIDENT = tuple(name for name in IncidentSummaryShape.__struct_fields__ if name != "has_postmortem")


def incident_shape(incident: Incident) -> IncidentSummaryShape:
    """An incident without the text of its postmortem."""
    return IncidentSummaryShape(
        has_postmortem=bool(incident.postmortem), **{name: getattr(incident, name) for name in _OF_INCIDENT}
    )


class RunbookStepShape(msgspec.Struct):
    """One step of an incident's checklist, in the reader's language."""

    key: str
    phase: str
    phase_title: str
    text: str
    hint: str
    teams: list[str]
    page: str
    action: str
    done_at: int
    done_by: str


class TimelineShape(msgspec.Struct):
    """One event, with its sentence in the reader's language and the category that its icon goes by."""

    id: int
    at: int
    kind: str
    category: str
    actor: str
    text: str
    data: dict[str, Any]


def timeline_shape(entry: TimelineEntry, text: str) -> TimelineShape:
    """One event."""
    return TimelineShape(entry.id, entry.at, entry.kind, category(entry.kind).value, entry.actor, text, entry.data)


class IncidentShape(msgspec.Struct):
    """An incident with its timeline, oldest first."""

    incident: IncidentSummaryShape
    timeline: list[TimelineShape]


class ResponseReportShape(msgspec.Struct):
    """How well incidents were handled: all of them, and by severity. Durations are milliseconds."""

    all: ResponseMetrics
    by_severity: dict[str, ResponseMetrics]
