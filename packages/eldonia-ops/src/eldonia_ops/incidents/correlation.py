"""Which incident an alert belongs to: the one rule for all of them."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from eldonia_ops.incidents.policy import OUTAGE_NAMES, Policy
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.incidents import Incident, IncidentStatus, Severity

UNRESOLVED = (IncidentStatus.OPEN, IncidentStatus.INVESTIGATING, IncidentStatus.ESCALATED)
_COMPONENTS: Final = ("source", "component", "instance", "job")

SHARED_SERVICES: Final = frozenset({"application", "external", "infrastructure"})
"""What the shipped rules call the service of anything that names none. That two alerts share it says nothing."""

MAX_FINGERPRINTS: Final = 1000
"""An incident that holds this many alerts takes no further ones for their service: the next opens another."""


def component_of(alert: Alert) -> str:
    """The part of a service that an alert is about: its source, component, instance or job, the first that it has."""
    return next(filter(None, (alert.labels.get(name, "") for name in _COMPONENTS)), "")


class Unclosed:
    """The incidents that alerts may belong to, arranged for looking up: a storm asks thousands of times.

    With ``fingerprints`` only these alerts will be asked for.
    """

    def __init__(self, incidents: Iterable[Incident] = (), fingerprints: set[str] | None = None) -> None:
        self._wanted = fingerprints
        self._by_id: dict[str, Incident] = {}
        self._of_alert: dict[str, list[str]] = {}
        self._of_service: dict[tuple[str, str], dict[str, None]] = {}
        self._of_cause: dict[tuple[Severity, str], dict[str, None]] = {}
        self._of_severity: dict[Severity, dict[str, None]] = {}
        for incident in incidents:
            self.put(incident)

    def get(self, id: str) -> Incident:
        """The incident with this id as it is now."""
        return self._by_id[id]

    def put(self, incident: Incident) -> None:
        """Take in an incident that is new or has changed."""
        before = self._by_id.get(incident.id)
        if before is not None:
            attached: Iterable[str] = incident.fingerprints[len(before.fingerprints) :]  # they only grow
        elif self._wanted is None:
            attached = incident.fingerprints
        else:
            attached = self._wanted.intersection(incident.fingerprints)
        for fingerprint in attached:
            self._of_alert.setdefault(fingerprint, []).append(incident.id)
        if before is not None and _found_by(before) == _found_by(incident):
            self._by_id[incident.id] = incident
            return
        for source in {"", incident.component}:
            self._of_service.setdefault((incident.service, source), {})[incident.id] = None
        if before is not None:
            self._of_cause.get((before.severity, before.cause), {}).pop(before.id, None)
            self._of_severity.get(before.severity, {}).pop(before.id, None)
        if incident.cause:
            self._of_cause.setdefault((incident.severity, incident.cause), {})[incident.id] = None
            self._of_severity.setdefault(incident.severity, {})[incident.id] = None
        self._by_id[incident.id] = incident

    def with_alert(self, fingerprint: str) -> list[Incident]:
        """The incidents that the alert is attached to, newest first."""
        ids = self._of_alert.get(fingerprint)
        return sorted([self._by_id[id] for id in ids], key=_age, reverse=True) if ids else []

    def joined_by(self, alert: Alert) -> Incident | None:
        """The newest unresolved incident of the alert's service, and of the same source if the alert names one.

        Of a service that is shared by all that name none, one for the same reason or about the same component.
        """
        service, source = alert.labels.get("service", ""), alert.labels.get("source", "")
        ids = self._of_service.get((service, source), ()) if service else ()
        fitting = (
            one
            for one in map(self.get, ids)
            if one.status in UNRESOLVED
            and len(one.fingerprints) < MAX_FINGERPRINTS
            and (not source or source == one.component)
            and (service not in SHARED_SERVICES or alert.name == one.cause or component_of(alert) == one.component)
        )
        return max(fitting, key=_age, default=None)

    def sharing(self, fingerprints: Iterable[str]) -> Incident | None:
        """The unresolved incident for which the first possible one of these alerts fires."""
        for fingerprint in fingerprints:
            for one in self.with_alert(fingerprint):
                if one.status in UNRESOLVED and fingerprint in one.firing and len(one.fingerprints) < MAX_FINGERPRINTS:
                    return one
        return None

    def outage(self, alert: Alert, severity: Severity, now: int, policy: Policy) -> Incident | None:
        """The incident of the outage that an alert is part of, or None while too few have opened of late."""
        same = self._of_cause.get((severity, alert.name), {})
        for ids, enough in (
            (same, policy.outage_after),
            (self._of_severity.get(severity, {}), policy.outage_after * OUTAGE_NAMES),
        ):
            if len(ids) < enough:
                continue
            since = now - policy.outage_window
            recent = [one for one in map(self.get, ids) if one.status in UNRESOLVED and one.detected_at >= since]
            if len(recent) < enough:
                continue
            # What joins stays together: the one that holds most of it goes on until it is full.
            roomy = [one for one in recent if len(one.fingerprints) < MAX_FINGERPRINTS]
            return max(roomy, key=lambda one: (one.cause == alert.name, len(one.fingerprints), one.id), default=None)
        return None

    def holder(self, fingerprint: str) -> Incident | None:
        """The incident for which the alert still counts as firing: where its end has to go."""
        return next((one for one in self.with_alert(fingerprint) if fingerprint in one.firing), None)


_found_by: Final = attrgetter("service", "component", "severity", "cause")


def _age(incident: Incident) -> tuple[int, str]:
    return incident.detected_at, incident.id


def correlate(
    alert: Alert, unclosed: Unclosed, now: int, policy: Policy, related: Iterable[str] = ()
) -> Incident | None:
    """The incident that a firing alert joins or reopens; None when there is none.

    ``related`` are the fingerprints of alerts of the same outage. In this order:

    1. the unresolved incident that already holds the alert's fingerprint, or the resolved one for which
       this very firing never ended (a person resolved it early: the alert stays with it);
    2. if the alert's severity opens incidents at all, the unresolved incident of an alert of the same outage;
    3. the newest unresolved incident of the same ``service``; an alert with a ``source`` label (a security finding)
       joins only the same source, and one of :data:`SHARED_SERVICES` only the same alert or component;
    4. the incident with this fingerprint that was resolved within ``policy.reopen_within``;
    5. an incident of the outage, when so many have opened lately that this must be one.

    For None, :func:`~eldonia_ops.incidents.lifecycle.step` with no incident opens one if the severity says so.
    """
    fingerprint = alert.fingerprint
    attached = unclosed.with_alert(fingerprint)
    for incident in attached:
        if incident.status in UNRESOLVED:
            return incident
    held = unclosed.holder(fingerprint) if attached else None
    if held is not None:
        return held
    severity = policy.severity_of(alert.labels.get("severity", ""))
    if severity is None:
        return None
    joined = unclosed.sharing(related) or unclosed.joined_by(alert)
    if joined is not None:
        return joined
    for incident in attached:
        if incident.status is IncidentStatus.RESOLVED and now - incident.resolved_at <= policy.reopen_within:
            return incident
    return unclosed.outage(alert, severity, now, policy)
