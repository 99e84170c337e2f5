import base64
import json

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

from eldonia_ops.intake.otlp import (
    Encoding,
    OtlpError,
    Rejections,
    TooManyError,
    decode_logs,
    decode_metrics,
    decode_traces,
    encode_error,
    encode_response,
    encoding_of,
)
from eldonia_ops.intake.otlp.metric_names import label_name, metric_name
from eldonia_ops.intake.otlp.routes import repeat_key
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogError, LogLevel, LogRecord
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import STALE_NAN_BITS, HistogramSample, MetricMetadata, MetricType, is_stale
from eldonia_ops.model.spans import Span, SpanEvent, SpanKind, SpanLink, SpanStatus

NOW = 1_700_000_000 * 10**9
TRACE, SPAN, PARENT = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"


def text(key, value):
    return {"key": key, "value": {"stringValue": value}}


def trace_body(**changes):
    span = {
        "traceId": TRACE.upper(),
        "spanId": SPAN,
        "parentSpanId": PARENT,
        "name": "GET /works",
        "kind": 2,
        "startTimeUnixNano": str(NOW),
        "endTimeUnixNano": str(NOW + 5),
        "attributes": [
            text("http.method", "GET"),
            {"key": "n", "value": {"intValue": "9007199254740993"}},
            {"key": "f", "value": {"doubleValue": 0.5}},
            {"key": "b", "value": {"boolValue": True}},
            {"key": "raw", "value": {"bytesValue": base64.b64encode(b"\x00\x01").decode()}},
            {"key": "list", "value": {"arrayValue": {"values": [{"intValue": 1}, {"stringValue": "x"}]}}},
            {"key": "map", "value": {"kvlistValue": {"values": [text("k", "v")]}}},
        ],
        "events": [{"timeUnixNano": str(NOW + 1), "name": "retry", "attributes": [text("a", "b")]}],
        "links": [{"traceId": "ab" * 16, "spanId": "cd" * 8}],
        "status": {"code": 2, "message": "boom"},
        "futureField": 1,
    }
    span.update(changes)
    good = {
        "traceId": "11" * 16,
        "spanId": "22" * 8,
        "name": "ok",
        "startTimeUnixNano": NOW,
        "endTimeUnixNano": NOW - 9,
    }
    resource = {"attributes": [text("service.name", "shop"), text("host.name", "h")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "s"}, "spans": [span, good]}]}]}


def as_protobuf(document, message, path):
    """The same request in protobuf, by an own conversion of the hex ids."""
    document = json.loads(json.dumps(document))
    items = [document]
    for name in path:
        items = [inner for item in items for inner in item[name]]
    for part in items + [link for item in items for link in item.get("links", ())]:
        for field in ("traceId", "spanId", "parentSpanId"):
            if field in part:
                part[field] = base64.b64encode(bytes.fromhex(part[field])).decode()
    return json_format.ParseDict(document, message, ignore_unknown_fields=True).SerializeToString()


EXPECTED_SPAN = Span(
    trace_id=TRACE,
    span_id=SPAN,
    parent_span_id=PARENT,
    service="shop",
    name="GET /works",
    kind=SpanKind.SERVER,
    start_ns=NOW,
    end_ns=NOW + 5,
    status=SpanStatus.ERROR,
    status_message="boom",
    attributes={
        "http.method": "GET",
        "n": 9007199254740993,
        "f": 0.5,
        "b": True,
        "raw": "AAE=",
        "list": [1, "x"],
        "map": {"k": "v"},
    },
    resource={"service.name": "shop", "host.name": "h"},
    events=[SpanEvent(NOW + 1, "retry", {"a": "b"})],
    links=[SpanLink("ab" * 16, "cd" * 8, {})],
    scope="s",
)


