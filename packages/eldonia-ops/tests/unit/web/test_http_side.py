"""Listeners of one dialect: which routes each has, and who gets in at them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from fake_platform import FakePlatform
from starlette.applications import Starlette

from eldonia_ops.intake import Fault, HttpListener, Intake, IntakeAnswer, IntakeRoute
from eldonia_ops.intake.registry import built_in, listeners_of
from eldonia_ops.model.access import Role
from eldonia_ops.settings.listeners import DIALECTS
from eldonia_ops.web.access import Permission, allows
from eldonia_ops.web.compat.elasticsearch.routes import PARTS
from eldonia_ops.web.gate import Guard
from eldonia_ops.web.http_side import HttpSide


def with_a_slash(paths: Iterable[str]) -> set[str]:
    """The addresses, and each with a slash behind it, as Elasticsearch takes them; what ends with an id takes all."""
    every = set(paths)
    return every | {f"{path}/" for path in every if path != "/" and not path.endswith(":path}")}


MANAGEMENT = {"/metrics", "/-/healthy", "/-/ready", "/health", "/-/reload"}
HEALTH = {"/-/healthy", "/-/ready", "/health"}
PROMETHEUS = {
    "/api/v1/query", "/api/v1/query_range", "/api/v1/format_query", "/api/v1/series", "/api/v1/labels",
    "/api/v1/label/{name}/values", "/api/v1/metadata", "/api/v1/targets", "/api/v1/rules", "/api/v1/alerts",
    "/api/v1/status/buildinfo", "/api/v1/write",
}  # fmt: skip
ALERTMANAGER = {
    "/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences", "/api/v2/silence/{id}", "/api/v2/receivers",
    "/api/v2/status",
}  # fmt: skip
ROUTES = {
    "prometheus": PROMETHEUS | MANAGEMENT,
    "alertmanager": ALERTMANAGER | MANAGEMENT,
    "jaeger": {
        "/api/services", "/api/services/{service}/operations", "/api/traces", "/api/traces/{trace_id}",
    },
    "otlp_http": {"/v1/traces", "/v1/logs", "/v1/metrics"},
    "http_input": {"/{tag:path}"},
    "loki": {"/loki/api/v1/push", "/api/prom/push"},
    "journal": {"/upload"},
    # Nearly a hundred; tests/unit/web/compat/elasticsearch asks them one by one.
    "elasticsearch": with_a_slash(one.path for part in PARTS for one in part(Mock())),
}  # fmt: skip
WITH_ADDRESSES = [name for name in ROUTES if name not in ("elasticsearch", "http_input")]
"""In Elasticsearch's API any word is the address of an index, and for in_http it is a tag."""


@pytest.fixture
def side(platform: FakePlatform) -> HttpSide:
    return HttpSide(platform, external_url="https://ops.example.org", intakes=built_in())


def opened(app: Starlette, client: tuple[str, int] = ("127.0.0.1", 1), **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=client)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:9090", headers=headers)


def bearer(platform: FakePlatform, role: Role) -> dict[str, str]:
    return {"Authorization": f"Bearer {platform.secrets[role]}"}


def requests_of(app: Starlette) -> Iterator[tuple[Guard, str, str]]:
    for guard in app.state.guards:
        for method in sorted(guard.methods - {"HEAD"}):
            yield guard, method, re.sub(r"\{[^}]+\}", "1", guard.path)


def test_every_listener_is_listed_here() -> None:
    """So that the walks below meet each of them."""
    http = {name for name, (_, one) in listeners_of(built_in()).items() if isinstance(one, HttpListener)}
    assert set(DIALECTS) | http == set(ROUTES)


@pytest.mark.parametrize("name", ROUTES)
def test_each_has_the_routes_of_its_dialect_alone(side: HttpSide, name: str) -> None:
    assert {guard.path for guard in side.listener(name, loopback=True).state.guards} == ROUTES[name]


@pytest.mark.parametrize("name", ROUTES)
async def test_only_health_is_public(side: HttpSide, name: str) -> None:
    app = side.listener(name, loopback=True)
    public = {guard.path for guard in app.state.guards if guard.demand is Permission.PUBLIC}
    assert public == HEALTH & ROUTES[name]
    async with opened(app) as http:
        for guard, method, path in requests_of(app):
            expected = {401} if guard.demand is not Permission.PUBLIC else {200, 503}
            assert (await http.request(method, path)).status_code in expected, (method, path)


