"""OTLP requests of all signals, in both encodings; protobuf's own JSON writer is the second opinion."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from eldonia_ops.intake.otlp import Encoding, OtlpError, decode_logs, decode_metrics, decode_traces
from eldonia_ops.intake.otlp.messages import encode_error, encode_response
from eldonia_ops.storage.clickhouse.attributes.documents import encoded, indexed
from fuzz.target import target
from fuzz.targets.given import bounded, file_text

NOW = 1_700_000_000 * 10**9
IDS = ("traceId", "spanId", "parentSpanId")
WORDS = (
    *("resourceLogs", "scopeLogs", "logRecords", "resourceSpans", "scopeSpans", "spans", "resourceMetrics", "metrics"),
    *(
        '{"stringValue":"x"}',
        '{"intValue":"1"}',
        '{"doubleValue":"NaN"}',
        '{"boolValue":true}',
        '{"bytesValue":"/w=="}',
    ),
    *('{"arrayValue":{"values":[]}}', '{"kvlistValue":{"values":[]}}', '"attributes":[{"key":"a","value":{}}]', "null"),
    *(
        '"timeUnixNano":"1"',
        '"severityNumber":9',
        '"kind":"SPAN_KIND_CLIENT"',
        '"asInt":"1"',
        '"asDouble":1',
        "\\ud800",
    ),
)
TAGS = (
    b"\x0a\x02",
    b"\x12\x00",
    b"\x1a\x04",
    b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\x7a\x00",
    b"\x0a\x80",
)

Decoded = tuple[list[Any], Any]


def logs(body: bytes, encoding: Encoding) -> Decoded:
    records, rejections = decode_logs(body, encoding, NOW)
    for record in records:
        assert isinstance(record.message, str)
        assert 0 <= record.timestamp_ns < 2**63
        storable(record.metadata)
    return records, rejections.message


def traces(body: bytes, encoding: Encoding) -> Decoded:
    spans, rejections = decode_traces(body, encoding)
    for span in spans:
        assert len(bytes.fromhex(span.trace_id)) == 16
        assert len(bytes.fromhex(span.span_id)) == 8
        assert 0 <= span.start_ns < 2**63
        storable(span.attributes)
        storable(span.resource)
    return spans, rejections.message


def metrics(body: bytes, encoding: Encoding) -> Decoded:
    samples, metadata, rejections = decode_metrics(body, encoding, NOW)
    for sample in samples:
        assert sample.labels.name, sample
        assert -(2**62) < sample.timestamp_ms < 2**62
    # As texts, since a NaN is equal to none.
    return [*map(repr, samples), *map(repr, metadata)], rejections.message


def storable(attributes: dict[str, Any]) -> None:
    """What is stored can be read again."""
    document = msgspec.json.decode(encoded(attributes))
    assert isinstance(document, dict)
    msgspec.json.decode(bytes(indexed(attributes)))


def register(signal: str, kind: type[Message], decode: Callable[[bytes, Encoding], Decoded]) -> None:
    """The two targets of a signal."""

    @target(*TAGS, name=f"otlp_{signal}_protobuf")
    def protobuf(data: bytes) -> None:
        try:
            found = decode(data, Encoding.PROTOBUF)
        except OtlpError as error:
            encode_error(str(error), Encoding.PROTOBUF)
            return
        bounded(len(found[0]), data, times=1, plus=1)
        try:
            document = json_format.MessageToDict(kind.FromString(data))
        except (DecodeError, ValueError, RecursionError):  # what protobuf can hold and its JSON cannot
            return
        body = msgspec.json.encode(_ids_in_hex(document))
        try:
            also = decode(body, Encoding.JSON)
        except OtlpError as error:
            # Counts from 2^63 on are refused in JSON alone.
            assert "<= 9223372036854775807" in str(error), error
            return
        assert also == found

    @target(*WORDS, name=f"otlp_{signal}_json")
    def json(data: bytes) -> None:
        try:
            found, message = decode(data, Encoding.JSON)
        except OtlpError as error:
            assert len(str(error)) < 2_000
            msgspec.json.decode(encode_error(str(error), Encoding.JSON))
            return
        bounded(len(found), data, times=1, plus=1)
        assert isinstance(message, str)


def _ids_in_hex(value: Any) -> Any:
    if isinstance(value, list):
        return [_ids_in_hex(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64decode(item).hex() if name in IDS and isinstance(item, str) else _ids_in_hex(item)
        for name, item in value.items()
    }


register("logs", ExportLogsServiceRequest, logs)
register("traces", ExportTraceServiceRequest, traces)
register("metrics", ExportMetricsServiceRequest, metrics)


@target("é", "日本語")
def otlp_answers(data: bytes) -> None:
    """Answers hold whatever a reason says."""
    from eldonia_ops.intake.otlp.messages import Rejections

    rejections = Rejections()
    for reason in file_text(data).split("\n"):
        rejections.add(reason)
    for signal, kind in (("logs", "logs"), ("traces", "traces"), ("metrics", "metrics")):
        encode_response(signal, rejections, Encoding.PROTOBUF)
        assert msgspec.json.decode(encode_response(kind, rejections, Encoding.JSON))["partialSuccess"]
