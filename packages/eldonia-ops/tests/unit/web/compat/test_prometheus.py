"""Prometheus' API as its clients see it."""

import socket
from typing import Any

import pytest
from fake_platform import NOW, FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role

AT = NOW / 1000


async def test_instant_queries_by_get_and_post(reader: Client) -> None:
    expected = {"resultType": "vector", "result": [{"metric": {"__name__": "up", "job": "shop"}, "value": [AT, "1"]}]}
    async with reader(Role.VIEWER) as http:
        by_get = await http.get("/api/v1/query", params={"query": "up"})
        by_post = await http.post("/api/v1/query", data={"query": "up", "time": str(AT)})
    assert by_get.json() == by_post.json() == {"status": "success", "data": expected}
    assert by_get.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("42", {"resultType": "scalar", "result": [AT, "42"]}),
        ('"text"', {"resultType": "string", "result": [AT, "text"]}),
    ],
)
async def test_scalars_and_strings(reader: Client, query: str, data: dict[str, object]) -> None:
    async with reader(Role.VIEWER) as http:
        assert (await http.get("/api/v1/query", params={"query": query})).json()["data"] == data


async def test_range_queries(reader: Client) -> None:
    async with reader(Role.VIEWER) as http:
        parameters = {"query": "nan", "start": "2026-01-01T00:00:00Z", "end": "1767225660.5", "step": "30s"}
        found = (await http.get("/api/v1/query_range", params=parameters)).json()["data"]
    assert found["resultType"] == "matrix"
    values = [[1767225600, "NaN"], [1767225630, "NaN"], [1767225660, "NaN"]]
    assert found["result"] == [{"metric": {"__name__": "up", "job": "shop"}, "values": values}]


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("query", 400, "bad_data"),
        ("query?query=sum(", 400, "bad_data"),
        ("query?query=slow(", 400, "bad_data"),
        ("query?query=up&time=never", 400, "bad_data"),
        ("query?query=up&time=NaN", 400, "bad_data"),
        ("query_range?query=up&start=2&end=1&step=1", 400, "bad_data"),
        ("query_range?query=up&start=1&end=2&step=0", 400, "bad_data"),
        ("query_range?query=up&start=0&end=11002&step=1", 400, "bad_data"),
        ("query_range?query=up&start=1&end=2", 400, "bad_data"),
        ("format_query?query=slow", 503, "timeout"),
        ("series", 400, "bad_data"),
        ("labels?limit=x", 400, "bad_data"),
        ("rules?type=odd", 400, "bad_data"),
        ("rules?exclude_alerts=maybe", 400, "bad_data"),
        ("rules?group_limit=0", 400, "bad_data"),
        ("rules?group_limit=x", 400, "bad_data"),
        ("rules?group_next_token=x", 400, "bad_data"),
        ("rules?group_limit=1&group_next_token=x", 400, "bad_data"),
        ("rules?match[]=(", 400, "bad_data"),
        ("labels?limit=-1", 400, "bad_data"),
        ("metadata?limit_per_metric=x", 400, "bad_data"),
        ("query?query=up&limit=x", 400, "bad_data"),
        ("query?query=up&lookback_delta=x", 400, "bad_data"),
        ("query?query=up&timeout=never", 400, "bad_data"),
    ],
)
async def test_errors_have_prometheus_envelope(reader: Client, path: str, status: int, kind: str) -> None:
    async with reader(Role.VIEWER) as http:
        response = await http.get(f"/api/v1/{path}")
    body = response.json()
    assert (response.status_code, body["status"], body["errorType"]) == (status, "error", kind)
    assert body["error"]


async def test_access_errors_have_prometheus_envelope(reader: Client) -> None:
    async with reader() as stranger, reader(Role.INGEST) as ingest:
        response = await stranger.get("/api/v1/query")
        assert response.json()["errorType"] == "unauthorized"
        assert response.headers["www-authenticate"].startswith("Basic")
        assert (await ingest.get("/api/v1/query")).json()["errorType"] == "forbidden"


