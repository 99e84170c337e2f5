"""OTLP as exporters see it."""

import gzip

import pytest
from fake_platform import NOW, FakePlatform
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.ports import TelemetryError

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def spans(ids: list[bytes]) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    scoped = group.scope_spans.add()
    for id in ids:
        span = scoped.spans.add()
        span.trace_id, span.span_id, span.name = b"\1" * 16, id, "work"
        span.start_time_unix_nano, span.end_time_unix_nano = NOW * 10**6, NOW * 10**6 + 5
    return request.SerializeToString()


async def test_spans_arrive_by_protobuf_plain_and_packed(client: Client, platform: FakePlatform) -> None:
    body = spans([b"\2" * 8])
    async with client(Role.INGEST, **PROTOBUF) as http:
        response = await http.post("/v1/traces", content=body)
        assert response.headers["content-type"] == "application/x-protobuf"
        packed = await http.post("/v1/traces", content=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    assert (response.status_code, packed.status_code) == (200, 200)
    assert [span.name for span in platform.ingest.span_records] == ["work", "work"]


async def test_refused_parts_are_named(client: Client, platform: FakePlatform) -> None:
    async with client(Role.INGEST, **PROTOBUF) as http:
        response = await http.post("/v1/traces", content=spans([b"\2" * 8, b"\0" * 8]))
    answer = ExportTraceServiceResponse.FromString(response.content)
    assert answer.partial_success.rejected_spans == 1
    assert len(platform.ingest.span_records) == 1
    [(signal, source, reasons)] = platform.ingest.refused_items
    assert (signal, reasons) == ("traces", {"a span id is not 16 hex digits or all zero": 1})
    assert source.startswith("ingest-person (")


async def test_what_the_store_refuses_is_said_to_the_sender_and_noted(
    platform: FakePlatform, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_samples: object, _metadata: object) -> dict[str, int]:
        return {"a time too long ago to be kept, or in the future": 2}

    monkeypatch.setattr(platform.ingest, "samples", refuse)
    async with client(Role.INGEST) as http:
        answer = (await http.post("/v1/metrics", json={"resourceMetrics": []})).json()
    assert answer["partialSuccess"]["rejectedDataPoints"] == "2"
    assert [(signal, reasons) for signal, _, reasons in platform.ingest.refused_items] == [
        ("metrics", {"a time too long ago to be kept, or in the future": 2})
    ]


async def test_whole_requests_that_are_refused_are_noted(platform: FakePlatform, client: Client) -> None:
    packed = {"Content-Encoding": "gzip", **PROTOBUF}
    async with client(Role.INGEST) as http:
        assert (await http.post("/v1/traces", content=b"\xff\xff", headers=PROTOBUF)).status_code == 400
        assert (
            await http.post("/v1/logs", content=gzip.compress(bytes(65 << 20), 1), headers=packed)
        ).status_code == 413
    assert [(signal, reasons) for signal, _, reasons in platform.ingest.refused_items] == [
        ("traces", {"a whole request that cannot be read": 1}),
        ("logs", {"a whole request that holds too much": 1}),
    ]


async def test_logs_and_metrics_arrive_by_json(client: Client, platform: FakePlatform) -> None:
    record = {"timeUnixNano": str(NOW * 10**6), "body": {"stringValue": "hello"}, "severityNumber": 17}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    logs = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}
    point = {"timeUnixNano": str(NOW * 10**6), "asDouble": 1.5}
    metric = {"name": "depth", "gauge": {"dataPoints": [point]}}
    metrics = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}
    async with client(Role.INGEST) as http:
        assert (await http.post("/v1/logs", json=logs)).json() == {}
        assert (await http.post("/v1/metrics", json=metrics)).json() == {}
    assert (platform.ingest.log_records[0].message, platform.ingest.log_records[0].level.value) == ("hello", "error")
    assert any(sample.value == 1.5 for sample in platform.ingest.sample_records)


async def test_half_a_surrogate_pair_does_not_cost_the_request(client: Client, platform: FakePlatform) -> None:
    record = rb'{"body": {"stringValue": "cut \ud83d"}}, {"body": {"stringValue": "whole \ud83d\ude00"}}'
    body = rb'{"resourceLogs": [{"scopeLogs": [{"logRecords": [%b]}]}]}' % record
    async with client(Role.INGEST) as http:
        answer = await http.post("/v1/logs", content=body, headers={"Content-Type": "application/json"})
    assert answer.json() == {}
    assert [one.message for one in platform.ingest.log_records] == ["cut \ufffd", "whole \U0001f600"]


async def test_what_cannot_be_read_is_refused_in_its_own_encoding(client: Client) -> None:
    async with client(Role.INGEST) as http:
        broken = await http.post("/v1/traces", content=b"\xff\xff", headers=PROTOBUF)
        assert broken.status_code == 400
        assert broken.content.startswith(b"\x12")
        assert (await http.post("/v1/traces", json=[])).json()["message"]
        assert (await http.post("/v1/traces", content=b"x", headers={"Content-Type": "text/plain"})).status_code == 415
        wrong = {"Content-Encoding": "br", **PROTOBUF}
        assert (await http.post("/v1/traces", content=b"x", headers=wrong)).status_code == 400
        bomb = gzip.compress(bytes(65 << 20), 1)
        packed = {"Content-Encoding": "gzip", **PROTOBUF}
        assert (await http.post("/v1/logs", content=bomb, headers=packed)).status_code == 413
    async with client(Role.VIEWER, **PROTOBUF) as http:
        assert (await http.post("/v1/traces", content=spans([]))).status_code == 403


async def test_what_could_not_be_stored_is_to_be_sent_again(
    platform: FakePlatform, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_spans: object) -> int:
        raise TelemetryError("Cannot reserve 1.00 MiB, not enough space")

    monkeypatch.setattr(platform.ingest, "spans", fail)
    async with client(Role.INGEST) as http:
        response = await http.post("/v1/traces", content=spans([b"a" * 16]), headers=PROTOBUF)
    assert response.status_code == 503  # exporters give up at 500
    assert "MiB" not in response.text
    assert not platform.ingest.refused_items  # it will come again
