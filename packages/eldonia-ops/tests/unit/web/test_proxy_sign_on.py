"""A proxy in front says who somebody is; and what those try who are not that proxy."""

from dataclasses import replace

import httpx
import pytest
from fake_platform import FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.settings import ProxySettings, SignOnSettings
from eldonia_ops.web.app import create_app

ME = "/api/ops/v1/me"
OURS = {"Sec-Fetch-Site": "same-origin"}
PROXY = ProxySettings(
    header="X-Forwarded-User",
    name_header="X-Forwarded-Name",
    groups_header="X-Forwarded-Groups",
    roles={"ops-admins": Role.ADMIN, "ops": Role.RESPONDER},
    default_role="viewer",
    trusted=("127.0.0.1/32",),
)


@pytest.fixture
def platform() -> FakePlatform:
    platform = FakePlatform().with_people()
    platform.sign_on = SignOnSettings(proxy=PROXY)
    return platform


def at(platform: FakePlatform, address: str, **headers: str) -> httpx.AsyncClient:
    """A client whose connections come from an address."""
    transport = httpx.ASGITransport(app=create_app(platform), client=(address, 4711))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:9600", headers=named)


async def test_the_proxy_names_a_person_who_has_an_account_then(platform: FakePlatform, client: Client) -> None:
    headers = {"X-Forwarded-User": "Yuki", "X-Forwarded-Name": "雪".encode()}
    async with client(**headers) as http:
        me = (await http.get(ME)).json()
        assert (me["account"], me["name"], me["role"], me["method"], me["via"]) == (
            "yuki", "雪", "viewer", "proxy", "session",
        )  # fmt: skip
        assert (await http.get("/")).status_code == 200
        assert "/sign-out" not in (await http.get("/")).text, "one signs out at the proxy"
    assert len(platform.state.stored_accounts) == 5


async def test_roles_follow_the_groups_of_each_request(platform: FakePlatform, client: Client) -> None:
    for groups, role in (("ops-admins, x", "admin"), ("ops", "responder"), ("x", "viewer"), ("", "viewer")):
        async with client(**{"X-Forwarded-User": "mio", "X-Forwarded-Groups": groups}) as http:
            assert (await http.get(ME)).json()["role"] == role
            assert (await http.get(ME)).json()["account"] == "mio"


async def test_without_groups_accounts_keep_the_roles_that_admins_gave(platform: FakePlatform, client: Client) -> None:
    platform.sign_on = SignOnSettings(proxy=replace(PROXY, groups_header="", default_role="none"))
    async with client(**{"X-Forwarded-User": "ken"}) as http:
        assert (await http.get(ME)).json()["role"] == "responder"
    async with client(**{"X-Forwarded-User": "stranger"}) as http:
        assert (await http.get(ME)).status_code == 403


async def test_from_any_other_address_the_header_is_ignored_and_logged_once(
    platform: FakePlatform, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        async with at(platform, "192.0.2.66", X_Forwarded_User="hana") as http:
            for _ in range(3):
                assert (await http.get(ME)).status_code == 401
    assert caplog.text.count("192.0.2.66 sent the header X-Forwarded-User") == 3, "once for each application"


async def test_a_trusted_proxys_word_for_an_address_does_not_make_it_the_sign_on_proxy(platform: FakePlatform) -> None:
    """The connection counts, not who ``X-Forwarded-For`` says it is from."""
    platform.trusted_proxies = ("192.0.2.0/24",)
    async with at(platform, "192.0.2.66", X_Forwarded_User="hana", X_Forwarded_For="127.0.0.1") as http:
        assert (await http.get(ME)).status_code == 401
    # And a client behind the sign-on proxy is one, though its address is another.
    platform.trusted_proxies = ("127.0.0.1/32",)
    async with at(platform, "127.0.0.1", X_Forwarded_User="mio", X_Forwarded_For="198.51.100.7") as http:
        assert (await http.get(ME)).json()["account"] == "mio"


async def test_two_headers_are_refused(platform: FakePlatform) -> None:
    """One of them may be the client's own."""
    async with at(platform, "127.0.0.1") as http:
        doubled = [("X-Forwarded-User", "hana"), ("X-Forwarded-User", "mio")]
        assert (await http.get(ME, headers=doubled)).status_code == 400


@pytest.mark.parametrize("name", ["", " ", "a b", "<script>", "x" * 80, "ha\tna", "..", "-x"])
async def test_what_is_no_name_lets_no_person_in(platform: FakePlatform, name: str) -> None:
    async with at(platform, "127.0.0.1", X_Forwarded_User=name) as http:
        assert (await http.get(ME)).status_code == 403
    assert len(platform.state.stored_accounts) == 4


async def test_a_disabled_account_is_out_with_the_next_request(platform: FakePlatform, client: Client) -> None:
    async with client(**{"X-Forwarded-User": "mio"}) as http:
        assert (await http.get(ME)).status_code == 200
        await platform.accounts.change("mio", disabled=True)
        assert (await http.get(ME)).status_code == 403


async def test_other_sites_change_nothing_through_the_proxy(platform: FakePlatform, client: Client) -> None:
    path, body = "/api/ops/v1/accounts", {"name": "eve", "role": "admin"}
    async with client(**{"X-Forwarded-User": "hana", "X-Forwarded-Groups": "ops-admins"}) as http:
        text = (await http.get("/people")).text
        csrf = text.partition('name="csrf-token" content="')[2].partition('"')[0]
        assert len(csrf) == 64
        for headers in (
            {},
            {"Sec-Fetch-Site": "cross-site"},
            OURS,
            {"X-CSRF-Token": csrf},
            OURS | {"X-CSRF-Token": "x"},
        ):
            assert (await http.post(path, json=body, headers=headers)).status_code == 403
        assert (await http.post(path, json=body, headers=OURS | {"X-CSRF-Token": csrf})).status_code == 201
    async with client(**{"X-Forwarded-User": "mio"}) as http:
        answer = await http.patch(
            "/api/ops/v1/account", json={"display_name": "x"}, headers=OURS | {"X-CSRF-Token": csrf}
        )
        assert answer.status_code == 403, "the value is that of one account"


async def test_tokens_work_through_the_proxy_and_its_own_password_is_no_token(
    platform: FakePlatform, client: Client
) -> None:
    bearer = {"Authorization": f"Bearer {platform.secrets[Role.RESPONDER]}"}
    async with client(**{"X-Forwarded-User": "mio"}) as http:
        assert (await http.get(ME, headers=bearer)).json()["name"] == "responder-person"
        # The proxy asks for a password of its own, which the browser goes on sending.
        assert (await http.get(ME, headers={"Authorization": "Basic bWlvOm1pbw=="})).json()["account"] == "mio"


async def test_the_proxy_counts_more_than_a_session_that_a_browser_still_has(
    platform: FakePlatform, client: Client
) -> None:
    async with client() as http:
        await http.post("/sign-in", data={"token": platform.secrets[Role.ADMIN]}, headers=OURS)
        assert (await http.get(ME)).json()["name"] == "admin-person"
        assert (await http.get(ME, headers={"X-Forwarded-User": "mio"})).json()["account"] == "mio"
