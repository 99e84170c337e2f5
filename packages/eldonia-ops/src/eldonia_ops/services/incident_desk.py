"""Incidents inside a transaction: alerts, notifications and evidence find their incident and move it.

Everything here is synchronous and runs within :meth:`~eldonia_ops.ports.StateStore.write`, so that an
alert, the incident it opens and the message that an escalation sends commit together.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from eldonia_ops.alerting.silence import silencing
from eldonia_ops.incidents import lifecycle
from eldonia_ops.incidents.correlation import correlate, holder
from eldonia_ops.incidents.escalation import Escalate
from eldonia_ops.incidents.events import (
    AlertFiring,
    AlertResolved,
    AppendTimeline,
    Deadline,
    Event,
    Evidence,
    NotificationOutcome,
    RecoveryEvent,
    SilencedDeadline,
)
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.model.incidents import Incident, IncidentStatus
from eldonia_ops.ports import StateTransaction

_RESOLVED_MS = 24 * 3_600_000


class TellTier(Protocol):
    """Queues the messages that tell a tier about an incident."""

    def tier(self, tx: StateTransaction, incident: Incident, effect: Escalate, now: int) -> list[Outgoing]:
        """The messages queued, none when they were queued before."""
        ...


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An alert that began or ended. ``started_at`` is the earliest evidence of its fault (Unix ms, 0 for none)."""

    alert: Alert
    firing: bool
    started_at: int = 0


def _with(unclosed: list[Incident], changed: Incident) -> list[Incident]:
    """The incidents with one as it is now, at its place; a new one is the newest."""
    closed = changed.status is IncidentStatus.CLOSED
    if any(incident.id == changed.id for incident in unclosed):
        kept = [changed if incident.id == changed.id else incident for incident in unclosed]
        return [incident for incident in kept if incident.id != changed.id] if closed else kept
    return unclosed if closed else [changed, *unclosed]


