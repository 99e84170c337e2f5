"""Spans as OTLP/JSON (opentelemetry-proto 1.x: ids in hex, 64-bit integers as strings, lowerCamelCase)."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from eldonia_telemetry import values
from eldonia_telemetry.traces.span import Span

_encoder = msgspec.json.Encoder()
_SCOPE = {"name": "eldonia-telemetry"}


def encode(spans: Iterable[Span], resource: Mapping[str, Any], *, redact: bool = True) -> bytes:
    """An ``ExportTraceServiceRequest``. Spans that cannot be expressed are repaired, not refused."""
    rows = [_span(span, redact) for span in spans]
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
        return _encoder.encode(values.encodable(document))


def _span(span: Span, redact: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "traceId": span.context.trace_id,
        "spanId": span.context.span_id,
        "name": values.text(span.name, redact=redact),
        "kind": int(span.kind),
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "flags": 1 if span.context.sampled else 0,
    }
    if span.parent_span_id:
        row["parentSpanId"] = span.parent_span_id
    if span.context.tracestate:
        row["traceState"] = span.context.tracestate
    if span.attributes:
        row["attributes"] = _attributes(span.attributes, redact)
    if span.events:
        row["events"] = [
            {"timeUnixNano": str(at), "name": name, "attributes": _attributes(attributes, redact)}
            for at, name, attributes in span.events
        ]
    if span.status:
        status: dict[str, Any] = {"code": span.status}
        if span.status_message:
            status["message"] = values.text(span.status_message, redact=redact)
        row["status"] = status
    return row


def _attributes(attributes: Mapping[str, Any], redact: bool) -> list[dict[str, Any]]:
    clean = values.fields(attributes, redact=redact)
    return [{"key": name, "value": _value(value)} for name, value in clean.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        # proto3's JSON mapping spells the values that JSON lacks.
        if not math.isfinite(value):
            return {"doubleValue": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value if item is not None]}}
    if isinstance(value, dict):
        return {
            "kvlistValue": {
                "values": [{"key": k, "value": _value(item)} for k, item in value.items() if item is not None]
            }
        }
    return {"stringValue": values.text(value)}
