"""The document says what is answered: every operation has a type, and real answers have it."""

from typing import Any

import httpx
import jsonschema
import pytest
from fake_platform import FakePlatform
from fake_platform.platform import password_of
from web_client import Client

from eldonia_ops.model.access import Role

PREFIX = "/api/ops/v1"
METHODS = ("get", "post", "put", "patch", "delete")

# One successful request to each operation: query parameters, body, headers. ``{incident}`` and the like are filled in.
REQUESTS: dict[str, dict[str, Any]] = {
    "get /openapi.json": {},
    "get /query": {"params": {"query": "up"}},
    "get /query_range": {"params": {"query": "up"}},
    "get /logs": {"params": {"limit": 1000}},
    "get /logs/histogram": {},
    "get /logs/services": {},
    "get /logs/suggestion": {"params": {"query": "errors of alice"}},
    "get /logs/unknown-fields": {"params": {"query": "usr_id:alice"}},
    "get /logs/facets": {"params": {"field": ["level", "user_id"]}},
    "get /logs/fields": {},
    "get /logs/values": {"params": {"field": "service"}},
    "get /logs/export.ndjson": {},
    "get /logs/export.csv": {"params": {"column": "user_id"}},
    "get /logs/patterns": {"params": {"query": "level:info"}},
    "get /logs/pattern-changes": {"params": {"since": "-10m", "against_since": "-1h"}},
    "get /logs/table": {"params": {"query": "* | timechart 5m count() by level"}},
    "get /logs/metrics": {},
    "get /logs/retention": {},
    "post /logs/retention/apply": {},
    "post /logs/erasures/preview": {"json": {"query": "user_id:alice"}},
    "post /logs/erasures": {"json": {"query": "user_id:alice", "reason": "ticket 8"}},
    "get /logs/erasures": {},
    "get /logs/erasures/{erasure}": {},
    "get /logs/searches": {},
    "post /logs/searches": {"json": {"name": "n", "query": "level:error", "columns": ["user_id"]}},
    "put /logs/searches/{search}": {"json": {"name": "n", "query": ""}},
    "delete /logs/searches/{search}": {},
    "get /dashboards": {"params": {"search": "shop"}},
    "post /dashboards": {"json": {"dashboard": {"title": "New", "panels": [{"queries": [{"expr": "up"}]}]}}},
    "get /dashboards/schema": {},
    "get /dashboards/units": {},
    "get /dashboards/deleted": {},
    "post /dashboards/query": {
        "json": {
            "queries": [
                {"expr": "up"},
                {"expr": "rate(up[5m)"},
                {"expr": "level:error", "language": "logs"},
                {"expr": "", "language": "logs", "format": "records"},
                {"expr": "duration>1ms", "language": "traces"},
            ]
        }
    },
    "post /dashboards/variables": {
        "json": {
            "dashboard": {
                "title": "V",
                "variables": [
                    {"name": "i", "query": "label_values(up, instance)"},
                    {"name": "c", "type": "custom", "options": ["a"]},
                ],
                "panels": [{"repeat": {"variable": "c"}}, {"type": "row", "panels": [{}]}],
            }
        }
    },
    "post /dashboards/annotations": {
        "json": {
            "annotations": [
                {"name": "i", "source": "incidents"},
                {"name": "d", "source": "deploys"},
                {"name": "p", "query": "up == 1"},
            ],
            "from": "-7d",
        }
    },
    "post /dashboards/check": {"json": {"text": "title: x\npanels: [{unit: furlong}]\n"}},
    "post /dashboards/import": {
        "json": {
            "grafana": {"title": "G", "schemaVersion": 39, "panels": [{"type": "geomap", "id": 1}]},
            "dry_run": False,
        }
    },
    "get /dashboards/{uid}": {},
    "put /dashboards/{uid}": {"json": {"dashboard": {"title": "Shop"}}, "headers": {"If-Match": "*"}},
    "delete /dashboards/{uid}": {},
    "put /dashboards/{uid}/star": {},
    "delete /dashboards/{uid}/star": {},
    "get /dashboards/{uid}/export": {"params": {"format": "grafana"}},
    "get /dashboards/{uid}/versions": {},
    "get /dashboards/{uid}/versions/{version}": {},
    "get /dashboards/{uid}/diff": {"params": {"from": 1}},
    "post /dashboards/{uid}/restore": {"json": {"version": 1}},
    "get /logs/around": {"params": {"cursor": "{log}"}},
    "get /incidents/{incident}/brief": {},
    "get /incidents/{incident}/signals": {},
    "get /audit": {},
    "get /changes": {"params": {"since": "1970-01-01T00:00:00Z"}},
    "post /changes": {"json": {"title": "shop 2.4.2", "service": "shop", "url": "https://ci.test/1", "at": "-5m"}},
    "delete /changes/{change}": {},
    "get /promql/check": {"params": {"query": "up"}},
    "get /promql/explain": {"params": {"query": "up"}},
    "get /promql/searches": {},
    "post /promql/searches": {"json": {"name": "n", "query": "up == 0"}},
    "put /promql/searches/{query}": {"json": {"name": "n", "query": "up"}},
    "delete /promql/searches/{query}": {},
    "get /traces": {},
    "get /traces/distribution": {},
    "get /traces/calls": {"params": {"service": "shop"}},
    "get /traces/fields": {},
    "get /traces/values": {"params": {"field": "service"}},
    "get /traces/services": {},
    "get /traces/operations": {"params": {"service": "shop"}},
    "get /traces/{trace_id}": {},
    "get /platform": {},
    "get /configuration": {},
    "get /configuration/forms": {},
    "post /configuration/changes": {
        "json": {"changes": [{"section": "logs", "values": {"path": "/var/log/x.log"}}]},
        "headers": {"If-Match": "*"},
    },
    "post /configuration/undo": {"json": {"id": "{configuration_change}"}, "headers": {"If-Match": "*"}},
    "post /configuration/try": {"json": {"section": "scrape", "values": {"targets": ["127.0.0.1:9100"]}}},
    "post /configuration/look": {},
    "get /configuration/rules": {},
    "post /configuration/rules/preview": {"json": {"name": "HighCPUUsage", "threshold": 90, "duration": "5m"}},
    "get /reload": {},
    "post /reload": {},
    "get /alerts": {},
    "get /alerts/groups": {},
    "get /alerts/rules": {},
    "get /alerts/receivers": {},
    "get /alerts/integrations": {},
    "post /alerts/receivers/{receiver}/test": {},
    "post /alerts/route": {"json": {"labels": {"severity": "critical"}}},
    "get /alerts/configuration": {},
    "get /alerts/explain": {},
    "get /silences": {},
    "post /silences": {
        "json": {"matchers": [{"name": "alertname", "value": "A"}], "ends_at": 4_000_000_000_000, "comment": "c"}
    },
    "post /silences/preview": {"json": {"matchers": [{"name": "alertname", "op": "=~", "value": ".+"}]}},
    "delete /silences/{silence}": {},
    "get /notifications": {},
    "post /notifications/{notification}/retry": {},
    "get /incidents": {},
    "post /incidents": {"json": {"title": "t", "severity": "high", "service": "shop"}},
    "get /incidents/mentions": {},
    "get /incidents/metrics": {},
    "get /incidents/{incident}": {},
    "patch /incidents/{incident}": {"json": {"impact": {"users": 3}}},
    "get /incidents/{incident}/runbook": {},
    "post /incidents/{incident}/acknowledge": {},
    "post /incidents/{incident}/status": {"json": {"status": "investigating"}},
    "post /incidents/{incident}/checklist": {"json": {"key": "{step}", "done": True}},
    "post /incidents/{incident}/notes": {"json": {"text": "n"}},
    "post /incidents/{incident}/assign": {"json": {"to": "somebody"}},
    "get /incidents/{incident}/postmortem": {},
    "put /incidents/{incident}/postmortem": {"content": b"# What", "headers": {"If-None-Match": "*"}},
    "get /incidents/{incident}/postmortem/draft": {},
    "post /markdown": {"content": b"*a*"},
    "get /overview": {},
    "get /backup": {},
    "get /targets": {},
    "get /refusals": {},
    "get /objectives": {},
    "get /objectives/{objective}/history": {},
    "get /security/findings": {},
    "get /security/findings/{finding}": {},
    "post /security/findings/{finding}/status": {"json": {"status": "investigating"}},
    "get /security/report": {},
    "get /recovery": {},
    "post /recovery/{service}/maintenance": {"json": {"on": True}},
    "post /recovery/{service}/reset": {},
    "get /times": {"params": {"text": "last tuesday", "tz": "Asia/Tokyo"}},
    "get /me": {},
    "get /tokens": {},
    "post /tokens": {"json": {"name": "n", "role": "viewer"}},
    "delete /tokens/{token}": {},
    "get /people": {},
    "get /accounts": {},
    "post /accounts": {"json": {"name": "yuki", "role": "viewer", "display_name": "Yuki"}},
    "get /accounts/{account}": {},
    "patch /accounts/{account}": {"json": {"role": "responder"}},
    "delete /accounts/{invited}": {},
    "post /accounts/{account}/link": {},
    "get /account": {},
    "patch /account": {"json": {"display_name": "H"}},
    "patch /account/preferences": {"json": {"time_zone": "Asia/Tokyo"}},
    "post /account/password": {"json": {"old": password_of("hana"), "new": "one good password"}},
    "get /account/tokens": {},
    "post /account/tokens": {"json": {"name": "n", "role": "viewer", "expires": "90d"}},
    "delete /account/tokens/{own_token}": {},
    "get /sessions": {},
    "delete /sessions/{session}": {},
    "delete /sessions": {},
}


