"""Who may do what, and that every answer is Elasticsearch's."""

import base64
from typing import Any

import pytest
from fake_platform import FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.services.elasticsearch import index_catalog
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


async def test_who_may_not_read_learns_no_names_of_fields(ask: Any) -> None:
    await ask("PUT", "/app", json={"mappings": {"properties": {"declared": {"type": "integer"}}}})
    lines = b'{"index":{"_index":"app"}}\n{"message":"m","salary_of_alice":5}\n'
    assert (await ask("POST", "/_bulk", Role.INGEST, content=lines))[0] == 200
    for role, shown in ((Role.VIEWER, True), (Role.ADMIN, True), (Role.INGEST, False)):
        _, found = await ask("GET", "/app", role)
        assert ("salary_of_alice" in found["app"]["mappings"]["properties"]) is shown
        assert "declared" in found["app"]["mappings"]["properties"]


async def test_who_may_not_delete_puts_nothing_under_a_policy_that_does(ask: Any) -> None:
    deletes = {"policy": {"phases": {"delete": {"min_age": "1d", "actions": {"delete": {}}}}}}
    hot = {"policy": {"phases": {"hot": {"actions": {}}}}}
    assert (await ask("PUT", "/_ilm/policy/short", json=deletes))[0] == 200
    assert (await ask("PUT", "/_ilm/policy/long", json=hot))[0] == 200
    await ask("PUT", "/app", Role.INGEST)
    under = {"index.lifecycle.name": "short"}
    nested = {"index": {"lifecycle": {"name": "short"}}}
    template = {"index_patterns": ["*"], "template": {"settings": nested}}
    kept = {"index_patterns": ["*"], "data_stream": {}, "template": {"lifecycle": {"data_retention": "1s"}}}
    asked = [
        ("/app/_settings", under),
        ("/app/_settings", nested),
        ("/next", {"settings": under}),
        ("/_index_template/all", template),
        ("/_template/all", {"index_patterns": ["*"], "settings": nested}),
        ("/_component_template/all", {"template": {"settings": nested}}),
        ("/_index_template/all", kept),
        ("/_ilm/policy/short", hot),
    ]
    for path, body in asked:
        status, answer = await ask("PUT", path, Role.INGEST, json=body)
        assert (status, answer["error"]["type"]) == (403, "security_exception"), path
    assert (await ask("PUT", "/app/_settings", Role.INGEST, json={"index.lifecycle.name": "long"}))[0] == 200
    for path, body in asked:
        assert (await ask("PUT", path, json=body))[0] == 200, path


async def test_what_is_declared_is_bounded_together(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_catalog, "MAX_TOTAL", 100_000)
    large = {"index_patterns": ["x"], "_meta": {"text": "x" * 40_000}}
    assert (await ask("PUT", "/_index_template/a", Role.INGEST, json=large))[0] == 200
    assert (await ask("PUT", "/_index_template/b", Role.INGEST, json=large))[0] == 200
    status, body = await ask("PUT", "/_index_template/c", Role.INGEST, json=large)
    assert status == 400
    assert "delete what is not used" in body["error"]["reason"]
    assert (await ask("PUT", "/_index_template/a", Role.INGEST, json={"index_patterns": ["x"]}))[0] == 200
    assert (await ask("PUT", "/_index_template/c", Role.INGEST, json=large))[0] == 200
    lines = b'{"index":{"_index":"app"}}\n{"message":"m","%s":5}\n' % (b"k" * 30_000)
    assert not (await ask("POST", "/_bulk", Role.INGEST, content=lines))[1]["errors"]