async def test_series_labels_and_values(reader: Client) -> None:
    async with reader(Role.VIEWER) as http:

        async def get(path: str, **parameters: object) -> object:
            return (await http.get(f"/api/v1/{path}", params=parameters)).json()["data"]  # type: ignore[arg-type]

        both = [{"__name__": "up", "job": "node"}, {"__name__": "up", "job": "shop"}]
        assert await get("series", **{"match[]": "up"}) == both
        assert await get("series", **{"match[]": ["up", "up"], "limit": 1}) == both[:1]
        assert await get("series", **{"match[]": "down"}) == []
        assert await get("labels") == ["__name__", "job"]
        assert await get("label/job/values") == ["node", "shop"]
        assert await get("label/job/values", **{"match[]": "down"}) == []
        assert (await http.post("/api/v1/series", data={"match[]": ["up"]})).json()["data"] == both


async def test_metadata(reader: Client) -> None:
    async with reader(Role.VIEWER) as http:
        every = (await http.get("/api/v1/metadata")).json()["data"]
        assert every["up"] == [{"type": "gauge", "help": "Whether the last scrape worked.", "unit": ""}]
        assert len((await http.get("/api/v1/metadata?limit=1")).json()["data"]) == 1
        assert list((await http.get("/api/v1/metadata?metric=up")).json()["data"]) == ["up"]
        assert (await http.get("/api/v1/metadata?limit=0")).json()["data"] == {}


async def test_targets_rules_and_alerts(reader: Client) -> None:
    async with reader(Role.VIEWER) as http:
        targets = (await http.get("/api/v1/targets")).json()["data"]["activeTargets"]
        assert [one["scrapePool"] for one in targets] == ["shop", "postgresql", "node"]
        assert targets[1]["health"] == "down"
        assert targets[0]["lastScrape"].endswith("Z")
        assert (targets[0]["scrapeInterval"], targets[0]["scrapeTimeout"]) == ("15s", "10s")
        assert targets[0]["discoveredLabels"]["__address__"] == "127.0.0.1:9700"
        assert targets[0]["scrapeUrl"] == "http://127.0.0.1:9700/metrics"
        assert targets[0]["globalUrl"] == f"http://{socket.gethostname()}:9700/metrics"
        groups = (await http.get("/api/v1/rules")).json()["data"]["groups"]
        rule = groups[0]["rules"][0]
        assert (rule["type"], rule["state"], rule["duration"]) == ("alerting", "firing", 120.0)
        assert rule["alerts"][0]["value"] == "0.41"
        assert "state" not in groups[1]["rules"][0]
        recording = (await http.get("/api/v1/rules?type=record")).json()["data"]["groups"]
        assert [len(group["rules"]) for group in recording] == [1]
        alerts = (await http.get("/api/v1/alerts")).json()["data"]["alerts"]
        assert alerts[0]["labels"]["alertname"] == "PaymentGatewayError"


async def test_health_is_public_and_metrics_are_not(platform: FakePlatform, client: Client) -> None:
    async with client() as http:
        assert (await http.get("/-/healthy")).status_code == 200
        assert (await http.get("/-/ready")).status_code == 200
        platform.status.failing = ["delivery", "rule Bad of group shop"]
        answer = await http.get("/-/ready")
        assert (answer.status_code, answer.text.splitlines()[1:]) == (503, platform.status.failing)
        platform.status.is_ready = False
        assert (await http.get("/-/ready")).status_code == 503
        assert (await http.get("/metrics")).status_code == 401
    async with client(Role.VIEWER) as http:
        response = await http.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "eldonia_ops_alert_groups_failing 0.0" in response.text
    assert "# TYPE eldonia_ops_http_request_duration_seconds histogram" in response.text


