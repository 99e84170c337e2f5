"""The dispatcher: every alert, every group, one state machine.

The service feeds it events and, in one transaction, stores what the effects say: alerts, groups,
notifications for the outbox, ledger lines. Nothing here knows how that is done.

A step needs not be shown everything. :class:`AlertsReceived` looks at the alerts received and the groups
that :func:`group_keys` names; :class:`DispatchTick` at the groups that are due, all alerts that they hold, the
other groups of those, and the alerts that may inhibit one (:func:`eldonia_ops.alerting.inhibition.wanted_sources`);
:class:`DeliveryFailed` at the groups that :func:`groups_notified` names. The others look at everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Final

from eldonia_ops.alerting import group as groups
from eldonia_ops.alerting.alerts import merge, was_held
from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.alerting.inhibition import Inhibitor
from eldonia_ops.alerting.pipeline import Notification, flush, muted_route, notified_of, order_key_of
from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.alerting.route import Route, spell_group_key
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.alerting.silence import silencing
from eldonia_ops.model.alerts import Alert, LedgerEntry, Silence
from eldonia_ops.model.labels import Labels


@dataclass(frozen=True, slots=True)
class DispatchState:
    """Alerts by fingerprint, groups by key: all of them, or what the next event touches. Treat the mappings
    as immutable."""

    routing: Routing
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    groups: Mapping[str, AlertGroupState] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertsReceived:
    """Alerts as their sources sent them (times may be missing)."""

    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class DispatchTick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class RoutingChanged:
    """A new configuration. Groups that it still has keep their state; alerts are routed anew."""

    routing: Routing


@dataclass(frozen=True, slots=True)
class DeliveryFailed:
    """A notification was given up: the next flush of its group notifies the integration again.

    ``order_key`` is the one of the :class:`Notification`.
    """

    order_key: str


@dataclass(frozen=True, slots=True)
class ClockSetBack:
    """The clock may show less than before: nothing waits longer than it would have waited."""


Event = AlertsReceived | DispatchTick | RoutingChanged | DeliveryFailed | ClockSetBack


@dataclass(frozen=True, slots=True)
class PutAlert:
    """Store an alert."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class ForgetAlert:
    """An alert is over and no receiver waits for its end."""

    fingerprint: str


@dataclass(frozen=True, slots=True)
class PutGroup:
    """Store a group; its deadline is ``group.flush_at``.

    Of its alerts, those that ``joined``, those that ``left``, and those whose verdicts ``changed`` are named: the
    others need not be written again. ``group`` may hold only the alerts that the step was shown. ``members_only`` says
    that the group is stored as it is, but for its alerts; ``progress_only``, that it is, but for what a flush changes.
    """

    group: AlertGroupState
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    members_only: bool = False
    progress_only: bool = False


