"""What happens to a group's alerts on their way to a receiver: one pure function.

The order is Alertmanager's: inhibition, active and mute times, silences, then for each integration
the decision whether a notification is needed. Every alert gets a ledger line that names what decided.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.alerting.inhibition import Inhibition, Inhibitor
from eldonia_ops.alerting.notification import Cause, LogEntry, decide
from eldonia_ops.alerting.notification_failed import failed_integration
from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.alerting.silence import silencing
from eldonia_ops.model.alerts import Alert, LedgerEntry, Silence


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification to render and send. ``alerts`` are firing and resolved, in the order to show.

    ``idempotency_key`` is the same if the same flush is computed again; rows of one ``order_key``
    must go out in order.
    """

    integration: Integration
    group_key: str
    group_labels: dict[str, str]
    alerts: tuple[Alert, ...]
    cause: Cause
    reason: str
    at: int
    idempotency_key: str
    order_key: str

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Of all alerts in the notification."""
        return tuple(alert.fingerprint for alert in self.alerts)

    @property
    def critical(self) -> bool:
        """Whether a critical alert is firing or was, for the patience of delivery."""
        return any(alert.urgent for alert in self.alerts)

    @property
    def about(self) -> str:
        """The name of the first of its alerts."""
        return self.alerts[0].name if self.alerts else ""


@dataclass(frozen=True, slots=True)
class FlushResult:
    """``news`` holds a ledger line for every alert and integration whose verdict changed, ``verdicts`` all of them."""

    notifications: tuple[Notification, ...]
    log: dict[str, LogEntry]
    news: tuple[LedgerEntry, ...]
    verdicts: dict[str, dict[str, str]]
    resolved: tuple[str, ...]
    urgent: bool


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Why an alert is not shown: a verdict for the ledger, with its reason."""

    verdict: str
    reason: str
    data: dict[str, Any]


def flush(
    group: AlertGroupState,
    route: Route,
    routing: Routing,
    alerts: Iterable[Alert],
    *,
    inhibitor: Inhibitor,
    silences: Sequence[Silence],
    now: int,
) -> FlushResult:
    """Decide what each integration of the group's receiver is sent at ``now``."""
    ordered = sorted(
        alerts, key=lambda item: (item.labels.get("job", ""), item.labels.get("instance", ""), item.labels.pairs)
    )
    quiet = {
        alert.fingerprint: quieted(alert, route, routing, inhibitor, silences=silences, now=now) for alert in ordered
    }
    receiver = routing.receivers.get(group.receiver)
    integrations = receiver.integrations if receiver else ()
    log = dict(group.log)
    verdicts = {fingerprint: dict(said) for fingerprint, said in group.verdicts.items()}
    notifications: list[Notification] = []
    news: list[LedgerEntry] = []

    ended = {alert.fingerprint for alert in ordered if alert.resolved(now)}

    def note(alert: Alert, integration_key: str, verdict: str, reason: str, data: dict[str, Any]) -> None:
        said = verdicts.setdefault(alert.fingerprint, {})
        if verdict == "sent" or said.get(integration_key) != verdict:
            facts = {
                "route": route.id,
                "group": group.key,
                "integration": integration_key,
                "state": "resolved" if alert.fingerprint in ended else "firing",
                **data,
            }
            news.append(LedgerEntry(0, now, alert.fingerprint, alert.name, group.receiver, verdict, reason, facts))
        said[integration_key] = verdict

    if not integrations:
        for alert in ordered:
            note(alert, "", "unrouted", f"receiver {group.receiver!r} has no integration", {})
    for integration in integrations:
        key = integration.key
        entry = log.get(key)
        notified = set(entry.firing) if entry else set()
        visible: list[Alert] = []
        for alert in ordered:
            if failed_integration(alert.labels) == key:
                note(alert, key, "unrouted", "it says that this very integration takes no messages", {})
                continue
            suppression = quiet[alert.fingerprint]
            # A receiver that was notified of an alert is notified of its end, whatever suppresses it by now.
            if suppression is None or (alert.resolved(now) and alert.fingerprint in notified):
                visible.append(alert)
            else:
                note(alert, key, suppression.verdict, suppression.reason, suppression.data)
        if not visible:
            continue
        firing = tuple(alert.fingerprint for alert in visible if not alert.resolved(now))
        resolved = tuple(alert.fingerprint for alert in visible if alert.resolved(now))
        send_resolved = integration.config.send_resolved
        decision = decide(
            entry, firing, resolved, send_resolved=send_resolved, repeat_interval=route.repeat_interval, now=now
        )
        shown = tuple(alert for alert in visible if send_resolved or not alert.resolved(now))
        if decision.notify:
            log[key] = LogEntry(firing, resolved, now)
        if decision.notify and shown:
            notifications.append(_notification(integration, group, shown, decision.cause, decision.reason, now=now))
        for alert in visible:
            data: dict[str, Any] = {"cause": decision.cause.value}
            if not decision.notify:
                note(alert, key, "deduplicated", decision.reason, data)
            elif alert.resolved(now) and not send_resolved:
                note(alert, key, "deduplicated", "the integration does not send resolved alerts", data)
            else:
                data["notification"] = notifications[-1].idempotency_key
                note(alert, key, "sent", decision.reason, data)
    gone = tuple(alert.fingerprint for alert in ordered if alert.fingerprint in ended)
    urgent = any(alert.urgent for alert in ordered if alert.fingerprint not in ended)
    return FlushResult(tuple(notifications), log, tuple(news), verdicts, gone, urgent)


