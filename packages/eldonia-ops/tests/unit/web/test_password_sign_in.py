"""People sign in by name and password, and by one-time links; and what those try who may not."""

import re
from dataclasses import replace

import httpx
import pytest
from fake_platform import FakePlatform
from fake_platform.platform import password_of
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.model.security import SecurityEventType
from eldonia_ops.services.api import OverloadedError
from eldonia_ops.web.sessions import cookie_name

OURS = {"Sec-Fetch-Site": "same-origin"}
COOKIE = cookie_name("localhost:9600", secure=False)
ME = "/api/ops/v1/me"


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform().with_people()


async def sign_in(http: httpx.AsyncClient, name: str, password: str = "", wanted: str = "/") -> httpx.Response:
    fields = {"name": name, "password": password or password_of(name), "next": wanted}
    return await http.post("/sign-in", data=fields, headers=OURS)


async def csrf_of(http: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', (await http.get("/")).text)
    assert found
    return found[1]


async def change(http: httpx.AsyncClient, method: str, path: str, **named: object) -> httpx.Response:
    """A change as a page makes it."""
    headers = OURS | {"X-CSRF-Token": await csrf_of(http)}
    return await http.request(method, f"/api/ops/v1{path}", headers=headers, **named)  # type: ignore[arg-type]


async def test_a_name_and_a_password_open_a_session_of_the_account(platform: FakePlatform, client: Client) -> None:
    async with client(**{"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}) as http:
        response = await sign_in(http, " Hana ", password_of("hana"), "/logs?q=x")
        assert (response.status_code, response.headers["location"]) == (303, "/logs?q=x")
        cookie = response.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        me = (await http.get(ME)).json()
        assert me["id"] == "account:a0"
        assert (me["name"], me["account"], me["role"], me["method"]) == ("Hana Sato", "hana", "admin", "password")
        (session,) = (await http.get("/api/ops/v1/sessions")).json()
        assert (session["who"], session["client"], session["method"]) == ("Hana Sato", "Firefox · Linux", "password")
        assert session["current"] is True
        assert session["address"] == "127.0.0.1"
        assert http.cookies[COOKIE] not in str(platform.state.stored_sessions)
        assert platform.state.stored_accounts["a0"].signed_in_at == platform.now()


async def test_what_is_wrong_is_said_in_the_same_words_and_bytes(platform: FakePlatform, client: Client) -> None:
    """A failed sign-in never shows whether the account exists, what state it is in, or whether it has a password."""
    platform.state.stored_accounts["a1"] = replace(platform.state.stored_accounts["a1"], disabled=True)
    async with client() as http:
        answers = [
            await sign_in(http, "mio", "wrong password"),  # exists
            await sign_in(http, "eve", "wrong password"),  # does not
            await sign_in(http, "ken", password_of("ken")),  # is disabled
            await sign_in(http, "tomo", "wrong password"),  # has none yet
        ]
    texts = {re.sub(r'name="name"[^>]*', "", answer.text) for answer in answers}
    assert [answer.status_code for answer in answers] == [401] * 4
    assert len(texts) == 1
    assert "or the account is disabled" in texts.pop()


async def test_each_failed_sign_in_costs_one_comparison_of_a_hash(
    platform: FakePlatform, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of an answer is the time of the hash; counting it is exact where a clock would be noisy."""
    compared: list[bool] = []
    passwords = platform.accounts._passwords
    plain = passwords._match
    monkeypatch.setattr(
        passwords, "_match", lambda stored, given: (compared.append(bool(stored)), plain(stored, given))[1]
    )
    platform.state.stored_accounts["a1"] = replace(platform.state.stored_accounts["a1"], disabled=True)
    async with client() as http:
        for name in ("mio", "eve", "ken", "tomo", "", "名前", "x" * 64):
            before = len(compared)
            await sign_in(http, name, "wrong password")
            assert len(compared) == before + 1, name
    assert compared == [True, False, False, False, False, False, False]


async def test_a_session_is_always_a_new_one(platform: FakePlatform, client: Client) -> None:
    """Fixation: a value that somebody planted in the browser opens nothing, and the session that it had ends."""
    async with client() as attacker:
        await sign_in(attacker, "mio")
        planted = attacker.cookies[COOKIE]
    async with client() as victim:
        victim.cookies.set(COOKIE, planted)
        response = await sign_in(victim, "hana")
        fresh = response.cookies[COOKIE]
    assert fresh != planted
    async with client(Cookie=f"{COOKIE}={planted}") as attacker:
        assert (await attacker.get(ME)).status_code == 401
    async with client(Cookie=f"{COOKIE}=made-up") as attacker:
        assert (await attacker.get(ME)).status_code == 401


async def test_guessing_is_slowed_down_by_address_even_for_the_right_password(
    platform: FakePlatform, client: Client
) -> None:
    async with client() as http:
        for _ in range(10):
            assert (await sign_in(http, "hana", "wrong password")).status_code == 401
        response = await sign_in(http, "hana")
        assert response.status_code == 429
        assert response.headers["retry-after"] == "300"
        assert (await http.post("/sign-in", data={"token": platform.secrets[Role.ADMIN]}, headers=OURS)).is_redirect
        platform.at += 300_001
        assert (await sign_in(http, "hana")).status_code == 303


async def test_right_sign_ins_are_not_counted(client: Client) -> None:
    async with client() as http:
        for _ in range(30):
            assert (await sign_in(http, "mio")).status_code == 303


async def test_guesses_at_one_account_from_many_addresses_are_slowed_down_but_do_not_lock_its_owner_out(
    platform: FakePlatform, client: Client
) -> None:
    platform.trusted_proxies = ("127.0.0.1/32",)
    async with client() as owner, client() as http:
        assert (await sign_in(owner, "hana")).status_code == 303  # at 127.0.0.1
        for number in range(30):
            guess = {"name": "hana", "password": "wrong password"}
            at = OURS | {"X-Forwarded-For": f"198.51.100.{number}"}
            assert (await http.post("/sign-in", data=guess, headers=at)).status_code == 401
        right = {"name": "hana", "password": password_of("hana")}
        at = OURS | {"X-Forwarded-For": "198.51.100.99"}
        assert (await http.post("/sign-in", data=right, headers=at)).status_code == 429
        assert (await sign_in(owner, "hana")).status_code == 303, "she is known at this address"
        other = {"name": "mio", "password": password_of("mio")}
        assert (await http.post("/sign-in", data=other, headers=at)).status_code == 303


async def test_failed_sign_ins_are_in_the_log_and_security_events_without_what_was_typed(
    platform: FakePlatform, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    async with client() as http:
        await sign_in(http, "hana", "hunter2hunter2")
        await sign_in(http, "my-secret-typed-in-the-wrong-field", "x")
    first, second = platform.security.taken
    assert (first.type, first.user_id, first.ip_address, first.service) == (
        SecurityEventType.FAILED_LOGIN, "hana", "127.0.0.1", "eldonia-ops",
    )  # fmt: skip
    assert second.user_id.startswith("unknown-")
    assert "a sign-in failed: password, hana, from 127.0.0.1" in caplog.text
    for secret in ("hunter2hunter2", "my-secret-typed"):
        assert secret not in caplog.text + str(platform.security.taken)


async def test_a_failing_security_service_does_not_keep_people_out(
    platform: FakePlatform, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("no store")

    monkeypatch.setattr(platform.security, "take", broken)
    async with client() as http:
        assert (await sign_in(http, "hana", "wrong password")).status_code == 401
        assert (await sign_in(http, "hana")).status_code == 303


@pytest.mark.parametrize("path", ["/sign-in", "/join", "/sign-out"])
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {}])
async def test_no_form_can_be_sent_from_another_site(client: Client, path: str, headers: dict[str, str]) -> None:
    async with client() as http:
        await sign_in(http, "hana")
        assert (await http.post(path, data={"name": "x", "csrf": "x"}, headers=headers)).status_code == 403
        assert (await http.get(ME)).status_code == 200


CHANGES = [
    ("PATCH", "/account", {"display_name": "X"}),
    ("PATCH", "/account/preferences", {"theme": "dark"}),
    ("POST", "/account/password", {"old": password_of("hana"), "new": "a completely new one"}),
    ("POST", "/account/tokens", {"name": "n", "role": "viewer"}),
    ("DELETE", "/sessions", None),
    ("POST", "/accounts", {"name": "eve", "role": "admin"}),
    ("PATCH", "/accounts/mio", {"role": "admin"}),
    ("POST", "/accounts/mio/link", None),
    ("DELETE", "/accounts/tomo", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
async def test_no_change_can_be_made_from_another_site(
    client: Client, method: str, path: str, body: dict[str, str] | None
) -> None:
    async with client() as http:
        await sign_in(http, "hana")
        csrf = await csrf_of(http)
        for headers, code in [
            ({"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": csrf}, "cross_origin"),
            ({"X-CSRF-Token": csrf}, "cross_origin"),
            (OURS, "csrf"),
            (OURS | {"X-CSRF-Token": "guess"}, "csrf"),
        ]:
            answer = await http.request(method, f"/api/ops/v1{path}", json=body, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
        assert (await change(http, method, path, json=body)).is_success


async def test_an_invitation_works_once(platform: FakePlatform, client: Client) -> None:
    async with client(Role.ADMIN) as admin, client() as http:
        made = (await admin.post("/api/ops/v1/accounts", json={"name": "Yuki", "role": "responder"})).json()
        address, secret = made["link"]["url"].split("#")
        assert address == "http://localhost:9600/join"
        assert secret not in str(platform.state.stored_links)
        assert made["account"]["waiting"] is True
        assert "join.js" in (await http.get("/join")).text
        shown = await http.post("/join", data={"secret": secret}, headers=OURS)
        assert "Welcome, yuki" in shown.text
        for password, again, words in [
            ("shorty", "shorty", "too short"),
            ("yuki is my name", "yuki is my name", "must not contain your name"),
            ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "too simple"),
            ("one good password", "another one here", "not the same"),
        ]:
            fields = {"secret": secret, "password": password, "again": again}
            answer = await http.post("/join", data=fields, headers=OURS)
            assert answer.status_code == 400
            assert words in answer.text
            assert password not in answer.text
        fields = {"secret": secret, "password": "one good password", "again": "one good password"}
        assert (await http.post("/join", data=fields, headers=OURS)).status_code == 303
        assert (await http.get(ME)).json()["method"] == "link"
    async with client() as thief:
        for more in ({}, {"password": "mine from now", "again": "mine from now"}):
            answer = await thief.post("/join", data={"secret": secret} | more, headers=OURS)
            assert answer.status_code == 410
            assert COOKIE not in answer.cookies
        assert (await sign_in(thief, "yuki", "one good password")).status_code == 303


async def test_links_expire_and_a_new_one_ends_the_one_before(platform: FakePlatform, client: Client) -> None:
    async with client(Role.ADMIN) as admin, client() as http:
        first = (await admin.post("/api/ops/v1/accounts/tomo/link")).json()["link"]
        second = (await admin.post("/api/ops/v1/accounts/tomo/link")).json()["link"]
        assert first["purpose"] == "invite"
        secrets = [one["url"].partition("#")[2] for one in (first, second)]
        codes = [(await http.post("/join", data={"secret": one}, headers=OURS)).status_code for one in secrets]
        assert codes == [410, 200]
        platform.at = second["expires_at"]
        assert (await http.post("/join", data={"secret": secrets[1]}, headers=OURS)).status_code == 410


async def test_a_reset_ends_all_sessions_and_a_disabled_account_has_no_link(
    platform: FakePlatform, client: Client
) -> None:
    async with client(Role.ADMIN) as admin, client() as old, client() as http:
        await sign_in(old, "mio")
        link = (await admin.post("/api/ops/v1/accounts/mio/link")).json()["link"]
        assert link["purpose"] == "reset"
        secret = link["url"].partition("#")[2]
        assert (await old.get(ME)).status_code == 200
        fields = {"secret": secret, "password": "one good password", "again": "one good password"}
        assert (await http.post("/join", data=fields, headers=OURS)).status_code == 303
        assert (await old.get(ME)).status_code == 401
        assert (await http.get(ME)).status_code == 200
        secret = (await admin.post("/api/ops/v1/accounts/mio/link")).json()["link"]["url"].partition("#")[2]
        await admin.patch("/api/ops/v1/accounts/mio", json={"disabled": True})
        assert (await http.post("/join", data={"secret": secret}, headers=OURS)).status_code == 410
        assert (await admin.post("/api/ops/v1/accounts/mio/link")).status_code == 409


async def test_changing_ones_password_asks_the_old_one_and_ends_other_sessions(
    platform: FakePlatform, client: Client
) -> None:
    async with client() as here, client() as there:
        await sign_in(here, "mio")
        await sign_in(there, "mio")
        wrong = await change(here, "POST", "/account/password", json={"old": "wrong", "new": "one good password"})
        assert (wrong.status_code, wrong.json()["error"]["message"]) == (400, "the old password is wrong")
        weak = await change(here, "POST", "/account/password", json={"old": password_of("mio"), "new": "short"})
        assert "at least 10 characters" in weak.json()["error"]["message"]
        assert (await there.get(ME)).status_code == 200
        body = {"old": password_of("mio"), "new": "one good password"}
        assert (await change(here, "POST", "/account/password", json=body)).status_code == 200
        assert (await here.get(ME)).status_code == 200
        assert (await there.get(ME)).status_code == 401
        assert (await sign_in(there, "mio")).status_code == 401
        assert (await sign_in(there, "mio", "one good password")).status_code == 303


async def test_who_stole_a_session_cannot_guess_the_password_with_it(client: Client) -> None:
    async with client() as http:
        await sign_in(http, "mio")
        body = {"old": "a guess", "new": "one good password"}
        codes = [(await change(http, "POST", "/account/password", json=body)).status_code for _ in range(11)]
        assert codes == [400] * 10 + [429]
        right = {"old": password_of("mio"), "new": "one good password"}
        assert (await change(http, "POST", "/account/password", json=right)).status_code == 429


async def test_the_first_start_shows_the_form_for_a_token_alone(client: Client) -> None:
    bare = FakePlatform()
    from eldonia_ops.web.app import create_app

    transport = httpx.ASGITransport(app=create_app(bare))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9600") as http:
        text = (await http.get("/sign-in")).text
        assert 'name="token"' in text
        assert 'name="password"' not in text
    async with client() as http:
        text = (await http.get("/sign-in?lang=ja")).text
        assert 'name="token"' in text
        assert 'name="password"' in text
        assert "アクセストークンでサインイン" in text


async def test_a_session_ends_when_it_is_not_used_and_after_its_time(platform: FakePlatform, client: Client) -> None:
    day = 24 * 3_600_000
    async with client() as http:
        await sign_in(http, "hana")
        for _ in range(6):
            platform.at += 2 * day
            assert (await http.get(ME)).status_code == 200
        platform.at += 2 * day
        assert (await http.get(ME)).status_code == 401, "14 days after the sign-in"
        await sign_in(http, "hana")
        platform.at += 3 * day - 1
        assert (await http.get(ME)).status_code == 200
        platform.at += 3 * day
        assert (await http.get(ME)).status_code == 401


async def test_long_input_is_refused_and_costs_nothing(client: Client) -> None:
    async with client() as http:
        assert (await sign_in(http, "hana", "x" * 500)).status_code == 401
        assert (await sign_in(http, "x" * 200, "wrong password")).status_code == 401
        for name, password in (("x" * 900, "wrong password"), ("hana", "x" * 50_000)):
            assert (await sign_in(http, name, password)).status_code == 400


async def test_a_long_password_in_any_script_works(platform: FakePlatform, client: Client) -> None:
    long = "正しい馬の電池" * 28
    async with client() as http:
        _, link = await platform.accounts.new_link("mio")
        fields = {"secret": link.secret, "password": long, "again": long}
        assert (await http.post("/join", data=fields, headers=OURS)).status_code == 303
        assert (await sign_in(http, "mio", long)).status_code == 303
        assert (await sign_in(http, "mio", long + "x")).status_code == 401
        fields = {"name": "mio", "password": long[:-1]}
        assert (await http.post("/sign-in", data=fields, headers=OURS)).status_code == 401


async def test_when_too_many_sign_in_at_once_no_attempt_counts(
    platform: FakePlatform, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(_name: str, _password: str) -> None:
        raise OverloadedError("too many people sign in at this moment")

    async with client() as http:
        with monkeypatch.context() as patch:
            patch.setattr(platform.accounts, "sign_in", busy)
            answers = [await sign_in(http, "hana") for _ in range(15)]
        assert {answer.status_code for answer in answers} == {503}
        assert "Try again in a few seconds" in answers[0].text
        assert (await sign_in(http, "hana")).status_code == 303