def test_traces_in_both_encodings():
    document = trace_body()
    path = ("resourceSpans", "scopeSpans", "spans")
    binary = as_protobuf(document, ExportTraceServiceRequest(), path)
    for body, encoding in [(json.dumps(document).encode(), Encoding.JSON), (binary, Encoding.PROTOBUF)]:
        spans, rejections = decode_traces(body, encoding)
        assert spans[0] == EXPECTED_SPAN
        assert (spans[1].trace_id, spans[1].end_ns, spans[1].kind) == ("11" * 16, NOW, SpanKind.INTERNAL)
        assert (rejections.count, rejections.message) == (0, "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"traceId": "0" * 32}, "a trace id is not 32 hex digits"),
        ({"traceId": "xyz"}, "a trace id is not 32 hex digits"),
        ({"traceId": TRACE[:-2]}, "a trace id is not 32 hex digits"),
        ({"spanId": ""}, "a span id is not 16 hex digits"),
        ({"parentSpanId": "ab"}, "a parent span id"),
        ({"startTimeUnixNano": "0"}, "no start time"),
        ({"endTimeUnixNano": str(2**63)}, "beyond 2262"),
    ],
)
def test_a_bad_span_is_refused_and_the_others_are_taken(changes, reason):
    spans, rejections = decode_traces(json.dumps(trace_body(**changes)).encode(), Encoding.JSON)
    assert [span.name for span in spans] == ["ok"]
    assert rejections.count == 1
    assert reason in rejections.message
    answer = json.loads(encode_response("traces", rejections, Encoding.JSON))
    assert answer == {"partialSuccess": {"rejectedSpans": "1", "errorMessage": rejections.message}}
    binary = ExportTraceServiceResponse.FromString(encode_response("traces", rejections, Encoding.PROTOBUF))
    assert binary.partial_success.rejected_spans == 1


def test_full_success_is_an_empty_message():
    assert encode_response("logs", Rejections(), Encoding.JSON) == b"{}"
    assert encode_response("logs", Rejections(), Encoding.PROTOBUF) == b""
    assert not ExportLogsServiceResponse.FromString(b"").HasField("partial_success")


def test_many_reasons_are_summed_up():
    rejections = Rejections()
    for number in range(7):
        rejections.add(f"r{number}", number + 1)
    assert rejections.count == 28
    assert rejections.message == "r6 (7x); r5 (6x); r4 (5x); r3 (4x); r2 (3x); and 2 other reasons"


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"resourceSpans": 5}', b'{"resourceSpans": [{"scopeSpans": [{"spans": [7]}]}]}', b"\xff"]
)
def test_json_that_is_no_request(body):
    with pytest.raises(OtlpError, match="JSON"):
        decode_traces(body, Encoding.JSON)


def test_protobuf_that_is_no_request():
    with pytest.raises(OtlpError, match="protobuf"):
        decode_traces(b"\x0a\xff", Encoding.PROTOBUF)


def test_encodings_and_errors():
    assert encoding_of("application/json; charset=utf-8") is Encoding.JSON
    assert encoding_of("Application/X-Protobuf") is Encoding.PROTOBUF
    assert encoding_of("text/plain") is None
    assert json.loads(encode_error("no", Encoding.JSON)) == {"message": "no"}
    # google.rpc.Status has its message as field 2, which the trace response spells differently: read it by hand.
    long = "x" * 300
    assert encode_error(long, Encoding.PROTOBUF) == b"\x12\xac\x02" + long.encode()


def log_body():
    record = {
        "timeUnixNano": str(NOW + 7),
        "severityNumber": 21,
        "severityText": "FATAL",
        "body": {"stringValue": "支払い failed"},
        "traceId": TRACE,
        "spanId": SPAN,
        "attributes": [
            text("user.id", "u1"),
            text("client.address", "203.0.113.9"),
            text("exception.type", "E"),
            text("exception.message", "m"),
            text("other", "o"),
        ],
    }
    plain = {
        "body": {"kvlistValue": {"values": [{"key": "a", "value": {"intValue": "1"}}]}},
        "severityText": "warning",
        "traceId": "00",
    }
    late = {"timeUnixNano": str(2**63), "body": {"stringValue": "x"}}
    resource = {
        "attributes": [
            text("service.name", "pay"),
            text("deployment.environment.name", "prod"),
            text("host.name", "h"),
            text("k8s.pod", "p"),
        ]
    }
    logs = [{"scope": {"name": "lib"}, "logRecords": [record, plain, late]}]
    return {"resourceLogs": [{"resource": resource, "scopeLogs": logs}]}


