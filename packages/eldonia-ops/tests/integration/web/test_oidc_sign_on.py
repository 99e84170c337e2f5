"""Sign-on at a real provider of OpenID Connect, which runs on a loopback port; a client walks through its forms."""

import asyncio
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
import uvicorn
from fake_platform import FakePlatform
from required_tools import missing, tool

from eldonia_ops.model.access import Role
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings import OidcSettings, SignOnSettings
from eldonia_ops.web.app import create_app
from eldonia_ops.web.sessions import cookie_name

PACKAGE = Path(__file__).parents[5] / "tools" / "javascript" / "node_modules" / "oidc-provider"
ME = "/api/ops/v1/me"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Provider:
    """The provider at one port; it can be stopped, and started with other keys."""

    def __init__(self, port: int, redirect_uri: str) -> None:
        self.port = port
        self.issuer = f"http://127.0.0.1:{port}"
        self._redirect_uri = redirect_uri
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        script = Path(__file__).with_name("oidc_provider.mjs")
        command = [tool("node"), str(script), str(PACKAGE), str(self.port), self._redirect_uri]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    return free_port(), free_port()


@pytest.fixture(scope="module")
def provider(ports: tuple[int, int]) -> Iterator[Provider]:
    if not PACKAGE.is_dir():
        missing("the package oidc-provider is not installed: run python scripts/javascript.py --install")
    own, port = ports
    made = Provider(port, f"http://127.0.0.1:{own}/sign-in/oidc/callback")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def platform(provider: Provider) -> FakePlatform:
    platform = FakePlatform(now=lambda: time.time_ns() // 1_000_000).with_people()
    platform.sign_on = SignOnSettings(
        oidc=OidcSettings(
            issuer=provider.issuer,
            client_id="ops",
            client_secret=Secret("a secret+with/odd=characters"),
            scopes=("openid", "profile", "email", "groups"),
            role_claim="groups",
            roles={"ops-admins": Role.ADMIN, "everybody": Role.VIEWER},
            button="Sign in with the shop",
        )
    )
    return platform


@pytest.fixture
def site(platform: FakePlatform, ports: tuple[int, int]) -> Iterator[str]:
    url = f"http://127.0.0.1:{ports[0]}"
    app = create_app(platform, external_url=url)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=ports[0], log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield url
    server.should_exit = server.force_exit = True
    thread.join(10)


@pytest.fixture
def browser(site: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site, timeout=20, headers={"User-Agent": "Mozilla/5.0 Firefox/140.0 Linux"}) as http:
        yield http


def form_of(page: httpx.Response) -> tuple[str, dict[str, str]]:
    """The address of the first form on a page, and its hidden fields."""
    address = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    assert address, page.text[:500]
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return urljoin(str(page.url), unescape(address[1])), {name: unescape(value) for name, value in fields}


def walk(http: httpx.Client, site: str, login: str, wanted: str = "/") -> httpx.Response:
    """Sign on: the button, the provider's login form, its form of consent; returns our answer to the way back."""
    page = http.get("/sign-in/oidc", params={"next": wanted})
    for _ in range(12):
        while page.is_redirect:
            address = urljoin(str(page.url), page.headers["location"])
            if urlsplit(address).path == "/sign-in/oidc/callback":
                return http.get(address)
            page = http.get(address)
        assert page.is_success, page.text[:500]
        address, fields = form_of(page)
        if fields["prompt"] == "login":
            fields |= {"login": login, "password": "any"}
        page = http.post(address, data=fields)
    raise AssertionError("the provider does not come to an end")


def test_a_person_signs_on_and_has_the_role_of_their_groups(
    platform: FakePlatform, site: str, browser: httpx.Client
) -> None:
    assert "Sign in with the shop" in browser.get("/sign-in").text
    answer = walk(browser, site, "mio", "/logs?q=x")
    assert (answer.status_code, answer.headers["location"]) == (303, "/logs?q=x")
    me = browser.get(ME).json()
    assert (me["name"], me["role"], me["method"]) == ("Mio Abe", "viewer", "oidc")
    assert me["account"] == "mio-2", "the name is taken by somebody else, and a name does not make one that person"
    account = asyncio.run(platform.accounts.get("mio-2"))
    assert (account.issuer, account.subject, account.mail) == (platform.sign_on.oidc.issuer, "mio", "mio@shop.example")
    assert platform.state.stored_accounts["a2"].role is Role.VIEWER
    # Again: the same account.
    with httpx.Client(base_url=site, timeout=20) as other:
        assert walk(other, site, "mio").status_code == 303
        assert other.get(ME).json()["id"] == me["id"]
    assert len(platform.state.stored_accounts) == 5


def test_the_role_follows_the_groups_at_each_sign_on(platform: FakePlatform, site: str, browser: httpx.Client) -> None:
    walk(browser, site, "hana")
    me = browser.get(ME).json()
    assert (me["role"], me["account"]) == ("admin", "hana-2")
    asyncio.run(platform.accounts.change("hana-2", role=Role.VIEWER))
    assert browser.get(ME).json()["role"] == "viewer"
    with httpx.Client(base_url=site, timeout=20) as again:
        walk(again, site, "hana")
        assert again.get(ME).json()["role"] == "admin"
    oidc = platform.sign_on.oidc
    platform.sign_on = SignOnSettings(oidc=replace(oidc, roles={"everybody": Role.RESPONDER}))
    with httpx.Client(base_url=site, timeout=20) as again:
        walk(again, site, "hana")
        assert again.get(ME).json()["role"] == "responder"


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("mio", {"roles": {"ops-admins": Role.ADMIN}}, "may not come in here"),
    ("eve", {"allowed_domains": ("shop.example",)}, "may not come in here"),
    ("zed", {"allowed_domains": ("shop.example",)}, "may not come in here"),
    ("mio", {"client_secret": Secret("a wrong one")}, "is not valid"),
]


