"""Every request that changes something is noted."""

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from fake_platform import FakePlatform

from eldonia_ops.model.access import Role
from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.web.app import create_app

API = "/api/ops/v1"


class Client:
    def __init__(self, platform: FakePlatform, http: httpx.AsyncClient) -> None:
        self.platform = platform
        self.http = http

    async def ask(self, method: str, path: str, role: Role = Role.RESPONDER, json: object = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.platform.secrets[role]}"}
        return await self.http.request(method, path, headers=headers, json=json)

    @property
    def entries(self):
        return self.platform.state.stored_audit


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    platform = FakePlatform()
    transport = httpx.ASGITransport(create_app(platform), client=("192.0.2.7", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9600") as http:
        yield Client(platform, http)


async def test_who_what_before_and_after(client: Client) -> None:
    assert (await client.ask("POST", f"{API}/incidents/INC-3/assign", json={"to": "yu"})).status_code == 200
    [entry] = client.entries
    assert (entry.kind, entry.subject, entry.action) == ("incident", "INC-3", "assign")
    assert (entry.actor, entry.method, entry.address) == ("responder-person", "token", "192.0.2.7")
    assert entry.actor_id.startswith("token:")
    assert ("assigned_to", "", "yu") in [(one.field, one.before, one.after) for one in entry.changes]


async def test_what_is_made_and_what_goes(client: Client) -> None:
    body = {"name": "All errors", "query": "level:error"}
    made = (await client.ask("POST", f"{API}/logs/searches", json=body)).json()
    await client.ask("DELETE", f"{API}/logs/searches/{made['id']}")
    created, deleted = client.entries
    assert (created.subject, created.title, created.action) == (made["id"], "All errors", "created")
    assert ("query", None, "level:error") in [(one.field, one.before, one.after) for one in created.changes]
    assert (deleted.subject, deleted.title, deleted.action) == (made["id"], "All errors", "deleted")
    assert ("query", "level:error", None) in [(one.field, one.before, one.after) for one in deleted.changes]


async def test_no_secret_is_kept(client: Client) -> None:
    made = (await client.ask("POST", f"{API}/tokens", Role.ADMIN, {"name": "ci", "role": "ingest"})).json()
    [entry] = client.entries
    assert (entry.kind, entry.title, entry.action) == ("token", "ci", "created")
    assert made["secret"] not in repr(entry)
    assert not any("digest" in one.field for one in entry.changes)


async def test_what_changes_nothing_is_not_noted(client: Client) -> None:
    await client.ask("GET", f"{API}/incidents")
    await client.ask("POST", f"{API}/markdown")  # renders a preview
    await client.ask("POST", "/api/v1/query?query=up")
    await client.ask("POST", f"{API}/incidents/INC-3/assign", Role.VIEWER, {"to": "yu"})  # may not
    await client.ask("POST", f"{API}/incidents/INC-99/acknowledge")  # there is none
    await client.ask("POST", f"{API}/incidents/INC-3/assign", json={"wrong": 1})
    assert client.entries == []


async def test_only_admins_read_it_and_it_can_be_searched(client: Client) -> None:
    await client.ask("POST", f"{API}/incidents/INC-3/assign", json={"to": "yu"})
    await client.ask("POST", f"{API}/reload", Role.ADMIN)
    assert (await client.ask("GET", f"{API}/audit", Role.RESPONDER)).status_code == 403
    found = (await client.ask("GET", f"{API}/audit", Role.ADMIN)).json()
    assert [(one["kind"], one["action"]) for one in found] == [("configuration", "reload"), ("incident", "assign")]
    for query, kinds in (
        ("kind=incident", ["incident"]), ("actor=admin-person", ["configuration"]), ("subject=INC-3", ["incident"]),
        (f"before_id={found[0]['id']}", ["incident"]), ("until=-1h", []), ("limit=1", ["configuration"]),
    ):  # fmt: skip
        answer = (await client.ask("GET", f"{API}/audit?{query}", Role.ADMIN)).json()
        assert [one["kind"] for one in answer] == kinds, query


async def test_an_act_is_done_even_if_it_cannot_be_kept(client: Client, caplog) -> None:
    async def fails(work):
        raise OSError("disk full")

    write, client.platform.state.write = client.platform.state.write, fails
    answer = await client.ask("POST", f"{API}/incidents/INC-3/assign", json={"to": "yu"})
    client.platform.state.write = write
    assert answer.status_code == 200
    assert "not kept: responder-person" in caplog.text


async def test_what_handlers_say_of_their_own_subjects(client: Client) -> None:
    change = {"changes": [{"section": "logs", "values": {"path": "/var/log/added.log"}}]}
    headers = {"Authorization": f"Bearer {client.platform.secrets[Role.ADMIN]}", "If-Match": "*"}
    answer = await client.http.post(f"{API}/configuration/changes", json=change, headers=headers)
    assert answer.status_code == 200, answer.text
    dashboard = {"title": "Shop", "panels": [{"queries": [{"expr": "up"}]}]}
    made = (await client.ask("POST", f"{API}/dashboards", json={"dashboard": dashboard})).json()
    await client.ask("POST", f"{API}/dashboards/import", json={"grafana": {"title": "G", "panels": []}})  # a dry run
    await client.ask("DELETE", f"{API}/dashboards/{made['dashboard']['uid']}")
    configuration, created, deleted = client.entries
    assert (configuration.kind, configuration.action) == ("configuration", "added")
    assert any(one.after == "/var/log/added.log" for one in configuration.changes)
    assert (created.kind, created.title, created.action) == ("dashboard", "Shop", "created")
    assert (deleted.kind, deleted.title, deleted.action) == ("dashboard", "Shop", "deleted")


async def test_a_reload_that_changed_nothing_says_so(client: Client) -> None:
    client.platform.reloads.faults = (Diagnostic("no such key"),)
    assert (await client.ask("POST", f"{API}/reload", Role.ADMIN)).json()["successful"] is False
    assert [(one.kind, one.action) for one in client.entries] == [("configuration", "reload_failed")]