@pytest.mark.parametrize("name", ROUTES)
async def test_roles_count_as_on_the_main_listener(side: HttpSide, platform: FakePlatform, name: str) -> None:
    app = side.listener(name, loopback=True)
    for role in Role:
        async with opened(app, **bearer(platform, role)) as http:
            for guard, method, path in requests_of(app):
                status = (await http.request(method, path)).status_code
                assert (status in (401, 403)) == (not allows(role, guard.demand)), (role, method, path, status)


@pytest.mark.parametrize("name", WITH_ADDRESSES)
async def test_addresses_of_others_are_not_there(side: HttpSide, platform: FakePlatform, name: str) -> None:
    """For everything that the main listener and the other listeners have: 404 to an admin, 401 to a stranger."""
    app = side.listener(name, loopback=True)
    own = ROUTES[name]
    walked = 0
    async with opened(app) as stranger, opened(app, **bearer(platform, Role.ADMIN)) as admin:
        for guard, method, path in requests_of(side.main(loopback=True)):
            if guard.path in own or any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path) for one in own):
                continue
            for ending in ("", "/", "%0A"):
                known, unknown = (
                    await admin.request(method, path + ending),
                    await stranger.request(method, path + ending),
                )
                assert known.status_code == 404, (method, path)
                assert unknown.status_code == 401, (method, path)
            walked += 1
    assert walked > 60


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("prometheus", lambda body: body == {"status": "error", "errorType": "not_found", "error": "Not Found"}),
        ("alertmanager", lambda body: body == "Not Found"),
        ("jaeger", lambda body: body["errors"][0] == {"code": 404, "msg": "Not Found"}),
        ("otlp_http", lambda body: body["message"] == "Not Found"),
    ],
)
async def test_an_unknown_address_is_answered_in_the_dialect(
    side: HttpSide, platform: FakePlatform, name: str, shape: Any
) -> None:
    async with opened(side.listener(name, loopback=True), **bearer(platform, Role.ADMIN)) as http:
        for path in ("/", "/nothing", "/api/ops/v1/overview", "/sign-in", "/static/x/y.js"):
            answer = await http.get(path)
            assert answer.status_code == 404
            assert shape(answer.json()), answer.text


@pytest.mark.parametrize("name", ROUTES)
async def test_a_listener_answers_to_its_own_names(side: HttpSide, platform: FakePlatform, name: str) -> None:
    headers = bearer(platform, Role.ADMIN)
    async with opened(side.listener(name, loopback=True), **headers) as http:
        missing = 405 if name == "http_input" else 404  # there any word is a tag, to which one can only send
        for host, status in (("evil.example", 421), ("ops.example.org", missing), ("127.0.0.1:1", missing), ("", 421)):
            assert (await http.get("/nothing", headers={"Host": host})).status_code == status
    async with opened(side.listener(name, loopback=False), **headers) as http:
        assert (await http.get("/nothing", headers={"Host": "any.example"})).status_code == missing


@pytest.mark.parametrize("name", ROUTES)
async def test_pages_of_other_sites_change_nothing(side: HttpSide, platform: FakePlatform, name: str) -> None:
    """A browser sends a password that it knows of a port by itself."""
    app = side.listener(name, loopback=True)
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        async with opened(app, **bearer(platform, Role.ADMIN)) as http:
            for guard, method, path in requests_of(app):
                if method not in ("GET", "HEAD") and guard.demand is not Permission.PUBLIC:
                    assert (await http.request(method, path, headers=headers)).status_code == 403, (method, path)


async def test_a_session_of_the_pages_counts_for_nothing(side: HttpSide, platform: FakePlatform) -> None:
    async with opened(side.main(loopback=True)) as http:
        form = {"token": platform.secrets[Role.ADMIN]}
        await http.post("/sign-in", data=form, headers={"Origin": "http://localhost:9090"})
        cookie = {"Cookie": "; ".join(f"{one.name}={one.value}" for one in http.cookies.jar)}
        http.cookies.clear()
        assert (await http.get("/api/v1/labels", headers=cookie)).status_code == 200
    async with opened(side.listener("prometheus", loopback=True), **cookie) as http:
        assert (await http.get("/api/v1/labels")).status_code == 401


async def test_attempts_at_a_token_are_counted_over_all_listeners(side: HttpSide) -> None:
    apps = [side.main(loopback=True), *(side.listener(name, loopback=True) for name in ROUTES)]
    statuses = []
    for turn in range(61):
        async with opened(apps[turn % len(apps)], Authorization="Bearer wrong") as http:
            statuses.append((await http.get("/nothing")).status_code)
    assert statuses == [401] * 60 + [429]