def test_logs_in_both_encodings():
    document = log_body()
    binary = as_protobuf(document, ExportLogsServiceRequest(), ("resourceLogs", "scopeLogs", "logRecords"))
    for body, encoding in [(json.dumps(document).encode(), Encoding.JSON), (binary, Encoding.PROTOBUF)]:
        records, rejections = decode_logs(body, encoding, NOW)
        assert records[0] == LogRecord(
            timestamp_ns=NOW + 7,
            message="支払い failed",
            level=LogLevel.ERROR,
            service="pay",
            component="lib",
            user_id="u1",
            ip_address="203.0.113.9",
            trace_id=TRACE,
            span_id=SPAN,
            metadata={"other": "o", "resource": {"k8s.pod": "p"}, "level": "FATAL"},
            error=LogError(name="E", message="m"),
            environment="prod",
            hostname="h",
        )
        assert (records[1].timestamp_ns, records[1].message, records[1].level, records[1].trace_id) == (
            NOW,
            '{"a":1}',
            LogLevel.WARN,
            "",
        )
        assert (rejections.count, rejections.message) == (1, "a log record has a time beyond 2262")


def test_attributes_by_the_names_of_our_own_fields_become_those_fields():
    names = ("user_id", "sessionId", "request_id", "ipAddress", "user_agent")
    record = {"body": {"stringValue": "m"}, "attributes": [text(name, f"of {name}") for name in (*names, "user")]}
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    (found,), _ = decode_logs(json.dumps(document).encode(), Encoding.JSON, NOW)
    fields = (found.user_id, found.session_id, found.request_id, found.ip_address, found.user_agent)
    assert fields == tuple(f"of {name}" for name in names)
    assert found.metadata == {"user": "of user"}
    record["attributes"].append(text("user.id", "by the convention"))
    (found,), _ = decode_logs(json.dumps(document).encode(), Encoding.JSON, NOW)
    assert (found.user_id, found.metadata["user_id"]) == ("by the convention", "of user_id")


def metrics(*found, resource=()):
    body = {
        "resourceMetrics": [{"resource": {"attributes": list(resource)}, "scopeMetrics": [{"metrics": list(found)}]}]
    }
    binary = json_format.ParseDict(body, ExportMetricsServiceRequest()).SerializeToString()
    decoded = decode_metrics(json.dumps(body).encode(), Encoding.JSON, NOW)
    again = decode_metrics(binary, Encoding.PROTOBUF, NOW)
    assert [repr(sample) for sample in decoded[0]] == [repr(sample) for sample in again[0]]
    return decoded


def plain(samples):
    return {(str(sample.labels), sample.timestamp_ms): sample.value for sample in samples}


AT = str(NOW + 2_000_000)
MS = NOW // 10**6 + 2


