"""Who gets in."""

import base64
import re
from collections.abc import Iterator

import httpx
import pytest
from fake_platform import FakePlatform
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.web.access import Permission, able_roles, allows
from eldonia_ops.web.app import create_app
from eldonia_ops.web.gate import ApiDialect, Guard, GuardedRoute, guards_of, host_name
from eldonia_ops.web.limits import RequestLimits

PUBLIC_PATHS = {"/-/healthy", "/-/ready", "/health", "/static/{version}/{name:path}", "/sign-in"}
PUBLIC_PATHS |= {"/join", "/sign-in/oidc", "/sign-in/oidc/callback"}


def requests_of(guards: list[Guard]) -> Iterator[tuple[Guard, str, str]]:
    for guard in guards:
        for method in sorted(guard.methods - {"HEAD"}):
            yield guard, method, re.sub(r"\{[^}]+\}", "1", guard.path)


async def test_only_health_static_files_and_the_way_in_are_public(app: Starlette) -> None:
    public = {guard.path for guard in app.state.guards if guard.demand is Permission.PUBLIC}
    assert public == PUBLIC_PATHS


async def test_every_other_route_answers_401_without_a_token(app: Starlette, client: Client) -> None:
    walked = 0
    async with client() as http:
        for guard, method, path in requests_of(app.state.guards):
            if guard.demand is not Permission.PUBLIC:
                response = await http.request(method, path)
                assert response.status_code == 401, (method, path)
                walked += 1
    assert walked > 80


async def test_every_other_route_answers_403_to_each_role_that_is_too_weak(app: Starlette, client: Client) -> None:
    walked = 0
    for role in Role:
        async with client(role) as http:
            for guard, method, path in requests_of(app.state.guards):
                if not allows(role, guard.demand):
                    response = await http.request(method, path)
                    assert response.status_code == 403, (role, method, path)
                    walked += 1
    assert walked > 100


async def test_roles_that_are_strong_enough_get_past_the_gate(app: Starlette, client: Client) -> None:
    for role in Role:
        async with client(role) as http:
            for guard, method, path in requests_of(app.state.guards):
                if allows(role, guard.demand) and method == "GET":
                    assert (await http.request(method, path)).status_code not in (401, 403, 500), (role, path)


async def test_unknown_paths_tell_strangers_nothing(client: Client) -> None:
    async with client() as http:
        assert (await http.get("/api/ops/v1/nothing")).status_code == 401
        assert (await http.get("/nothing")).status_code == 401
    async with client(Role.VIEWER) as http:
        response = await http.get("/api/ops/v1/nothing")
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "not_found"
        assert (await http.get("/nothing")).status_code == 404
        assert (await http.put("/api/v1/query")).json()["status"] == "error"


@pytest.mark.parametrize("ending", ["%0A", "%0A%0A", "/"])
async def test_what_the_table_does_not_know_never_reaches_a_route(app: Starlette, client: Client, ending: str) -> None:
    # A router's "$" also matches before a last line break: "/api/v1/query%0A" once answered ingest tokens.
    patterns = [guard.pattern for guard in app.state.guards if "{" in guard.path or guard.path.endswith("/")]
    for role in (Role.INGEST, Role.ADMIN):
        async with client(role) as http:
            for guard, method, path in requests_of(app.state.guards):
                if ending == "/" and any(pattern.match(path + ending) for pattern in patterns):
                    continue  # /services/ leads to /services; Elasticsearch takes /_bulk/ for /_bulk
                if "{" not in guard.path and guard.path != "/":
                    assert (await http.request(method, path + ending)).status_code in (404, 405), (role, method, path)


async def test_a_wrong_method_names_the_right_ones(client: Client) -> None:
    async with client(Role.VIEWER) as http:
        response = await http.delete("/api/ops/v1/alerts")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET"
    assert response.json()["error"]["code"] == "method_not_allowed"


def test_who_may_do_what() -> None:
    assert able_roles(Permission.INGEST) == [Role.INGEST, Role.ADMIN]
    assert able_roles(Permission.READ) == [Role.VIEWER, Role.RESPONDER, Role.ADMIN]
    assert able_roles(Permission.RESPOND) == [Role.RESPONDER, Role.ADMIN]
    assert able_roles(Permission.ADMINISTER) == [Role.ADMIN]


