"""What the native API answers with, where the model's own dataclasses would not do.

Instants are Unix milliseconds, ``*Ns`` are decimal strings of Unix nanoseconds. Field names are the
model's; log records and spans have camelCase names, as in the seed.
"""

from typing import Any

import msgspec

from eldonia_ops.model.alerts import Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.labels import Labels
from eldonia_ops.services.api import (
    AlertView,
    GroupView,
    IntegrationView,
    MessageFacts,
    RuleGroupView,
    RuleView,
)
from eldonia_ops.web.encoding import number


class AlertShape(msgspec.Struct):
    """An alert as people see it; ``state`` is pending, firing, suppressed or resolved."""

    fingerprint: str
    name: str
    state: str
    labels: Labels
    annotations: Labels
    starts_at: int
    ends_at: int
    updated_at: int
    generator_url: str
    source: str
    evidence: dict[str, Any]
    receivers: tuple[str, ...]
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    muted_by: tuple[str, ...]
    incident_id: str
    incident_reference: str
    value: float | str | None


def alert_shape(view: AlertView) -> AlertShape:
    """An alert with its fingerprint and name spelled out."""
    alert = view.alert
    return AlertShape(
        alert.fingerprint,
        alert.name,
        view.state,
        alert.labels,
        alert.annotations,
        alert.starts_at,
        alert.ends_at,
        alert.updated_at,
        alert.generator_url,
        alert.source,
        alert.evidence,
        view.receivers,
        view.silenced_by,
        view.inhibited_by,
        view.muted_by,
        view.incident_id,
        view.incident_reference,
        None if view.value is None else number(view.value),
    )


class IntegrationShape(msgspec.Struct):
    """One way in which a receiver is notified; ``obstacle`` says why it delivers nothing, '' if it can. ``title`` is
    what its kind is called."""

    receiver: str
    kind: str
    index: int
    obstacle: str
    title: str


def integration_shape(view: IntegrationView) -> IntegrationShape:
    """An integration as it is configured."""
    return IntegrationShape(view.receiver, view.kind, view.index, view.obstacle, view.title)


class NotificationShape(msgspec.Struct):
    """One message of the outbox. ``integration`` is its kind, ``title`` what that is called, and ``subject`` what the
    message is about ('' when it does not say). Instants are Unix ms, 0 for none."""

    id: int
    idempotency_key: str
    receiver: str
    integration: str
    index: int
    order_key: str
    payload: dict[str, Any]
    purpose: str
    incident_ids: tuple[str, ...]
    fingerprints: tuple[str, ...]
    created_at: int
    status: OutgoingStatus
    attempts: int
    next_attempt_at: int
    finished_at: int
    last_error: str
    urgent: bool
    cause: str
    title: str
    subject: str


def notification_shape(row: Outgoing, facts: MessageFacts) -> NotificationShape:
    """A row of the outbox with what its notifier says of it."""
    values = {name: getattr(row, name) for name in NotificationShape.__struct_fields__ if hasattr(row, name)}
    return NotificationShape(**values, title=facts.title, subject=facts.subject)


class AlertGroupShape(msgspec.Struct):
    """The alerts that go out together to one receiver."""

    labels: Labels
    receiver: str
    alerts: list[AlertShape]


def group_shape(view: GroupView) -> AlertGroupShape:
    """One aggregation group."""
    return AlertGroupShape(view.labels, view.receiver, [alert_shape(alert) for alert in view.alerts])


class RuleShape(msgspec.Struct):
    """The present state of one rule; durations are seconds. With ``logs`` the query is a search of logs."""

    name: str
    type: str
    query: str
    duration_seconds: float
    keep_firing_for_seconds: float
    labels: Labels
    annotations: Labels
    state: str
    health: str
    last_error: str
    evaluation_time_seconds: float
    last_evaluation_at: int
    alerts: list[AlertShape]
    comment: str
    logs: bool


class RuleGroupShape(msgspec.Struct):
    """One rule group with its rules."""

    name: str
    file: str
    interval_seconds: float
    evaluation_time_seconds: float
    last_evaluation_at: int
    rules: list[RuleShape]


def rule_group_shape(view: RuleGroupView) -> RuleGroupShape:
    """One rule group."""
    return RuleGroupShape(
        view.name,
        view.file,
        view.interval_seconds,
        view.evaluation_time_seconds,
        view.last_evaluation_at,
        [_rule_shape(rule) for rule in view.rules],
    )


def _rule_shape(rule: RuleView) -> RuleShape:
    return RuleShape(
        rule.name,
        rule.type,
        rule.query,
        rule.duration_seconds,
        rule.keep_firing_for_seconds,
        rule.labels,
        rule.annotations,
        rule.state,
        rule.health,
        rule.last_error,
        rule.evaluation_time_seconds,
        rule.last_evaluation_at,
        [alert_shape(alert) for alert in rule.alerts],
        rule.comment,
        rule.logs,
    )


class MatcherShape(msgspec.Struct):
    """One condition on one label; ``op`` is ``=``, ``!=``, ``=~`` or ``!~``."""

    name: str
    op: str
    value: str


class SilenceShape(msgspec.Struct):
    """A silence; ``state`` is ``active``, ``pending`` or ``expired``."""

    id: str
    matchers: list[MatcherShape]
    starts_at: int
    ends_at: int
    created_by: str
    comment: str
    updated_at: int
    state: str


def silence_state(silence: Silence, now: int) -> str:
    """Alertmanager's three states."""
    if silence.ends_at <= now:
        return "expired"
    return "active" if silence.starts_at <= now else "pending"


def silence_shape(silence: Silence, now: int) -> SilenceShape:
    """The state of a silence at ``now``."""
    return SilenceShape(
        silence.id,
        [MatcherShape(matcher.name, matcher.op.value, matcher.value) for matcher in silence.matchers],
        silence.starts_at,
        silence.ends_at,
        silence.created_by,
        silence.comment,
        silence.updated_at,
        silence_state(silence, now),
    )


class ExpiredShape(msgspec.Struct):
    """The id of the silence that was ended."""

    expired: str


class RetriedShape(msgspec.Struct):
    """The id of the notification that is tried again."""

    retried: int
