"""OTLP traces to spans."""

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from eldonia_ops.model.spans import Span, SpanEvent, SpanKind, SpanLink, SpanStatus
from eldonia_ops.protocols.otlp.attributes import as_text, attributes, cut
from eldonia_ops.protocols.otlp.messages import Encoding, Rejections, SharedResources, check_size, decode_request
from eldonia_ops.protocols.timestamps import LATEST_NS

_KINDS = {
    0: SpanKind.INTERNAL,
    1: SpanKind.INTERNAL,
    2: SpanKind.SERVER,
    3: SpanKind.CLIENT,
    4: SpanKind.PRODUCER,
    5: SpanKind.CONSUMER,
}
_STATUSES = {0: SpanStatus.UNSET, 1: SpanStatus.OK, 2: SpanStatus.ERROR}
_MAX_PARTS = 256


def decode_traces(body: bytes, encoding: Encoding) -> tuple[list[Span], Rejections]:
    """Spans of one export request. Spans with invalid ids or times are refused.

    Raises:
        OtlpError: the body cannot be decoded, or holds too much.
    """
    request = decode_request(ExportTraceServiceRequest(), body, encoding, ("resourceSpans", "scopeSpans", "spans"))
    spans: list[Span] = []
    rejections = Rejections()
    check_size(request.resource_spans, "scope_spans", "spans")
    copies = SharedResources()
    for group in request.resource_spans:
        resource = attributes(group.resource.attributes)
        service = as_text(resource.get("service.name")) or "unknown_service"
        for scoped in group.scope_spans:
            copies.add(resource, len(scoped.spans))
            for wire in scoped.spans:
                fault = _fault(wire)
                if fault:
                    rejections.add(fault)
                else:
                    spans.append(_span(wire, service, resource, scoped.scope.name))
    return spans, rejections


def _fault(wire: WireSpan) -> str:
    if not valid_id(wire.trace_id, 16):
        return "a trace id is not 32 hex digits or all zero"
    if not valid_id(wire.span_id, 8):
        return "a span id is not 16 hex digits or all zero"
    if wire.parent_span_id and len(wire.parent_span_id) != 8:
        return "a parent span id is not 16 hex digits"
    if not 0 < wire.start_time_unix_nano <= LATEST_NS or wire.end_time_unix_nano > LATEST_NS:
        return "a span has no start time, or one beyond 2262"
    return ""


def _span(wire: WireSpan, service: str, resource: dict[str, Any], scope: str) -> Span:
    return Span(
        trace_id=wire.trace_id.hex(),
        span_id=wire.span_id.hex(),
        parent_span_id=wire.parent_span_id.hex() if any(wire.parent_span_id) else "",
        service=service,
        name=cut(wire.name),
        kind=_KINDS.get(wire.kind, SpanKind.INTERNAL),
        start_ns=wire.start_time_unix_nano,
        # A clock set back during the span must not give it a negative duration.
        end_ns=max(wire.end_time_unix_nano, wire.start_time_unix_nano),
        status=_STATUSES.get(wire.status.code, SpanStatus.UNSET),
        status_message=cut(wire.status.message),
        attributes=attributes(wire.attributes),
        resource=resource,
        events=[
            SpanEvent(min(event.time_unix_nano, LATEST_NS), cut(event.name), attributes(event.attributes))
            for event in wire.events[:_MAX_PARTS]
        ],
        links=[
            SpanLink(link.trace_id.hex(), link.span_id.hex(), attributes(link.attributes))
            for link in wire.links[:_MAX_PARTS]
            if valid_id(link.trace_id, 16) and valid_id(link.span_id, 8)
        ],
        scope=scope,
    )


def valid_id(raw: bytes, size: int) -> bool:
    """Whether an id has ``size`` bytes and is not all zero, as W3C Trace Context demands."""
    return len(raw) == size and any(raw)
