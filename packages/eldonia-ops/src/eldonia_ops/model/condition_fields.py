"""Which fields of log records and spans conditions may name beside the attributes, and whether conditions hold.

A name of which no part is quoted means one of these fields when there is one; in quotes it always means an attribute.
Texts that are empty, and measurements that are 0, are missing: a record does not say whether it had them. The source of
a line of a file is the name of the file, without what tells it from others of the name.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eldonia_ops.model.conditions import Condition, FieldName, value_at
from eldonia_ops.model.logs import CONTEXT_FIELDS, LogRecord, source_name
from eldonia_ops.model.spans import Span


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


LOG_OWN_TEXTS: Final = ("message", "level", *CONTEXT_FIELDS, "source", "parse_error", "pattern", "tag")
"""Text fields that every record has."""

LOG_DERIVED: Final = frozenset({"pattern"})
"""Those of them that the platform finds out: a key of a document that is called so is an attribute."""

LOG_TEXTS: Final[Mapping[str, str]] = {name: name for name in LOG_OWN_TEXTS} | {
    _camel(name): name for name in LOG_OWN_TEXTS
}
"""Text fields of a record by the names that conditions may use: ``user_id`` and ``userId``."""

LOG_ERRORS: Final[Mapping[str, str]] = {f"error.{name}": name for name in ("name", "message", "stack", "code")}
"""Texts of a record's error."""

LOG_MEASUREMENTS: Final[Mapping[str, str]] = {
    f"performance.{_camel(name)}": name for name in ("duration", "memory_usage", "cpu_usage")
}
"""Numbers of a record's performance: milliseconds, bytes, milliseconds."""

LOG_ATTRIBUTES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("user.id", "enduser.id"), "user_id"),
    "session.id": "session_id",
    **dict.fromkeys(("http.request.id", "request.id"), "request_id"),
    **dict.fromkeys(("client.address", "source.address", "http.client_ip"), "ip_address"),
    **dict.fromkeys(("user_agent.original", "http.user_agent"), "user_agent"),
    **dict.fromkeys(("service.name", "app", "application"), "service"),
    "logger": "component",
    "action": "operation",
    **dict.fromkeys(("host.name", "host"), "hostname"),
    **dict.fromkeys(("deployment.environment.name", "deployment.environment"), "environment"),
    "exception.type": "error.name",
    "exception.message": "error.message",
    "exception.stacktrace": "error.stack",
}
"""Attributes that became fields of a record when it was read, by OpenTelemetry's names and by names that are common in
programs. A record that still has such an attribute is compared by that."""

EVENT: Final = "event"
"""The first step of names that mean events of a span: ``event.name``, and attributes as ``event.exception.type``."""

SPAN_TEXTS: Final = ("service", "name", "kind", "status")
SPAN_DURATION: Final = "duration_ms"


def log_value(record: LogRecord, name: FieldName) -> Any:
    """What a record holds for a field; None when it is missing."""
    if name.column:
        found = value_at(record.metadata, name)
        return found if found is not None else str(getattr(record, LOG_TEXTS[name.column])) or None
    if not name.exact:
        plain = name.name
        if own := LOG_TEXTS.get(plain):
            text = str(getattr(record, own))
            return (source_name(text) if own == "source" else text) or None
        if own := LOG_ERRORS.get(plain):
            return (getattr(record.error, own) if record.error else None) or None
        if own := LOG_MEASUREMENTS.get(plain):
            return (getattr(record.performance, own) if record.performance else None) or None
        if field := LOG_ATTRIBUTES.get(plain):
            found = value_at(record.metadata, name)
            return found if found is not None else log_value(record, FieldName(tuple(field.split("."))))
    return value_at(record.metadata, name)


def in_events(name: FieldName) -> bool:
    """Whether a name means events of a span."""
    return not name.exact and len(name.segments) > 1 and name.segments[0] == EVENT


def span_values(span: Span, name: FieldName) -> list[Any]:
    """What a span, its resource, or each of its events holds for a field; None where it is missing."""
    if in_events(name):
        key = FieldName(name.segments[1:])
        if key.name == "name":
            return [event.name or None for event in span.events]
        return [value_at(event.attributes, key) for event in span.events]
    if not name.exact:
        plain = name.name
        if plain in SPAN_TEXTS:
            return [str(getattr(span, plain)) or None]
        if plain == SPAN_DURATION:
            return [max(0, span.end_ns - span.start_ns) / 1e6]
    return [value_at({**span.resource, **span.attributes}, name)]


def record_satisfies(record: LogRecord, conditions: Sequence[Condition]) -> bool:
    """Whether every condition holds for a record."""
    return all(condition.holds(log_value(record, condition.name)) for condition in conditions)


def span_satisfies(span: Span, conditions: Sequence[Condition]) -> bool:
    """Whether every condition holds for a span."""
    return all(condition.holds_for_any(span_values(span, condition.name)) for condition in conditions)
