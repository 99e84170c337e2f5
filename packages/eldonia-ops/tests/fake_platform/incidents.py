"""The real rules of incidents over a dictionary."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from eldonia_ops.incidents import events, lifecycle, metrics, postmortem
from eldonia_ops.incidents.mentions import mentioned
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.runbook_file import default_runbook
from eldonia_ops.services.api import (
    NotFoundError,
    Postmortem,
    PreconditionError,
    RefusedError,
)
from fake_platform.times import HOUR, MINUTE


@cache
def _policy() -> Policy:
    return Policy(runbook=default_runbook())


class FakeIncidents:
    """The real rules of incidents over a dictionary."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._now = clock
        self._policy = _policy()
        self.stored: dict[str, Incident] = {}
        self.timelines: dict[str, list[TimelineEntry]] = {}
        now = clock()
        self._open(1, "DatabaseConnectionHigh", "warning", "database", now - 26 * HOUR)
        self._do("INC-1", events.Acknowledge("okafor"), now - 26 * HOUR + 6 * MINUTE)
        self._do("INC-1", events.SetFields("okafor", {
            "root_cause": "The connection pool was doubled in the last deploy.",
            "resolution": "Rolled back to 2026.11.3.",
        }), now - 25 * HOUR)  # fmt: skip
        self._do("INC-1", events.ChangeStatus("okafor", IncidentStatus.RESOLVED, "rolled back"), now - 25 * HOUR)
        self._open(2, "HighResponseTime", "warning", "application", now - 14 * MINUTE)
        self._open(3, "PaymentGatewayError", "critical", "payment", now - 11 * MINUTE)
        for kind, data, at in [
            ("queued", {}, now - 11 * MINUTE),
            ("retry", {"attempt": 1, "detail": "503 Service Unavailable"}, now - 10 * MINUTE),
            ("delivered", {"attempt": 2}, now - 9 * MINUTE),
        ]:
            self._add(
                "INC-3",
                f"notification.{kind}",
                {"receiver": "pagerduty-critical", "integration": "pagerduty"} | data,
                at,
            )
        self._add(
            "INC-3",
            "recovery.attempt",
            {"service": "payment-gateway", "attempt": 1, "max_attempts": 3},
            now - 8 * MINUTE,
        )
        self._add(
            "INC-3",
            "recovery.unverified",
            {"service": "payment-gateway", "attempt": 1, "detail": "connection refused"},
            now - 7 * MINUTE,
        )

    def _open(self, ordinal: int, name: str, severity: str, service: str, at: int) -> None:
        alert = Alert(
            Labels({"alertname": name, "severity": severity, "service": service, "instance": "web-1"}),
            Labels({"summary": f"{name}: the {service} layer is over its line", "description": "See the chart."}),
            starts_at=at - 2 * MINUTE,
            ends_at=at + 10 * HOUR,
            updated_at=at,
            source="rule",
            evidence={"value": 0.41, "threshold": 0.05, "expression": f"{service}_errors > 0.05"},
        )
        incident, effects = lifecycle.step(
            None, events.AlertFiring(alert, started_at=at - 2 * MINUTE, ordinal=ordinal), at, self._policy
        )
        assert incident is not None
        self._keep(incident, effects)

    def _keep(self, incident: Incident, effects: Sequence[Any]) -> Incident:
        self.stored[incident.id] = incident
        for effect in effects:
            if isinstance(effect, events.AppendTimeline):
                entries = self.timelines.setdefault(incident.id, [])
                entries.append(replace(effect.entry, id=len(entries) + 1))
        return incident

    def _add(self, reference: str, kind: str, data: dict[str, Any], at: int) -> None:
        incident = self._find(reference)
        entries = self.timelines.setdefault(incident.id, [])
        entries.append(TimelineEntry(len(entries) + 1, incident.id, at, kind, data=data))

    def _do(self, reference: str, event: Any, at: int | None = None) -> Incident:
        try:
            changed, effects = lifecycle.step(
                self._find(reference), event, self._now() if at is None else at, self._policy
            )
        except ValueError as error:
            raise RefusedError(str(error)) from None
        assert changed is not None
        return self._keep(changed, effects)

    def _find(self, reference: str) -> Incident:
        for incident in self.stored.values():
            if reference in (incident.id, incident.reference):
                return incident
        raise NotFoundError(f"no such incident: {reference}")

    @property
    def policy(self) -> Policy:
        return self._policy

    def dependents(self, service: str) -> frozenset[str]:
        return frozenset({"shop", "checkout"} if service == "payment" else ())

    async def get(self, incident: str) -> tuple[Incident, list[TimelineEntry]]:
        found = self._find(incident)
        return found, sorted(self.timelines[found.id], key=lambda entry: entry.at)

    async def find(
        self, *, statuses: Sequence[IncidentStatus] = (), service: str = "", limit: int = 100
    ) -> list[Incident]:
        found = [
            one
            for one in self.stored.values()
            if (not statuses or one.status in statuses) and (not service or one.service == service)
        ]
        return sorted(found, key=lambda one: -one.ordinal)[:limit]

    async def mentioning(self, name: str, *, statuses: Sequence[IncidentStatus] = (), limit: int = 100) -> list[str]:
        return [
            one.reference
            for one in await self.find(statuses=statuses, limit=limit)
            if any(name in mentioned(str(entry.data.get("text", ""))) for entry in (await self.get(one.id))[1])
        ]

    async def acknowledge(self, incident: str, actor: str) -> Incident:
        return self._do(incident, events.Acknowledge(actor))

    async def change_status(self, incident: str, actor: str, status: IncidentStatus, note: str = "") -> Incident:
        return self._do(incident, events.ChangeStatus(actor, status, note))

    async def tick(self, incident: str, actor: str, key: str, done: bool) -> Incident:
        return self._do(incident, events.TickChecklist(actor, key, done))

    async def note(self, incident: str, actor: str, text: str) -> Incident:
        return self._do(incident, events.AddNote(actor, text))

    async def assign(self, incident: str, actor: str, to: str) -> Incident:
        return self._do(incident, events.Assign(actor, to))

    async def describe(self, incident: str, actor: str, fields: dict[str, Any]) -> Incident:
        return self._do(incident, events.SetFields(actor, fields))

    async def open(self, actor: str, title: str, severity: str, service: str, description: str = "") -> Incident:
        event = events.OpenByHand(actor, title, severity, service, description, ordinal=len(self.stored) + 1)
        incident, effects = lifecycle.step(None, event, self._now(), self._policy)
        assert incident is not None
        return self._keep(incident, effects)

    async def postmortem(self, incident: str, language: str) -> Postmortem:
        saved = self._find(incident).postmortem
        return Postmortem(saved or await self.draft_postmortem(incident, language), bool(saved))

    async def draft_postmortem(self, incident: str, language: str) -> str:
        found, timeline = await self.get(incident)
        now, book = self._now(), self._policy.runbook
        return postmortem.draft(found, timeline, now, language=language, runbook=book)

    async def save_postmortem(self, incident: str, actor: str, text: str, replacing: Callable[[str], bool]) -> Incident:
        found = self._find(incident)
        if found.postmortem != text.strip() and not replacing(found.postmortem):
            raise PreconditionError(f"the saved postmortem of {found.reference} is not the one to be replaced")
        return self._do(incident, events.SetFields(actor, {"postmortem": text}))

    async def runbook(self, incident: str, language: str) -> list[dict[str, Any]]:
        return self._policy.runbook.display(self._find(incident).checklist, language)

    async def metrics(self, since_ms: int) -> dict[str, Any]:
        chosen = [one for one in self.stored.values() if one.detected_at >= since_ms]
        return metrics.report(chosen, self._now())
