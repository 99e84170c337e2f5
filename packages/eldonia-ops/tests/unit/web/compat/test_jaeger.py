"""Traces as Jaeger's UI sees them."""

from typing import Any

import pytest
from fake_platform import NOW
from web_client import Client

from eldonia_ops.model.access import Role

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


@pytest.mark.parametrize(
    "query",
    ["", "service=shop&lookback=soon", "service=shop&limit=0", "service=shop&minDuration=1", "service=shop&tags={",
     "service=shop&tag=x", "service=shop&start=x", "service=shop&start=2&end=1",
     "service=shop&minDuration=2s&maxDuration=1s", "service=shop&end=99999999999999999999", "service=shop&limit=x",
     "service=shop&limit=%EF%BC%91", "service=shop&lookback=9999999d",
     "service=shop&" + "&".join(f"tag=k{number}:v" for number in range(21))],
)  # fmt: skip
async def test_bad_searches_have_jaegers_envelope(reader: Client, query: str) -> None:
    async with reader(Role.VIEWER) as http:
        response = await http.get(f"/api/traces?{query}")
        assert response.status_code == 400
        assert response.json()["errors"][0]["code"] == 400
        assert "int()" not in response.text
        assert (await http.get("/api/traces/ff")).status_code == 404
