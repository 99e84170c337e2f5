"""OTLP traces to spans."""

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from eldonia_ops.intake.otlp.attributes import as_text, attributes, cut
from eldonia_ops.intake.otlp.json_messages import TracesRequest
from eldonia_ops.intake.otlp.messages import (
    Encoding,
    Rejections,
    SharedResources,
    check_size,
    decode_request,
    enum_number,
    raw_id,
)
from eldonia_ops.model.foreign import bounded_attributes
from eldonia_ops.model.record_bounds import MAX_PARTS, bounded_field, bounded_span
from eldonia_ops.model.spans import Span, SpanEvent, SpanKind, SpanLink, SpanStatus
from eldonia_ops.model.timestamps import LATEST_NS

_KINDS = {
    0: SpanKind.INTERNAL,
    1: SpanKind.INTERNAL,
    2: SpanKind.SERVER,
    3: SpanKind.CLIENT,
    4: SpanKind.PRODUCER,
    5: SpanKind.CONSUMER,
}
_STATUSES = {0: SpanStatus.UNSET, 1: SpanStatus.OK, 2: SpanStatus.ERROR}


def decode_traces(body: bytes, encoding: Encoding) -> tuple[list[Span], Rejections]:
    """Spans of one export request. Spans with invalid ids or times are refused.

    Raises:
        OtlpError: the body cannot be decoded, or holds too much.
    """
    request = decode_request(ExportTraceServiceRequest, TracesRequest, body, encoding)
    spans: list[Span] = []
    rejections = Rejections()
    check_size(request.resource_spans, "scope_spans", "spans")
    copies = SharedResources()
    for group in request.resource_spans:
        resource = bounded_attributes(attributes(group.resource.attributes))
        service = bounded_field(as_text(resource.get("service.name")) or "unknown_service")
        for scoped in group.scope_spans:
            copies.add(resource, len(scoped.spans))
            scope = bounded_field(scoped.scope.name)
            for wire in scoped.spans:
                span = _span(wire, service, resource, scope)
                if isinstance(span, str):
                    rejections.add(span)
                else:
                    spans.append(bounded_span(span))
    return spans, rejections


def _span(wire: Any, service: str, resource: dict[str, Any], scope: str) -> Span | str:
    """The span of protobuf's class or of the struct that JSON becomes; or what is wrong with it."""
    trace_id, span_id, parent_id = raw_id(wire.trace_id), raw_id(wire.span_id), raw_id(wire.parent_span_id)
    if not valid_id(trace_id, 16):
        return "a trace id is not 32 hex digits or all zero"
    if not valid_id(span_id, 8):
        return "a span id is not 16 hex digits or all zero"
    if parent_id and len(parent_id) != 8:
        return "a parent span id is not 16 hex digits"
    if not 0 < wire.start_time_unix_nano <= LATEST_NS or wire.end_time_unix_nano > LATEST_NS:
        return "a span has no start time, or one beyond 2262"
    return Span(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_span_id=parent_id.hex() if any(parent_id) else "",
        service=service,
        name=cut(wire.name),
        kind=_KINDS.get(enum_number(WireSpan.SpanKind, wire.kind), SpanKind.INTERNAL),
        start_ns=wire.start_time_unix_nano,
        # A clock set back during the span must not give it a negative duration.
        end_ns=max(wire.end_time_unix_nano, wire.start_time_unix_nano),
        status=_STATUSES.get(enum_number(Status.StatusCode, wire.status.code), SpanStatus.UNSET),
        status_message=cut(wire.status.message),
        attributes=attributes(wire.attributes),
        resource=resource,
        events=[
            SpanEvent(min(event.time_unix_nano, LATEST_NS), cut(event.name), attributes(event.attributes))
            for event in wire.events[:MAX_PARTS]
        ],
        links=[
            SpanLink(trace_id.hex(), span_id.hex(), attributes(link.attributes))
            for link in wire.links[:MAX_PARTS]
            if valid_id(trace_id := raw_id(link.trace_id), 16) and valid_id(span_id := raw_id(link.span_id), 8)
        ],
        scope=scope,
    )


def valid_id(raw: bytes, size: int) -> bool:
    """Whether an id has ``size`` bytes and is not all zero, as W3C Trace Context demands."""
    return len(raw) == size and any(raw)