@dataclass(frozen=True, slots=True)
class DropGroup:
    """Delete a group."""

    key: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Render a notification and put it into the outbox."""

    notification: Notification


@dataclass(frozen=True, slots=True)
class Record:
    """Append a line to the ledger."""

    decision: LedgerEntry


Effect = PutAlert | ForgetAlert | PutGroup | DropGroup | Notify | Record


def step(state: DispatchState, event: Event, now: int) -> tuple[DispatchState, tuple[Effect, ...]]:
    """Advance the dispatcher and say what has to be stored."""
    work = _Work(state, now)
    match event:
        case AlertsReceived(alerts=alerts):
            for alert in alerts:
                work.receive(alert)
            work.join()
        case DispatchTick():
            work.flush_due()
        case RoutingChanged(routing=routing):
            work.reroute(routing)
        case DeliveryFailed(order_key=order_key):
            work.forget_notified(order_key)
        case ClockSetBack():
            work.set_back()
    return work.finish()


def restore(
    routing: Routing,
    alerts: Iterable[Alert],
    stored: Iterable[AlertGroupState],
    silences: Iterable[Silence],
    now: int,
) -> tuple[DispatchState, tuple[Effect, ...]]:
    """The state after a restart, from what was stored and a configuration that may be another one.

    Alerts that fire and are in no group are put into one, so nothing stored is ever left behind.
    """
    state = DispatchState(
        routing,
        {alert.fingerprint: alert for alert in alerts},
        {group.key: group for group in stored},
        tuple(silences),
    )
    return step(state, RoutingChanged(routing), now)


def next_deadline(state: DispatchState) -> int | None:
    """The earliest instant at which a :class:`DispatchTick` has something to do."""
    return min((group.flush_at for group in state.groups.values() if group.flush_at), default=None)


def group_keys(routing: Routing, labels: Labels) -> list[str]:
    """The keys of the groups that an alert with these labels belongs to."""
    return [_group_state_key(route, route.group_labels(labels)) for route in routing.routes(labels)]


def groups_notified(routing: Routing, integration: Integration, order_key: str) -> list[str]:
    """The keys of the groups whose notifications to an integration go out under an order key."""
    queue = f"{integration.key}:"
    return [
        f"{route.id}{order_key.removeprefix(queue).removeprefix(route.key)}"
        for route in routing.route.walk()
        if route.receiver == integration.receiver and order_key.startswith(f"{queue}{route.key}:")
    ]


@dataclass(frozen=True, slots=True)
class AlertStatus:
    """The state of an alert: ``active``, ``suppressed`` or ``resolved``, and through what."""

    state: str
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()


def alert_statuses(state: DispatchState, now: int) -> dict[str, AlertStatus]:
    """The status of every known alert at ``now``, by fingerprint."""
    inhibitor = Inhibitor(state.routing.inhibit_rules, state.alerts.values(), now, state.routing.outages)
    holding = [silence for silence in state.silences if silence.active(now)]
    names = state.routing.label_names
    ways: dict[tuple[str, ...], _Way] = {}
    found: dict[str, AlertStatus] = {}
    for key, alert in state.alerts.items():
        values = tuple([alert.labels.get(name, "") for name in names])
        way = ways.get(values)
        if way is None:
            way = ways[values] = _way(state.routing, alert.labels, now)
        found[key] = _alert_status(alert, way, holding, inhibitor, state.routing, now)
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """Where alerts go whose labels are the same to all routes, and why nothing is sent at this time."""

    receivers: tuple[str, ...]
    muted: tuple[str, ...]


def _way(routing: Routing, labels: Labels, now: int) -> _Way:
    routes = routing.routes(labels)
    reasons = [muted_route(route, routing, now) for route in routes]
    muted = tuple(reason for reason in reasons if reason) if all(reasons) else ()
    return _Way(tuple(dict.fromkeys(route.receiver for route in routes)), muted)


def _alert_status(
    alert: Alert, way: _Way, silences: Sequence[Silence], inhibitor: Inhibitor, routing: Routing, now: int
) -> AlertStatus:
    if alert.resolved(now):
        return AlertStatus("resolved", way.receivers)
    silenced = tuple(silence.id for silence in silencing(silences, alert.labels, now)) if silences else ()
    inhibited = next(
        (
            (inhibition.source.fingerprint,)
            for inhibition in inhibitor.inhibiting(alert)
            if inhibition.rule is not None or notified_of(inhibition.source, routing, now).issuperset(way.receivers)
        ),
        (),
    )
    quiet = bool(silenced or inhibited or way.muted)
    return AlertStatus("suppressed" if quiet else "active", way.receivers, silenced, inhibited, way.muted)


def _group_state_key(route: Route, labels: Labels) -> str:
    return f"{route.id}:{labels}"


def _put(before: AlertGroupState | None, after: AlertGroupState) -> PutGroup:
    held = set(before.fingerprints) if before else set()
    holds = set(after.fingerprints)
    said = before.verdicts if before else {}
    joined = tuple(item for item in after.fingerprints if item not in held)
    left = tuple(item for item in before.fingerprints if item not in holds) if before else ()
    changed = tuple(item for item in after.fingerprints if item in held and after.verdicts.get(item) != said.get(item))
    same = before is not None and _lasting(before) == _lasting(after)
    as_it_was = before is not None and same and _progress(before) == _progress(after)
    return PutGroup(after, joined, left, changed, as_it_was, same and not as_it_was)


PROGRESS: Final = ("flush_at", "flushed_at", "log", "urgent")
"""The fields of a group that change as time passes; the others say which group it is."""
_progress = attrgetter(*PROGRESS)
_lasting = attrgetter(
    *(item.name for item in fields(AlertGroupState) if item.name not in (*PROGRESS, "fingerprints", "verdicts"))
)


class _Work:
    """One step under way: mutable copies, and the effects so far."""

    def __init__(self, state: DispatchState, now: int) -> None:
        self.before = state
        self.routing = state.routing
        self.now = now
        self.alerts = dict(state.alerts)
        self.groups = dict(state.groups)
        self.effects: list[Effect] = []
        self.touched: set[str] = set()
        self.arrived: dict[str, list[Alert]] = {}
        self.over: set[str] = set()
        self.routes = {route.id: route for route in state.routing.route.walk()}

    def receive(self, incoming: Alert) -> None:
        fingerprint = incoming.fingerprint
        before = self.alerts.get(fingerprint)
        alert = merge(before, incoming, self.now, self.routing.resolve_timeout)
        if before is not None and was_held(alert) and alert.resolved(self.now) and not before.resolved(self.now):
            self.over.add(fingerprint)
        self.alerts[fingerprint] = alert
        self.touched.add(fingerprint)
        self.assign(alert)

    def assign(self, alert: Alert) -> None:
        """Find the groups of an alert's routes, for :meth:`join`; one that is over opens no group."""
        for route in self.routing.routes(alert.labels):
            labels = route.group_labels(alert.labels)
            key = _group_state_key(route, labels)
            group = self.groups.get(key)
            if group is None:
                if alert.resolved(self.now):
                    continue
                self.groups[key] = AlertGroupState(
                    key=key,
                    group_key=spell_group_key(route, labels),
                    route=route.id,
                    receiver=route.receiver,
                    labels=dict(labels),
                    created_at=self.now,
                    cause=alert.name,
                )
            self.arrived.setdefault(key, []).append(alert)

    def join(self) -> None:
        """Put what arrived into its groups, each group at once: a storm brings thousands to one."""
        for key, alerts in self.arrived.items():
            group = self.groups[key]
            route = self.routes[group.route]
            fingerprints = tuple(alert.fingerprint for alert in alerts)
            urgent = any(alert.urgent and not alert.resolved(self.now) for alert in alerts)
            over = not self.over.isdisjoint(fingerprints)
            event = groups.Inserted(fingerprints, min(alert.starts_at for alert in alerts), urgent, over)
            after, _ = groups.step(group, event, self.now, route)
            self.groups[key] = after
            joining = dict(zip(fingerprints, alerts, strict=True))
            for fingerprint in group.fingerprints:
                joining.pop(fingerprint, None)
            self.effects += [
                Record(self.grouped(alert, route, after)) for alert in joining.values() if not alert.resolved(self.now)
            ]
        self.arrived.clear()

    def grouped(self, alert: Alert, route: Route, group: AlertGroupState) -> LedgerEntry:
        wait = max(0, group.flush_at - self.now) / 1_000
        return LedgerEntry(
            id=0,
            at=self.now,
            fingerprint=alert.fingerprint,
            alertname=alert.name,
            receiver=route.receiver,
            verdict="grouped",
            reason=f"joined group {group.group_key}, which is looked at again in {wait:g} s",
            data={"route": route.id, "line": route.line, "group": group.key, "flush_at": group.flush_at},
        )

    def flush_due(self) -> None:
        due = sorted(
            (group for group in self.groups.values() if group.flush_at and group.flush_at <= self.now),
            key=lambda group: (group.flush_at, group.key),
        )
        if not due:
            return
        inhibitor = Inhibitor(self.routing.inhibit_rules, self.alerts.values(), self.now, self.routing.outages)
        for group in due:
            self.flush(group, inhibitor)

    def flush(self, group: AlertGroupState, inhibitor: Inhibitor) -> None:
        route = self.routes[group.route]
        if groups.early(group, self.now, route) and self.fires(group):
            self.groups[group.key] = groups.put_off(group, route)
            return
        started, _ = groups.step(group, groups.Due(), self.now, route)
        held = [self.alerts[item] for item in started.fingerprints if item in self.alerts]
        result = flush(
            started, route, self.routing, held, inhibitor=inhibitor, silences=self.before.silences, now=self.now
        )
        self.effects += [Notify(item) for item in result.notifications]
        self.effects += [Record(item) for item in result.news]
        lost = tuple(item for item in started.fingerprints if item not in self.alerts)
        event = groups.Flushed((*result.resolved, *lost), result.log, result.verdicts, result.urgent)
        after, effects = groups.step(started, event, self.now, route)
        self.touched.update(result.resolved)
        if effects:
            del self.groups[group.key]
        else:
            self.groups[group.key] = after

    def fires(self, group: AlertGroupState) -> bool:
        """Whether an alert of a group is not over."""
        known = (self.alerts.get(item) for item in group.fingerprints)
        return any(alert is not None and not alert.resolved(self.now) for alert in known)

    def reroute(self, routing: Routing) -> None:
        self.routing = routing
        self.routes = {route.id: route for route in routing.route.walk()}
        wanted: set[tuple[str, str]] = set()
        for alert in self.alerts.values():
            for route in routing.routes(alert.labels):
                wanted.add((_group_state_key(route, route.group_labels(alert.labels)), alert.fingerprint))
        stored, self.groups = self.groups, {}
        for group in sorted(stored.values(), key=lambda group: group.route not in self.routes):
            # A route's id counts its siblings: put one before it and it is another. What its receiver was notified of
            # about this group is still true, as long as matchers and labels are the same.
            for route in (self.routes.get(group.route), *self.routes.values()):
                key = _group_state_key(route, Labels(group.labels)) if route else ""
                left = tuple(item for item in group.fingerprints if (key, item) in wanted)
                notified = route and (route.receiver, spell_group_key(route, Labels(group.labels)))
                if route and left and notified == (group.receiver, group.group_key) and key not in self.groups:
                    moved = replace(group, key=key, route=route.id, fingerprints=left)
                    self.groups[key] = group if moved == group else moved
                    break
        for alert in self.alerts.values():
            self.assign(alert)
        self.join()
        self.touched.update(self.alerts)

    def forget_notified(self, order_key: str) -> None:
        for key, group in self.groups.items():
            kept = {name: item for name, item in group.log.items() if order_key_of(name, group) != order_key}
            if len(kept) < len(group.log):
                self.groups[key] = replace(group, log=kept)

    def set_back(self) -> None:
        for key, group in self.groups.items():
            route = self.routes.get(group.route)
            if route is not None:
                self.groups[key] = groups.on_the_clock_of(group, self.now, route)

    def finish(self) -> tuple[DispatchState, tuple[Effect, ...]]:
        stored: list[Effect] = []
        held = {item for group in self.groups.values() for item in group.fingerprints}
        for fingerprint in sorted(self.touched):
            alert = self.alerts.get(fingerprint)
            if alert is None:
                continue
            if alert.resolved(self.now) and fingerprint not in held:
                del self.alerts[fingerprint]
                if fingerprint in self.before.alerts:
                    stored.append(ForgetAlert(fingerprint))
            elif alert is not self.before.alerts.get(fingerprint):
                stored.append(PutAlert(alert))
        for key, group in self.groups.items():
            if group is not (before := self.before.groups.get(key)):
                stored.append(_put(before, group))
        stored += [DropGroup(key) for key in self.before.groups if key not in self.groups]
        state = DispatchState(self.routing, self.alerts, self.groups, self.before.silences)
        return state, (*stored, *self.effects)
