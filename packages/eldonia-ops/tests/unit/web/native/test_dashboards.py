"""Dashboards over the API: entity tags, versions, the way back, imports."""

from typing import Any

import pytest
from web_client import Client

from eldonia_ops.model.access import Role

PREFIX = "/api/ops/v1/dashboards"


async def test_a_save_needs_the_tag_of_what_it_replaces(client: Client) -> None:
    async with client(Role.RESPONDER) as http:
        first = await http.get(f"{PREFIX}/shop")
        tag = first.headers["etag"]
        assert tag == first.json()["etag"]
        body = {"dashboard": {**first.json()["dashboard"], "title": "New"}, "message": "renamed"}
        assert (await http.put(f"{PREFIX}/shop", json=body)).status_code == 428
        saved = await http.put(f"{PREFIX}/shop", json=body, headers={"If-Match": tag})
        assert (saved.status_code, saved.json()["version"], saved.json()["message"]) == (200, 2, "renamed")
        late = await http.put(f"{PREFIX}/shop", json=body, headers={"If-Match": tag})
        assert (late.status_code, late.json()["error"]["code"]) == (412, "precondition_failed")
        new = await http.put(f"{PREFIX}/shop", json=body, headers={"If-None-Match": "*"})
        assert new.status_code == 412
        other = await http.put(f"{PREFIX}/other", json={"dashboard": {"title": "x"}}, headers={"If-None-Match": "*"})
        assert (other.status_code, other.json()["dashboard"]["uid"]) == (200, "other")
        diff = (await http.get(f"{PREFIX}/shop/diff", params={"from": 1})).json()
        assert diff["changes"] == [{"path": "title", "kind": "changed", "before": "Shop", "after": "New"}]
        assert "-title: Shop\n+title: New" in diff["text"]


async def test_deleted_and_back(client: Client) -> None:
    async with client(Role.RESPONDER) as http:
        assert (await http.delete(f"{PREFIX}/shop", headers={"If-Match": '"other"'})).status_code == 412
        assert (await http.delete(f"{PREFIX}/shop")).status_code == 200
        assert (await http.get(f"{PREFIX}/shop")).status_code == 404
        assert [one["uid"] for one in (await http.get(f"{PREFIX}/deleted")).json()] == ["shop"]
        back = await http.post(f"{PREFIX}/shop/restore", json={"version": 1})
        assert (back.status_code, back.json()["version"]) == (200, 2)


async def test_all_faults_of_a_document_are_in_the_answer(client: Client) -> None:
    async with client(Role.RESPONDER) as http:
        answer = await http.post(PREFIX, json={"dashboard": {"title": 1, "panels": [{"unitt": "s"}]}})
        assert answer.status_code == 422
        assert [one["path"] for one in answer.json()["error"]["problems"]] == ["title", "panels[0].unitt"]


async def test_those_that_ship_can_be_copied_and_not_changed(client: Client) -> None:
    async with client(Role.RESPONDER) as http:
        one = (await http.get(f"{PREFIX}/host")).json()
        assert (one["source"], one["read_only"], one["problems"]) == ("shipped", True, [])
        refused = await http.put(f"{PREFIX}/host", json={"dashboard": one["dashboard"]}, headers={"If-Match": "*"})
        assert (refused.status_code, "save a copy" in refused.json()["error"]["message"]) == (409, True)
        copy = await http.post(PREFIX, json={"dashboard": one["dashboard"]})
        assert copy.status_code == 201
        assert copy.json()["dashboard"]["uid"].startswith("host-")


async def test_lists_are_in_the_language_of_the_reader(client: Client) -> None:
    async with client(Role.VIEWER) as http:
        listed = (await http.get(PREFIX, params={"lang": "ja", "tag": "red"})).json()
        assert [(one["uid"], one["title"]) for one in listed["dashboards"]] == [("service", "サービス")]
        assert "Databases" in listed["folders"]
        assert (await http.get(PREFIX, params={"search": "redis shipped"})).json()["dashboards"][0]["uid"] == "redis"


