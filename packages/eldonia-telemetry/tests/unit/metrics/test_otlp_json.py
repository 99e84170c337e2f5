import json
import math

import pytest
from required_tools import requires_module

from eldonia_telemetry.metrics import Registry
from eldonia_telemetry.metrics.otlp_json import encode

TRACE = "0123456789abcdef0123456789abcdef"


def decoded(registry: Registry, **more):
    document = json.loads(encode(registry.snapshot(), {"service.name": "shop"}, start_ns=5, at_ns=9, **more))
    (resource,) = document["resourceMetrics"]
    assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "shop"}}]
    return {metric["name"]: metric for metric in resource["scopeMetrics"][0]["metrics"]}


def filled() -> Registry:
    registry = Registry()
    registry.counter("uploads_total", "Files.", ("kind",)).labels("image").inc(3)
    registry.gauge("queue_length").set(math.nan)
    registry.counter("unused_total", labels=("x",))
    seconds = registry.histogram("took_seconds", labels=("op",), buckets=(0.1, 1.0))
    for value in (0.05, 0.5, 0.6, 7):
        seconds.labels("a").observe(value, TRACE if value == 7 else None)
    seconds.labels("b").observe(0.1)
    return registry


def test_counters_and_gauges():
    found = decoded(filled())
    assert "unused_total" not in found
    assert found["uploads_total"]["description"] == "Files."
    assert found["uploads_total"]["sum"] == {
        "aggregationTemporality": 2,
        "isMonotonic": True,
        "dataPoints": [
            {
                "startTimeUnixNano": "5",
                "timeUnixNano": "9",
                "attributes": [{"key": "kind", "value": {"stringValue": "image"}}],
                "asDouble": 3.0,
            }
        ],
    }
    assert found["queue_length"]["gauge"]["dataPoints"][0]["asDouble"] == "NaN"


def test_histograms_have_a_point_for_each_label_set_and_plain_buckets():
    first, second = decoded(filled())["took_seconds"]["histogram"]["dataPoints"]
    assert first["explicitBounds"] == [0.1, 1.0]
    assert first["bucketCounts"] == ["1", "2", "1"]
    assert (first["count"], first["sum"]) == ("4", pytest.approx(8.15))
    (exemplar,) = first["exemplars"]
    assert (exemplar["traceId"], exemplar["asDouble"]) == (TRACE, 7)
    assert second["bucketCounts"] == ["1", "0", "0"]
    assert second["attributes"] == [{"key": "op", "value": {"stringValue": "b"}}]


def test_what_has_ended_has_no_value():
    for metric in decoded(filled(), ended=True).values():
        (kind,) = {"sum", "gauge", "histogram"} & metric.keys()
        for point in metric[kind]["dataPoints"]:
            assert point["flags"] == 1
            assert not {"asDouble", "count", "bucketCounts", "sum"} & point.keys()


def test_a_label_that_utf_8_cannot_express_is_repaired():
    registry = Registry()
    registry.counter("a_total", labels=("x",)).labels("\ud800").inc()
    (point,) = decoded(registry)["a_total"]["sum"]["dataPoints"]
    assert point["attributes"][0]["value"] == {"stringValue": "?"}


def test_the_protocols_own_parser_takes_it():
    service = requires_module("opentelemetry.proto.collector.metrics.v1.metrics_service_pb2")
    from google.protobuf.json_format import Parse

    registry = filled()
    registry.histogram("took_seconds", labels=("op",), buckets=(0.1, 1.0)).labels("a")._exemplars.clear()  # ids in hex
    for ended in (False, True):
        body = encode(registry.snapshot(), {"service.name": "shop"}, start_ns=5, at_ns=9, ended=ended)
        request = Parse(body, service.ExportMetricsServiceRequest())
        metrics = {m.name: m for m in request.resource_metrics[0].scope_metrics[0].metrics}
        point = metrics["took_seconds"].histogram.data_points[0]
        assert list(point.bucket_counts) == ([] if ended else [1, 2, 1])
        assert bool(point.flags & 1) is ended
