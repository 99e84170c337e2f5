"""What one request may hold, counted before it is built, and what one record may."""

import contextlib
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from eldonia_ops.intake.otlp import Encoding, OtlpError, TooManyError, decode_logs, decode_metrics, decode_traces
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.protocols.protobuf_count import holds_more_than

NOW = 1_700_000_000 * 10**9


def logs(*records, encoding=Encoding.JSON):
    group = {"resource": {"attributes": []}, "scopeLogs": [{"logRecords": list(records)}]}
    return decode_logs(json.dumps({"resourceLogs": [group]}).encode(), encoding, NOW)[0]


def text(value):
    return {"stringValue": value}


def pairs(**values):
    return [{"key": key, "value": text(value)} for key, value in values.items()]


def test_a_body_that_is_a_map_is_read_like_a_line_of_a_file():
    body = {"kvlistValue": {"values": pairs(level="error", msg="payment failed", time="2026-11-29T00:52:13Z", n="1")}}
    (record,) = logs({"timeUnixNano": "0", "observedTimeUnixNano": str(NOW), "body": body, "attributes": pairs(a="b")})
    assert (record.message, record.level) == ("payment failed", LogLevel.ERROR)
    assert record.timestamp_ns == 1_795_913_533 * 10**9
    assert record.metadata == {"n": "1", "a": "b"}
    (own,) = logs({"timeUnixNano": str(NOW), "severityNumber": 13, "body": body})
    assert (own.timestamp_ns, own.level, own.message) == (NOW, LogLevel.WARN, "payment failed")
    docker = {"kvlistValue": {"values": pairs(log='{"level":"warn","msg":"slow","traceId":"t"}\n', stream="stderr")}}
    (inner,) = logs({"body": docker})
    assert (inner.message, inner.level, inner.trace_id) == ("slow", LogLevel.WARN, "t")
    (unknown,) = logs({"body": {"kvlistValue": {"values": pairs(colour="red")}}})
    assert unknown.message == '{"colour":"red"}'
    assert unknown.parse_error


def empty_pairs(count):
    """``count`` attributes of two bytes each, in a log record of a scope of a resource."""

    def wrap(tag, inner):
        size, length = bytearray(), len(inner)
        while length > 0x7F:
            size.append(length & 0x7F | 0x80)
            length >>= 7
        return bytes([tag]) + bytes(size) + bytes([length]) + inner

    return wrap(0x0A, wrap(0x12, wrap(0x12, b"\x32\x00" * count)))


def test_empty_pairs_are_counted_before_they_are_built():
    body = empty_pairs(7_000_000)
    assert holds_more_than(body, ExportLogsServiceRequest.DESCRIPTOR, 500_000)
    with pytest.raises(TooManyError, match="messages inside"):
        decode_logs(body, Encoding.PROTOBUF, NOW)
    assert decode_logs(empty_pairs(1_000), Encoding.PROTOBUF, NOW)[0][0].metadata == {"": None}
    as_json = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":[' + b"{}," * 600_000 + b"{}]}]}]}]}"
    with pytest.raises(TooManyError):
        decode_logs(as_json, Encoding.JSON, NOW)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 20))
def test_counting_ends_whatever_the_bytes_are(body, limit):
    assert holds_more_than(body, ExportLogsServiceRequest.DESCRIPTOR, limit) in (True, False)


def count(message):
    found = 0
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            items = [value] if hasattr(value, "ListFields") else value
            found += sum(1 + count(item) for item in items)
    return found


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=4))
def test_the_count_is_the_decoders(shape):
    request = ExportTraceServiceRequest()
    for scopes in shape:
        group = request.resource_spans.add()
        for attributes in scopes:
            span = group.scope_spans.add().spans.add(name="n" * attributes)
            for number in range(attributes):
                span.attributes.add(key=str(number)).value.kvlist_value.values.add(key="k").value.int_value = number
    body, whole = request.SerializeToString(), count(request)
    if 2 * whole <= len(body):
        assert not holds_more_than(body, request.DESCRIPTOR, whole)
    if whole:
        assert holds_more_than(body, request.DESCRIPTOR, whole - 1)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(list(Encoding)))
