"""What each person may do with accounts, sessions, tokens and preferences over the API, and what the pages show."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fake_platform import FakePlatform
from fake_platform.platform import password_of
from web_client import Client

from eldonia_ops.model.access import Role

PREFIX = "/api/ops/v1"
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform().with_people()


@pytest.fixture
def person(client: Client, platform: FakePlatform) -> Any:
    """``person("mio")`` is a browser in which she is signed in."""

    @asynccontextmanager
    async def signed_in(name: str) -> AsyncIterator[httpx.AsyncClient]:
        async with client(**{"User-Agent": "Firefox/140.0"}) as http:
            known = set(platform.state.stored_sessions)
            await http.post("/sign-in", data={"name": name, "password": password_of(name)}, headers=OURS)
            (session,) = (one for key, one in platform.state.stored_sessions.items() if key not in known)
            http.headers.update(OURS | {"X-CSRF-Token": session.csrf})
            yield http

    return signed_in


async def test_everybody_who_reads_sees_who_there_is_and_no_more(person: Any, client: Client) -> None:
    async with person("mio") as http:
        people = (await http.get(f"{PREFIX}/people")).json()
        assert people[0] == {
            "id": "a0", "name": "hana", "display_name": "Hana Sato", "role": "admin", "disabled": False,
        }  # fmt: skip
        assert [one["name"] for one in people] == ["hana", "ken", "mio", "tomo"]
        assert "@" not in str(people)
    async with client(Role.INGEST) as http:
        assert (await http.get(f"{PREFIX}/people")).status_code == 403


@pytest.mark.parametrize("name", ["mio", "ken"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/accounts", None),
        ("GET", "/accounts/hana", None),
        ("POST", "/accounts", {"name": "eve"}),
        ("PATCH", "/accounts/{name}", {"role": "admin"}),
        ("POST", "/accounts/hana/link", None),
        ("DELETE", "/accounts/tomo", None),
        ("GET", "/tokens", None),
        ("POST", "/tokens", {"name": "n", "role": "admin"}),
    ],
)
async def test_only_admins_act_on_accounts(person: Any, name: str, method: str, path: str, body: Any) -> None:
    async with person(name) as http:
        answer = await http.request(method, PREFIX + path.format(name=name), json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
        assert (await http.get("/people")).status_code == 403


async def test_people_see_and_end_their_own_sessions_and_admins_those_of_all(
    person: Any, platform: FakePlatform
) -> None:
    async with person("mio") as here, person("mio") as there, person("ken") as other, person("hana") as admin:
        mine = (await here.get(f"{PREFIX}/sessions")).json()
        assert [one["who"] for one in mine] == ["澪", "澪"]
        assert [one["current"] for one in mine].count(True) == 1
        theirs = next(one for one in (await other.get(f"{PREFIX}/sessions")).json())
        assert (await here.delete(f"{PREFIX}/sessions/{theirs['id']}")).status_code == 404
        assert (await here.get(f"{PREFIX}/sessions", params={"account": "ken"})).status_code == 404
        assert (await here.get(f"{PREFIX}/sessions", params={"account": "all"})).status_code == 404
        assert (await here.delete(f"{PREFIX}/sessions", params={"account": "ken"})).status_code == 404
        assert len((await here.get(f"{PREFIX}/sessions", params={"account": "mio"})).json()) == 2
        # Refused with the very next request.
        assert (await there.get("/")).status_code == 200
        assert (await here.delete(f"{PREFIX}/sessions")).json() == {"ended": 1}
        assert (await there.get("/")).status_code == 401
        assert (await here.get("/")).status_code == 200
        assert len((await admin.get(f"{PREFIX}/sessions", params={"account": "all"})).json()) == 3
        assert (await admin.delete(f"{PREFIX}/sessions/{theirs['id']}")).json() == {"ended": 1}
        assert (await other.get("/")).status_code == 401
        assert (await admin.delete(f"{PREFIX}/sessions", params={"account": "mio"})).json() == {"ended": 1}
        assert (await here.get("/")).status_code == 401
        text = (await admin.get(f"{PREFIX}/sessions", params={"account": "all"})).text
        for session in platform.state.stored_sessions.values():
            assert session.digest not in text
            assert session.csrf not in text


async def test_sessions_of_tokens_are_the_tokens_own(platform: FakePlatform, client: Client, person: Any) -> None:
    async with client() as browser, client(Role.VIEWER) as program, person("mio") as mio:
        await browser.post("/sign-in", data={"token": platform.secrets[Role.VIEWER]}, headers=OURS)
        (session,) = (await program.get(f"{PREFIX}/sessions")).json()
        assert (session["who"], session["method"], session["account_id"]) == ("viewer-person", "token", "")
        assert (await mio.delete(f"{PREFIX}/sessions/{session['id']}")).status_code == 404
        assert (await program.delete(f"{PREFIX}/sessions/{session['id']}")).json() == {"ended": 1}
        assert (await browser.get(f"{PREFIX}/me")).status_code == 401


async def test_ones_own_tokens_may_no_more_than_oneself(person: Any, client: Client, platform: FakePlatform) -> None:
    async with person("ken") as http:
        for role in ("admin", "ingest"):
            refused = await http.post(f"{PREFIX}/account/tokens", json={"name": "n", "role": role})
            assert refused.status_code == 400
            assert f"no token of theirs can be {role}" in refused.json()["error"]["message"]
        made = (
            await http.post(f"{PREFIX}/account/tokens", json={"name": "n", "role": "viewer", "expires": "1d"})
        ).json()
        assert made["token"]["owner_name"] == "ken"
        (listed,) = (await http.get(f"{PREFIX}/account/tokens")).json()
        assert listed["expires_at"] == platform.now() + 86_400_000
        page = (await http.get("/account")).text
        assert 'value="responder"' in page
        assert 'value="admin"' not in page
    async with client(Authorization=f"Bearer {made['secret']}") as program:
        me = (await program.get(f"{PREFIX}/me")).json()
        assert (me["id"], me["name"], me["role"], me["via"]) == ("account:a1", "ken", "viewer", "token")
        # A token makes no tokens, changes no password and no name: one that leaks ends with itself.
        for method, path, body in [
            ("POST", "/account/tokens", {"name": "n", "role": "viewer"}),
            ("POST", "/account/password", {"old": password_of("ken"), "new": "one good password"}),
            ("PATCH", "/account", {"display_name": "x"}),
        ]:
            answer = await program.request(method, PREFIX + path, json=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused")
        assert (await program.delete(f"{PREFIX}/account/tokens/{made['token']['id']}")).is_success
        assert (await program.get(f"{PREFIX}/me")).status_code == 401


async def test_nor_does_a_session_that_was_opened_with_a_token(
    person: Any, client: Client, platform: FakePlatform
) -> None:
    _, secret = platform.access.mint("laptop", Role.RESPONDER, owner="a1")
    async with client() as http:
        await http.post("/sign-in", data={"token": secret}, headers=OURS)
        (session,) = platform.state.stored_sessions.values()
        headers = OURS | {"X-CSRF-Token": session.csrf}
        body = {"name": "n", "role": "viewer"}
        assert (await http.post(f"{PREFIX}/account/tokens", json=body, headers=headers)).status_code == 409
        await platform.accounts.change("ken", disabled=True)
        assert (await http.get("/")).status_code == 401


async def test_an_applications_token_neither_signs_its_owner_out_nor_says_who_is_paged(
    person: Any, client: Client, platform: FakePlatform
) -> None:
    other, _ = platform.access.mint("laptop", Role.ADMIN, owner="a0")
    _, secret = platform.access.mint("shop", Role.INGEST, owner="a0")
    async with person("hana") as hana, client(Authorization=f"Bearer {secret}") as shop:
        for method, path, body in [
            ("GET", "/account", None),
            ("GET", "/account/tokens", None),
            ("DELETE", f"/account/tokens/{other.id}", None),
            ("PATCH", "/account/preferences", {"receiver": ""}),
            ("GET", "/sessions", None),
            ("DELETE", "/sessions", None),
            ("DELETE", f"/sessions/{next(iter(platform.state.stored_sessions.values())).id}", None),
        ]:
            answer = await shop.request(method, PREFIX + path, json=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused"), path
        assert (await shop.get(f"{PREFIX}/me")).json()["role"] == "ingest"
        assert (await hana.get(f"{PREFIX}/me")).status_code == 200
        (laptop,) = [one for one in (await hana.get(f"{PREFIX}/account/tokens")).json() if one["name"] == "laptop"]
        assert laptop["live"]


async def test_tokens_of_others_are_not_ones_own(person: Any, platform: FakePlatform) -> None:
    token, _ = platform.access.mint("laptop", Role.VIEWER, owner="a0")
    async with person("ken") as http:
        assert (await http.get(f"{PREFIX}/account/tokens")).json() == []
        assert (await http.delete(f"{PREFIX}/account/tokens/{token.id}")).status_code == 404
    async with person("hana") as http:
        (listed,) = [one for one in (await http.get(f"{PREFIX}/tokens")).json() if one["owner"]]
        assert (listed["owner"], listed["owner_name"], listed["live"]) == ("a0", "hana", True)


async def test_a_token_of_no_person_has_no_account(client: Client) -> None:
    async with client(Role.ADMIN) as http:
        for path in ("/account", "/account/tokens"):
            answer = await http.get(PREFIX + path)
            assert answer.status_code == 409
            assert "belongs to no account" in answer.json()["error"]["message"]
        me = (await http.get(f"{PREFIX}/me")).json()
        assert me["id"].startswith("token:")
        assert me["account"] == ""
        assert (await http.get("/account")).status_code == 200


async def test_the_last_admin_cannot_demote_or_disable_themselves(person: Any) -> None:
    async with person("hana") as http:
        for change in ({"role": "viewer"}, {"disabled": True}):
            answer = await http.patch(f"{PREFIX}/accounts/hana", json=change)
            assert answer.status_code == 409
            assert "make somebody else an admin first" in answer.json()["error"]["message"]
        assert (await http.patch(f"{PREFIX}/accounts/ken", json={"role": "admin"})).is_success
        assert (await http.patch(f"{PREFIX}/accounts/hana", json={"role": "viewer"})).is_success
        assert (await http.get(f"{PREFIX}/accounts")).status_code == 403, "a role counts from the next request on"


async def test_no_one_takes_the_name_of_somebody_else(person: Any) -> None:
    async with person("mio") as http:
        answer = await http.patch(f"{PREFIX}/account", json={"display_name": "ＨＡＮＡ sato"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "refused")
    async with person("hana") as http:
        for body in ({"name": "hana", "role": "viewer"}, {"name": "Hana", "role": "viewer"}):
            assert (await http.post(f"{PREFIX}/accounts", json=body)).status_code == 409
        ingest = await http.post(f"{PREFIX}/accounts", json={"name": "x", "role": "ingest"})
        assert (ingest.status_code, "for tokens of programs" in ingest.text) == (400, True)


async def test_pages_and_texts_follow_a_persons_preferences(person: Any, platform: FakePlatform) -> None:
    async with person("mio") as http:
        incident = (await http.get(f"{PREFIX}/incidents")).json()[0]["reference"]
        plain = (await http.get(f"{PREFIX}/incidents/{incident}")).json()
        assert 'lang="en"' in (await http.get("/")).text
        wanted = {"time_zone": "Asia/Tokyo", "language": "ja", "theme": "light", "receiver": "default"}
        assert (await http.patch(f"{PREFIX}/account/preferences", json=wanted)).json() == wanted
        page = (await http.get("/", headers={"Accept-Language": "en"})).text
        assert '<html lang="ja" data-theme="light"' in page
        assert 'data-zone="Asia/Tokyo"' in page
        assert 'data-account="a2"' in page
        assert '<html lang="en"' in (await http.get("/?lang=en")).text, "an address says it for once"
        later = (await http.get(f"{PREFIX}/incidents/{incident}")).json()
        assert [one["text"] for one in later["timeline"]] != [one["text"] for one in plain["timeline"]]
        found = (await http.get(f"{PREFIX}/times", params={"text": "2026-11-24"})).json()
        in_tokyo = (await http.get(f"{PREFIX}/times", params={"text": "2026-11-24", "tz": "Asia/Tokyo"})).json()
        assert found == in_tokyo
        part = (await http.patch(f"{PREFIX}/account/preferences", json={"theme": ""})).json()
        assert part == wanted | {"theme": ""}
        unknown = ({"time_zone": "Mars"}, {"language": "fr"}, {"theme": "pink"}, {"receiver": "missing"})
        for wrong in (*unknown, {"size": "large"}):
            assert (await http.patch(f"{PREFIX}/account/preferences", json=wrong)).status_code in (400, 422)
    async with person("ken") as http:
        assert "data-zone" not in (await http.get("/")).text


async def test_the_person_in_the_side_bar_leads_to_the_account(person: Any, client: Client) -> None:
    async with person("mio") as http:
        page = (await http.get("/")).text
        assert re.search(r'<a class="who" href="/account"[^>]*>.*?<span>澪</span>', page, re.S)
    async with client(Role.VIEWER) as http:
        page = (await http.get("/account")).text
        assert "viewer-person" in page
        assert "belongs to no person" in page
