"""Spans as OTLP/JSON (opentelemetry-proto 1.x: ids in hex, 64-bit integers as strings, lowerCamelCase)."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from eldonia_telemetry import dropped_data, otlp, values
from eldonia_telemetry.redact import REDACTED, is_sensitive, redact_text
from eldonia_telemetry.traces.span import Span

_encoder = msgspec.json.Encoder()
_SCOPE: Final = b"eldonia-telemetry"
_TAIL: Final = b"]}]}]}"

Pieces = tuple[bytes, ...]
"""An encoded span. Most of it is the same in many spans, and is only copied when it is sent."""
_BARE: Final = 512
"""Bytes of a span without attributes."""
_VALUE: Final = 64
_LOOKED_AT: Final = 1024
"""Values of one span that are looked at to weigh it."""
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


def encode(spans: Iterable[Span | Pieces], resource: Mapping[str, Any], *, redact: bool = True) -> bytes:
    """An ``ExportTraceServiceRequest``. A span may be encoded already, in pieces.

    Text that UTF-8 cannot express is repaired; a span that cannot be expressed is counted and left out.
    """
    head = b'{"resourceSpans":[{"resource":{"attributes":[%b]},"scopeSpans":[{"scope":{"name":"%b"},"spans":[' % (
        attributes(resource, redact=redact),
        _SCOPE,
    )
    rows = [
        row for row in (b"".join(span) if type(span) is tuple else _row(span, redact) for span in spans) if row
    ] or [b""]
    rows[0] = head + rows[0]  # batches are large: they are copied once
    rows[-1] += _TAIL
    return b",".join(rows)


def weight(span: Span | Pieces) -> int:
    """Roughly the bytes that a span holds in memory; never raises. Pieces that many spans share count for nothing."""
    if type(span) is tuple:
        return _BARE + len(span[0])
    if not isinstance(span, Span) or not (span.attributes or span.events):
        return _BARE
    size, left = _BARE, _LOOKED_AT
    waiting: list[Any] = [span.attributes, *(attributes for _, _, attributes in span.events)]
    while waiting:
        value = waiting.pop()
        kind: type[Any] = type(value)
        if kind is str or kind is bytes:
            size += len(value)
            continue
        size += _VALUE
        if kind in {dict, list, tuple} and left > 0:
            items = list(value.values()) if kind is dict else value
            size += _VALUE * len(items)
            waiting += items[:left]
            left -= len(items)
    return size


def attributes(given: Mapping[str, Any], *, redact: bool = True) -> bytes:
    """A list of ``KeyValue`` without its brackets."""
    return b",".join(map(_encode, _attributes(given, redact)))


def _row(span: Any, redact: bool) -> bytes:
    try:
        return _encode(_span(span, redact))
    except Exception as error:  # noqa: BLE001  one span must not take its batch with it
        dropped_data.count("span", "cannot be expressed", error)
        return b""


def _encode(value: Any) -> bytes:
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(values.encodable(msgspec.to_builtins(value)))


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
        elif kind is int and 0 <= value < _SMALL and type(name) is str and not is_sensitive(name):
            rows.append(_KeyValue(name, _Integer(str(value))))
        elif value is not None:
            for key, clean in values.fields({name: value}, redact=redact).items():
                if clean is not None:
                    rows.append(_KeyValue(key, otlp.any_value(clean)))
    return rows
