"""Documents that a query finds, written again in place or into another index."""

import json
from typing import Any

import pytest
from fake_platform import FakePlatform

from eldonia_ops.model.access import Role
from eldonia_ops.model.logs import LogRecord

TIME = "2026-11-24T00:00:00.000Z"


@pytest.fixture(autouse=True)
async def documents(ask: Any) -> None:
    lines: list[Any] = []
    for n in range(6):
        lines += [{"index": {"_id": str(n)} if n % 2 else {}}, {"@timestamp": TIME, "n": n, "level": "info"}]
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    assert (await ask("POST", "/app/_bulk", Role.INGEST, content=content))[1]["errors"] is False
    processors = [{"set": {"field": "seen", "value": True}}, {"fail": {"message": "no {{n}}", "if": "ctx.n == 4"}}]
    await ask("PUT", "/_ingest/pipeline/seen", json={"processors": processors})


async def hits(ask: Any, index: str) -> list[dict[str, Any]]:
    return (await ask("GET", f"/{index}/_search?sort=n&version=true"))[1]["hits"]["hits"]


async def test_updated_in_place(ask: Any) -> None:
    body = {"query": {"range": {"n": {"lt": 4}}}}
    status, found = await ask("POST", "/app/_update_by_query?pipeline=seen", json=body)
    assert (status, found["total"], found["updated"], found["failures"]) == (200, 4, 4, [])
    shown = await hits(ask, "app")
    assert [(one["_source"]["n"], one["_source"].get("seen"), one["_version"]) for one in shown] == [
        *((n, True, 2) for n in range(4)),
        *((n, None, 1) for n in range(4, 6)),
    ]
    status, found = await ask("POST", "/app/_update_by_query?pipeline=seen", json={"max_docs": 2})
    assert (status, found["total"]) == (200 if not found["failures"] else 400, 2)
    status, found = await ask("POST", "/app/_update_by_query?pipeline=seen", json={"query": {"term": {"n": 4}}})
    assert (status, found["failures"][0]["cause"]["reason"]) == (400, "no 4")
    assert (await ask("POST", "/app/_update_by_query", json={"script": {"source": "x"}}))[0] == 400
    assert (await ask("POST", "/app/_update_by_query", json={"conflicts": "maybe"}))[0] == 400
    assert (await ask("POST", "/app/_update_by_query", Role.INGEST, json={}))[0] == 403


async def test_copied(ask: Any, platform: FakePlatform) -> None:
    body = {
        "source": {"index": "app", "query": {"range": {"n": {"lt": 3}}}, "_source": ["n", "@timestamp"]},
        "dest": {"index": "copy", "pipeline": "seen"},
    }
    status, found = await ask("POST", "/_reindex?refresh=true", json=body)
    assert (status, found["total"], found["created"], found["updated"]) == (200, 3, 3, 0)
    shown = await hits(ask, "copy")
    assert [one["_source"] for one in shown] == [{"@timestamp": TIME, "n": n, "seen": True} for n in range(3)]
    assert [one["_id"] for one in shown] == [one["_id"] for one in (await hits(ask, "app"))[:3]]
    _, found = await ask("POST", "/_reindex", json=body)
    assert (found["created"], found["updated"]) == (0, 3)
    create = {**body, "dest": {"index": "copy", "op_type": "create"}}
    status, found = await ask("POST", "/_reindex", json=create)
    assert (status, found["version_conflicts"], len(found["failures"])) == (409, 3, 3)
    status, found = await ask("POST", "/_reindex", json={**create, "conflicts": "proceed"})
    assert (status, found["version_conflicts"], found["failures"]) == (200, 3, [])
    platform.telemetry.logs.records.append(LogRecord(timestamp_ns=1_795_478_400 * 10**9, message="tailed", id=999))
    status, found = await ask("POST", "/_reindex", json={"source": {"index": "logs"}, "dest": {"index": "tails"}})
    assert (status, found["created"]) == (200, 1)
    assert (await hits(ask, "tails"))[0]["_source"]["message"] == "tailed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"source": {"index": "app"}, "dest": {}},
        {"source": {}, "dest": {"index": "b"}},
        {"source": {"index": "app"}, "dest": {"index": "app"}},
        {"source": {"index": "app"}, "dest": {"index": "Bad"}},
        {"source": {"index": "app", "remote": {"host": "x"}}, "dest": {"index": "b"}},
        {"source": {"index": "app"}, "dest": {"index": "b"}, "script": {}},
        {"source": {"index": "app"}, "dest": {"index": "b", "op_type": "x"}},
        {"source": {"index": "app"}, "dest": {"index": "b"}, "max_docs": -1},
    ],
)
async def test_what_is_not_copied(ask: Any, body: Any) -> None:
    assert (await ask("POST", "/_reindex", json=body))[0] == 400
    assert (await ask("HEAD", "/b"))[0] == 404
