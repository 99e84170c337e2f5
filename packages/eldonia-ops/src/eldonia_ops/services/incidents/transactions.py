"""Incidents inside a transaction: alerts, notifications and evidence find their incident and move it.

Everything here is synchronous and runs within :meth:`~eldonia_ops.ports.StateStore.write`, so that an
alert, the incident it opens and the message that an escalation sends commit together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from eldonia_ops.alerting import dispatch
from eldonia_ops.alerting.causes import Causes, wanted_causes
from eldonia_ops.alerting.dispatch import AlertStatus, DispatchState
from eldonia_ops.alerting.inhibition import wanted_inhibiting
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.incidents import lifecycle
from eldonia_ops.incidents.brief import recovery_of
from eldonia_ops.incidents.correlation import Unclosed, correlate
from eldonia_ops.incidents.escalation import ESCALATION_KINDS, WAITING, Escalate, escalation_key, unreached
from eldonia_ops.incidents.events import (
    AlertFiring,
    AlertResolved,
    AlertsSuppressed,
    AppendTimeline,
    ClockSetBack,
    ConditionsEnded,
    Deadline,
    Effect,
    Event,
    Evidence,
    NotificationOutcome,
    NotifyResolved,
    RecoveryEvent,
    TierUnreached,
)
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.model.frozen import copier
from eldonia_ops.model.incidents import Incident, TimelineEntry
from eldonia_ops.ports import StateTransaction
from eldonia_ops.services.incidents.reference_cache import IncidentReferences, Known, reference_to

_copy = copier(Incident)
_RESOLVED_MS = 24 * 3_600_000


class TierNotifier(Protocol):
    """Queues the notifications of a tier about an incident."""

    def tier(self, tx: StateTransaction, incident: Incident, effect: Escalate, now: int) -> list[Outgoing]:
        """The messages queued, none when they were queued before."""
        ...

    def can_notify(self, incident: Incident, effect: Escalate) -> bool:
        """Whether that tier's receiver has an integration."""
        ...

    def receivers(self, incident: Incident, effect: Escalate) -> tuple[str, ...]:
        """Who is notified of a tier."""
        ...

    def over(self, tx: StateTransaction, incident: Incident, notified: Sequence[Escalate], now: int) -> list[Outgoing]:
        """The same for the end, to the tiers that were notified."""
        ...


@dataclass(frozen=True, slots=True)
class AlertChange:
    """An alert that began or ended. ``started_at`` is the earliest evidence of its fault (Unix ms, 0 for none)."""

    alert: Alert
    firing: bool
    started_at: int = 0