@pytest.mark.parametrize("user", ["", "elastic", "x:y"])
async def test_basic_authentication_takes_the_token_as_password(
    platform: FakePlatform, client: Client, user: str
) -> None:
    secret = platform.secrets[Role.VIEWER]
    value = base64.b64encode(f"{user}:{secret}".encode()).decode()
    async with client(Authorization=f"Basic {value}") as http:
        expected = 401 if ":" in user else 200  # a user name cannot hold a colon (RFC 7617)
        assert (await http.get("/api/v1/status/buildinfo")).status_code == expected


@pytest.mark.parametrize("header", ["Bearer", "Bearer nonsense", "Basic !!!", "Basic bm9jb2xvbg==", "Digest x", " "])
async def test_malformed_credentials_are_refused(client: Client, header: str) -> None:
    async with client(Authorization=header) as http:
        response = await http.get("/api/ops/v1/me")
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_token_is_refused_at_once(platform: FakePlatform, client: Client) -> None:
    async with client(Role.ADMIN) as admin, client(Role.VIEWER) as viewer:
        assert (await viewer.get("/api/ops/v1/me")).status_code == 200
        tokens = (await admin.get("/api/ops/v1/tokens")).json()
        id = next(token["id"] for token in tokens if token["role"] == "viewer")
        assert (await admin.delete(f"/api/ops/v1/tokens/{id}")).status_code == 200
        assert (await viewer.get("/api/ops/v1/me")).status_code == 401
        assert (await admin.delete(f"/api/ops/v1/tokens/{id}")).status_code == 404


async def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(platform: FakePlatform, client: Client) -> None:
    async with client(Authorization="Bearer wrong") as guesser, client(Role.VIEWER) as viewer:
        statuses = [(await guesser.get("/api/ops/v1/me")).status_code for _ in range(61)]
        assert statuses == [401] * 60 + [429]
        assert (await guesser.get("/api/ops/v1/me")).headers["retry-after"] == "300"
        assert (await viewer.get("/api/ops/v1/me")).status_code == 200
        platform.at += 5 * 60_000
        assert (await guesser.get("/api/ops/v1/me")).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:9600", 200), ("127.0.0.1:1", 200), ("[::1]:9600", 200), ("LOCALHOST", 200), ("ops.example.org", 200),
     ("evil.example", 421), ("localhost.evil.example", 421), ("user@localhost", 421), ("", 421),
     ("[", 421), ("[::1", 421), ("localhost/../evil", 421), ("localhost#evil", 421), ("localhost:a", 421)],
)  # fmt: skip
async def test_a_loopback_listener_answers_to_its_own_names_only(
    platform: FakePlatform, host: str, status: int
) -> None:
    app = create_app(platform, external_url="https://ops.example.org/")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        assert (await http.get("/-/healthy", headers={"Host": host})).status_code == status


