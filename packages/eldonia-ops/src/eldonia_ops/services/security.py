"""Security events at work: windows step, findings are stored, alerts take the common road."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from eldonia_ops.incidents.events import Evidence
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.log_batch import where
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.security import Finding, FindingStatus, SecurityEvent, SecurityEventType
from eldonia_ops.ports import Clock, LogQuery, LogStore, StateStore, StateTransaction
from eldonia_ops.security import detection, windows
from eldonia_ops.security.detection import DetectionState
from eldonia_ops.security.events import COMPONENTS, from_log
from eldonia_ops.security.findings import timeline_facts
from eldonia_ops.security.report import report
from eldonia_ops.security.thresholds import Threshold
from eldonia_ops.security.windows import (
    Effect,
    Judge,
    OpenFinding,
    RaiseSecurityAlert,
    Recount,
    ResolveAlert,
    UpdateFinding,
    Window,
    WindowState,
    WindowTick,
)
from eldonia_ops.services.alerts.intake import AlertIntake
from eldonia_ops.services.api import NotFoundError
from eldonia_ops.services.clock import SetBack
from eldonia_ops.services.incidents.transactions import AlertChange
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import Wakeup, supervise

log = logging.getLogger("eldonia_ops.services.security")

_WINDOW = "security_window"
_DETECTION = "security_detection"
_REPORT_LIMIT = 10_000
_PAGE = 1_000


class SecurityService:
    """Implements :class:`~eldonia_ops.services.api.Security` and takes in events.

    ``events_taken`` is how many came in with log records since the start.

    Windows live in memory as well as in the store; one lock orders the steps, and memory follows
    only what has been committed.
    """

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        intake: AlertIntake,
        thresholds: Mapping[SecurityEventType, Threshold],
        *,
        evidence_limit: int,
        loops: Loops | None = None,
    ) -> None:
        self._clock = clock
        self._state = state
        self._intake = intake
        self._thresholds = thresholds
        self._limits = windows.WindowLimits(evidence=evidence_limit)
        self._windows = WindowState()
        self._detection = DetectionState()
        self._lock = asyncio.Lock()
        self._loops = loops or Loops()
        self._wakeup = Wakeup()
        self._set_back = SetBack()
        self.events_taken = 0

    async def resume(self, logs: LogStore) -> None:
        """Load the windows, then look again at the security records of the longest window.

        Records may have been stored just before a crash that kept their windows from being committed; events
        already counted are recognised by their ids.
        """
        self._windows = windows.restore(await self._state.read(lambda tx: tx.machines.load_all(_WINDOW, Window)))
        self._detection = (
            await self._state.read(lambda tx: tx.machines.load(_DETECTION, "", DetectionState)) or DetectionState()
        )
        if not self._thresholds:
            return
        async with self._lock:
            now = self._clock.now()
            stored = await self._stored(logs, now)
            known, wanted = self._derive(stored)
            recount = Recount(now, self._thresholds, self._limits)
            for event in reversed(wanted):
                recount.add(event)
            again = recount.events()
            for start in range(0, len(again), _PAGE):
                await self._step_locked(again[start : start + _PAGE], known)

    async def _stored(self, logs: LogStore, now: int) -> list[SecurityEvent]:
        """The events of the longest window that may not have been counted, oldest first."""
        back = max(threshold.window_ms for threshold in self._thresholds.values())
        found: list[SecurityEvent] = []
        for component in COMPONENTS:
            recount = Recount(now, self._thresholds, self._limits)
            query = LogQuery((now - back) * 1_000_000, (now + 60_000) * 1_000_000, component=component, limit=_PAGE)
            more = True
            while more and not recount.full:
                page = await logs.search_logs(query)
                for record in page.records:
                    if (event := from_log(record)) is not None:
                        recount.add(event)
                more = page.more and bool(page.records)
                if more:
                    query = replace(query, before=(page.records[-1].timestamp_ns, page.records[-1].id))
            if recount.full:
                log.warning("more security records than can be looked at again: only the newest are")
            found += recount.events()
        return sorted(found, key=lambda event: event.at)

    async def reconfigure(self, thresholds: Mapping[SecurityEventType, Threshold], *, evidence_limit: int) -> None:
        """Judge by other thresholds. What has been counted stays counted."""
        async with self._lock:
            self._thresholds = thresholds
            self._limits = windows.WindowLimits(evidence=evidence_limit)
        self._wakeup.wake()

    async def run(self) -> None:
        """End the alerts of windows without further events, until cancelled."""
        await supervise("security", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        deadline = windows.next_deadline(self._windows, self._thresholds)
        now = self._clock.now()
        if self._set_back.noticed(now) or (deadline is not None and deadline <= now):
            await self._step(WindowTick())
            deadline = windows.next_deadline(self._windows, self._thresholds)
        await self._wakeup.wait(self._clock, deadline)

    async def observe(self, records: Sequence[LogRecord]) -> None:
        """Count the security events among stored log records (a subscriber of the intake).

        Raises:
            StoreError: the state store fails; the records have to be shown again.
        """
        candidates = where(records, "component", COMPONENTS)
        events = [event for record in candidates if (event := from_log(record)) is not None]
        if events:
            await self.take(events)
            self.events_taken += len(events)

    async def take(self, events: Sequence[SecurityEvent]) -> None:
        """Count events; returns when the windows, findings and alerts that follow are committed."""
        async with self._lock:
            watch = self._loops.item("security events")
            try:
                known, wanted = self._derive(events)
                await self._step_locked(wanted, known)
                watch.succeeded()
                return
            except Exception as error:
                watch.failed(error)
                log.exception("counting %d security events; each is tried by itself", len(events))
            await self._state.write(lambda tx: None)  # raises if it is the store that fails, and not an event
            for event in events:
                try:
                    known, wanted = self._derive([event])
                    await self._step_locked(wanted, known)
                except Exception as error:
                    # Its record is stored. To refuse it would have its sender send it, and all beside it, for good.
                    watch.failed(error)
                    log.exception("a security event was not counted: %s", event.type)

    def _derive(self, events: Iterable[SecurityEvent]) -> tuple[DetectionState, list[SecurityEvent]]:
        """The events with those that follow from them."""
        known = self._detection
        wanted: list[SecurityEvent] = []
        for event in events:
            wanted.append(event)
            known, derived = detection.step(known, event)
            wanted.extend(derived)
        return known, wanted

    async def find(self, *, statuses: Sequence[FindingStatus] = (), limit: int = 100) -> list[Finding]:
        """Findings, newest first."""
        return await self._state.read(lambda tx: tx.findings.find(statuses=statuses, limit=limit))

    async def get(self, id: str) -> Finding:
        """One finding with its evidence."""
        found = await self._state.read(lambda tx: tx.findings.get(id))
        if found is None:
            raise NotFoundError(f"no such finding: {id[:80]}")
        return found

    async def change_status(self, id: str, actor: str, status: FindingStatus, note: str = "") -> Finding:
        """Judge a finding; ``resolved`` and ``false_positive`` end its alert."""
        finding = await self.get(id)
        await self._step(Judge(finding, status, actor, note))
        return await self.get(id)

    async def report(self, since_ms: int) -> dict[str, Any]:
        """Counts by type, severity, status and source since an instant."""
        return report(await self._state.read(lambda tx: tx.findings.find(since=since_ms, limit=_REPORT_LIMIT)))

    async def _step(self, event: windows.Event) -> None:
        async with self._lock:
            # Only now: what was read before waiting for the lock may be outdated.
            await self._step_locked([event], self._detection)

    async def _step_locked(self, events: Sequence[windows.Event], known: DetectionState) -> None:
        now = self._clock.now()
        before = self._windows
        after, effects = windows.step_all(before, events, now, self._thresholds, self._limits)
        saved, deleted = windows.changes(before, after)
        changed_detection = known is not self._detection
        judged = {event.finding.id: event for event in events if isinstance(event, Judge)}

        def work(tx: StateTransaction) -> None:
            tx.machines.save_all(_WINDOW, {key: (window, None) for key, window in saved.items()})
            for key in deleted:
                tx.machines.delete(_WINDOW, key)
            if changed_detection:
                tx.machines.save(_DETECTION, "", known)
            self._carry_out(tx, effects, judged, now)

        if saved or deleted or effects or changed_detection:
            await self._state.write(work)
        self._windows, self._detection = after, known
        self._wakeup.wake()
        if effects:
            self._intake.wake()

    def _carry_out(
        self, tx: StateTransaction, effects: Sequence[Effect], judged: Mapping[str, Judge], now: int
    ) -> None:
        for effect in effects:
            if isinstance(effect, OpenFinding | UpdateFinding):
                tx.findings.put(effect.finding)
        opened = {effect.finding.id: effect.finding for effect in effects if isinstance(effect, OpenFinding)}
        alerting = (effect for effect in effects if isinstance(effect, RaiseSecurityAlert | ResolveAlert))
        # Alerts of one kind that follow one another go together: each call reads all that is known of alerts.
        for kind, together in groupby(alerting, key=type):
            same = list(together)
            if kind is RaiseSecurityAlert:
                begun = [AlertChange(one.alert, True, int(one.alert.evidence.get("started_at", 0))) for one in same]
                self._intake.accept(tx, begun, now)
                self._note(tx, [(one.alert, _beginning(opened.get(one.finding_id), now)) for one in same], now)
            else:
                endings = [
                    (one.alert, _ending(tx.findings.get(one.finding_id), judged.get(one.finding_id), now))
                    for one in same
                ]
                self._note(tx, endings, now)
                self._intake.accept(tx, [AlertChange(one.alert, False) for one in same], now)

    def _note(self, tx: StateTransaction, notes: Iterable[tuple[Alert, Evidence | None]], now: int) -> None:
        """Put findings on the timelines of their alerts' incidents."""
        self._intake.incident_transactions.evidence(
            tx, [(alert, evidence) for alert, evidence in notes if evidence is not None], now
        )


def _beginning(finding: Finding | None, now: int) -> Evidence | None:
    """What the timeline says about a new finding; None for an alert that only became graver."""
    if finding is None:
        return None
    return Evidence("security.finding", now, timeline_facts(finding), f"security.finding:{finding.id}")


def _ending(finding: Finding | None, judge: Judge | None, now: int) -> Evidence | None:
    """What the timeline says about the end of a finding's alert: a person's verdict, or quiet."""
    if finding is None:
        return None
    if judge is not None:
        data = {**timeline_facts(finding), "status": judge.status.value, "note": judge.note}
        return Evidence("security.judged", now, data, f"security.judged:{finding.id}:{now}", judge.actor)
    data = {**timeline_facts(finding), "quiet": now - finding.last_event_at}
    return Evidence("security.quiet", now, data, f"security.quiet:{finding.id}:{now}")
