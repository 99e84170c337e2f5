"""The struct decoder reads JSON as protobuf's own JSON reader does, which is the second opinion here."""

import base64
import json
import math
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from eldonia_ops.intake.otlp import Encoding, OtlpError, decode_logs, decode_metrics, decode_traces
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.model.spans import SpanKind, SpanStatus

NOW = 1_700_000_000 * 10**9
IDS = ("traceId", "spanId", "parentSpanId")


def as_number_or_text(numbers):
    return numbers.flatmap(lambda number: st.sampled_from([number, str(number)]))


texts = st.text(st.characters(codec="utf-8"), max_size=8)
int64s = as_number_or_text(st.integers(-(2**63), 2**63 - 1))
times = as_number_or_text(st.integers(0, 2**63 + 5))
doubles = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9) | st.sampled_from(["NaN", "-Infinity"])
values = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"stringValue": texts}),
        st.fixed_dictionaries({"boolValue": st.booleans()}),
        st.fixed_dictionaries({"intValue": int64s}),
        st.fixed_dictionaries({"doubleValue": doubles}),
        st.fixed_dictionaries({"bytesValue": st.binary(max_size=5).map(lambda raw: base64.b64encode(raw).decode())}),
        st.just({}),
        st.just({"stringValue": None}),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"arrayValue": st.fixed_dictionaries({"values": st.lists(inner, max_size=3)})}),
        st.fixed_dictionaries(
            {
                "kvlistValue": st.fixed_dictionaries(
                    {"values": st.lists(st.fixed_dictionaries({"key": texts, "value": inner}), max_size=3)}
                )
            }
        ),
    ),
    max_leaves=6,
)
attributes = st.lists(st.fixed_dictionaries({"key": texts}, optional={"value": values}), max_size=3)
ids = st.sampled_from(["5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "EEE19B7EC3C1B174", "", "0" * 32, "ab"])


def message(required=None, **optional):
    """A message any of whose optional fields may be missing or null."""
    return st.fixed_dictionaries(required or {}, optional={name: some | st.none() for name, some in optional.items()})


resources = message(attributes=attributes)
spans = message(
    traceId=ids,
    spanId=ids,
    parentSpanId=ids,
    name=texts,
    kind=st.integers(0, 6) | st.sampled_from(["SPAN_KIND_CLIENT", "SPAN_KIND_SERVER"]),
    startTimeUnixNano=times,
    endTimeUnixNano=times,
    attributes=attributes,
    events=st.lists(message(timeUnixNano=times, name=texts, attributes=attributes), max_size=2),
    links=st.lists(message(traceId=ids, spanId=ids, attributes=attributes), max_size=2),
    status=message(code=st.integers(0, 3) | st.just("STATUS_CODE_ERROR"), message=texts),
    unknown=st.integers(),
)
logs = message(
    timeUnixNano=times,
    observedTimeUnixNano=times,
    severityNumber=st.integers(0, 30) | st.just("SEVERITY_NUMBER_FATAL2"),
    severityText=texts,
    body=values,
    attributes=attributes,
    traceId=ids,
    spanId=ids,
    eventName=texts,
)
counts = as_number_or_text(st.integers(0, 2**40))
point = {"attributes": attributes, "timeUnixNano": times, "flags": st.integers(0, 1)}
temporality = st.integers(0, 2) | st.just("AGGREGATION_TEMPORALITY_CUMULATIVE")
numbers = st.lists(st.one_of(message(asInt=int64s, **point), message(asDouble=doubles, **point)), max_size=3)
buckets = message(
    count=counts,
    sum=doubles,
    bucketCounts=st.lists(counts, max_size=3),
    explicitBounds=st.lists(st.floats(-9, 9), max_size=2),
    **point,
)
bucket_runs = message(offset=st.integers(-9, 9), bucketCounts=st.lists(counts, max_size=3))
exponential = message(
    count=counts,
    sum=doubles,
    scale=st.integers(-6, 12),
    zeroCount=counts,
    zeroThreshold=doubles,
    positive=bucket_runs,
    negative=bucket_runs,
    startTimeUnixNano=times,
    **point,
) | st.integers(0, 9).map(lambda zeros: {"count": zeros, "zeroCount": zeros, "sum": 1})
quantiles = st.lists(message(quantile=st.floats(0, 1), value=doubles), max_size=2)
metric_kinds = st.one_of(
    message({"gauge": message(dataPoints=numbers)}),
    message({"sum": message(dataPoints=numbers, aggregationTemporality=temporality, isMonotonic=st.booleans())}),
    message({"histogram": message(dataPoints=st.lists(buckets, max_size=2), aggregationTemporality=temporality)}),
    message(
        {
            "exponentialHistogram": message(
                dataPoints=st.lists(exponential, max_size=2), aggregationTemporality=temporality
            )
        }
    ),
    message({"summary": message(dataPoints=st.lists(message(quantileValues=quantiles, sum=doubles), max_size=2))}),
    st.just({}),
)
metrics = st.tuples(message(name=texts, unit=texts, description=texts), metric_kinds).map(lambda two: two[0] | two[1])


def requests(groups, scopes, items, some):
    inner = message({items: st.lists(some, max_size=3)}, scope=message(name=texts))
    group = message({scopes: st.lists(inner, max_size=2)}, resource=resources)
    return st.fixed_dictionaries({groups: st.lists(group, max_size=2)})


def ids_in_base64(value: Any) -> Any:
    """The document as protobuf's JSON has it. An id that OTLP refuses stays refused: both are too short."""
    if isinstance(value, list):
        return [ids_in_base64(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64encode(bytes.fromhex(item)).decode() if name in IDS and item else ids_in_base64(item)
        for name, item in value.items()
    }


def both(document, kind, decode):
    binary = json_format.ParseDict(ids_in_base64(document), kind(), ignore_unknown_fields=True).SerializeToString()
    return decode(json.dumps(document).encode(), Encoding.JSON), decode(binary, Encoding.PROTOBUF)


@settings(max_examples=60, deadline=None)
@given(requests("resourceSpans", "scopeSpans", "spans", spans))
def test_traces(document):
    (ours, refused), (theirs, also_refused) = both(document, ExportTraceServiceRequest, decode_traces)
    assert ours == theirs
    assert refused.message == also_refused.message


@settings(max_examples=60, deadline=None)
@given(requests("resourceLogs", "scopeLogs", "logRecords", logs))
def test_logs(document):
    (ours, refused), (theirs, also_refused) = both(
        document, ExportLogsServiceRequest, lambda body, encoding: decode_logs(body, encoding, NOW)
    )
    assert ours == theirs
    assert refused.message == also_refused.message


@settings(max_examples=60, deadline=None)
@given(requests("resourceMetrics", "scopeMetrics", "metrics", metrics))
def test_metrics(document):
    (ours, known, refused), (theirs, also_known, also_refused) = both(
        document, ExportMetricsServiceRequest, lambda body, encoding: decode_metrics(body, encoding, NOW)
    )
    assert list(map(repr, ours)) == list(map(repr, theirs))  # as texts, since a NaN is equal to none
    assert known == also_known
    assert refused.message == also_refused.message


def request_with(**span):
    span = {"traceId": "ab" * 16, "spanId": "cd" * 8, "startTimeUnixNano": NOW, **span}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()


def only_span(body):
    [span], rejections = decode_traces(body, Encoding.JSON)
    assert rejections.count == 0
    return span


def test_members_of_enumerations_by_name():
    span = only_span(request_with(kind="SPAN_KIND_PRODUCER", status={"code": "STATUS_CODE_ERROR"}))
    assert (span.kind, span.status) == (SpanKind.PRODUCER, SpanStatus.ERROR)
    assert only_span(request_with(kind="SPAN_KIND_OF_TOMORROW")).kind is SpanKind.INTERNAL
    record = {"severityNumber": "SEVERITY_NUMBER_ERROR"}
    [found], _ = decode_logs(
        json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode(), Encoding.JSON, NOW
    )
    assert found.level is LogLevel.ERROR


def test_the_names_of_the_proto_files_are_understood():
    body = request_with(attributes=[{"key": "kept_as_is", "value": {"stringValue": "some_text"}}])
    for camel, snake in [
        (b"resourceSpans", b"resource_spans"),
        (b"scopeSpans", b"scope_spans"),
        (b"traceId", b"trace_id"),
        (b"spanId", b"span_id"),
        (b"startTimeUnixNano", b"start_time_unix_nano"),
        (b"stringValue", b"string_value"),
    ]:
        body = body.replace(b'"%s"' % camel, b'"%s"' % snake)
    assert only_span(body).attributes == {"kept_as_is": "some_text"}


def test_null_means_not_set():
    span = only_span(request_with(parentSpanId=None, links=None, attributes=[{"key": "a", "value": None}]))
    assert (span.parent_span_id, span.links, span.attributes) == ("", [], {"a": None})


@pytest.mark.parametrize("value", [{"bytesValue": "-_8"}, {"bytesValue": "+/8="}])
def test_both_alphabets_of_base64(value):
    assert only_span(request_with(attributes=[{"key": "raw", "value": value}])).attributes == {"raw": "+/8="}


def test_numbers_that_json_cannot_write():
    span = only_span(request_with(attributes=[{"key": "x", "value": {"doubleValue": "Infinity"}}]))
    assert span.attributes == {"x": repr(math.inf)}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"startTimeUnixNano": -1}, r"\$\.resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.startTimeUnixNano"),
        ({"startTimeUnixNano": "soon"}, "startTimeUnixNano"),
        ({"startTimeUnixNano": 1.5}, "startTimeUnixNano"),
        ({"name": 7}, r"spans\[0\]\.name"),
        ({"attributes": [{"key": "a", "value": {"stringValue": 7}}]}, "stringValue"),
        ({"attributes": [{"key": "a", "value": {"boolValue": 1}}]}, "boolValue"),
        ({"attributes": [{"key": "a", "value": {"intValue": "9223372036854775808"}}]}, "intValue"),
        ({"attributes": [{"key": "a", "value": {"intValue": 0.5}}]}, "intValue"),
        ({"attributes": [{"key": "a", "value": {"doubleValue": []}}]}, "doubleValue"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": "?"}}]}, "base64"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": 5}}]}, "base64"),
        ({"attributes": [{"key": "a", "value": {"arrayValue": {"values": [None]}}}]}, "arrayValue"),
        ({"attributes": [{"key": "a", "value": {"stringValue": "x", "intValue": 1}}]}, "both stringValue and intValue"),
        ({"attributes": [{"key": "a", "value": "x"}]}, "value"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_its_place(changes, place):
    with pytest.raises(OtlpError, match=place):
        decode_traces(request_with(**changes), Encoding.JSON)


def test_a_value_nested_without_end_is_cut_off():
    value = {"stringValue": "x"}
    for _ in range(60):
        value = {"arrayValue": {"values": [value]}}
    text = json.dumps(only_span(request_with(attributes=[{"key": "deep", "value": value}])).attributes)
    assert text.count("[") == 31
    deeper = b'{"resourceSpans":' + b"[" * 100_000
    with pytest.raises(OtlpError):
        decode_traces(deeper, Encoding.JSON)