async def document(http: httpx.AsyncClient) -> dict[str, Any]:
    return (await http.get(f"{PREFIX}/openapi.json")).json()


def shape(operation: str) -> str:
    """An operation with its parameters left unnamed."""
    return "/".join("{}" if part.startswith("{") else part for part in operation.split("/"))


async def identifiers(http: httpx.AsyncClient) -> dict[str, str]:
    """Of one thing of each kind that the platform has."""

    async def listed(path: str) -> Any:
        return (await http.get(PREFIX + path)).json()

    added = {"changes": [{"section": "logs", "values": {"path": "/var/log/added.log"}}]}
    changed = await http.post(f"{PREFIX}/configuration/changes", json=added, headers={"If-Match": "*"})
    incidents = await listed("/incidents")
    open_one = next(one for one in incidents if one["status"] not in ("resolved", "closed") and one["checklist"])
    return {
        "objective": (await listed("/objectives"))[0]["name"],
        "change": (await listed("/changes?since=1970-01-01T00:00:00Z"))[0]["id"],
        "search": (await listed("/logs/searches"))[0]["id"],
        "query": (await listed("/promql/searches"))[0]["id"],
        "configuration_change": changed.json()["changes"][0]["id"],
        "uid": "shop",
        "version": "1",
        "log": (await listed("/logs"))["records"][0]["cursor"],
        "trace_id": (await listed("/traces"))[0]["trace_id"],
        "silence": next(one["id"] for one in await listed("/silences") if one["state"] == "active"),
        "notification": str(next(one["id"] for one in await listed("/notifications") if one["status"] != "delivered")),
        "receiver": (await listed("/alerts/receivers"))[0],
        "incident": open_one["reference"],
        "step": open_one["checklist"][0]["key"],
        "finding": (await listed("/security/findings"))[0]["id"],
        "service": (await listed("/recovery"))[0]["service"],
        "token": next(one["id"] for one in await listed("/tokens") if one["role"] == "ingest"),
        "account": "mio",
        "invited": "tomo",
        "session": (await listed("/sessions"))[0]["id"],
        "erasure": (await listed("/logs/erasures"))[0]["id"],
        "own_token": (await listed("/account/tokens"))[0]["id"],
    }


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return value.format(**names) if isinstance(value, str) and value.startswith("{") else value


