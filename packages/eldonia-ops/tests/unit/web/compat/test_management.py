"""``/-/reload`` and its neighbours, as the clients of Prometheus and Alertmanager use them."""

import pytest
from fake_platform import FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.model.errors import Diagnostic

FAULT = Diagnostic("unknown key 'alrt'", "/etc/rules.yml", 3, 9, "did you mean 'alert'?")


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_reload_that_succeeds_says_nothing(client: Client, platform: FakePlatform, method: str) -> None:
    async with client(Role.ADMIN) as http:
        answer = await http.request(method, "/-/reload")
    assert (answer.status_code, answer.text) == (200, "")
    assert platform.reloads.last().by == "admin-person"


async def test_what_takes_a_restart_is_named(client: Client, platform: FakePlatform) -> None:
    platform.reloads.needs_restart = ("listen", "data")
    async with client(Role.ADMIN) as http:
        answer = await http.post("/-/reload")
    assert answer.status_code == 200
    assert answer.text == "takes effect with the next start: listen\ntakes effect with the next start: data\n"


async def test_a_reload_that_fails_is_a_fault_of_the_server_with_every_place(
    client: Client, platform: FakePlatform
) -> None:
    platform.reloads.faults = (FAULT,)
    async with client(Role.ADMIN) as http:
        answer = await http.post("/-/reload")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text == (
            "failed to reload config:\n/etc/rules.yml:3:9: error: unknown key 'alrt' (did you mean 'alert'?)\n"
        )
        shown = (await http.get("/api/ops/v1/reload")).json()
    assert not shown["successful"]
    assert shown["diagnostics"] == [
        {
            "message": "unknown key 'alrt'",
            "file": "/etc/rules.yml",
            "line": 3,
            "column": 9,
            "hint": "did you mean 'alert'?",
            "level": "error",
        }
    ]


async def test_only_admins_reload_and_only_by_post(client: Client, platform: FakePlatform) -> None:
    before = platform.reloads.last()
    for role in (Role.INGEST, Role.VIEWER, Role.RESPONDER):
        async with client(role) as http:
            assert (await http.post("/-/reload")).status_code == 403
            assert (await http.post("/api/ops/v1/reload")).status_code == 403
    async with client(Role.ADMIN) as http:
        assert (await http.get("/-/reload")).status_code == 405
    async with client() as http:
        assert (await http.post("/-/reload")).status_code == 401
    assert platform.reloads.last() is before


async def test_only_admins_find_the_button(client: Client) -> None:
    async with client(Role.ADMIN) as admin, client(Role.VIEWER) as viewer:
        assert 'id="reload"' in (await admin.get("/settings")).text
        assert 'id="reload"' not in (await viewer.get("/settings")).text
        assert 'id="configuration"' in (await viewer.get("/settings")).text