def quieted(
    alert: Alert, route: Route, routing: Routing, inhibitor: Inhibitor, *, silences: Sequence[Silence], now: int
) -> Suppressed | None:
    """What keeps an alert of a route from its receiver at ``now``, or None."""
    for inhibition in inhibitor.inhibiting(alert):
        # Of an alert that was sent before another one took over, the end is sent too.
        if inhibition.rule is None and (
            alert.resolved(now) or route.receiver not in notified_of(inhibition.source, routing, now)
        ):
            continue
        return _inhibited(inhibition)
    suppression = muted_route(route, routing, now)
    if suppression:
        return Suppressed("muted", suppression, {})
    holding = silencing(silences, alert.labels, now)
    if holding:
        first = holding[0]
        reason = f"silence {first.id} by {first.created_by}: {first.comment}"
        return Suppressed("silenced", reason, {"silences": [item.id for item in holding], "until": first.ends_at})
    return None


def _inhibited(inhibition: Inhibition) -> Suppressed:
    source, rule = inhibition.source, inhibition.rule
    named = source.name or str(source.labels)
    if rule is None:
        reason = f"of the outage that {named} is sent for: {inhibition.reason}"
        return Suppressed("inhibited", reason, {"inhibited_by": source.fingerprint})
    reason = f"inhibited by {named} under " + (
        f"rule {rule.name!r}" if rule.name else f"the inhibit rule at line {rule.line}"
    )
    reason += f" ({inhibition.reason})" if inhibition.reason else ""
    return Suppressed("inhibited", reason, {"inhibited_by": source.fingerprint, "line": rule.line})


def notified_of(alert: Alert, routing: Routing, now: int) -> frozenset[str]:
    """The receivers that an alert's routes lead to at this time."""
    return frozenset(route.receiver for route in routing.routes(alert.labels) if not muted_route(route, routing, now))


def muted_route(route: Route, routing: Routing, now: int) -> str:
    """Why a route is quiet at this time of day, week or year; '' when it is not."""
    if route.active_time_intervals and not any(
        routing.time_intervals[name].contains(now) for name in route.active_time_intervals
    ):
        return f"outside of the route's active times ({', '.join(route.active_time_intervals)})"
    for name in route.mute_time_intervals:
        if routing.time_intervals[name].contains(now):
            return f"within the route's mute time {name}"
    return ""


def _notification(
    integration: Integration, group: AlertGroupState, alerts: tuple[Alert, ...], cause: Cause, reason: str, *, now: int
) -> Notification:
    identity = f"{group.key}\0{integration.key}\0{now}"
    return Notification(
        integration=integration,
        group_key=group.group_key,
        group_labels=dict(group.labels),
        alerts=alerts,
        cause=cause,
        reason=reason,
        at=now,
        idempotency_key=hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32],
        order_key=order_key_of(integration.key, group),
    )


def order_key_of(integration_key: str, group: AlertGroupState) -> str:
    """The outbox queue of one group's notifications to one integration."""
    return f"{integration_key}:{group.group_key}"
