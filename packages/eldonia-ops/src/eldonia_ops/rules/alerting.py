"""Alerting rules: inactive → pending → firing → resolved.

The lifecycle is Prometheus' (rules/alerting.go): a series of the result is an alert; it is pending
until it has been there for ``for``, then firing; once the series is gone a pending alert is forgotten and a
firing one is resolved, after ``keep_firing_for``. Resolved alerts are kept and sent for 15 minutes.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.samples import Sample
from eldonia_ops.promql.printer import format_number
from eldonia_ops.rules.groups import AlertingRule
from eldonia_ops.rules.rendering import Render
from eldonia_ops.rules.state import ActiveAlert, AlertState, RuleHealth, RuleState

RESOLVED_RETENTION_MS: Final = 15 * 60_000
RESEND_DELAY_MS: Final = 60_000
OUTAGE_TOLERANCE_MS: Final = 3_600_000
"""Pending alerts older than this at a restart start anew."""

ALERT_NAME: Final = "alertname"


class RuleError(ValueError):
    """An evaluation whose result cannot be used; the rule's state stays as it was."""


def step(
    rule: AlertingRule,
    state: RuleState,
    vector: Sequence[tuple[Labels, float]],
    now: int,
    *,
    render: Render,
    limit: int = 0,
) -> RuleState:
    """Take one evaluation's result into account.

    ``vector`` is what the expression yielded, ``now`` the evaluation time (Unix milliseconds).

    Raises:
        RuleError: two series become one alert, or there are more alerts than ``limit``.
    """
    found = _alerts(rule, vector, now, render)
    active: dict[str, ActiveAlert] = {}
    count = 0
    for fingerprint in [*state.alerts, *(key for key in found if key not in state.alerts)]:
        known, new = state.alerts.get(fingerprint), found.get(fingerprint)
        if new is None:
            assert known is not None
            gone = _without_series(rule, known, now)
            if gone is not None:
                count += gone.state is not AlertState.INACTIVE
                active[fingerprint] = gone
            continue
        count += 1
        if known is not None and known.state is not AlertState.INACTIVE:
            alert = replace(known, value=new.value, annotations=new.annotations, keep_since=0)
        else:
            alert = new
        if alert.state is AlertState.PENDING and now - alert.active_at >= rule.for_ms:
            alert = replace(alert, state=AlertState.FIRING, fired_at=now)
        active[fingerprint] = alert
    if limit and count > limit:
        raise RuleError(f"exceeded limit of {limit} with {count} alerts")
    return RuleState(active, RuleHealth.OK, "", now)


def _alerts(
    rule: AlertingRule, vector: Sequence[tuple[Labels, float]], now: int, render: Render
) -> dict[str, ActiveAlert]:
    found: dict[str, ActiveAlert] = {}
    for series, value in vector:
        labels = dict(series.without((METRIC_NAME,)))
        labels.update({name: render(text, series, value) for name, text in rule.labels.items()})
        labels[ALERT_NAME] = rule.alert
        identity = Labels(labels)
        if identity.fingerprint_hex in found:
            raise RuleError(f"vector contains metrics with the same labelset after applying alert labels: {identity}")
        annotations = {name: render(text, series, value) for name, text in rule.annotations.items()}
        text = format_number(value)
        found[identity.fingerprint_hex] = ActiveAlert(dict(identity), annotations, AlertState.PENDING, now, text, text)
    return found


def _without_series(rule: AlertingRule, alert: ActiveAlert, now: int) -> ActiveAlert | None:
    """An alert whose series is gone; None to forget it."""
    if alert.state is AlertState.PENDING:
        return None
    if alert.state is AlertState.INACTIVE:
        return None if now - alert.resolved_at > RESOLVED_RETENTION_MS else alert
    if rule.keep_firing_for_ms > 0:
        since = alert.keep_since or now
        if now - since < rule.keep_firing_for_ms:
            return replace(alert, keep_since=since)
    return replace(alert, state=AlertState.INACTIVE, resolved_at=now)


def to_send(
    rule: AlertingRule,
    state: RuleState,
    now: int,
    *,
    interval_ms: int,
    resend_delay_ms: int = RESEND_DELAY_MS,
    generator_url: str = "",
) -> tuple[RuleState, tuple[Alert, ...]]:
    """The alerts to hand to the router now, and the state that remembers having done so.

    Firing alerts go out when new, when their condition has ended (``keep_firing_for`` holds them), when resolved, and
    again every ``resend_delay_ms``. One that was held ended when its condition did. While firing, ``ends_at``
    is four intervals (or resend delays, if longer) ahead: if we fall silent the router lets it end.
    """
    alerts: list[Alert] = []
    changed = dict(state.alerts)
    for fingerprint, alert in state.alerts.items():
        if alert.state is AlertState.PENDING:
            continue
        unsent = max(alert.resolved_at, alert.keep_since) > alert.last_sent_at
        if not unsent and alert.last_sent_at + resend_delay_ms >= now and alert.last_sent_at:
            continue
        sent = replace(alert, last_sent_at=now, valid_until=now + 4 * max(interval_ms, resend_delay_ms))
        changed[fingerprint] = sent
        alerts.append(
            Alert(
                sent.label_set,
                Labels(sent.annotations),
                sent.fired_at,
                (sent.keep_since or sent.resolved_at) if sent.resolved_at else sent.valid_until,
                now,
                generator_url,
                "rule",
                _evidence(rule, sent),
            )
        )
    return replace(state, alerts=changed), tuple(alerts)


def _evidence(rule: AlertingRule, alert: ActiveAlert) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "expression" if rule.logs is None else "logs": rule.query,
        "value": alert.number if math.isfinite(alert.number) else alert.value,
        "crossed_value": alert.crossed_value,
        "active_at": alert.active_at,
        "fired_at": alert.fired_at,
        "for_ms": rule.for_ms,
    }
    if rule.file:
        facts["rule"] = f"{rule.file}:{rule.line}"
    if alert.keep_since:
        facts["recovered_at"] = alert.keep_since
        facts["held_until"] = alert.keep_since + rule.keep_firing_for_ms
    if alert.resolved_at:
        facts["resolved_at"] = alert.resolved_at
    return facts


def samples(rule: AlertingRule, state: RuleState, now: int) -> list[Sample]:
    """The ``ALERTS`` and ``ALERTS_FOR_STATE`` samples of pending and firing alerts."""
    found: list[Sample] = []
    for alert in state.alerts.values():
        if alert.state is AlertState.INACTIVE:
            continue
        labels = {**alert.labels, METRIC_NAME: "ALERTS", "alertstate": alert.state.value}
        found.append(Sample(Labels(labels), now, 1.0))
        labels = {**alert.labels, METRIC_NAME: "ALERTS_FOR_STATE"}
        found.append(Sample(Labels(labels), now, float(alert.active_at // 1000)))
    return found


def resume(rule: AlertingRule, state: RuleState, now: int, *, interval_ms: int) -> RuleState:
    """The state after a restart: time without evaluation does not count towards ``for``.

    Firing alerts stay firing. Pending ones keep what they had waited; after an hour's outage they start anew.
    """
    gap = now - state.last_evaluation_at - interval_ms
    if not state.last_evaluation_at or gap <= 0 or not rule.for_ms:
        return state
    alerts: dict[str, ActiveAlert] = {}
    for fingerprint, alert in state.alerts.items():
        if alert.state is not AlertState.PENDING:
            alerts[fingerprint] = alert
        elif gap <= OUTAGE_TOLERANCE_MS:
            alerts[fingerprint] = replace(alert, active_at=alert.active_at + gap)
    return replace(state, alerts=alerts)