def test_gauges_sums_and_target_info():
    samples, metadata, rejections = metrics(
        {
            "name": "process.memory",
            "unit": "By",
            "description": "d",
            "gauge": {
                "dataPoints": [
                    {
                        "asInt": "5",
                        "timeUnixNano": AT,
                        "attributes": [text("a.b", "1"), text("a_b", "2"), text("1x", "y")],
                    }
                ]
            },
        },
        {
            "name": "http.requests",
            "unit": "{request}",
            "sum": {
                "isMonotonic": True,
                "aggregationTemporality": 2,
                "dataPoints": [{"asDouble": 1.5, "timeUnixNano": AT}],
            },
        },
        {"name": "pool.used", "sum": {"aggregationTemporality": 2, "dataPoints": [{"asInt": 3}]}},
        {"name": "gone", "gauge": {"dataPoints": [{"flags": 1, "timeUnixNano": AT}]}},
        resource=[
            text("service.name", "shop"),
            text("service.namespace", "eldonia"),
            text("service.instance.id", "i1"),
            text("host.name", "h"),
        ],
    )
    end = 'instance="i1", job="eldonia/shop"'
    gone = samples.pop(3)
    assert plain(samples) == {
        (f'process_memory_bytes{{a_b="1;2", {end}, key_1x="y"}}', MS): 5.0,
        (f"http_requests_total{{{end}}}", MS): 1.5,
        (f"pool_used{{{end}}}", NOW // 10**6): 3.0,
        (f'target_info{{host_name="h", {end}}}', MS): 1.0,
    }
    import numpy as np

    assert np.array([gone.value]).view(np.uint64)[0] == STALE_NAN_BITS
    assert metadata == [
        MetricMetadata("process_memory_bytes", MetricType.GAUGE, "d", "bytes"),
        MetricMetadata("http_requests_total", MetricType.COUNTER, "", ""),
        MetricMetadata("pool_used", MetricType.GAUGE),
        MetricMetadata("gone", MetricType.GAUGE),
    ]
    assert rejections.count == 0


def test_histograms_and_summaries():
    samples, metadata, _ = metrics(
        {
            "name": "http.duration",
            "unit": "s",
            "histogram": {
                "aggregationTemporality": 2,
                "dataPoints": [
                    {
                        "count": "6",
                        "sum": 9.5,
                        "bucketCounts": ["1", "2", "3"],
                        "explicitBounds": [0.005, 10],
                        "timeUnixNano": AT,
                    }
                ],
            },
        },
        {
            "name": "rpc",
            "summary": {
                "dataPoints": [
                    {"count": 2, "sum": 3, "quantileValues": [{"quantile": 0.99, "value": 2}], "timeUnixNano": AT}
                ]
            },
        },
    )
    assert plain(samples) == {
        ('http_duration_seconds_bucket{le="0.005"}', MS): 1.0,
        ('http_duration_seconds_bucket{le="10"}', MS): 3.0,
        ('http_duration_seconds_bucket{le="+Inf"}', MS): 6.0,
        ("http_duration_seconds_sum", MS): 9.5,
        ("http_duration_seconds_count", MS): 6.0,
        ('rpc{quantile="0.99"}', MS): 2.0,
        ("rpc_sum", MS): 3.0,
        ("rpc_count", MS): 2.0,
    }
    assert [item.type for item in metadata] == [MetricType.HISTOGRAM, MetricType.SUMMARY]


def test_what_prometheus_cannot_hold_is_refused():
    samples, metadata, rejections = metrics(
        {"name": "d", "sum": {"aggregationTemporality": 1, "dataPoints": [{"asInt": 1}, {"asInt": 2}]}},
        {"name": "e", "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [{"count": 1}]}},
        {
            "name": "h",
            "histogram": {
                "aggregationTemporality": 2,
                "dataPoints": [{"count": 1, "bucketCounts": [1], "explicitBounds": [1, 2]}],
            },
        },
        {"name": "n", "gauge": {"dataPoints": [{}]}},
        {"name": "ok", "gauge": {"dataPoints": [{"asInt": 1}]}},
    )
    assert [sample.labels for sample in samples] == [Labels({"__name__": "ok"})]
    assert rejections.count == 5
    for part in (
        "d: delta temporality; set the exporter's to cumulative (2x)",
        "e: delta temporality",
        "h: buckets",
        "n: a point",
    ):
        assert part in rejections.message
    assert "ok" in [item.name for item in metadata]


def exponential(**point):
    point = {"timeUnixNano": 5_000_000_000, "count": 6, "sum": 9.5, **point}
    data = {"aggregationTemporality": 2, "dataPoints": [point]}
    return metrics({"name": "took", "unit": "s", "exponentialHistogram": data})


def test_exponential_histograms_become_native_ones():
    [sample], [metadata], rejections = exponential(
        startTimeUnixNano=1_000_000_000,
        scale=3,
        zeroCount=1,
        positive={"offset": -1, "bucketCounts": [1, 0, 2]},
        negative={"offset": 4, "bucketCounts": [2]},
    )
    # Bucket i of OTLP ends at base ** (i + 1), so it is ours with the next index.
    value = NativeHistogram(3, 6.0, 9.5, 1e-128, 1.0, ((0, 1.0), (2, 2.0)), ((5, 2.0),))
    assert sample == HistogramSample(Labels({"__name__": "took_seconds"}), 5_000, value, 1_000)
    assert (metadata.type.value, rejections.count) == ("histogram", 0)


def test_a_scale_above_8_is_made_8_and_a_threshold_is_kept():
    [sample], _, _ = exponential(scale=10, zeroThreshold=0.5, positive={"offset": -4, "bucketCounts": [1] * 6})
    assert sample.value == NativeHistogram(8, 6.0, 9.5, 0.5, positive=((0, 4.0), (1, 2.0)))


def test_a_point_without_a_value_ends_the_series():
    [sample], _, _ = exponential(flags=1)
    assert is_stale(sample.value)


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ({"scale": -5}, "a scale below -4"),
        ({"scale": 60}, "a scale above 52"),
        ({"zeroCount": 5}, "count is not that of its buckets"),
        ({"zeroThreshold": -1.0, "zeroCount": 6}, "below zero"),
        ({"positive": {"offset": 2**31 - 1, "bucketCounts": [6]}}, "order of their indexes"),
        ({"positive": {"bucketCounts": [0] * 10_001}}, "more than 10,000 buckets"),
    ],
)
def test_exponential_histograms_that_have_no_native_one_are_refused(point, reason):
    samples, _, rejections = exponential(**point)
    assert (samples, rejections.count) == ([], 1)
    assert reason in rejections.message