class IncidentTransactions:
    """Applies :func:`eldonia_ops.incidents.lifecycle.step` to stored incidents and carries out its effects."""

    def __init__(self, policy: Policy, tier_notifier: TierNotifier, routing: Routing) -> None:
        self.policy = policy
        self._tier_notifier = tier_notifier
        self._routing = routing
        self._references = IncidentReferences()

    def reconfigure(self, policy: Policy, routing: Routing) -> None:
        """Take another policy and routing. Call it on the thread that writes."""
        self.policy = policy
        self._routing = routing

    def dependents(self, service: str) -> frozenset[str]:
        """Declared services that do not work without this one, directly or through others."""
        outages = self._routing.outages
        return outages.services.downstream.get(service, frozenset()) if outages else frozenset()

    def alerts_changed(self, tx: StateTransaction, changes: Iterable[AlertChange], now: int) -> None:
        """Let each alert open, join, reopen or resolve its incident."""
        changes = list(changes)
        opening = [change.alert for change in changes if change.firing]
        causes = self._causes(tx, opening, now)
        related = {alert.fingerprint: causes.companions(alert) for alert in opening} if causes else {}
        alerts = [*(change.alert for change in changes), *(one.source for some in related.values() for one in some)]
        unclosed = self.unclosed(tx, now, alerts, opening=bool(opening))
        # Each incident is written once, however many of a storm's alerts it takes.
        stored: dict[str, Incident | None] = {}
        attached: set[str] = set()
        entries: list[TimelineEntry] = []
        last_ordinal = ordinal = tx.incidents.last_ordinal() if changes else 0
        for change in changes:
            if change.firing:
                shared = [one.source.fingerprint for one in related.get(change.alert.fingerprint, ())]
                before = correlate(change.alert, unclosed, now, self.policy, shared)
                leads = bool(causes and before and causes.leads(change.alert))
                event: Event = AlertFiring(change.alert, change.started_at, 0 if before else ordinal + 1, leads)
            else:
                before = unclosed.holder(change.alert.fingerprint)
                event = AlertResolved(change.alert)
            after, effects = lifecycle.step(before, event, now, self.policy)
            if after is None:
                continue
            ordinal += before is None
            if effects:
                entries += self._carry_out(tx, after, effects, now)
            if after is not before:  # a step that changes nothing returns what it was given
                stored.setdefault(after.id, before)
                if change.firing:
                    attached.add(change.alert.fingerprint)
                unclosed.put(after)
        self._references.attached(attached)
        new = [unclosed.get(id) for id, before in stored.items() if before is None]
        if new:
            tx.incidents.next_ordinals(ordinal - last_ordinal)
        tx.incidents.add([_at_version(incident, 1) for incident in new])
        known = [(unclosed.get(id), before.version) for id, before in stored.items() if before is not None]
        tx.incidents.put_all([_at_version(incident, version + 1) for incident, version in known])
        tx.timeline.append_all(entries)

    def _causes(self, tx: StateTransaction, opening: Sequence[Alert], now: int) -> Causes | None:
        """These alerts and those that fire and may be of one outage with one of them; None when there can be none."""
        outages = self._routing.outages
        wanted = wanted_causes(outages, opening) if outages else []
        if outages is None or not wanted:
            return None
        sources = {alert.fingerprint: alert for alert in tx.alerts.firing(now, wanted)}
        return Causes(outages, (sources | {alert.fingerprint: alert for alert in opening}).values())

    def unclosed(
        self, tx: StateTransaction, now: int, alerts: Iterable[Alert] | None = None, *, opening: bool = False
    ) -> Unclosed:
        """The incidents that these alerts may belong to (None: any alert): those of the same services, and outages.
        An incident has the service of its first alert, and takes others only when too many open at once; those that
        opened lately are read for ``opening``.

        What was resolved long ago and never closed is left out: there is more of it every day,
        and this is read whenever an alert changes.
        """
        some = None if alerts is None else list(alerts)
        services = None if some is None else {alert.labels.get("service", "") for alert in some}
        fingerprints = None if some is None else {alert.fingerprint for alert in some}
        if services is not None and not services:
            return Unclosed()
        since = now - max(self.policy.reopen_within, _RESOLVED_MS)
        recent = now - self.policy.outage_window if opening else None
        found = tx.incidents.unclosed(since, None if services is None else sorted(services), recent)
        return Unclosed(found, fingerprints)

    def references(self, tx: StateTransaction, alerts: Mapping[str, Alert], now: int, read: tuple[int, Known]) -> Known:
        """The incident of each alert, by fingerprint; ``read`` is what :meth:`known_references` gave before the
        transaction."""
        mark, known = read
        unknown = {fingerprint: alert for fingerprint, alert in alerts.items() if fingerprint not in known}
        unclosed = self.unclosed(tx, now, unknown.values())
        found = {fingerprint: known.get(fingerprint) for fingerprint in alerts}
        lasting = {fingerprint for fingerprint, alert in alerts.items() if not alert.resolved(now)}
        for fingerprint in unknown:
            for incident in unclosed.with_alert(fingerprint)[:1]:
                found[fingerprint] = reference_to(incident)
                if fingerprint not in incident.firing:
                    lasting.discard(fingerprint)
        self._references.keep(mark, {fingerprint: found[fingerprint] for fingerprint in lasting})
        return found

    def known_references(self) -> tuple[int, Known]:
        """What is known of the alerts' incidents already."""
        return self._references.known()

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
        tx.timeline.append_all(self._carry_out(tx, changed, effects, now))
        called = [effect for effect in effects if isinstance(effect, Escalate)]
        if called and not self._tier_notifier.can_notify(changed, called[-1]):
            return self.step(tx, changed, TierUnreached(), now)
        return changed

    def _carry_out(
        self, tx: StateTransaction, incident: Incident, effects: Sequence[Effect], now: int
    ) -> list[TimelineEntry]:
        """Queue what is to be said; returns what belongs on timelines."""
        entries: list[TimelineEntry] = []
        tiers = {effect.level: effect for effect in effects if isinstance(effect, Escalate)}
        for effect in effects:
            match effect:
                case AppendTimeline(entry):
                    entries.append(self._with_receivers(entry, incident, tiers))
                case Escalate():
                    for outgoing in self._tier_notifier.tier(tx, incident, effect, now):
                        notified = _outcome(outgoing, "queued", f"escalated to {effect.tier}")
                        entries += self._entries(incident, notified, now)
                case NotifyResolved():
                    for outgoing in self._tier_notifier.over(tx, incident, _sent_escalations(tx, incident), now):
                        entries += self._entries(incident, _outcome(outgoing, "queued", "it is over"), now)
        return entries

    def _with_receivers(self, entry: TimelineEntry, incident: Incident, tiers: Mapping[int, Escalate]) -> TimelineEntry:
        """An entry about a tier says who is notified, also where the tier names no receiver of its own."""
        if entry.kind not in ESCALATION_KINDS or entry.data.get("receiver"):
            return entry
        effect = tiers.get(entry.data.get("level", -1))
        names = self._tier_notifier.receivers(incident, effect) if effect else (self._routing.route.receiver,)
        return replace(entry, data={**entry.data, "default_receiver": ", ".join(names), "notified": list(names)})

    def _entries(self, incident: Incident, event: NotificationOutcome | Evidence, now: int) -> list[TimelineEntry]:
        """The timeline entries of an event that changes nothing but the timeline."""
        _, effects = lifecycle.step(incident, event, now, self.policy)
        return [effect.entry for effect in effects if isinstance(effect, AppendTimeline)]

    def queued(self, tx: StateTransaction, items: Sequence[tuple[Outgoing, str]], unclosed: Unclosed, now: int) -> None:
        """Put new notifications, each with its reason, on the timelines of the incidents that it is about."""
        entries: list[TimelineEntry] = []
        for outgoing, reason in items:
            for id in outgoing.incident_ids:
                if _on_timeline(incident := unclosed.get(id), outgoing):
                    entries += self._entries(incident, _outcome(outgoing, "queued", reason), now)
        tx.timeline.append_all(entries)

    def notifications(self, tx: StateTransaction, items: Sequence[tuple[Outgoing, str, str]], now: int) -> None:
        """Put what became of notifications, each with its outcome and a detail, on the timelines of the incidents that
        they are about. An escalation that was given up moves on to the next tier."""
        wanted = dict.fromkeys(id for outgoing, _, _ in items for id in outgoing.incident_ids)
        known = tx.incidents.some(list(wanted))
        entries: list[TimelineEntry] = []
        given_up: list[str] = []
        for outgoing, outcome, detail in items:
            for id in outgoing.incident_ids:
                incident = known.get(id)
                if incident is None:
                    continue
                if _on_timeline(incident, outgoing):
                    entries += self._entries(incident, _outcome(outgoing, outcome, detail), now)
                if outcome == "failed" and outgoing.purpose == "escalation":
                    given_up.append(id)
        tx.timeline.append_all(entries)
        for id in given_up:
            incident = tx.incidents.get(id)
            if incident is not None and incident.status in WAITING:
                alert_statuses, ends = self._alert_statuses(tx, [incident], now)
                # While every alert is suppressed no response is expected, and the next tier waits as it would anyway.
                if _quiet(incident, alert_statuses, ends) is None and unreached(tx.timeline.of(id)):
                    self.step(tx, incident, TierUnreached(), now)

    def evidence(self, tx: StateTransaction, items: Sequence[tuple[Alert, Evidence]], now: int) -> None:
        """Put things that happened elsewhere on the timelines of the incidents of the alerts that they are about."""
        unclosed = self.unclosed(tx, now, (alert for alert, _ in items))
        entries: list[TimelineEntry] = []
        for alert, event in items:
            for incident in unclosed.with_alert(alert.fingerprint)[:1]:
                entries += self._entries(incident, event, now)
        tx.timeline.append_all(entries)

    def service_evidence(self, tx: StateTransaction, service: str, event: RecoveryEvent, now: int) -> None:
        """The same for the unresolved incidents of a service."""
        for incident in tx.incidents.open():
            if incident.service == service:
                self.step(tx, incident, event, now)

    def clock_set_back(self, tx: StateTransaction, now: int) -> None:
        """Let no tier wait until the clock has caught up."""
        for incident in tx.incidents.open():
            self.step(tx, incident, ClockSetBack(), now)

    def deadlines(self, tx: StateTransaction, now: int, *, look: bool = False, only: str = "") -> int | None:
        """Escalate what is due; returns the next instant at which something will be, or None.

        With ``look`` also those that are not due are held while their alerts are quiet. ``only`` is the id of the
        one incident to look at, '' for all.
        """
        upcoming: list[int] = []
        unresolved = [incident for incident in tx.incidents.open() if only in ("", incident.id)]
        chosen = [incident for incident in unresolved if incident.escalate_at and (look or incident.escalate_at <= now)]
        alert_statuses, ends = self._alert_statuses(tx, chosen, now)
        events = {
            incident.id: _quiet(incident, alert_statuses, ends) or self._over(tx, incident) or Deadline()
            for incident in chosen
        }
        for incident in unresolved:
            event = events.get(incident.id)
            changed = incident if event is None else self.step(tx, incident, event, now) or incident
            deadline = lifecycle.next_deadline(changed)
            if deadline is not None:
                upcoming.append(deadline)
        return min(upcoming, default=None)

    def _over(self, tx: StateTransaction, incident: Incident) -> ConditionsEnded | None:
        """Whether all that fires of an incident is only kept firing."""
        ended_at, until = recovery_of(tx.alerts.some(incident.firing)) if incident.firing else (0, 0)
        return ConditionsEnded(ended_at, until) if ended_at else None

    def _alert_statuses(
        self, tx: StateTransaction, incidents: Sequence[Incident], now: int
    ) -> tuple[dict[str, AlertStatus], dict[str, int]]:
        """The status of the firing alerts of some incidents, and when each silence ends."""
        known = tx.alerts.some(list(dict.fromkeys(item for incident in incidents for item in incident.firing)))
        sources = tx.alerts.firing(now, wanted_inhibiting(self._routing.inhibit_rules, self._routing.outages, known))
        alerts = {alert.fingerprint: alert for alert in (*known, *sources)}
        silences = tuple(tx.silences.all()) if known else ()
        state = DispatchState(self._routing, alerts, {}, silences)
        return dispatch.alert_statuses(state, now), {silence.id: silence.ends_at for silence in silences}


