"""Alertmanager's API v2 as amtool and Prometheus see it."""

import gzip
from typing import Any

import pytest
from fake_platform import NOW, FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role

BASE = "/api/v2"


async def get(client: Client, path: str, **parameters: Any) -> Any:
    async with client(Role.VIEWER) as http:
        response = await http.get(BASE + path, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


async def test_alerts_as_the_api_shows_them(reader: Client) -> None:
    found = await get(reader, "/alerts")
    assert [one["labels"]["alertname"] for one in found] == ["PaymentGatewayError", "HighResponseTime", "HighDiskUsage"]
    first = found[0]
    assert first["status"] == {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []}
    assert first["receivers"] == [{"name": "pagerduty-critical"}, {"name": "slack-critical"}]
    assert first["startsAt"].endswith("Z")
    assert found[2]["status"]["silencedBy"] == ["6f1c0b52"]


@pytest.mark.parametrize(
    ("parameters", "count"),
    [
        ({"silenced": "false"}, 2),
        ({"active": "false"}, 1),
        ({"filter": 'alertname=~"High.*"'}, 2),
        ({"filter": ['alertname=~"High.*"', "service=application"]}, 1),
        ({"receiver": "slack-.*"}, 1),
        ({"receiver": "slack"}, 0),
    ],
)
async def test_filters(reader: Client, parameters: dict[str, Any], count: int) -> None:
    assert len(await get(reader, "/alerts", **parameters)) == count


@pytest.mark.parametrize(
    "parameters", [{"filter": "nonsense"}, {"filter": 'a=~"("'}, {"active": "maybe"}, {"receiver": "("}]
)
async def test_bad_filters_are_refused_with_a_json_string(reader: Client, parameters: dict[str, str]) -> None:
    async with reader(Role.VIEWER) as http:
        response = await http.get(f"{BASE}/alerts", params=parameters)
    assert response.status_code == 400
    assert isinstance(response.json(), str)


async def test_groups(reader: Client) -> None:
    found = await get(reader, "/alerts/groups")
    assert found[0]["labels"] == {"alertname": "PaymentGatewayError"}
    assert found[0]["receiver"] == {"name": "pagerduty-critical"}
    assert len(await get(reader, "/alerts/groups", receiver="default")) == 2
    assert len(await get(reader, "/alerts/groups", receiver="default", silenced="false")) == 1


async def test_posted_alerts_are_taken(client: Client, platform: FakePlatform) -> None:
    alerts = [
        {"labels": {"alertname": "A", "empty": ""}, "annotations": {"summary": "s"}, "generatorURL": "http://x"},
        {"labels": {"alertname": "B"}, "startsAt": "2026-11-23T18:00:00.5Z", "endsAt": "0001-01-01T00:00:00Z"},
        {"labels": {"alertname": "C"}, "endsAt": "2020-01-01T00:00:00+09:00"},
    ]
    async with client(Role.INGEST) as http:
        response = await http.post(f"{BASE}/alerts", json=alerts)
    assert response.status_code == 200
    first, second, third = platform.alerts.received
    assert dict(first.labels) == {"alertname": "A"}
    assert (first.starts_at, first.ends_at, first.source) == (NOW, NOW + 300_000, "api")
    assert second.starts_at % 1000 == 500
    assert second.ends_at == NOW + 300_000
    assert third.starts_at == third.ends_at < NOW


async def test_good_alerts_are_taken_beside_bad_ones(client: Client, platform: FakePlatform) -> None:
    alerts = [
        {"labels": {"alertname": "good"}},
        {"labels": {}},
        {"labels": {"": "x"}},
        {"labels": {"a": "b"}, "startsAt": "2026-11-23T18:00:00Z", "endsAt": "2026-11-23T17:00:00Z"},
    ]
    async with client(Role.INGEST) as http:
        response = await http.post(f"{BASE}/alerts", json=alerts)
        assert response.status_code == 400
        assert all(f"alert {index}:" in response.json() for index in (1, 2, 3))
        assert [alert.name for alert in platform.alerts.received] == ["good"]
        for body in (b"{}", b"[", b'[{"labels": {"a": 1}}]'):
            assert (await http.post(f"{BASE}/alerts", content=body)).status_code == 400


async def test_packed_alerts_and_bombs(client: Client, platform: FakePlatform) -> None:
    async with client(Role.INGEST, **{"Content-Encoding": "gzip"}) as http:
        packed = gzip.compress(b'[{"labels": {"alertname": "A"}}]')
        assert (await http.post(f"{BASE}/alerts", content=packed)).status_code == 200
        bomb = gzip.compress(bytes(65 << 20), 1)
        assert (await http.post(f"{BASE}/alerts", content=bomb)).status_code == 413
        assert (await http.post(f"{BASE}/alerts", content=b"not gzip")).status_code == 400
    assert len(platform.alerts.received) == 1


async def test_silences_live_their_life(client: Client, platform: FakePlatform) -> None:
    body = {
        "matchers": [{"name": "alertname", "value": "High.*", "isRegex": True, "isEqual": False}],
        "startsAt": "2020-01-01T00:00:00Z",
        "endsAt": "2027-01-01T00:00:00Z",
        "createdBy": "amtool",
        "comment": "c",
    }
    async with client(Role.RESPONDER) as http:
        id = (await http.post(f"{BASE}/silences", json=body)).json()["silenceID"]
        shown = (await http.get(f"{BASE}/silence/{id}")).json()
        assert shown["matchers"] == body["matchers"]
        assert shown["status"] == {"state": "active"}
        assert shown["createdBy"] == "amtool"
        assert platform.alerts.stored_silences[id].starts_at == NOW
        assert len((await http.get(f"{BASE}/silences")).json()) == 2
        only = (await http.get(f"{BASE}/silences", params={"filter": 'alertname!~"High.*"'})).json()
        assert [one["id"] for one in only] == [id]
        assert (await http.delete(f"{BASE}/silence/{id}")).status_code == 200
        assert (await http.get(f"{BASE}/silence/{id}")).json()["status"]["state"] == "expired"
        for path in ("/silence/none",):
            assert (await http.get(BASE + path)).status_code == 404
            assert (await http.delete(BASE + path)).status_code == 404
        wrong: list[dict[str, Any]] = [
            {"endsAt": ""},
            {"endsAt": "soon"},
            {"matchers": 1},
            {"endsAt": "2021-01-01T00:00:00Z"},
        ]
        wrong.append({"matchers": [{"name": "a", "value": "(", "isRegex": True}]})
        for part in wrong:
            assert (await http.post(f"{BASE}/silences", json=body | part)).status_code == 400


async def test_receivers_and_status(reader: Client) -> None:
    assert {"name": "default"} in await get(reader, "/receivers")
    status = await get(reader, "/status")
    assert "<secret>" in status["config"]["original"]
    assert status["cluster"]["status"] == "disabled"


async def test_ingest_tokens_post_and_read_nothing(reader: Client) -> None:
    async with reader(Role.INGEST) as http:
        response = await http.get(f"{BASE}/alerts")
    assert response.status_code == 403
    assert isinstance(response.json(), str)