async def body(client: Client, path: str, **parameters: Any) -> Any:
    async with client(Role.VIEWER) as http:
        response = await http.get(f"/api/v1/{path}", params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


async def test_infos_stand_apart_from_warnings(reader: Client) -> None:
    found = await body(reader, "query", query="remarks")
    assert (found["warnings"], found["infos"]) == (["PromQL warning: w"], ["PromQL info: i"])
    assert not {"warnings", "infos"} & set(await body(reader, "query", query="up"))


async def test_what_a_query_is_asked_to_keep_to(client: Client, platform: FakePlatform) -> None:
    await body(client, "query", query="up", lookback_delta="1m", timeout="2.5")
    assert platform.queries.asked == (60_000, 2_500)
    await body(client, "query_range", query="up", start=1, end=2, step=1, lookback_delta="90", timeout="3s")
    assert platform.queries.asked == (90_000, 3_000)
    for path, more in (("query", {}), ("query_range", {"start": "0", "end": "60", "step": "15"})):
        found = (await body(client, path, query="up", stats="all", **more))["data"]["stats"]
        assert found["samples"].keys() == {"totalQueryableSamples", "peakSamples"}
        assert found["timings"]["execTotalTime"] >= found["timings"]["evalTotalTime"] >= 0
        assert "stats" not in (await body(client, path, query="up", **more))["data"]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("query", {"query": "http_requests_total"}),
        ("query_range", {"query": "http_requests_total", "start": 1, "end": 2, "step": 1}),
        ("series", {"match[]": "up"}),
        ("labels", {}),
        ("label/job/values", {}),
    ],
)
async def test_limits_are_kept_and_said(reader: Client, path: str, parameters: dict[str, Any]) -> None:
    def count(found: Any) -> int:
        data = found["data"]
        return len(data["result"] if isinstance(data, dict) else data)

    whole = await body(reader, path, **parameters, limit=0)
    assert count(whole) > 1
    assert "warnings" not in whole
    assert "warnings" not in await body(reader, path, **parameters, limit=count(whole))
    cut = await body(reader, path, **parameters, limit=1)
    assert (count(cut), cut["warnings"]) == (1, ["results truncated due to limit"])


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"rule_name[]": ["LowThroughput", "HighResponseTime"]}, ["HighResponseTime", "LowThroughput"]),
        ({"rule_name[]": "none"}, []),
        ({"rule_group[]": "eldonia-recording"}, ["job:http_requests:rate5m"]),
        ({"file[]": "rules/recording.yml"}, ["job:http_requests:rate5m"]),
        ({"file[]": "rules/alerts.yml", "rule_group[]": "eldonia-recording"}, []),
        ({"type": "record"}, ["job:http_requests:rate5m"]),
        ({"match[]": '{severity="info"}'}, []),
    ],
)
async def test_rules_are_filtered(reader: Client, parameters: dict[str, Any], names: list[str]) -> None:
    groups = (await body(reader, "rules", **parameters))["data"]["groups"]
    assert [rule["name"] for group in groups for rule in group["rules"]] == names
    assert all(group["rules"] for group in groups)


async def test_rules_come_without_their_alerts_and_in_pages(reader: Client) -> None:
    bare = (await body(reader, "rules", exclude_alerts="true"))["data"]["groups"]
    assert all(rule["alerts"] == [] for rule in bare[0]["rules"])
    whole = (await body(reader, "rules"))["data"]
    assert "groupNextToken" not in whole
    first = (await body(reader, "rules", group_limit=1))["data"]
    second = (await body(reader, "rules", group_limit=1, group_next_token=first["groupNextToken"]))["data"]
    assert first["groups"] + second["groups"] == whole["groups"]
    assert "groupNextToken" not in second


async def test_targets_are_filtered(reader: Client) -> None:
    async def pools(**parameters: str) -> list[str]:
        data = (await body(reader, "targets", **parameters))["data"]
        assert data["droppedTargets"] == []
        return [one["scrapePool"] for one in data["activeTargets"]]

    assert await pools(state="active") == await pools(state="any") == await pools() == ["shop", "postgresql", "node"]
    assert await pools(state="dropped") == []
    assert await pools(scrapePool="node") == ["node"]
    assert await pools(scrapePool="none") == []
