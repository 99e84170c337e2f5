"""Who may do what, and that every answer is Elasticsearch's."""

import base64
from typing import Any

import pytest
from fake_platform import FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.web.http_side import HttpSide

LINES = b'{"index":{"_index":"app"}}\n{"message":"m"}\n'


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [
        ("GET", "/", {Role.INGEST, Role.VIEWER, Role.RESPONDER, Role.ADMIN}),
        ("GET", "/_license", {Role.INGEST, Role.VIEWER, Role.RESPONDER, Role.ADMIN}),
        ("POST", "/_bulk", {Role.INGEST, Role.ADMIN}),
        ("PUT", "/_index_template/t", {Role.INGEST, Role.ADMIN}),
        ("GET", "/app/_doc/1", {Role.VIEWER, Role.RESPONDER, Role.ADMIN}),
        ("GET", "/_field_caps", {Role.VIEWER, Role.RESPONDER, Role.ADMIN}),
        ("GET", "/_cat/indices?format=json", {Role.VIEWER, Role.RESPONDER, Role.ADMIN}),
        ("DELETE", "/app", {Role.ADMIN}),
        ("POST", "/app/_delete_by_query", {Role.ADMIN}),
        ("DELETE", "/_data_stream/x", {Role.ADMIN}),
    ],
)
async def test_roles(ask: Any, method: str, path: str, roles: set[Role]) -> None:
    for role in Role:
        status, body = await ask(method, path, role, content=LINES if path == "/_bulk" else b"{}")
        assert (status != 403) is (role in roles), (role, body)
        if status == 403:
            assert body["error"]["type"] == "security_exception"


async def test_strangers_are_refused(ask: Any) -> None:
    for path in ("/", "/_bulk", "/app/_doc/1", "/nothing/at/all"):
        status, body = await ask("POST", path, None)
        assert status == 401
        assert body["error"]["type"] == "security_exception"


async def test_the_ways_to_show_a_token(http: Any, platform: FakePlatform) -> None:
    secret = platform.secrets[Role.VIEWER]
    pair = base64.b64encode(f"id:{secret}".encode()).decode()
    for header in (f"ApiKey {secret}", f"ApiKey {pair}", f"Bearer {secret}", f"Basic {pair}", f"apikey {pair}"):
        async with http(None, Authorization=header) as client:
            assert (await client.get("/")).status_code == 200, header
    for header in ("ApiKey wrong", f"ApiKey {base64.b64encode(b'id:no').decode()}", "Digest x"):
        async with http(None, Authorization=header) as client:
            assert (await client.get("/")).status_code == 401, header


async def test_what_is_not_served_says_so(ask: Any) -> None:
    status, body = await ask("GET", "/_ml/anomaly_detectors")
    assert status == 404
    assert "no handler found for uri [/_ml/anomaly_detectors]" in body["error"]["reason"]
    status, body = await ask("PATCH", "/app")
    assert (status, "Incorrect HTTP method" in body["error"]["reason"]) == (405, True)
    status, body = await ask("POST", "/app/_close")
    assert (status, "not closed" in body["error"]["reason"]) == (400, True)
    script = {"processors": [{"script": {"source": "ctx.a = 1"}}]}
    status, body = await ask("PUT", "/_ingest/pipeline/p", json=script)
    assert (status, "scripts are not run here" in body["error"]["reason"]) == (400, True)


async def test_the_main_listener_has_it_below_a_prefix(side: HttpSide, platform: FakePlatform, client: Client) -> None:
    async with client(Role.VIEWER) as http:
        for path in ("/elasticsearch/", "/elasticsearch/_cat/health"):
            answer = await http.get(path)
            assert answer.status_code == 200
            assert answer.headers["x-elastic-product"] == "Elasticsearch"
        answer = await http.get("/elasticsearch/what/ever")
        assert answer.json()["error"]["type"] == "illegal_argument_exception"
    assert side.listener("elasticsearch", loopback=True, anonymous="ingest")


async def test_anonymous_senders_may_write_and_nothing_else(side: HttpSide) -> None:
    import httpx

    app = side.listener("elasticsearch", loopback=True, anonymous="ingest")
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 5), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9200") as http:
        assert (await http.get("/")).status_code == 200
        assert (await http.post("/_bulk", content=LINES)).json()["errors"] is False
        assert (await http.get("/app/_doc/1")).status_code == 401


async def test_what_deletes_is_in_the_audit_log_and_a_refresh_is_not(ask: Any, platform: FakePlatform) -> None:
    await ask("POST", "/_bulk", content=LINES)
    await ask("POST", "/_refresh")
    await ask("POST", "/app/_delete_by_query", json={"query": {"match_all": {}}})
    await ask("DELETE", "/app")
    found = [(one.kind, one.subject, one.action) for one in platform.state.stored_audit]
    assert found == [("index", "app", "deleted")] * 2
