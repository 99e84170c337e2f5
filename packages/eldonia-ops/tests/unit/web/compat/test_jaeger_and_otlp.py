"""Traces in and out, as exporters and Jaeger's UI see it."""

import gzip
from typing import Any

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


async def data(client: Client, path: str, **parameters: Any) -> Any:
    async with client(Role.VIEWER) as http:
        response = await http.get(path, params=parameters)
    assert response.status_code == 200, response.text
    assert response.json()["errors"] is None
    return response.json()["data"]


async def test_services_and_operations(reader: Client) -> None:
    assert await data(reader, "/api/services") == ["gateway", "payment-gateway", "shop"]
    assert "SELECT works" in await data(reader, "/api/services/shop/operations")


async def test_traces_have_jaegers_shape(reader: Client) -> None:
    found = await data(reader, "/api/traces", service="shop", lookback="1h", limit=5)
    assert len(found) == 5
    trace = found[0]
    root, child = trace["spans"][:2]
    assert child["references"] == [{"refType": "CHILD_OF", "traceID": trace["traceID"], "spanID": root["spanID"]}]
    assert trace["processes"][root["processID"]]["serviceName"] == "gateway"
    assert {"key": "span.kind", "type": "string", "value": "server"} in root["tags"]
    assert root["startTime"] // 10**6 <= NOW // 1000
    assert await data(reader, f"/api/traces/{trace['traceID']}") == [trace]
    assert await data(reader, "/api/traces", traceID=trace["traceID"]) == [trace]


async def test_searches_are_narrowed(reader: Client) -> None:
    failed = await data(reader, "/api/traces", service="shop", tags='{"http.response.status_code": "502"}', limit=100)
    assert failed
    tags = [tag for span in failed[0]["spans"] for tag in span["tags"]]
    assert {"key": "error", "type": "bool", "value": True} in tags
    assert any(span["logs"] for span in failed[0]["spans"])
    assert not await data(reader, "/api/traces", service="shop", minDuration="1h")
    assert not await data(reader, "/api/traces", service="shop", start=1, end=2)


async def test_a_search_is_two_questions_whatever_it_finds(
    client: Client, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    whole = platform.telemetry.traces.get_traces

    async def get_traces(trace_ids: list[str], *args: int) -> Any:
        asked.append(len(trace_ids))
        return await whole(trace_ids, *args)

    monkeypatch.setattr(platform.telemetry.traces, "get_traces", get_traces)
    monkeypatch.setattr(platform.telemetry.traces, "get_trace", None)
    assert len(await data(client, "/api/traces", service="shop", limit=50)) == 50
    some = sorted(platform.telemetry.traces.traces)[:3]
    assert [one["traceID"] for one in await data(client, "/api/traces", traceID=[*some, "f" * 32])] == some
    assert asked == [50, 4]


@pytest.mark.parametrize(
    "query",
    ["", "service=shop&lookback=soon", "service=shop&limit=0", "service=shop&minDuration=1", "service=shop&tags={",
     "service=shop&tag=x", "service=shop&start=x", "service=shop&start=2&end=1",
     "service=shop&" + "&".join(f"tag=k{number}:v" for number in range(21))],
)  # fmt: skip
async def test_bad_searches_have_jaegers_envelope(reader: Client, query: str) -> None:
    async with reader(Role.VIEWER) as http:
        response = await http.get(f"/api/traces?{query}")
        assert response.status_code == 400
        assert response.json()["errors"][0]["code"] == 400
        assert (await http.get("/api/traces/ff")).status_code == 404


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
