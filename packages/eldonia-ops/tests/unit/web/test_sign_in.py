"""The browser's way in and out."""

import re

import httpx
import pytest
from fake_platform import FakePlatform
from web_client import Client

from eldonia_ops.model.access import Principal, Role, SignInMethod
from eldonia_ops.services.access.sessions import SessionTimes
from eldonia_ops.services.api.people import Visit
from eldonia_ops.web.app import create_app
from eldonia_ops.web.local_paths import local_path
from eldonia_ops.web.sessions import cookie_name

OURS = {"Sec-Fetch-Site": "same-origin"}
HOST = "localhost:9600"
COOKIE = cookie_name(HOST, secure=False)
TIMES = SessionTimes()


async def sign_in(http: httpx.AsyncClient, secret: str, wanted: str = "/") -> httpx.Response:
    return await http.post("/sign-in", data={"token": secret, "next": wanted}, headers=OURS)


async def csrf_of(http: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', (await http.get("/")).text)
    assert found
    return found[1]


async def test_a_token_opens_a_session(platform: FakePlatform, client: Client) -> None:
    async with client() as http:
        response = await sign_in(http, platform.secrets[Role.VIEWER], "/logs?q=a b&range=1h")
        assert response.status_code == 303
        assert response.headers["location"] == "/logs?q=a%20b&range=1h"
        cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Secure" not in cookie
        assert platform.secrets[Role.VIEWER] not in cookie
        me = (await http.get("/api/ops/v1/me")).json()
        assert (me["role"], me["via"], me["capabilities"]) == ("viewer", "session", ["read"])
        assert http.cookies[COOKIE] not in str(platform.state.stored_sessions)


async def test_sessions_survive_a_restart_and_end_with_their_time(platform: FakePlatform, client: Client) -> None:
    async with client() as http:
        await sign_in(http, platform.secrets[Role.VIEWER])
        cookies = http.cookies
    restarted = httpx.ASGITransport(create_app(platform))
    async with httpx.AsyncClient(transport=restarted, base_url="http://localhost:9600", cookies=cookies) as http:
        assert (await http.get("/api/ops/v1/me")).status_code == 200
        platform.at += TIMES.idle_ms - 1
        assert (await http.get("/api/ops/v1/me")).status_code == 200
        platform.at += TIMES.idle_ms
        assert (await http.get("/api/ops/v1/me")).status_code == 401


async def test_a_revoked_token_ends_its_sessions(platform: FakePlatform, client: Client) -> None:
    async with client() as browser, client(Role.ADMIN) as admin:
        await sign_in(browser, platform.secrets[Role.VIEWER])
        assert (await browser.get("/")).status_code == 200
        id = next(token.id for token in platform.state.tokens.all() if token.role is Role.VIEWER)
        await admin.delete(f"/api/ops/v1/tokens/{id}")
        assert (await browser.get("/")).status_code == 401


async def test_expired_sessions_are_cleared_away(platform: FakePlatform) -> None:
    token = platform.state.tokens.all()[0]
    principal, visit = Principal(token.role, None, token), Visit(HOST)
    await platform.sessions.open(principal, SignInMethod.TOKEN, visit)
    platform.at += TIMES.lifetime_ms + 1
    value, _ = await platform.sessions.open(principal, SignInMethod.TOKEN, visit)
    assert len(platform.state.stored_sessions) == 1
    assert await platform.sessions.find(value, HOST)


@pytest.mark.parametrize("secret", ["", "nonsense", "eops_v_" + "A" * 43])
async def test_wrong_tokens_are_refused(client: Client, secret: str) -> None:
    async with client() as http:
        response = await sign_in(http, secret)
        assert response.status_code == 401
        assert "not valid" in response.text
        assert COOKIE not in response.cookies


async def test_ingest_tokens_open_no_session(platform: FakePlatform, client: Client) -> None:
    async with client() as http:
        response = await sign_in(http, platform.secrets[Role.INGEST])
        assert response.status_code == 403
        assert COOKIE not in response.cookies


async def test_guessing_is_slowed_down_and_the_right_token_always_gets_in(
    platform: FakePlatform, client: Client
) -> None:
    async with client() as http:
        for _ in range(10):
            assert (await sign_in(http, "wrong")).status_code == 401
        response = await sign_in(http, "wrong")
        assert response.status_code == 429
        assert response.headers["retry-after"] == "300"
        assert (await sign_in(http, platform.secrets[Role.ADMIN])).status_code == 303
        platform.at += 300_001
        assert (await sign_in(http, "wrong")).status_code == 401


async def test_headers_are_throttled_too_and_a_right_one_always_gets_in(platform: FakePlatform, client: Client) -> None:
    async with client() as http:
        statuses = [
            (await http.get("/api/ops/v1/me", headers={"Authorization": "Bearer x"})).status_code for _ in range(61)
        ]
    assert statuses == [401] * 60 + [429]
    async with client(Role.VIEWER) as http:
        assert (await http.get("/api/ops/v1/me")).status_code == 200


async def test_a_session_is_good_for_the_host_and_port_that_it_was_opened_at(
    platform: FakePlatform, client: Client
) -> None:
    async with client() as http:
        await sign_in(http, platform.secrets[Role.VIEWER])
        value = http.cookies[COOKIE]
    for host, status in ((HOST, 200), ("localhost:9601", 401), ("127.0.0.1:9600", 401), ("localhost", 401)):
        for name in (COOKIE, cookie_name(host, secure=False)):
            async with client(Cookie=f"{name}={value}", Host=host) as http:
                got = (await http.get("/api/ops/v1/me")).status_code
                assert got == (status if name == cookie_name(host, secure=False) else 401), (host, name)


async def test_eldonia_ops_localhost_is_a_name_of_ours(platform: FakePlatform, client: Client) -> None:
    async with client(Role.VIEWER, Host="eldonia-ops.localhost:9600") as http:
        assert (await http.get("/api/ops/v1/me")).status_code == 200
    async with client(Role.VIEWER, Host="other.localhost:9600") as http:
        assert (await http.get("/api/ops/v1/me")).status_code == 421


async def test_over_tls_the_cookie_belongs_to_this_host_alone(platform: FakePlatform) -> None:
    app = create_app(platform, external_url="https://ops.example")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://ops.example") as http:
        cookie = (await sign_in(http, platform.secrets[Role.VIEWER])).headers["set-cookie"]
        assert cookie.startswith("__Host-eldonia_ops_session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert (await http.get("/api/ops/v1/me")).status_code == 200


async def test_a_session_ends_with_its_tokens_time(platform: FakePlatform, client: Client) -> None:
    _, secret = platform.access.mint("short", Role.VIEWER, 60_000)
    async with client() as http:
        response = await sign_in(http, secret)
        assert "Max-Age=60;" in response.headers["set-cookie"]
        assert (await http.get("/api/ops/v1/me")).status_code == 200
        platform.at += 60_000
        assert (await http.get("/api/ops/v1/me")).status_code == 401


async def test_the_form_must_come_from_here(platform: FakePlatform, client: Client) -> None:
    data = {"token": platform.secrets[Role.ADMIN]}
    async with client() as http:
        foreign = ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {"Origin": "http://["}, {})
        for headers in foreign:
            assert (await http.post("/sign-in", data=data, headers=headers)).status_code == 403
        own = {"Origin": "http://localhost:9600"}
        assert (await http.post("/sign-in", data=data, headers=own)).status_code == 303


async def test_changes_by_cookie_need_same_origin_and_the_sessions_token(
    platform: FakePlatform, client: Client
) -> None:
    path, body = "/api/ops/v1/incidents/INC-3/notes", {"text": "hello"}
    async with client() as http, client() as other:
        await sign_in(http, platform.secrets[Role.RESPONDER])
        await sign_in(other, platform.secrets[Role.RESPONDER])
        csrf, foreign = await csrf_of(http), await csrf_of(other)
        for headers, code in [
            ({"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": csrf}, "cross_origin"),
            ({"Sec-Fetch-Site": "same-site", "X-CSRF-Token": csrf}, "cross_origin"),
            ({"X-CSRF-Token": csrf}, "cross_origin"),
            (OURS, "csrf"),
            (OURS | {"X-CSRF-Token": foreign}, "csrf"),
        ]:
            response = await http.post(path, json=body, headers=headers)
            assert response.status_code == 403
            assert response.json()["error"]["code"] == code
        assert (await http.post(path, json=body, headers=OURS | {"X-CSRF-Token": csrf})).status_code == 200


async def test_signing_out_ends_the_session(platform: FakePlatform, client: Client) -> None:
    async with client() as http:
        await sign_in(http, platform.secrets[Role.VIEWER])
        kept = dict(http.cookies)
        assert (await http.post("/sign-out", data={"csrf": "wrong"}, headers=OURS)).status_code == 403
        response = await http.post("/sign-out", data={"csrf": await csrf_of(http)}, headers=OURS)
        assert response.status_code == 303
    async with client(Cookie=f"{COOKIE}={kept[COOKIE]}") as http:
        assert (await http.get("/api/ops/v1/me")).status_code == 401


async def test_strangers_get_the_form_where_they_wanted_to_go(client: Client) -> None:
    async with client() as http:
        response = await http.get("/logs?q=x")
    assert response.status_code == 401
    assert 'value="/logs?q=x"' in response.text
    assert "www-authenticate" not in response.headers  # the browser would ask with a dialog of its own


async def test_https_cookies_are_secure(platform: FakePlatform) -> None:
    app = create_app(platform, external_url="https://ops.example.org", loopback=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://ops.example.org") as http:
        assert "Secure" in (await sign_in(http, platform.secrets[Role.VIEWER])).headers["set-cookie"]


@pytest.mark.parametrize(
    ("wanted", "path"),
    [("/logs?q=1", "/logs?q=1"), ("//evil.example", "/"), ("/\\evil.example", "/"), ("https://evil.example", "/"),
     ("", "/"), ("/sign-out", "/"), ("/join", "/"), ("/sign-in/oidc", "/"),
     ("/a\r\nSet-Cookie: x", "/"), ("/ログ", "/%E3%83%AD%E3%82%B0")],
)  # fmt: skip
def test_after_signing_in_one_stays_here(wanted: str, path: str) -> None:
    assert local_path(wanted) == path


async def test_a_stranger_cannot_fill_the_memory_with_forms(platform: FakePlatform, client: Client) -> None:
    async with client() as http:
        for path in ("/sign-in", "/join"):
            answer = await http.post(path, data={"token": "x" * 70_000}, headers=OURS)
            assert answer.status_code == 413