class IncidentDesk:
    """Applies :func:`eldonia_ops.incidents.lifecycle.step` to stored incidents and carries out its effects."""

    def __init__(self, policy: Policy, telling: TellTier) -> None:
        self.policy = policy
        self._telling = telling

    def alerts_changed(self, tx: StateTransaction, changes: Iterable[AlertChange], now: int) -> None:
        """Let each alert open, join, reopen or resolve its incident."""
        changes = list(changes)
        unclosed = self.unclosed(tx, now) if changes else []
        for change in changes:
            changed: Incident | None = None
            if change.firing:
                id = correlate(change.alert, unclosed, now, self.policy)
                incident = None if id is None else tx.incidents.get(id)
                ordinal = 0
                if incident is None:
                    if self.policy.severity_of(change.alert.labels.get("severity", "")) is None:
                        continue
                    ordinal = tx.incidents.next_ordinal()
                changed = self.step(tx, incident, AlertFiring(change.alert, change.started_at, ordinal), now)
            else:
                id = holder(change.alert.fingerprint, unclosed)
                if id is not None:
                    changed = self.step(tx, tx.incidents.get(id), AlertResolved(change.alert), now)
            if changed is not None and (stored := tx.incidents.get(changed.id)) is not None:
                # Kept up to date rather than read again: a flood of alerts would read all incidents for each.
                unclosed = _with(unclosed, stored)

    def unclosed(self, tx: StateTransaction, now: int) -> list[Incident]:
        """The incidents that an alert may belong to, newest first.

        What was resolved long ago and never closed by anybody is left out: there is more of it every day,
        and this is read whenever an alert changes.
        """
        return tx.incidents.unclosed(now - max(self.policy.reopen_within, _RESOLVED_MS))

    def step(self, tx: StateTransaction, incident: Incident | None, event: Event, now: int) -> Incident | None:
        """One step of one incident, stored with its effects; returns the incident afterwards.

        Raises:
            eldonia_ops.incidents.lifecycle.TransitionError: the act is not allowed now.
            ValueError: the event is malformed.
        """
        changed, effects = lifecycle.step(incident, event, now, self.policy)
        if changed is None:
            return None
        if changed != incident:
            tx.incidents.put(changed)
        for effect in effects:
            match effect:
                case AppendTimeline(entry):
                    tx.timeline.append(entry)
                case Escalate():
                    for outgoing in self._telling.tier(tx, changed, effect, now):
                        self.notification(tx, outgoing, "queued", f"escalated to {effect.tier}", now)
        return changed

    def notification(self, tx: StateTransaction, outgoing: Outgoing, outcome: str, detail: str, now: int) -> None:
        """Put what became of a notification on the timelines of the incidents that it is about."""
        event = NotificationOutcome(
            outcome,
            outgoing.receiver,
            outgoing.integration,
            outgoing.idempotency_key,
            outgoing.purpose,
            outgoing.attempts,
            detail,
            outgoing.next_attempt_at if outcome == "retry" else 0,
        )
        for id in self.concerned(tx, outgoing, now):
            incident = tx.incidents.get(id)
            if incident is not None:
                self.step(tx, incident, event, now)

    def concerned(self, tx: StateTransaction, outgoing: Outgoing, now: int) -> list[str]:
        """Ids of the incidents that a notification is about: those it names, else those of its alerts."""
        if outgoing.incident_ids:
            return list(outgoing.incident_ids)
        return self.of_alerts(tx, outgoing.fingerprints, now)

    def of_alerts(self, tx: StateTransaction, fingerprints: Iterable[str], now: int) -> list[str]:
        """Ids of the unclosed incidents that hold any of these alerts, the newest for each alert."""
        return self._holding(self.unclosed(tx, now), fingerprints)

    def _holding(self, unclosed: list[Incident], fingerprints: Iterable[str]) -> list[str]:
        found: dict[str, None] = {}
        for fingerprint in fingerprints:
            for incident in unclosed:
                if fingerprint in incident.fingerprints:
                    found[incident.id] = None
                    break
        return list(found)

    def evidence(
        self, tx: StateTransaction, fingerprints: Iterable[str], event: Evidence | RecoveryEvent, now: int
    ) -> None:
        """Put something that happened elsewhere on the timelines of the incidents of these alerts."""
        self.evidences(tx, [(fingerprints, event)], now)

    def evidences(
        self,
        tx: StateTransaction,
        items: Sequence[tuple[Iterable[str], Evidence | RecoveryEvent]],
        now: int,
    ) -> None:
        """The same for several happenings, each with its alerts; none of them moves an alert to another incident."""
        unclosed = self.unclosed(tx, now) if items else []
        for fingerprints, event in items:
            for id in self._holding(unclosed, fingerprints):
                self.step(tx, tx.incidents.get(id), event, now)

    def service_evidence(self, tx: StateTransaction, service: str, event: Evidence | RecoveryEvent, now: int) -> None:
        """The same for the unresolved incidents of a service."""
        for incident in tx.incidents.open():
            if incident.service == service:
                self.step(tx, incident, event, now)

    def deadlines(self, tx: StateTransaction, now: int) -> int | None:
        """Escalate what is due; returns the next instant at which something will be, or None."""
        upcoming: list[int] = []
        for incident in tx.incidents.open():
            changed = incident
            if incident.escalate_at and incident.escalate_at <= now:
                until = _silenced_until(tx, incident, now)
                event = Deadline() if until is None else SilencedDeadline(until)
                changed = self.step(tx, incident, event, now) or incident
            deadline = lifecycle.next_deadline(changed)
            if deadline is not None:
                upcoming.append(deadline)
        return min(upcoming, default=None)


def _silenced_until(tx: StateTransaction, incident: Incident, now: int) -> int | None:
    """The earliest end of the silences that keep every firing alert of an incident quiet, or None."""
    if not incident.firing:
        return None
    silences = tx.silences.all()
    ends: list[int] = []
    for fingerprint in incident.firing:
        alert = tx.alerts.get(fingerprint)
        holding = silencing(silences, alert.labels, now) if alert is not None else []
        if not holding:
            return None
        ends.append(max(silence.ends_at for silence in holding))
    return min(ends)
