"""The JSON of Jaeger's query service, as its UI and Grafana read it.

Format: https://www.jaegertracing.io/docs/latest/apis/ (the shapes are those of jaeger/internal/uimodel).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import clean_text, decode_json
from eldonia_ops.model.spans import Span, SpanStatus

_PART: Final = re.compile(r"(\d{1,20}(?:\.\d{1,20})?)(ns|us|µs|ms|s|m|h)")
_tags_decoder: Final = msgspec.json.Decoder(dict[str, str])
_UNITS_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}


def success(data: Any, total: int | None = None) -> bytes:
    """The envelope around every answer."""
    count = len(data) if total is None and isinstance(data, list) else total or 0
    return msgspec.json.encode({"data": data, "total": count, "limit": 0, "offset": 0, "errors": None})


def failure(status: int, message: str) -> bytes:
    """The envelope around every error."""
    errors = [{"code": status, "msg": message}]
    return msgspec.json.encode({"data": None, "total": 0, "limit": 0, "offset": 0, "errors": errors})


def trace(spans: Iterable[Span]) -> dict[str, Any]:
    """The spans of one trace; processes are numbered ``p1``, ``p2``, … by service and resource."""
    processes: dict[str, dict[str, Any]] = {}
    keys: dict[bytes, str] = {}
    found: list[dict[str, Any]] = []
    trace_id = ""
    for span in spans:
        trace_id = span.trace_id
        identity = msgspec.json.encode([span.service, span.resource], order="deterministic")
        if identity not in keys:
            keys[identity] = f"p{len(keys) + 1}"
            tags = [_tag(name, value) for name, value in span.resource.items() if name != "service.name"]
            processes[keys[identity]] = {"serviceName": span.service, "tags": tags}
        found.append(_span(span, keys[identity]))
    return {"traceID": trace_id, "spans": found, "processes": processes, "warnings": None}


def parse_duration_ns(text: str) -> int:
    """Nanoseconds from Go's spelling (``1.2s``, ``100ms``, ``1h30m``).

    Raises:
        ValueError: the text is not a duration.
    """
    position = 0
    total = 0.0
    for match in _PART.finditer(text):
        if match.start() != position:
            break
        total += float(match[1]) * _UNITS_NS[match[2]]
        position = match.end()
    if not text or position != len(text) or total >= 2**63:
        raise ValueError(f"not a duration: {text!r} (write it like 100ms or 1.2s)")
    return round(total)


def parse_tags(single: Iterable[str], documents: Iterable[str]) -> dict[str, str]:
    """The conditions of repeated ``tag=name:value`` and ``tags={"name":"value"}`` parameters.

    Raises:
        ValueError: one of them is malformed.
    """
    tags: dict[str, str] = {}
    for text in single:
        name, colon, value = text.partition(":")
        if not colon or not name:
            raise ValueError(f"malformed 'tag' parameter, expecting key:value, received: {text}")
        tags[name] = value
    for document in documents:
        try:
            tags |= decode_json(_tags_decoder.decode, document.encode("utf-8", "replace"))
        except msgspec.MsgspecError as error:
            raise ValueError(f"malformed 'tags' parameter, cannot unmarshal JSON: {error}") from None
    # As the tags are cleaned that they are to meet.
    return {clean_text(name): clean_text(value) for name, value in tags.items()}


def _span(span: Span, process: str) -> dict[str, Any]:
    tags = [_tag(name, value) for name, value in span.attributes.items()]
    tags.append(_tag("span.kind", span.kind.value))
    if span.status is not SpanStatus.UNSET:
        tags.append(_tag("otel.status_code", span.status.value.upper()))
    if span.status is SpanStatus.ERROR:
        tags.append(_tag("error", True))
    if span.status_message:
        tags.append(_tag("otel.status_description", span.status_message))
    if span.scope:
        tags.append(_tag("otel.scope.name", span.scope))
    references = [{"refType": "FOLLOWS_FROM", "traceID": link.trace_id, "spanID": link.span_id} for link in span.links]
    if span.parent_span_id:
        references.insert(0, {"refType": "CHILD_OF", "traceID": span.trace_id, "spanID": span.parent_span_id})
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "operationName": span.name,
        "references": references,
        "startTime": span.start_ns // 1000,
        "duration": max(0, span.end_ns - span.start_ns) // 1000,
        "tags": tags,
        "logs": [
            {
                "timestamp": event.timestamp_ns // 1000,
                "fields": [_tag("event", event.name), *_tags(event.attributes)],
            }
            for event in span.events
        ],
        "processID": process,
        "warnings": None,
    }


def _tags(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_tag(name, value) for name, value in attributes.items()]


def _tag(name: str, value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"key": name, "type": "bool", "value": value}
        case int():
            return {"key": name, "type": "int64", "value": value}
        case float():
            return {"key": name, "type": "float64", "value": value}
        case str():
            return {"key": name, "type": "string", "value": value}
        case _:
            return {"key": name, "type": "string", "value": msgspec.json.encode(value).decode()}