@pytest.mark.parametrize("role", [Role.INGEST, Role.VIEWER])
@pytest.mark.parametrize("name", ROUTES)
async def test_programs_of_this_machine_may_have_a_role_without_a_token(
    side: HttpSide, platform: FakePlatform, name: str, role: Role
) -> None:
    app = side.listener(name, loopback=True, anonymous=role.value)
    for guard, method, path in requests_of(app):
        may = allows(role, guard.demand)
        async with opened(app) as local, opened(app, Authorization="Bearer wrong") as wrong:
            # What the role may not do takes a token: 401, so that clients show theirs.
            status = (await local.request(method, path)).status_code
            assert (status == 401) == (not may), (method, path)
            assert status != 403
            # A wrong token is not taken for none.
            assert guard.demand is Permission.PUBLIC or (await wrong.request(method, path)).status_code in (401, 429)
        if guard.demand is Permission.PUBLIC:
            continue
        async with opened(app, client=("192.0.2.7", 1)) as far:
            assert (await far.request(method, path)).status_code == 401
        platform.at += 10 * 60_000  # the wrong tokens are forgotten


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host", "CF-Connecting-IP"]
)
async def test_what_a_proxy_passes_on_is_not_from_this_machine(side: HttpSide, header: str) -> None:
    app = side.listener("prometheus", loopback=True, anonymous="viewer")
    async with opened(app) as http:
        assert (await http.get("/api/v1/labels")).status_code == 200
        assert (await http.get("/api/v1/labels", headers={header: "127.0.0.1"})).status_code == 401


async def test_without_a_token_host_and_origin_count_too(side: HttpSide) -> None:
    app = side.listener("alertmanager", loopback=True, anonymous="ingest")
    alerts = [{"labels": {"alertname": "A"}}]
    async with opened(app) as http:
        assert (await http.post("/api/v2/alerts", json=alerts)).status_code == 200
        assert (await http.post("/api/v2/alerts", json=alerts, headers={"Host": "evil"})).status_code == 421
        origin = {"Origin": "http://evil.example"}
        assert (await http.post("/api/v2/alerts", json=alerts, headers=origin)).status_code == 403
        assert (await http.post("/api/v2/silences", json={})).status_code == 401
        assert (await http.post("/-/reload")).status_code == 401


@pytest.mark.parametrize(("anonymous", "loopback"), [("responder", True), ("admin", True), ("viewer", False)])
def test_more_is_not_given_away(side: HttpSide, anonymous: str, loopback: bool) -> None:
    with pytest.raises(ValueError, match="cannot be open"):
        side.listener("prometheus", loopback=loopback, anonymous=anonymous)


async def test_requests_are_counted_by_listener(side: HttpSide, platform: FakePlatform) -> None:
    for name in ("jaeger", "otlp_http"):
        async with opened(side.listener(name, loopback=True), **bearer(platform, Role.VIEWER)) as http:
            await http.get("/api/services")
    text = platform.status.metrics("")[1].decode()
    found = re.findall(
        r'^eldonia_ops_http_requests_total{api="(\w+)",code="(\d+)",listener="(\w+)",', text, re.MULTILINE
    )
    assert sorted(found) == [("jaeger", "200", "jaeger"), ("otlp", "404", "otlp_http")]


async def _accept(_platform: object, _request: object) -> IntakeAnswer:
    return IntakeAnswer(204)


def _fault(_headers: object, problem: Fault) -> IntakeAnswer:
    return IntakeAnswer(problem.status, f"!{problem.message}".encode(), "text/x-lines")


async def test_an_intake_registers_a_listener_by_one_line(platform: FakePlatform) -> None:
    """With routes at the root that would hide the pages of the main listener, were they not below it."""
    intake = Intake(
        "bulk",
        (IntakeRoute("/bulk/{index}", "logs", _accept),),
        _fault,
        listeners=(HttpListener("bulk", 9200),),
    )
    side = HttpSide(platform, intakes=[*built_in(), intake])
    async with opened(side.listener("bulk", loopback=True), **bearer(platform, Role.INGEST)) as http:
        assert (await http.post("/bulk/shop")).status_code == 204
        assert (await http.post("/v1/logs")).text == "!Not Found"


def test_a_name_that_no_intake_has_cannot_be_opened(side: HttpSide) -> None:
    for name in ("native", "page", "splunk", "prometheus_remote_write", "otlp"):
        with pytest.raises(LookupError):
            side.listener(name, loopback=True)
