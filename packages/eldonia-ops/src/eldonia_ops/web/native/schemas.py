"""What the native API answers with, where the model's own dataclasses would not do.

Instants are Unix milliseconds, ``*Ns`` are decimal strings of Unix nanoseconds. Field names are the
model's; log records and spans have camelCase names, as in the seed.
"""

from typing import Any

import msgspec

from eldonia_ops.access import Capability, permits
from eldonia_ops.incidents.timeline import category
from eldonia_ops.model.access import Role, Token
from eldonia_ops.model.alerts import Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.incidents import Incident, TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import TraceSummary
from eldonia_ops.services.api import (
    AlertView,
    GroupView,
    IntegrationView,
    MessageFacts,
    QueryResult,
    RuleGroupView,
    RuleView,
)
from eldonia_ops.web.encoding import number


class SeriesShape(msgspec.Struct):
    """``points`` are ``[Unix ms, value]``; values that JSON has no number for are ``"NaN"``, ``"+Inf"``, ``"-Inf"``."""

    labels: dict[str, str]
    points: list[tuple[int, float | str]]


class QueryShape(msgspec.Struct):
    """The answer to a PromQL query."""

    type: str
    series: list[SeriesShape]
    text: str
    warnings: tuple[str, ...]
    infos: tuple[str, ...] = ()


def query_shape(result: QueryResult) -> QueryShape:
    """A query's result."""
    series = [
        SeriesShape(dict(one.labels.pairs), [(at, number(float(value))) for at, value in one.points])
        for one in result.series
    ]
    return QueryShape(result.type, series, result.text, result.warnings, result.infos)


class LogPageShape(msgspec.Struct):
    """Records newest first, each with a ``cursor`` for ``before`` (older) and ``after`` (newer)."""

    records: list[dict[str, Any]]
    more: bool


def log_shape(record: LogRecord) -> dict[str, Any]:
    """One record: the seed's fields plus ``timestampNs`` (string), ``id`` (string) and ``cursor``."""
    plain = msgspec.to_builtins(record, str_keys=True)
    return plain | {
        "timestampNs": str(record.timestamp_ns),
        "level": record.level.value,
        "id": str(record.id),
        "cursor": f"{record.timestamp_ns}-{record.id}",
    }


class HistogramShape(msgspec.Struct):
    """Counts per level: ``starts`` (Unix ms) has one entry a bucket, ``counts[level]`` as many counts."""

    starts: list[float]
    width_ms: float
    counts: dict[str, list[int]]
    total: int


class TraceShape(msgspec.Struct):
    """One line of the trace list."""

    trace_id: str
    root: str
    service: str
    start_ns: str
    duration_ns: int
    spans: int
    errors: int
    services: tuple[str, ...]


def trace_shape(summary: TraceSummary) -> TraceShape:
    """A summary with its start as a string."""
    return TraceShape(
        summary.trace_id,
        summary.root,
        summary.service,
        str(summary.start_ns),
        summary.duration_ns,
        summary.spans,
        summary.errors,
        summary.services,
    )


class SpanShape(msgspec.Struct):
    """One span; ``offset_ns`` counts from the start of the trace."""

    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    name: str
    kind: str
    start_ns: str
    offset_ns: int
    duration_ns: int
    status: str
    status_message: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: list[dict[str, Any]]
    links: list[dict[str, Any]]
    scope: str


def span_shapes(spans: list[Span]) -> list[SpanShape]:
    """The spans of one trace, by start."""
    first = min((span.start_ns for span in spans), default=0)
    return [
        SpanShape(
            span.trace_id,
            span.span_id,
            span.parent_span_id,
            span.service,
            span.name,
            span.kind.value,
            str(span.start_ns),
            span.start_ns - first,
            max(0, span.end_ns - span.start_ns),
            span.status.value,
            span.status_message,
            span.attributes,
            span.resource,
            [
                {
                    "name": event.name,
                    "timestamp_ns": str(event.timestamp_ns),
                    "offset_ns": event.timestamp_ns - first,
                    "attributes": event.attributes,
                }
                for event in span.events
            ],
            [
                {"trace_id": link.trace_id, "span_id": link.span_id, "attributes": link.attributes}
                for link in span.links
            ],
            span.scope,
        )
        for span in sorted(spans, key=lambda one: one.start_ns)
    ]


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
    """One rule as it stands; durations are seconds."""

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
    """A silence as it stands at ``now``."""
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


def incident_shape(incident: Incident) -> dict[str, Any]:
    """An incident's fields plus ``reference``; the saved postmortem's text is left to its own address."""
    plain = msgspec.to_builtins(incident)
    plain["has_postmortem"] = bool(plain.pop("postmortem"))
    return plain | {"reference": incident.reference}


class TimelineShape(msgspec.Struct):
    """One event, with its sentence in the reader's language and the category that its icon goes by."""

    id: int
    at: int
    kind: str
    category: str
    actor: str
    text: str
    data: dict[str, Any]


def timeline_shape(entry: TimelineEntry, text: str) -> TimelineShape:
    """One event."""
    return TimelineShape(entry.id, entry.at, entry.kind, category(entry.kind).value, entry.actor, text, entry.data)


class IncidentShape(msgspec.Struct):
    """An incident with its timeline, oldest first."""

    incident: dict[str, Any]
    timeline: list[TimelineShape]


class TokenShape(msgspec.Struct):
    """A token without anything that would help to use it."""

    id: str
    name: str
    role: Role
    created_at: int
    last_used_at: int
    revoked_at: int
    expires_at: int
    live: bool


def token_shape(token: Token, now: int) -> TokenShape:
    """A token without its digest; ``live`` says whether it opens anything at ``now`` (Unix ms)."""
    return TokenShape(
        token.id,
        token.name,
        token.role,
        token.created_at,
        token.last_used_at,
        token.revoked_at,
        token.expires_at,
        token.live(now),
    )


class NewTokenShape(msgspec.Struct):
    """A token and its secret, which is shown this once."""

    token: TokenShape
    secret: str


class MeShape(msgspec.Struct):
    """Who the caller is."""

    name: str
    role: Role
    capabilities: list[str]
    via: str
    language: str


def me_shape(token: Token, via: str, language: str) -> MeShape:
    """The caller's name, role and what the role permits."""
    able = [capability.value for capability in Capability if permits(token.role, capability)]
    return MeShape(token.name, token.role, able, via, language)