@pytest.mark.parametrize(("login", "change", "words"), REFUSED)
def test_who_may_not_come_in_reads_why(
    platform: FakePlatform,
    site: str,
    browser: httpx.Client,
    caplog: pytest.LogCaptureFixture,
    login: str,
    change: dict[str, Any],
    words: str,
) -> None:
    platform.sign_on = SignOnSettings(oidc=replace(platform.sign_on.oidc, **change))
    answer = walk(browser, site, login)
    assert answer.status_code in (400, 403)
    assert words in answer.text
    assert browser.get(ME).status_code == 401
    assert len(platform.state.stored_accounts) == 4
    for secret in ("odd=characters", "a wrong one", "eyJ"):
        assert secret not in answer.text + caplog.text


def test_a_disabled_account_stays_out(platform: FakePlatform, site: str, browser: httpx.Client) -> None:
    walk(browser, site, "mio")
    asyncio.run(platform.accounts.change("mio-2", disabled=True))
    assert browser.get(ME).status_code == 401
    answer = walk(browser, site, "mio")
    assert answer.status_code == 403
    assert "may not come in here" in answer.text


def test_who_cancels_is_back_at_the_sign_in(site: str, browser: httpx.Client) -> None:
    page = browser.get("/sign-in/oidc", params={"next": "/logs"}, follow_redirects=True)
    abort = re.search(r'href="([^"]+/abort)"', page.text)
    assert abort
    answer = browser.get(unescape(abort[1]), follow_redirects=True)
    assert answer.status_code == 403
    assert "did not let you in, or you cancelled" in answer.text
    assert 'value="/logs"' in answer.text


def callback_of(http: httpx.Client, site: str, login: str) -> str:
    """The address that the provider sends a browser back to, which it does not follow."""
    seen: list[str] = []
    real = http.get

    def stop(address: str, **named: Any) -> httpx.Response:
        if "/sign-in/oidc/callback" in address:
            seen.append(address)
            return httpx.Response(200)
        return real(address, **named)

    http.get = stop  # type: ignore[method-assign]
    walk(http, site, login)
    http.get = real  # type: ignore[method-assign]
    return seen[0]


def test_an_answer_counts_only_in_the_browser_that_began_and_once(site: str, browser: httpx.Client) -> None:
    """Login by an attacker's code (session fixation), and a stolen code."""
    address = callback_of(browser, site, "mio")
    with httpx.Client(base_url=site, timeout=20) as victim:
        answer = victim.get(address)
        assert answer.status_code == 400
        assert "was not begun in this browser" in answer.text
        victim.get("/sign-in/oidc")  # has begun one of its own
        assert victim.get(address).status_code == 400
        assert victim.get(ME).status_code == 401
    state = parse_qs(urlsplit(address).query)["state"][0]
    assert browser.get(address.replace(state, "another")).status_code == 400
    # That was an end of the attempt; the right answer comes too late.
    assert browser.get(address).status_code == 400
    address = callback_of(browser, site, "mio")
    cookies = {one.name: one.value or "" for one in browser.cookies.jar if "sign_on" in one.name}
    assert browser.get(address).status_code == 303
    with httpx.Client(base_url=site, timeout=20, cookies=cookies) as thief:
        replayed = thief.get(address)
        assert replayed.status_code == 400
        assert "is not valid" in replayed.text


def test_a_planted_session_is_not_the_one_that_follows(site: str, browser: httpx.Client) -> None:
    name = cookie_name(urlsplit(site).netloc, secure=False)
    browser.cookies.set(name, "planted")
    answer = walk(browser, site, "mio")
    assert answer.cookies[name] not in ("", "planted")


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "/%0d%0aSet-Cookie:x", "javascript:alert(1)"],
)
def test_one_does_not_end_up_elsewhere(site: str, browser: httpx.Client, wanted: str) -> None:
    location = walk(browser, site, "mio", wanted).headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert urlsplit(urljoin(site, location)).netloc == urlsplit(site).netloc