async def test_every_operation_is_asked_here(reader: Client) -> None:
    async with reader(Role.ADMIN) as http:
        paths = (await document(http))["paths"]
    known = {shape(f"{method} {path}") for path, entry in paths.items() for method in entry if method in METHODS}
    assert known == {shape(operation) for operation in REQUESTS}


@pytest.mark.parametrize("operation", REQUESTS)
async def test_what_is_answered_is_what_the_document_says(
    client: Client, platform: FakePlatform, operation: str
) -> None:
    method, path = operation.split()
    platform.with_people()
    platform.access.mint("laptop", Role.VIEWER, owner="a0")
    async with client() as http:
        # A person: tokens may not do all of it.
        ours = {"Sec-Fetch-Site": "same-origin"}
        await http.post("/sign-in", data={"name": "hana", "password": password_of("hana")}, headers=ours)
        (session,) = platform.state.stored_sessions.values()
        http.headers.update(ours | {"X-CSRF-Token": session.csrf})
        described = await document(http)
        names = await identifiers(http)
        answer = await http.request(method, PREFIX + path.format(**names), **filled(REQUESTS[operation], names))
    assert answer.is_success, answer.text
    entry = next(
        entry[method] for known, entry in described["paths"].items() if shape(known) == shape(path) and method in entry
    )
    ((media, content),) = entry["responses"][str(answer.status_code)]["content"].items()
    assert answer.headers["content-type"].partition(";")[0] == media
    if media == "application/json":
        schema = {**content["schema"], "components": described["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())


async def test_no_answer_is_any_object_at_all(reader: Client) -> None:
    async with reader(Role.ADMIN) as http:
        described = await document(http)
    untyped = {
        f"{method} {path}"
        for path, entry in described["paths"].items()
        for method, operation in entry.items()
        for answer in operation["responses"].values()
        for media, content in answer["content"].items()
        if media == "application/json"
        if not _typed(content["schema"], described)
    }
    documents = {"get /openapi.json", "get /dashboards/schema"}
    assert untyped == documents, "a document that describes itself has no type here"


def _typed(schema: dict[str, Any], described: dict[str, Any]) -> bool:
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return bool(described["components"]["schemas"][name].get("properties"))
    if schema.get("type") == "array":
        return _typed(schema["items"], described)
    return schema.get("type") == "string"


async def test_errors_have_the_shape_of_the_document(reader: Client) -> None:
    async with reader(Role.ADMIN) as http:
        described = await document(http)
        answers = [
            await http.get(f"{PREFIX}/query", params={"query": "up("}),
            await http.get(f"{PREFIX}/query"),
            await http.get(f"{PREFIX}/incidents/INC-99999"),
            await http.get(f"{PREFIX}/nothing"),
            await http.post(f"{PREFIX}/silences", json={}),
        ]
    assert [answer.status_code for answer in answers] == [400, 422, 404, 404, 422]
    for answer in answers:
        schema = {"$ref": "#/components/schemas/ErrorShape", "components": described["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
    assert answers[0].json()["error"]["position"] >= 0
