"""Messages into the outbox: rendered, written down on the timeline, in the transaction that decided them."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Protocol

from eldonia_ops.alerting.pipeline import Notification
from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.incidents.escalation import Escalate
from eldonia_ops.incidents.timeline import word
from eldonia_ops.model.alerts import LedgerEntry, Outgoing
from eldonia_ops.model.incidents import Incident, Severity
from eldonia_ops.notifiers.message import Message
from eldonia_ops.ports import StateTransaction


class Renderer(Protocol):
    """Turns decisions into request bodies; never raises (a template that fails is replaced by plain text)."""

    def notification(self, notification: Notification, incident: str = "") -> tuple[dict[str, Any], str]:
        """The payload, and what was wrong with the templates ('' for nothing); ``incident`` is the reference of the
        incident that the alerts belong to."""
        ...

    def message(self, integration: Integration, message: Message) -> tuple[dict[str, Any], str]:
        """The same for a message."""
        ...


OPENED: Final = "IncidentOpened"
"""The ``alertname`` by which routes see an incident that a person opened."""

_ALERTED: Final = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "warning",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
    Severity.INFO: "info",
}


_OPENED: Final = {
    "en": "{actor} opened this incident. Severity: {severity}, service: {service}.",
    "ja": "{actor} が起票しました。深刻度: {severity}、サービス: {service}",
}


_REMINDED: Final = {
    "en": "No response in time. Severity: {severity}, service: {service}.",
    "ja": "応答期限を過ぎても担当者がいません。深刻度: {severity}、サービス: {service}",
}


class NotificationQueue:
    """Puts messages into the outbox."""

    def __init__(self, routing: Routing, renderer: Renderer, *, external_url: str, language: str) -> None:
        self._routing = routing
        self._renderer = renderer
        self._external_url = external_url.rstrip("/")
        self._language = language

    def reconfigure(self, routing: Routing, renderer: Renderer, *, external_url: str, language: str) -> None:
        """Take other receivers, templates and texts. Call it on the thread that writes."""
        self._routing = routing
        self._renderer = renderer
        self._external_url = external_url.rstrip("/")
        self._language = language

    def alerts(
        self, tx: StateTransaction, notifications: Sequence[tuple[Notification, Sequence[Incident]]]
    ) -> list[tuple[Outgoing, str]]:
        """Queue notifications about groups of alerts, each with its incidents; returns those that were not queued
        before, with their reasons."""
        rows: dict[str, tuple[Outgoing, str]] = {}
        lines: dict[str, list[LedgerEntry]] = {}
        for notification, incidents in notifications:
            row, faults = self._render(notification, incidents)
            rows[row.idempotency_key] = row, notification.reason
            lines[row.idempotency_key] = faults
        added = [row.idempotency_key for row in tx.outbox.add_all([row for row, _ in rows.values()])]
        tx.ledger.append(*(line for key in added for line in lines[key]))
        return [rows[key] for key in added]

    def _render(self, notification: Notification, incidents: Sequence[Incident]) -> tuple[Outgoing, list[LedgerEntry]]:
        # A message about alerts of several incidents leads to the list of alerts.
        payload, fault = self._renderer.notification(
            notification, incidents[0].reference if len(incidents) == 1 else ""
        )
        integration = notification.integration
        outgoing = Outgoing(
            id=0,
            idempotency_key=notification.idempotency_key,
            receiver=integration.receiver,
            integration=integration.kind,
            index=integration.index,
            order_key=notification.order_key,
            payload=payload,
            incident_ids=tuple(incident.id for incident in incidents),
            fingerprints=notification.fingerprints,
            created_at=notification.at,
            next_attempt_at=notification.at,
            urgent=notification.critical,
            cause=notification.about,
        )
        reason = f"sent as plain text, because a template failed: {fault}"
        return outgoing, [
            LedgerEntry(0, notification.at, alert.fingerprint, alert.name, integration.receiver, "plain", reason)
            for alert in (notification.alerts if fault else ())
        ]

    def tier(self, tx: StateTransaction, incident: Incident, effect: Escalate, now: int) -> list[Outgoing]:
        """Queue the message that an incident has come to a tier, for each integration of its receiver."""
        names = self.receivers(incident, effect)
        integrations = self._ways_to(names)
        message = self._escalation(incident, effect)
        queued = [self._message(incident, effect, integration, message, now) for integration in integrations]
        if not integrations:
            reason = (
                f"{incident.reference} was to escalate to {effect.tier}, but receiver {names[0]!r} has no integration"
            )
            tx.ledger.append(LedgerEntry(0, now, "", "", names[0], "unrouted", reason, {"incident": incident.id}))
        return tx.outbox.add_all(queued)

    def can_notify(self, incident: Incident, effect: Escalate) -> bool:
        """Whether the tier's receiver has an integration."""
        return bool(self._ways_to(self.receivers(incident, effect)))

    def receivers(self, incident: Incident, effect: Escalate) -> tuple[str, ...]:
        """Who is notified of a tier, the default receiver where it names none. An incident that a person opened goes
        where the routes lead an alert of its service and severity: what is critical pages, whether a rule or a person
        sees it first.
        """
        if effect.receiver:
            return (effect.receiver,)
        if effect.receivers:
            return effect.receivers
        if effect.level:
            return (self._routing.route.receiver,)
        labels = {"alertname": OPENED, "service": incident.service, "severity": _ALERTED[incident.severity]}
        return tuple(dict.fromkeys(route.receiver for route in self._routing.routes(labels)))

    def over(self, tx: StateTransaction, incident: Incident, notified: Sequence[Escalate], now: int) -> list[Outgoing]:
        """Queue the message that it is over, for the tiers that were notified, where their receivers want to know of an
        end: it also closes what the escalation opened at the far side."""
        return tx.outbox.add_all(
            [
                self._message(incident, effect, integration, self._end(incident, effect), now)
                for effect in notified
                for integration in self._ways_to(self.receivers(incident, effect))
                if integration.config.send_resolved
            ]
        )

    def personal(
        self, tx: StateTransaction, incident: Incident, receiver: str, message: Message, now: int
    ) -> list[Outgoing]:
        """Queue a message about an incident to the receiver of one person; nothing where there is none of that name."""
        found = self._routing.receivers.get(receiver)
        return tx.outbox.add_all(
            [
                self._outgoing(
                    incident,
                    integration,
                    message,
                    now,
                    key=f"{message.dedup_key}\0{integration.key}",
                    order_key=f"{integration.key}:personal:{incident.id}",
                    purpose="personal",
                )
                for integration in (found.integrations if found else ())
            ]
        )

    @property
    def language(self) -> str:
        """The language of messages."""
        return self._language

    def links(self, incident: Incident) -> tuple[tuple[str, str], ...]:
        """The page of an incident, as a message links to it."""
        return ((incident.reference, f"{self._external_url}/incidents/{incident.reference}"),)

    def _ways_to(self, names: Sequence[str]) -> list[Integration]:
        known = (self._routing.receivers.get(name) for name in names)
        return [integration for receiver in known if receiver for integration in receiver.integrations]

    def _message(
        self, incident: Incident, effect: Escalate, integration: Integration, message: Message, now: int
    ) -> Outgoing:
        return self._outgoing(
            incident,
            integration,
            message,
            now,
            key=f"{effect.key}\0{integration.key}" + ("\0over" if message.resolved else ""),
            order_key=f"{integration.key}:escalation:{incident.id}",
            purpose="status" if message.resolved else "escalation",
        )

    def _outgoing(
        self,
        incident: Incident,
        integration: Integration,
        message: Message,
        now: int,
        *,
        key: str,
        order_key: str,
        purpose: str,
    ) -> Outgoing:
        payload, _ = self._renderer.message(integration, message)
        return Outgoing(
            id=0,
            idempotency_key=hashlib.sha256(key.encode()).hexdigest()[:32],
            receiver=integration.receiver,
            integration=integration.kind,
            index=integration.index,
            order_key=order_key,
            payload=payload,
            purpose=purpose,
            incident_ids=(incident.id,),
            fingerprints=incident.firing,
            created_at=now,
            next_attempt_at=now,
            urgent=not message.resolved,
            cause=message.dedup_key,
        )

    def _escalation(self, incident: Incident, effect: Escalate) -> Message:
        severity = word(incident.severity.value, self._language)
        if not effect.level:
            title = f"[{incident.reference}] {incident.title}"
            text = _OPENED[self._language].format(
                actor=incident.held_by, severity=severity, service=incident.service or "-"
            )
        elif not effect.receiver:
            # A tier without a receiver of its own reaches those who were notified before: they are reminded.
            mark = "未対応" if self._language == "ja" else "no response yet"
            title = f"[{mark}] {incident.reference} {incident.title}"
            text = _REMINDED[self._language].format(severity=severity, service=incident.service or "-")
        elif self._language == "ja":
            title = f"[エスカレーション: {effect.tier}] {incident.reference} {incident.title}"
            text = f"応答期限を過ぎても担当者がいません。深刻度: {severity}、サービス: {incident.service or '-'}"
        else:
            title = f"[escalated to {effect.tier}] {incident.reference} {incident.title}"
            text = f"No response in time. Severity: {severity}, service: {incident.service or '-'}."
        if incident.description:
            text += f"\n{incident.description}"
        return Message(title, text, incident.severity.value, self.links(incident), effect.key)

    def _end(self, incident: Incident, effect: Escalate) -> Message:
        if self._language == "ja":
            title = f"[解決: {effect.tier}] {incident.reference} {incident.title}"
            text = f"解決しました。サービス: {incident.service or '-'}"
        else:
            title = f"[resolved, for {effect.tier}] {incident.reference} {incident.title}"
            text = f"It is over. Service: {incident.service or '-'}."
        return Message(title, text, incident.severity.value, self.links(incident), effect.key, resolved=True)
