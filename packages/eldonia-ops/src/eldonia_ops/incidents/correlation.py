"""Which incident an alert belongs to: the one rule for all of them."""

from collections.abc import Iterable
from typing import Final

from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.incidents import Incident, IncidentStatus

UNRESOLVED = (IncidentStatus.OPEN, IncidentStatus.INVESTIGATING, IncidentStatus.ESCALATED)
MAX_FINGERPRINTS: Final = 1000
"""An incident that holds this many alerts takes no further ones for their service: the next opens another."""


def correlate(alert: Alert, unclosed_incidents: Iterable[Incident], now: int, policy: Policy) -> str | None:
    """The id of the incident that a firing alert joins or reopens; None when it stands alone.

    In this order:

    1. the unresolved incident that already holds the alert's fingerprint, or the resolved one for which
       this very firing never ended (a person resolved it early: the alert stays with it);
    2. if the alert's severity opens incidents at all, the newest unresolved incident of the same
       ``service``; an alert with a ``source`` label (a security finding) joins only the same source;
    3. the incident with this fingerprint that was resolved within ``policy.reopen_within``.

    For None, :func:`~eldonia_ops.incidents.lifecycle.step` with no incident opens one if the severity says so.
    """
    incidents = sorted(unclosed_incidents, key=lambda incident: (incident.detected_at, incident.id), reverse=True)
    fingerprint = alert.fingerprint
    unresolved = [incident for incident in incidents if incident.status in UNRESOLVED]
    for incident in unresolved:
        if fingerprint in incident.fingerprints:
            return incident.id
    held = holder(fingerprint, incidents)
    if held is not None:
        return held
    if policy.severity_of(alert.labels.get("severity", "")) is None:
        return None
    for incident in unresolved:
        if joins(alert, incident):
            return incident.id
    for incident in incidents:
        resolved_recently = incident.status is IncidentStatus.RESOLVED and (
            now - incident.resolved_at <= policy.reopen_within
        )
        if resolved_recently and fingerprint in incident.fingerprints:
            return incident.id
    return None


def holder(fingerprint: str, incidents: Iterable[Incident]) -> str | None:
    """The id of the incident for which the alert still counts as firing: where its end has to go."""
    return next((incident.id for incident in incidents if fingerprint in incident.firing), None)


def joins(alert: Alert, incident: Incident) -> bool:
    """Whether an alert concerns the same service, and the same source if it names one."""
    service = alert.labels.get("service", "")
    if not service or service != incident.service or len(incident.fingerprints) >= MAX_FINGERPRINTS:
        return False
    source = alert.labels.get("source", "")
    return not source or source == incident.component
