"""Actions of people on incidents, and the loop that escalates when no one responds."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from eldonia_ops.incidents import metrics
from eldonia_ops.incidents.events import (
    Acknowledge,
    ActError,
    AddNote,
    Assign,
    ChangeStatus,
    Event,
    OpenByHand,
    SetFields,
    TickChecklist,
)
from eldonia_ops.incidents.mentions import mentioned
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.incidents.postmortem import draft
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry
from eldonia_ops.ports import Clock, StateStore, StateTransaction
from eldonia_ops.protocols.shipped_sentences import worded_entry, worded_incident
from eldonia_ops.services.api import NotFoundError, Postmortem, PreconditionError, RefusedError
from eldonia_ops.services.clock import SetBack
from eldonia_ops.services.incidents.transactions import IncidentTransactions
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.messages.personal import PersonalNotifications
from eldonia_ops.services.service_loop import Wakeup, supervise

log = logging.getLogger("eldonia_ops.services.incidents.incidents")

_METRICS_LIMIT = 10_000
_FAILED_MS = 30_000
"""When an incident that could not be escalated is tried again."""


async def _at_once() -> None:
    """Nothing is waited for."""


class IncidentService:
    """Implements :class:`~eldonia_ops.services.api.Incidents`.

    ``wakeup`` is set by code that changes incidents in its own transaction; ``outbox`` is raised
    here when an escalation has put something into the outbox. ``caught_up`` returns when the alerts that were
    acknowledged to clients are in their incidents, so that readers see them.
    """

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        incident_transactions: IncidentTransactions,
        wakeup: Wakeup,
        outbox: Wakeup,
        personal: PersonalNotifications,
        loops: Loops | None = None,
        caught_up: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self._personal = personal
        self._caught_up = caught_up
        self._clock = clock
        self._state = state
        self._incident_transactions = incident_transactions
        self._wakeup = wakeup
        self._outbox = outbox
        self._loops = loops or Loops()
        self._set_back = SetBack()
        self._look_at = 0

    @property
    def policy(self) -> Policy:
        """What opens an incident, how fast to respond, who is notified next."""
        return self._incident_transactions.policy

    def dependents(self, service: str) -> frozenset[str]:
        """Declared services that do not work without this one, directly or through others."""
        return self._incident_transactions.dependents(service)

    async def run(self) -> None:
        """Escalate until cancelled, each tier when it is due."""
        await supervise("escalation", self._clock, self._turn, self._loops)

    def wake(self) -> None:
        """Look again: the policy has changed."""
        self._look_at = 0
        self._wakeup.wake()

    async def _turn(self) -> None:
        now = self._clock.now()
        if self._set_back.noticed(now):
            await self._state.write(lambda tx: self._incident_transactions.clock_set_back(tx, now))
            self._look_at = now
        look = self._look_at <= now
        # A storm wakes this loop again and again: it writes only when something is due.
        deadline = await self._state.read(lambda tx: tx.incidents.next_escalation())
        if look or (deadline is not None and deadline <= now):
            try:
                deadline = await self._state.write(lambda tx: self._incident_transactions.deadlines(tx, now, look=look))
            except Exception:
                log.exception("escalating everything that is due; each incident is tried by itself")
                deadline = await self._one_by_one(now, look=look)
        if look:
            self._look_at = now + self._incident_transactions.policy.quiet_check
        self._outbox.wake()
        # There is nothing to look at unless a response is expected.
        await self._wakeup.wait(self._clock, None if deadline is None else min(deadline, self._look_at))

    async def _one_by_one(self, now: int, *, look: bool) -> int:
        """Escalate each incident in a transaction of its own, so that one that fails keeps no other waiting; returns
        when to look again."""
        upcoming = [now + _FAILED_MS]
        for incident in await self._state.read(lambda tx: tx.incidents.open()):
            watch = self._loops.item(f"escalation of {incident.reference}")

            def work(tx: StateTransaction, id: str = incident.id) -> int | None:
                return self._incident_transactions.deadlines(tx, now, look=look, only=id)

            try:
                deadline = await self._state.write(work)
            except Exception as error:
                log.exception("escalating %s", incident.reference)
                watch.failed(error)
            else:
                watch.succeeded()
                upcoming += [] if deadline is None else [deadline]
        return min(upcoming)

    async def get(self, incident: str) -> tuple[Incident, list[TimelineEntry]]:
        """An incident and its timeline, oldest entry first."""

        def work(tx: StateTransaction) -> tuple[Incident, list[TimelineEntry]]:
            found = _find(tx, incident)
            return found, tx.timeline.of(found.id)

        await self._caught_up()
        return await self._state.read(work)

    async def find(
        self, *, statuses: Sequence[IncidentStatus] = (), service: str = "", limit: int = 100
    ) -> list[Incident]:
        """Incidents, newest first."""
        await self._caught_up()
        return await self._state.read(lambda tx: tx.incidents.find(statuses=statuses, service=service, limit=limit))

    async def mentioning(self, name: str, *, statuses: Sequence[IncidentStatus] = (), limit: int = 100) -> list[str]:
        """The references of incidents, newest first, in which a note mentions somebody."""
        wanted = name.lower()

        def work(tx: StateTransaction) -> list[str]:
            found = tx.incidents.find(statuses=statuses, limit=limit)
            notes = tx.timeline.notes([one.id for one in found])
            mentions = {one.incident_id for one in notes if wanted in mentioned(str(one.data.get("text", "")))}
            return [one.reference for one in found if one.id in mentions]

        return await self._state.read(work)

    async def acknowledge(self, incident: str, actor: str) -> Incident:
        """Say: I am on it."""
        return await self._act(incident, Acknowledge(actor))

    async def change_status(self, incident: str, actor: str, status: IncidentStatus, note: str = "") -> Incident:
        """Move the incident along."""
        return await self._act(incident, ChangeStatus(actor, status, note))

    async def tick(self, incident: str, actor: str, key: str, done: bool) -> Incident:
        """Tick a step of the checklist, or take the tick back."""
        return await self._act(incident, TickChecklist(actor, key, done))

    async def note(self, incident: str, actor: str, text: str) -> Incident:
        """Write something on the timeline."""

        def notify(tx: StateTransaction, changed: Incident, now: int) -> None:
            self._personal.mentioned(tx, changed, actor, text, now)

        return await self._act(incident, AddNote(actor, text), then=notify)

    async def assign(self, incident: str, actor: str, to: str) -> Incident:
        """Assign the incident."""

        def notify(tx: StateTransaction, changed: Incident, now: int) -> None:
            self._personal.assigned(tx, changed, actor, now)

        return await self._act(incident, Assign(actor, to), then=notify)

    async def describe(self, incident: str, actor: str, fields: dict[str, Any]) -> Incident:
        """Fill in what only people know."""
        return await self._act(incident, SetFields(actor, fields))

    async def open(self, actor: str, title: str, severity: str, service: str, description: str = "") -> Incident:
        """Open an incident by hand."""
        now = self._clock.now()

        def work(tx: StateTransaction) -> Incident:
            event = OpenByHand(actor, title, severity, service, description, ordinal=tx.incidents.next_ordinal())
            opened = self._incident_transactions.step(tx, None, event, now)
            if opened is None:
                raise RefusedError("the incident could not be opened")
            return opened

        return await self._write(work)

    async def postmortem(self, incident: str, language: str) -> Postmortem:
        """The saved postmortem, or a fresh draft."""
        found, _ = await self.get(incident)
        if found.postmortem:
            return Postmortem(found.postmortem, saved=True)
        return Postmortem(await self.draft_postmortem(incident, language), saved=False)

    async def draft_postmortem(self, incident: str, language: str) -> str:
        """A fresh draft, whatever has been saved."""
        found, timeline = await self.get(incident)
        runbook = self._incident_transactions.policy.runbook
        about, entries = worded_incident(found, language), [worded_entry(entry, language) for entry in timeline]
        return draft(about, entries, self._clock.now(), language=language, runbook=runbook)

    async def save_postmortem(self, incident: str, actor: str, text: str, replacing: Callable[[str], bool]) -> Incident:
        """Save a postmortem in place of what is stored, if that may be replaced."""

        def check(found: Incident) -> None:
            # A client that asks again because the answer was lost finds its own text (RFC 9110, section 13.1.1).
            if found.postmortem != text.strip() and not replacing(found.postmortem):
                raise PreconditionError(f"the saved postmortem of {found.reference} is not the one to be replaced")

        return await self._act(incident, SetFields(actor, {"postmortem": text}), check)

    async def runbook(self, incident: str, language: str) -> list[dict[str, Any]]:
        """The checklist for display, in order."""
        found, _ = await self.get(incident)
        return self._incident_transactions.policy.runbook.display(found.checklist, language)

    async def metrics(self, since_ms: int) -> dict[str, Any]:
        """MTTD, MTTA and MTTR of the incidents detected since an instant."""
        found = await self._state.read(lambda tx: tx.incidents.find(since=since_ms, limit=_METRICS_LIMIT))
        return metrics.report(found, self._clock.now())

    async def _act(
        self,
        reference: str,
        event: Event,
        check: Callable[[Incident], None] = lambda found: None,
        then: Callable[[StateTransaction, Incident, int], None] | None = None,
    ) -> Incident:
        now = self._clock.now()

        def work(tx: StateTransaction) -> Incident:
            found = _find(tx, reference)
            check(found)
            changed = self._incident_transactions.step(tx, found, event, now) or found
            if then is not None:
                then(tx, changed, now)
            return changed

        return await self._write(work)

    async def _write(self, work: Any) -> Incident:
        try:
            incident: Incident = await self._state.write(work)
        except ActError as error:
            raise RefusedError(str(error)) from None
        self._wakeup.wake()
        self._outbox.wake()
        return incident


def _find(tx: StateTransaction, reference: str) -> Incident:
    name = reference.upper().removeprefix("INC-")
    found = tx.incidents.by_ordinal(int(name)) if name.isdecimal() and len(name) < 10 else None
    found = found or tx.incidents.get(reference)
    if found is None:
        raise NotFoundError(f"no such incident: {reference[:80]}")
    return found