@pytest.mark.parametrize(
    ("name", "unit", "options", "expected"),
    [
        ("http.server.duration", "ms", {}, "http_server_duration_milliseconds"),
        ("request.size.bytes", "By", {}, "request_size_bytes"),
        ("requests.total.count", "1", {"monotonic": True}, "requests_count_total"),
        ("cpu.utilization", "1", {"gauge": True}, "cpu_utilization_ratio"),
        ("net.io", "By/s", {"gauge": True}, "net_io_bytes_per_second"),
        ("1st", "", {}, "_1st"),
        ("a..b--c", "{thing}", {}, "a_b_c"),
        ("...", "", {}, ""),
    ],
)
def test_metric_names(name, unit, options, expected):
    assert metric_name(name, unit, **options) == expected


def test_label_names():
    assert [label_name(name) for name in ("a.b", "_x", "__name__", "9", "日")] == ["a_b", "key_x", "", "key_9", "key_"]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(list(Encoding)))
def test_no_bytes_make_it_fail_otherwise(body, encoding):
    for decode in (
        decode_traces,
        lambda body, encoding: decode_logs(body, encoding, NOW),
        lambda body, encoding: decode_metrics(body, encoding, NOW),
    ):
        try:
            decode(body, encoding)
        except OtlpError:
            continue


def test_more_resources_than_a_request_may_hold_are_refused_before_they_are_read():
    with pytest.raises(TooManyError, match="smaller batches"):
        decode_traces(b"\x0a\x00" * 60_000, Encoding.PROTOBUF)
    with pytest.raises(TooManyError, match="smaller batches"):
        decode_logs(b"\x0a\x00" * 60_000, Encoding.PROTOBUF, NOW)


def test_items_are_counted_across_resources_and_scopes():
    request = ExportLogsServiceRequest()
    for _ in range(2):
        group = request.resource_logs.add()
        for _ in range(2):
            scope = group.scope_logs.add()
            for _ in range(12_499):
                scope.log_records.add()
    with pytest.raises(TooManyError, match="50,000 items"):
        decode_logs(request.SerializeToString(), Encoding.PROTOBUF, NOW)


def test_json_of_many_small_parts_is_refused_before_it_is_decoded():
    body = b'{"resourceLogs":[' + b"{}," * 500_000 + b"{}]}"
    with pytest.raises(TooManyError, match="objects and lists"):
        decode_logs(body, Encoding.JSON, NOW)


def test_a_large_resource_cannot_be_multiplied_by_its_items():
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    for number in range(100):
        pair = group.resource.attributes.add()
        pair.key, pair.value.string_value = f"k{number}", "x" * 30_000
    scope = group.scope_logs.add()
    for _ in range(100):
        scope.log_records.add().body.string_value = "x"
    with pytest.raises(TooManyError, match="resource attributes"):
        decode_logs(request.SerializeToString(), Encoding.PROTOBUF, NOW)
    del scope.log_records[10:]
    assert len(decode_logs(request.SerializeToString(), Encoding.PROTOBUF, NOW)[0]) == 10


def test_samples_of_one_request_are_bounded():
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name = "h"
    metric.histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    for _ in range(210):
        point = metric.histogram.data_points.add()
        point.explicit_bounds.extend(range(999))
        point.bucket_counts.extend([1] * 1000)
    with pytest.raises(TooManyError, match="200,000 samples"):
        decode_metrics(request.SerializeToString(), Encoding.PROTOBUF, NOW)


@pytest.mark.parametrize(
    ("times", "known"),
    [
        ([1_000_000_001], True),
        ([1_000_000_000], False),  # whole milliseconds: an application may say the same twice in one
        ([1_000_000_000, 1_000_000_000], True),
        ([NOW, 1_000_000_001], False),  # one of them has no time
        ([], False),
    ],
)
def test_a_request_of_logs_is_known_again_where_it_can_only_be_the_same(times, known):
    records = [LogRecord(timestamp_ns=time, message="x") for time in times]
    key = repeat_key(b"body", records, NOW)
    assert bool(key) is known
    assert repeat_key(b"body", records, NOW) == key
    assert not known or repeat_key(b"another", records, NOW) != key