def sign_out(http: httpx.Client) -> httpx.Response:
    """Send the form that every page has."""
    csrf = re.search(r'name="csrf" value="([^"]+)"', http.get("/account").text)
    assert csrf
    return http.post("/sign-out", data={"csrf": csrf[1]}, headers={"Origin": str(http.base_url).rstrip("/")})


def at_provider(http: httpx.Client) -> bool:
    """Whether the provider lets this browser in again without its login form."""
    page = http.get("/sign-in/oidc")
    while page.is_redirect:
        address = urljoin(str(page.url), page.headers["location"])
        if urlsplit(address).path == "/sign-in/oidc/callback":
            return True
        page = http.get(address)
    return form_of(page)[1]["prompt"] != "login"


def test_who_signs_out_is_signed_out_at_the_provider_too(site: str, provider: Provider, browser: httpx.Client) -> None:
    walk(browser, site, "mio")
    assert at_provider(browser)
    answer = sign_out(browser)
    assert answer.status_code == 200
    address = answer.headers["refresh"].removeprefix("0; url=")
    assert address.startswith(f"{provider.issuer}/session/end?")
    assert unescape(re.search(r'class="button primary" href="([^"]+)"', answer.text)[1]) == address  # type: ignore[index]
    query = parse_qs(urlsplit(address).query)
    assert query["post_logout_redirect_uri"] == [f"{site}/sign-in"]
    assert query["id_token_hint"][0].count(".") == 2
    assert not [one for one in browser.cookies.jar if "proof" in one.name]
    assert browser.get(ME).status_code == 401
    page = browser.get(address)
    action, fields = form_of(page)  # the provider's own "do you want to sign out?"
    back = browser.post(action, data={**fields, "logout": "yes"})
    assert back.is_redirect, back.text[:500]
    assert back.headers["location"] == f"{site}/sign-in"
    assert not at_provider(browser)


def test_a_sign_out_stays_here_where_that_is_wanted(platform: FakePlatform, site: str, browser: httpx.Client) -> None:
    walk(browser, site, "mio")
    platform.sign_on = SignOnSettings(oidc=replace(platform.sign_on.oidc, end_session=False))
    answer = sign_out(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert at_provider(browser)


def test_a_provider_that_is_not_there_keeps_nobody_signed_in(
    platform: FakePlatform, site: str, browser: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    walk(browser, site, "mio")
    platform.sign_on = SignOnSettings(oidc=replace(platform.sign_on.oidc, issuer=f"http://127.0.0.1:{free_port()}"))
    answer = sign_out(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert browser.get(ME).status_code == 401
    assert "a sign-out is known here alone" in caplog.text


def test_the_token_of_the_provider_comes_back_with_the_sign_out_alone(site: str, browser: httpx.Client) -> None:
    answer = walk(browser, site, "mio")
    [cookie] = [one for one in answer.headers.get_list("set-cookie") if one.startswith("eldonia_ops_proof")]
    assert "Path=/sign-out" in cookie
    assert "HttpOnly" in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    assert httpx.get(f"{site}{ME}", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_new_keys_of_the_provider_are_read(
    site: str, platform: FakePlatform, provider: Provider, browser: httpx.Client
) -> None:
    assert walk(browser, site, "mio").status_code == 303
    provider.stop()
    with httpx.Client(base_url=site, timeout=20) as other:
        # What was read of it before still leads there: whether it answers is seen by the browser.
        assert other.get("/sign-in/oidc").headers["location"].startswith(provider.issuer)
    provider.start()
    start, moved = platform._now, 11_000
    assert start is not None
    platform._now = lambda: start() + moved  # keys are not asked for more often than every ten seconds
    with httpx.Client(base_url=site, timeout=20) as other:
        assert walk(other, site, "mio").status_code == 303


def test_a_provider_that_is_not_there_is_named(
    platform: FakePlatform, site: str, browser: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    platform.sign_on = SignOnSettings(oidc=replace(platform.sign_on.oidc, issuer=f"http://127.0.0.1:{free_port()}"))
    answer = browser.get("/sign-in/oidc")
    assert answer.status_code == 502
    assert "cannot be reached" in answer.text
    assert "cannot be asked: ConnectError" in caplog.text
    assert 'name="password"' in answer.text, "the other ways stay open"


def test_long_codes_of_providers_get_as_far_as_the_check(site: str, browser: httpx.Client) -> None:
    browser.get("/sign-in/oidc")
    parameters = {"code": "0.A" * 1_000, "state": "x" * 100, "session_state": "x" * 300}
    answer = browser.get("/sign-in/oidc/callback", params=parameters)
    assert "was not begun in this browser" in answer.text


def test_one_begins_at_the_address_that_one_comes_back_to(site: str, browser: httpx.Client) -> None:
    port = urlsplit(site).port
    answer = httpx.get(f"http://localhost:{port}/sign-in/oidc?next=/logs")
    assert answer.headers["location"] == f"{site}/sign-in/oidc?next=%2Flogs"