def _at_version(incident: Incident, version: int) -> Incident:
    return incident if incident.version == version else _copy(incident, version=version)


def _sent_escalations(tx: StateTransaction, incident: Incident) -> list[Escalate]:
    """The tiers that were notified of the present opening, from its timeline."""
    opened_at = incident.reopened_at or incident.detected_at
    return [
        Escalate(
            incident.id,
            str(entry.data["tier"]),
            str(entry.data["receiver"]),
            int(entry.data["level"]),
            entry.at,
            escalation_key(incident, int(entry.data["level"])),
            tuple(map(str, entry.data.get("notified", ()))),
        )
        for entry in tx.timeline.of(incident.id)
        if entry.kind in ESCALATION_KINDS and entry.at >= opened_at
    ]


def _on_timeline(incident: Incident, outgoing: Outgoing) -> bool:
    """Whether the timeline lists a notification: only if it lists one of its alerts."""
    return outgoing.purpose != "alert" or lifecycle.explained(incident, outgoing.fingerprints)


def _outcome(outgoing: Outgoing, outcome: str, detail: str) -> NotificationOutcome:
    return NotificationOutcome(
        outcome,
        outgoing.receiver,
        outgoing.integration,
        outgoing.idempotency_key,
        outgoing.purpose,
        outgoing.attempts,
        detail,
        outgoing.next_attempt_at if outcome == "retry" else 0,
    )


def _quiet(
    incident: Incident, alert_statuses: Mapping[str, AlertStatus], ends: Mapping[str, int]
) -> AlertsSuppressed | None:
    """Why no response is expected, by the firing alerts' status, or None; ``ends`` are those of silences."""
    alerts = [alert_statuses.get(fingerprint) for fingerprint in incident.firing]
    quiet = [alert for alert in alerts if alert is not None and alert.state == "suppressed"]
    if not alerts or len(quiet) < len(alerts):
        return None
    for why, by in (("silenced", "silenced_by"), ("inhibited", "inhibited_by"), ("muted", "muted_by")):
        if all(getattr(alert, by) for alert in quiet):
            until = min(max(ends[id] for id in alert.silenced_by) for alert in quiet) if why == "silenced" else 0
            return AlertsSuppressed(why, until)
    return AlertsSuppressed("mixed")