async def test_stars(client: Client) -> None:
    async with client(Role.VIEWER) as http:
        assert (await http.put(f"{PREFIX}/shop/star")).json()["starred"]
        listed = (await http.get(PREFIX, params={"starred": True})).json()["dashboards"]
        assert [one["uid"] for one in listed] == ["shop"]
        assert not (await http.delete(f"{PREFIX}/shop/star")).json()["starred"]


async def test_viewers_change_nothing(client: Client) -> None:
    async with client(Role.VIEWER) as http:
        for method, path, body in (
            ("post", "", {"dashboard": {"title": "x"}}),
            ("put", "/shop", {"dashboard": {"title": "x"}}),
            ("delete", "/shop", None),
            ("post", "/shop/restore", {"version": 1}),
            ("post", "/import", {"text": "title: x"}),
        ):
            assert (await http.request(method, PREFIX + path, json=body)).status_code == 403


GRAFANA: dict[str, Any] = {
    "title": "G", "uid": "g", "schemaVersion": 39,
    "panels": [
        {"id": 1, "type": "stat", "targets": [{"expr": "up", "refId": "A"}]},
        {"id": 2, "title": "Map", "type": "geomap"},
    ],
}  # fmt: skip


async def test_an_import_is_a_dry_run_first(client: Client) -> None:
    async with client(Role.RESPONDER) as http:
        tried = (await http.post(f"{PREFIX}/import", params={"lang": "ja"}, json={"grafana": GRAFANA})).json()
        assert (tried["saved"], tried["counts"]) == (None, {"panels": 2, "taken": 1, "changed": 0, "dropped": 1})
        assert tried["report"] == [
            {
                "level": "dropped",
                "panel": 2,
                "title": "Map",
                "what": "panel",
                "reason": "geomap 型のパネルはこの製品にありません",
            }
        ]
        assert (await http.get(f"{PREFIX}/g")).status_code == 404
        saved = (await http.post(f"{PREFIX}/import", json={"grafana": GRAFANA, "dry_run": False, "folder": "F"})).json()
        assert (saved["saved"]["dashboard"]["uid"], saved["saved"]["dashboard"]["folder"]) == ("g", "F")
        again = (await http.post(f"{PREFIX}/import", json={"grafana": GRAFANA, "dry_run": False})).json()
        assert again["exists"]
        assert again["saved"]["dashboard"]["uid"] != "g"
        over = (
            await http.post(f"{PREFIX}/import", json={"grafana": GRAFANA, "dry_run": False, "replace": True})
        ).json()
        assert (over["saved"]["dashboard"]["uid"], over["saved"]["version"]) == ("g", 2)


@pytest.mark.parametrize("text", ["", "{", "[1]", "a: [", "title: t\npanels: {}"])
async def test_what_cannot_be_imported_is_said(client: Client, text: str) -> None:
    async with client(Role.RESPONDER) as http:
        answer = await http.post(f"{PREFIX}/import", json={"text": text})
        assert answer.status_code in (400, 422)


@pytest.mark.parametrize("form", ["yaml", "json", "grafana"])
async def test_what_is_exported_can_be_imported(client: Client, form: str) -> None:
    async with client(Role.RESPONDER) as http:
        answer = await http.get(f"{PREFIX}/shop/export", params={"format": form})
        assert "attachment" in answer.headers["content-disposition"]
        found = (await http.post(f"{PREFIX}/import", json={"text": answer.text})).json()
        assert (found["dashboard"]["uid"], found["exists"]) == ("shop", True)


async def test_one_request_answers_all_queries(client: Client) -> None:
    async with client(Role.VIEWER) as http:
        queries = [{"panel": number, "ref": "A", "expr": "up"} for number in range(20)]
        answer = (await http.post(f"{PREFIX}/query", json={"from": "-1h", "width": 300, "queries": queries})).json()
        assert [one["panel"] for one in answer["results"]] == list(range(20))
        assert [one["shared"] for one in answer["results"]] == [False, *[True] * 19]
        assert all(
            len(column["values"]) == len(one["timestamps"]) for one in answer["results"] for column in one["series"]
        )
        assert (await http.post(f"{PREFIX}/query", json={"queries": [*queries * 26]})).status_code == 422
        assert (await http.post(f"{PREFIX}/query", json={"from": "now", "to": "-1h", "queries": []})).status_code == 400
