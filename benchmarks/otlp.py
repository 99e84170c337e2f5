"""OTLP trace export requests to spans."""

import json

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.harness import Contender, Table, alternate, rates
from eldonia_ops.intake.otlp import Encoding, decode_traces

TITLE = "OTLP trace decoding"


def request(spans: int, *, start_ns: int = 1_795_428_930_000_000_000, first: int = 0) -> ExportTraceServiceRequest:
    """An export request of a shop's server spans, with eight attributes each."""
    message = ExportTraceServiceRequest()
    group = message.resource_spans.add()
    for key, value in (("service.name", "shop"), ("host.name", "web-1"), ("telemetry.sdk.language", "python")):
        _text(group.resource.attributes.add(), key, value)
    scope = group.scope_spans.add()
    scope.scope.name = "eldonia_telemetry"
    for number in range(first, first + spans):
        span = scope.spans.add()
        span.trace_id = (number // 5 + 1).to_bytes(16, "big")
        span.span_id = (number + 1).to_bytes(8, "big")
        if number % 5:
            span.parent_span_id = (number // 5 * 5 + 1).to_bytes(8, "big")
        span.name = "GET /works/{id}"
        span.kind = Span.SPAN_KIND_SERVER
        span.start_time_unix_nano = start_ns + number * 1_000
        span.end_time_unix_nano = start_ns + number * 1_000 + 12_000_000
        for key, value in (
            ("http.request.method", "GET"),
            ("url.path", f"/works/{number}"),
            ("url.scheme", "https"),
            ("http.route", "/works/{id}"),
            ("client.address", "203.0.113.9"),
            ("http.request.id", f"{number:032x}"),
            ("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)"),
        ):
            _text(span.attributes.add(), key, value)
        status = span.attributes.add()
        status.key = "http.response.status_code"
        status.value.int_value = 200
    return message


def as_json(message: ExportTraceServiceRequest) -> bytes:
    """The same in OTLP's JSON: ids in hex, numbers of 64 bits as strings."""
    body = MessageToDict(message)
    for group in body["resourceSpans"]:
        for scope in group["scopeSpans"]:
            sources = next(iter(message.resource_spans)).scope_spans[0].spans
            for span, source in zip(scope["spans"], sources, strict=True):
                span |= {"traceId": source.trace_id.hex(), "spanId": source.span_id.hex(), "kind": source.kind}
                if source.parent_span_id:
                    span["parentSpanId"] = source.parent_span_id.hex()
    return json.dumps(body).encode()


def run(quick: bool) -> list[Table]:
    """Spans a second."""
    spans = 50 if quick else 2_000
    message = request(spans)
    binary, text = message.SerializeToString(), as_json(message)

    def ours(body: bytes, encoding: Encoding) -> None:
        found, rejections = decode_traces(body, encoding)
        assert len(found) == spans, rejections

    def bare() -> None:
        assert ExportTraceServiceRequest.FromString(binary).resource_spans

    found = alternate(
        [
            Contender("ours, protobuf", lambda: ours(binary, Encoding.PROTOBUF), spans),
            Contender("ours, JSON", lambda: ours(text, Encoding.JSON), spans),
            Contender("protobuf's own parser alone, nothing read out (floor)", bare, spans),
            Contender("json.loads alone (floor)", lambda: json.loads(text), spans),
        ],
        rounds=2 if quick else 7,
    )
    sizes = f"{len(binary) // spans} bytes a span in protobuf, {len(text) // spans} in JSON, eight attributes each"
    return [rates(TITLE, found, "spans", notes=[sizes])]


def _text(attribute, key: str, value: str) -> None:
    attribute.key = key
    attribute.value.string_value = value
