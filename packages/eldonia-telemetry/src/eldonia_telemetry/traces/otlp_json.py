"""Spans as OTLP/JSON (opentelemetry-proto 1.x: ids in hex, 64-bit integers as strings, lowerCamelCase)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from eldonia_telemetry import losses, otlp, values
from eldonia_telemetry.redact import REDACTED, is_sensitive, redact_text
from eldonia_telemetry.traces.span import Span

_encoder = msgspec.json.Encoder()
_SCOPE = {"name": "eldonia-telemetry"}
_SMALL: Final = 1_000_000_000_000
"""Shorter than any card number."""
_HARMLESS: Final = frozenset(
    {
        *("http.request.method", "http.route", "http.request.id", "url.scheme", "client.address", "server.address"),
        *("db.system.name", "db.operation.name"),
    }
)


# Structs that the garbage collector need not look at: a batch has thousands.
class _String(msgspec.Struct, rename="camel", gc=False):
    string_value: str


class _Integer(msgspec.Struct, rename="camel", gc=False):
    int_value: str


class _KeyValue(msgspec.Struct, gc=False):
    key: str
    value: Any


class _Row(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    trace_id: str
    span_id: str
    name: str
    kind: int
    start_time_unix_nano: str
    end_time_unix_nano: str
    flags: int = -1
    parent_span_id: str = ""
    trace_state: str = ""
    attributes: list[_KeyValue] = []
    events: list[dict[str, Any]] = []
    status: dict[str, Any] = {}


def encode(spans: Iterable[Span], resource: Mapping[str, Any], *, redact: bool = True) -> bytes:
    """An ``ExportTraceServiceRequest``. Spans that cannot be expressed are repaired, else left out and counted."""
    rows = [row for span in spans if (row := _whole(span, redact)) is not None]
    document = {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource, redact)},
                "scopeSpans": [{"scope": _SCOPE, "spans": rows}],
            }
        ]
    }
    try:
        return _encoder.encode(document)
    except UnicodeEncodeError:
        return _encoder.encode(values.encodable(msgspec.to_builtins(document)))


def _whole(span: Span, redact: bool) -> _Row | None:
    try:
        return _span(span, redact)
    except Exception as error:  # noqa: BLE001  one span must not take its batch with it
        losses.count("span", "cannot be expressed", error)
        return None


def _span(span: Span, redact: bool) -> _Row:
    context = span.context
    row = _Row(
        context.trace_id,
        context.span_id,
        values.text(span.name, redact=redact),
        int(span.kind),
        str(span.start_ns),
        str(span.end_ns),
        1 if context.sampled else 0,
        span.parent_span_id,
        context.tracestate,
        _attributes(span.attributes, redact),
    )
    if span.events:
        row.events = [
            {
                "timeUnixNano": str(at),
                "name": values.text(name, redact=redact),
                "attributes": _attributes(attributes, redact),
            }
            for at, name, attributes in span.events
        ]
    if span.status:
        row.status = {"code": span.status}
        if span.status_message:
            row.status["message"] = values.text(span.status_message, redact=redact)
    return row


def _attributes(attributes: Mapping[str, Any], redact: bool) -> list[_KeyValue]:
    rows: list[_KeyValue] = []
    for name, value in attributes.items():
        kind: type[Any] = type(value)
        # What nearly all attributes are, without detours; anything else is made fit first.
        if kind is str and len(value) <= values.MAX_TEXT and type(name) is str:
            if redact and name not in _HARMLESS:
                value = REDACTED if is_sensitive(name) else redact_text(value)
            rows.append(_KeyValue(name, _String(value)))
        elif kind is int and 0 <= value < _SMALL and not is_sensitive(name):
            rows.append(_KeyValue(name, _Integer(str(value))))
        elif value is not None:
            for key, clean in values.fields({name: value}, redact=redact).items():
                if clean is not None:
                    rows.append(_KeyValue(key, otlp.any_value(clean)))
    return rows
