"""Alerts, silences and the ledger, as people and compatible clients use them."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from eldonia_ops.alerting import dispatch
from eldonia_ops.alerting.dispatch import AlertStatus, DispatchState
from eldonia_ops.alerting.receivers import obstacle
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.alerting.silence import changed, ended
from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert, LedgerEntry, Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.matchers import MatchOp
from eldonia_ops.notifiers.registry import NotifierKinds
from eldonia_ops.ports import Clock, ListedGroup, StateStore, StateTransaction
from eldonia_ops.services.alerts.intake import AlertIntake
from eldonia_ops.services.alerts.posted import ACTIVE_LIMITS, ActiveLimits, PostedAlerts
from eldonia_ops.services.api import (
    AlertView,
    GroupView,
    IntegrationView,
    MessageFacts,
    NotFoundError,
    ReceiverTrial,
    RefusedError,
    RoutePreview,
    RuleGroupView,
)
from eldonia_ops.services.incidents.reference_cache import Known, Reference
from eldonia_ops.services.messages.receiver_trials import ReceiverTrials, preview

_ACTIVE_MS: Final = 1_000

RuleViews = Callable[[], list[RuleGroupView]]

_POSITIVE: Final = (MatchOp.EQUAL, MatchOp.REGEX)
_STATES: Final = {"active": "firing", "suppressed": "suppressed", "resolved": "resolved"}
_GRAVITY: Final = {"critical": 0, "page": 0, "high": 1, "error": 1, "warning": 2, "medium": 2, "ticket": 2, "low": 3}


class AlertService:
    """Implements :class:`~eldonia_ops.services.api.Alerts`."""

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        intake: AlertIntake,
        rule_views: RuleViews,
        configuration: str,
        kinds: NotifierKinds,
        trials: ReceiverTrials,
        limits: ActiveLimits = ACTIVE_LIMITS,
    ) -> None:
        self._trials = trials
        self._clock = clock
        self._state = state
        self._intake = intake
        self._rule_views = rule_views
        self._configuration = configuration
        self._kinds = kinds
        self._posted = PostedAlerts(limits)
        self._active: Collection[str] = ()
        self._active_at = 0
        self._shown: _Shown | None = None

    def reconfigure(self, configuration: str, limits: ActiveLimits) -> None:
        """Show another routing configuration, and bound posted alerts by other limits."""
        self._configuration = configuration
        self._posted.limits = limits

    async def receive(self, alerts: Sequence[Alert], poster: str = "") -> list[str]:
        """Take alerts from outside; returns when they are safe, with what was refused."""
        now = self._clock.now()
        # In a storm the bounds are held against what was active within the last second: what waits is counted besides.
        if not (self._intake.waiting and 0 <= now - self._active_at < _ACTIVE_MS):
            self._active, self._active_at = await self._state.read(lambda tx: tx.alerts.fingerprints()), now
        taken, faults = self._posted.admit(alerts, poster, now, self._active)
        await self._intake.receive(taken)
        return faults

    async def current(self) -> list[AlertView]:
        """Pending, firing and suppressed alerts, gravest first."""
        _, shown = await self._views(groups=False)
        values: dict[str, float | None] = {}
        pending: list[AlertView] = []
        for group in self._rule_views():
            for rule in group.rules:
                for view in rule.alerts:
                    values[view.alert.fingerprint] = view.value
                    if view.state == "pending":
                        known = shown.views.get(view.alert.fingerprint)
                        if known is None or known.state == "resolved":
                            pending.append(view)
        if not values:
            return list(shown.current)
        views = [*shown.current, *pending]
        for index, view in enumerate(views):
            value = None if view.value is not None else values.get(view.alert.fingerprint)
            if value is not None:
                views[index] = replace(view, value=value)
        return sorted(views, key=_order)

    async def groups(self) -> list[GroupView]:
        """The aggregation groups with what they hold."""
        groups, shown = await self._views(groups=True)
        views = shown.views
        return [
            GroupView(group.labels, group.receiver, tuple(views[item] for item in group.fingerprints if item in views))
            for group in groups
        ]

    def rules(self) -> list[RuleGroupView]:
        """The present state of rule groups."""
        return self._rule_views()

    def default_receiver(self) -> str:
        """The receiver of the root of the routing tree."""
        return self._intake.routing.route.receiver

    def receivers(self) -> list[str]:
        """Names of the receivers."""
        return list(self._intake.routing.receivers)

    def integrations(self) -> list[IntegrationView]:
        """The integrations of all receivers, with what keeps them from delivering as they are configured."""
        return [
            IntegrationView(one.receiver, one.kind, one.index, obstacle(one.config), self._kinds.title(one.kind))
            for receiver in self._intake.routing.receivers.values()
            for one in receiver.integrations
        ]

    async def test_receiver(self, name: str, actor: str) -> list[ReceiverTrial]:
        """Send a test through every integration of a receiver now."""
        return await self._trials.send(self._intake.routing, name, actor, self._clock.now())

    def routes_of(self, labels: Mapping[str, str]) -> list[RoutePreview]:
        """The routes that an alert with these labels would take."""
        return preview(self._intake.routing, labels, self._clock.now())

    def configuration(self) -> str:
        """The routing configuration as YAML with secrets masked."""
        return self._configuration

    async def silences(self) -> list[Silence]:
        """All silences, those that end last first."""
        found = await self._state.read(lambda tx: tx.silences.all())
        return sorted(found, key=lambda silence: silence.ends_at, reverse=True)

    async def set_silence(self, silence: Silence, actor: str) -> str:
        """Create or change a silence, as Alertmanager does."""
        now = self._clock.now()
        new_id = str(uuid.uuid4())

        def work(tx: StateTransaction) -> str:
            previous = tx.silences.get(silence.id) if silence.id else None
            wanted = silence
            if not wanted.starts_at:
                goes_on = previous is not None and previous.active(now)
                wanted = replace(wanted, starts_at=previous.starts_at if previous and goes_on else now)
            if wanted.ends_at <= wanted.starts_at or wanted.ends_at <= now:
                raise RefusedError("a silence must end after it starts, and in the future")
            if silence.id and previous is None:
                raise NotFoundError(f"no such silence: {silence.id[:80]}")
            if not wanted.matchers:
                raise RefusedError("a silence needs at least one matcher")
            if all(matcher.op in _POSITIVE and matcher.matches_value("") for matcher in wanted.matchers):
                raise RefusedError("these matchers match every alert; name at least one value that must be there")
            found = changed(previous, wanted, now, new_id)
            for one in found:
                tx.silences.put(one)
            stored = found[-1]
            for_whom = f" for {stored.created_by}" if stored.created_by != actor else ""
            if previous is None:
                said = f"{actor} created silence {stored.id}{for_whom}"
            elif stored.id == previous.id:
                said = f"{actor} changed silence {stored.id}{for_whom}"
            else:
                said = f"{actor} replaced silence {previous.id} by {stored.id}{for_whom}"
            _note(tx, now, f"{said}: {stored.comment}", stored.id)
            return stored.id

        id = await self._state.write(work)
        self._intake.wake()
        return id

    async def expire_silence(self, id: str, actor: str) -> None:
        """End a silence now."""
        now = self._clock.now()

        def work(tx: StateTransaction) -> None:
            found = tx.silences.get(id)
            if found is None:
                raise NotFoundError(f"no such silence: {id[:80]}")
            if found.ends_at > now:
                tx.silences.put(ended(found, now))
                _note(tx, now, f"{actor} ended silence {found.id}: {found.comment}", found.id)

        await self._state.write(work)
        self._intake.wake()

    async def explain(self, *, fingerprint: str = "", alertname: str = "", limit: int = 200) -> list[LedgerEntry]:
        """The ledger, newest first."""
        await self._intake.caught_up()
        return await self._state.read(
            lambda tx: tx.ledger.find(fingerprint=fingerprint, alertname=alertname, limit=limit)
        )

    async def notifications(self, limit: int = 100) -> list[Outgoing]:
        """The outbox, newest first."""
        await self._intake.caught_up()
        return await self._state.read(lambda tx: tx.outbox.find(limit=limit))

    def facts(self, outgoing: Outgoing) -> MessageFacts:
        """What pages say of a message of the outbox."""
        return MessageFacts(self._kinds.title(outgoing.integration), self._kinds.subject(outgoing))

    async def retry_notification(self, id: int, actor: str) -> None:
        """Try a failed or waiting notification again now."""
        now = self._clock.now()

        def work(tx: StateTransaction) -> None:
            found = tx.outbox.get(id)
            if found is None:
                raise NotFoundError(f"no such notification: {id}")
            if found.status is OutgoingStatus.DELIVERED:
                raise RefusedError("it has been delivered")
            tx.outbox.update(replace(found, status=OutgoingStatus.PENDING, next_attempt_at=now, finished_at=0))
            for fingerprint in found.fingerprints or ("",):
                reason = f"{actor} asked for another attempt"
                tx.ledger.append(
                    LedgerEntry(0, now, fingerprint, "", found.receiver, "retry", reason, {"outgoing": id})
                )

        await self._state.write(work)
        self._intake.retried(id)

    async def _views(self, *, groups: bool) -> tuple[list[ListedGroup], "_Shown"]:
        await self._intake.caught_up()
        now = self._clock.now()
        incident_transactions = self._intake.incident_transactions
        known = incident_transactions.known_references()

        def work(tx: StateTransaction) -> tuple[list[ListedGroup], _Shown]:
            silences = tuple(tx.silences.all())
            of = (tx.alerts.version(), known[0], self._intake.routing, silences)
            shown = self._shown
            if shown is None or not shown.holds(of, now):
                alerts = {alert.fingerprint: alert for alert in tx.alerts.all()}
                state = DispatchState(self._intake.routing, alerts, {}, silences)
                incidents = incident_transactions.references(tx, alerts, now, known)
                views = _all_views(state, incidents, now, shown.views if shown else {})
                current = sorted((view for view in views.values() if view.state != "resolved"), key=_order)
                shown = _Shown(of, now, _changes_at(state, now), views, current)
            return tx.groups.listed() if groups else [], shown

        found, self._shown = await self._state.read(work)
        return found, self._shown


_Of: TypeAlias = tuple[int, int, Routing, tuple[Silence, ...]]
"""What views are made of: the versions of alerts and of their incidents, the routing and the silences."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """Views as they were shown last: right for the same alerts, until the first instant at which one may change."""

    of: _Of
    since: int
    until: int
    views: dict[str, AlertView]
    current: list[AlertView]

    def holds(self, of: _Of, now: int) -> bool:
        """Whether the views are those of an instant."""
        same = self.of[:2] == of[:2] and self.of[2] is of[2] and self.of[3] == of[3]
        return same and self.since <= now < self.until


def _changes_at(state: DispatchState, now: int) -> int:
    """The first instant after ``now`` at which the status of an alert may be another one."""
    instants = [alert.ends_at for alert in state.alerts.values()]
    for silence in state.silences:
        instants += [silence.starts_at, silence.ends_at]
    if state.routing.time_intervals:  # they begin and end with a minute
        instants.append((now // 60_000 + 1) * 60_000)
    return min((at for at in instants if at > now), default=UNTIL_RESOLVED)


def _note(tx: StateTransaction, now: int, text: str, silence: str) -> None:
    """The ledger's note of who changed a silence. The silence's own fields stay as its client sent them."""
    tx.ledger.append(LedgerEntry(0, now, "", "", "", "silence", text, {"silence": silence}))


def _all_views(
    state: DispatchState, incidents: Known, now: int, before: Mapping[str, AlertView]
) -> dict[str, AlertView]:
    """A view of each alert; one that has not changed is the one ``before``, so that who encodes it need not do so
    again."""
    alert_statuses = dispatch.alert_statuses(state, now)
    found: dict[str, AlertView] = {}
    for fingerprint, alert in state.alerts.items():
        status, incident = alert_statuses[fingerprint], incidents.get(fingerprint)
        view = before.get(fingerprint)
        if view is None or not _same(view, alert, status, incident):
            view = _view(alert, status, incident)
        found[fingerprint] = view
    return found


def _same(view: AlertView, alert: Alert, status: AlertStatus, incident: Reference | None) -> bool:
    return (
        view.alert is alert
        and view.state == _STATES[status.state]
        and view.incident_id == (incident.id if incident else "")
        and view.receivers == status.receivers
        and view.silenced_by == status.silenced_by
        and view.inhibited_by == status.inhibited_by
        and view.muted_by == status.muted_by
    )


def _view(alert: Alert, alert_status: AlertStatus, incident: Reference | None) -> AlertView:
    value = alert.evidence.get("value")
    return AlertView(
        alert,
        _STATES[alert_status.state],
        alert_status.receivers,
        alert_status.silenced_by,
        alert_status.inhibited_by,
        alert_status.muted_by,
        incident.id if incident else "",
        incident.reference if incident else "",
        value=float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None,
    )


def _order(view: AlertView) -> tuple[int, int, int, str]:
    states = {"firing": 0, "pending": 1, "suppressed": 2}
    severity = _GRAVITY.get(view.alert.labels.get("severity", ""), 4)
    return states.get(view.state, 3), severity, -view.alert.starts_at, view.alert.fingerprint