def test_any_body_is_decoded_or_refused(body, encoding):
    for decode in (
        lambda: decode_logs(body, encoding, NOW),
        lambda: decode_traces(body, encoding),
        lambda: decode_metrics(body, encoding, NOW),
    ):
        with contextlib.suppress(OtlpError):
            decode()


def test_a_record_and_a_span_are_cut_and_not_lost():
    huge = [{"key": f"k{n}", "value": text("é" * 40_000)} for n in range(300)]
    (record,) = logs({"body": text("x" * 500_000), "attributes": huge})
    assert record.message.endswith("bytes cut off]")
    assert len(msgspec.json.encode(record)) < 500_000
    event = {"name": "e", "timeUnixNano": "1", "attributes": huge[:2]}
    span = {
        "traceId": "a" * 32, "spanId": "b" * 16, "name": "n" * 100_000, "startTimeUnixNano": str(NOW),
        "attributes": huge, "events": [event] * 256,
        "links": [{"traceId": "a" * 32, "spanId": "b" * 16, "attributes": huge[:2]}] * 256,
    }  # fmt: skip
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()
    ((kept,), refused) = decode_traces(body, Encoding.JSON)
    assert refused.count == 0
    assert len(msgspec.json.encode(kept)) < 1_000_000
    assert "more events cut off" in kept.events[-1].name


def test_labels_too_long_for_a_series_are_refused_and_the_others_kept():
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    for size in (1, 8_000):
        metric = metrics.add(name=f"m{size}", unit="1" * 100_000)
        point = metric.gauge.data_points.add(time_unix_nano=NOW, as_int=1)
        for number in range(200):
            point.attributes.add(key=f"k{number}").value.string_value = "v" * size
    metrics.add(name="n_" * 500_000, unit="n_" * 500_000).gauge.data_points.add(as_int=1)
    samples, _, refused = decode_metrics(request.SerializeToString(), Encoding.PROTOBUF, NOW)
    assert [sample.labels.name.partition("_")[0] for sample in samples] == ["m1"]
    assert refused.count == 2
    assert refused.by_reason == {
        "the labels are longer than 65,536 characters": 1,
        "the name is longer than 512 characters": 1,
    }
    assert "m8000: the labels" in refused.message


def test_unfit_characters_are_replaced_in_every_signal():
    bad, good = "a\0b\x1bc", "a\ufffdb\ufffdc"
    attributes = pairs(**{bad: bad})
    resource = {"attributes": [{"key": "service.name", "value": text(bad)}]}
    (record,) = decode_logs(
        json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": bad}, "logRecords": [
            {"body": text(bad), "attributes": attributes}]}]}]}).encode(), Encoding.JSON, NOW)[0]  # fmt: skip
    assert (record.message, record.service, record.component) == (good, good, good)
    assert record.metadata == {good: good}
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "name": bad, "startTimeUnixNano": str(NOW), "status": {
        "message": bad}, "attributes": attributes, "events": [{"name": bad, "attributes": attributes}]}  # fmt: skip
    body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}).encode()
    (kept,) = decode_traces(body, Encoding.JSON)[0]
    assert "\\u0000" not in msgspec.json.encode(kept).decode()
    assert (kept.name, kept.service, kept.status_message, kept.attributes) == (good, good, good, {good: good})
    point = {"asInt": "1", "attributes": attributes, "timeUnixNano": str(NOW)}
    metric = {"name": bad, "description": bad, "gauge": {"dataPoints": [point]}}
    body = json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}).encode()
    samples, metadata, _ = decode_metrics(body, Encoding.JSON, NOW)
    assert dict(samples[0].labels) == {"__name__": "a_b_c", "a_b_c": good, "job": good}
    assert metadata[0].help == good