async def test_other_listeners_answer_to_any_name(platform: FakePlatform) -> None:
    app = create_app(platform, loopback=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://any.example") as http:
        assert (await http.get("/-/healthy")).status_code == 200


def test_host_names() -> None:
    assert host_name("[2001:db8::1]:80") == "2001:db8::1"
    assert host_name("a.example:80") == "a.example"


async def test_large_bodies_are_refused_in_the_envelope_of_the_address(platform: FakePlatform) -> None:
    app = create_app(platform, limits=RequestLimits(request=100, ingest=100))
    headers = {"Authorization": f"Bearer {platform.secrets[Role.ADMIN]}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost", headers=headers
    ) as http:
        native = await http.post("/api/ops/v1/incidents", json={"title": "x" * 200})
        assert native.status_code == 413
        assert native.json()["error"]["code"] == "too_large"
        compat = await http.post("/api/v2/alerts", content=b"[" + b" " * 200 + b"]")
        assert compat.status_code == 413
        assert "larger" in compat.json()
        prometheus = await http.post("/api/v1/query", data={"query": "x" * 200})
        assert prometheus.status_code == 413
        assert prometheus.json()["errorType"] == "bad_data"


async def test_every_answer_carries_the_security_headers(client: Client) -> None:
    async with client(Role.VIEWER) as http:
        for path in ("/", "/sign-in", "/api/ops/v1/me", "/api/v1/labels", "/nothing", "/-/healthy"):
            headers = (await http.get(path)).headers
            policy = headers["content-security-policy"]
            assert "unsafe-inline" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cache-control"] == "no-store"
            assert "strict-transport-security" not in headers


async def test_https_brings_strict_transport_security(platform: FakePlatform) -> None:
    app = create_app(platform, external_url="https://ops.example.org", loopback=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://ops.example.org") as http:
        assert "strict-transport-security" in (await http.get("/-/healthy")).headers


def test_a_route_without_a_demand_cannot_be_built_in() -> None:
    async def endpoint(_request: object) -> PlainTextResponse:
        return PlainTextResponse("")

    with pytest.raises(TypeError, match="/open declares no demand"):
        guards_of([Route("/open", endpoint)])


def test_a_pattern_must_not_hide_a_literal_path(platform: FakePlatform) -> None:
    from eldonia_ops.web.gate import check_order

    async def endpoint(_request: object) -> PlainTextResponse:
        return PlainTextResponse("")

    hiding = GuardedRoute("/a/{id}", endpoint, demand=Permission.READ, family=ApiDialect.PAGE)
    hidden = GuardedRoute("/a/b", endpoint, demand=Permission.ADMINISTER, family=ApiDialect.PAGE)
    check_order(guards_of([hidden, hiding]))
    with pytest.raises(TypeError, match="hides"):
        check_order(guards_of([hiding, hidden]))


async def test_faults_of_ours_are_answered_in_the_envelope(platform: FakePlatform, client: Client) -> None:
    async def fail() -> object:
        raise RuntimeError("secret detail")

    platform.alerts.current = fail  # type: ignore[method-assign]
    async with client(Role.VIEWER) as http:
        native = await http.get("/api/ops/v1/alerts")
        compat = await http.get("/api/v2/alerts")
    assert native.status_code == compat.status_code == 500
    assert native.json()["error"]["code"] == "internal"
    assert "secret" not in native.text + compat.text


@pytest.mark.parametrize("depth", [33, 1_000, 100_000])
@pytest.mark.parametrize(
    ("path", "role", "start", "end"),
    [
        ("/api/v2/alerts", Role.INGEST, '[{"labels":{"alertname":"a"},"x":', "}]"),
        ("/api/v2/silences", Role.RESPONDER, '{"comment":"c","x":', "}"),
        ("/api/ops/v1/incidents", Role.RESPONDER, '{"title":"t","x":', "}"),
        ("/api/ops/v1/incidents", Role.RESPONDER, "   " * 2_000 + '{"title":"t","x":', "}"),
    ],
)
async def test_a_document_that_is_nested_too_deeply_is_its_senders_fault(
    client: Client, path: str, role: Role, start: str, end: str, depth: int
) -> None:
    body = start + "[" * depth + "]" * depth + end
    async with client(role) as http:
        answer = await http.post(path, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, "nested too deeply" in answer.text) == (400, True)


async def test_requests_are_counted_by_the_pattern_of_their_path(client: Client, platform: FakePlatform) -> None:
    async with client(Role.VIEWER) as http:
        await http.get("/api/ops/v1/incidents/INC-3")
        await http.get("/api/ops/v1/incidents/INC-99999")
        await http.get("/no/such/page")
        await http.request("BREW", "/api/v1/query")
    async with client() as http:
        await http.get("/api/v1/query")
    text = platform.status.metrics("")[1].decode()
    counted = re.findall(r"^eldonia_ops_http_requests_total{(.*)} (.*)$", text, re.MULTILINE)
    expected = [
        ("native", "200", "GET", "/api/ops/v1/incidents/{incident}"),
        ("native", "404", "GET", "/api/ops/v1/incidents/{incident}"),
        # Nothing of what a stranger may choose becomes a label.
        ("page", "404", "GET", "unknown"),
        ("prometheus", "405", "other", "unknown"),
        ("prometheus", "401", "GET", "/api/v1/query"),
    ]
    assert sorted(counted) == sorted(
        (f'api="{api}",code="{code}",listener="main",method="{method}",route="{route}"', "1.0")
        for api, code, method, route in expected
    )
