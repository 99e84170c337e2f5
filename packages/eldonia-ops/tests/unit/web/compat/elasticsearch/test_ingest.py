"""Ingest pipelines over the API: declared, tried, asked for by requests and by indices."""

import json
from typing import Any

import pytest
from fake_platform import FakePlatform

from eldonia_ops.model.access import Role

Pair = tuple[int, str]
UPPER = {"processors": [{"uppercase": {"field": "level"}}, {"set": {"field": "by", "value": "upper"}}]}
DROP = {"processors": [{"drop": {"if": "ctx.level == 'debug'"}}, {"set": {"field": "by", "value": "drop"}}]}
LAST = {"processors": [{"append": {"field": "by", "value": "last"}}]}
MOVE = {
    "processors": [{"set": {"field": "_index", "value": "moved-{{level}}"}}, {"set": {"field": "_id", "value": "x"}}]
}


@pytest.fixture(autouse=True)
async def pipelines(ask: Any) -> None:
    for name, body in (("upper", UPPER), ("drop", DROP), ("last", LAST), ("move", MOVE)):
        assert (await ask("PUT", f"/_ingest/pipeline/{name}", Role.INGEST, json=body))[0] == 200


async def send(ask: Any, path: str, *lines: Any) -> list[dict[str, Any]]:
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    status, body = await ask("POST", path, Role.INGEST, content=content)
    assert status == 200, body
    return [next(iter(item.values())) for item in body["items"]]


async def sources(ask: Any, index: str) -> list[dict[str, Any]]:
    _, body = await ask("GET", f"/{index}/_search?sort=n")
    return [hit["_source"] for hit in body["hits"]["hits"]]


async def test_they_are_kept(ask: Any) -> None:
    assert (await ask("GET", "/_ingest/pipeline/upper"))[1] == {"upper": UPPER}
    assert set((await ask("GET", "/_ingest/pipeline"))[1]) == {"upper", "drop", "last", "move"}
    assert set((await ask("GET", "/_ingest/pipeline/u*,last"))[1]) == {"upper", "last"}
    assert (await ask("GET", "/_ingest/pipeline/none")) == (404, {})
    assert (await ask("DELETE", "/_ingest/pipeline/last"))[1] == {"acknowledged": True}
    assert (await ask("DELETE", "/_ingest/pipeline/last"))[0] == 404
    assert "IPORHOST" in (await ask("GET", "/_ingest/processor/grok"))[1]["patterns"]


async def test_a_request_asks_for_one(ask: Any) -> None:
    found = await send(
        ask,
        "/app/_bulk?pipeline=upper",
        *({"index": {}}, {"n": 1, "level": "info"}),
        *({"create": {"pipeline": "drop", "_id": "d"}}, {"n": 2, "level": "debug"}),
        *({"create": {"pipeline": "drop"}}, {"n": 3, "level": "info"}),
        *({"index": {"pipeline": "_none"}}, {"n": 4, "level": "info"}),
        *({"index": {"pipeline": "absent"}}, {"n": 5}),
        *({"index": {"_id": "e"}}, {"n": 6}),
        *({"index": {}}, {"n": 7, "level": ["a", "b"]}),
    )
    assert [(one["status"], one.get("result") or one["error"]["reason"]) for one in found] == [
        (201, "created"),
        (200, "noop"),
        (201, "created"),
        (201, "created"),
        (400, "pipeline with id [absent] does not exist"),
        (400, "field [level] not present as part of path [level]"),
        (201, "created"),
    ]
    assert await sources(ask, "app") == [
        {"n": 1, "level": "INFO", "by": "upper"},
        {"n": 3, "level": "info", "by": "drop"},
        {"n": 4, "level": "info"},
        {"n": 7, "level": ["A", "B"], "by": "upper"},
    ]
    status, made = await ask("PUT", "/app/_doc/one?pipeline=upper", Role.INGEST, json={"n": 8, "level": "x"})
    assert (status, made["result"]) == (201, "created")
    assert (await ask("GET", "/app/_source/one"))[1] == {"n": 8, "level": "X", "by": "upper"}


async def test_an_index_has_a_default_and_a_final_one(ask: Any) -> None:
    settings = {"index": {"default_pipeline": "upper", "final_pipeline": "last"}}
    template = {"index_patterns": ["d-*"], "template": {"settings": settings}}
    assert (await ask("PUT", "/_index_template/d", json=template))[0] == 200
    lines: tuple[Any, ...] = ({"index": {}}, {"n": 1, "level": "a"}, {"index": {"pipeline": "_none"}}, {"n": 2})
    await send(ask, "/d-1/_bulk", *lines)
    await send(ask, "/d-1/_bulk", {"index": {}}, {"n": 3, "level": "b"})  # it is there now
    assert await sources(ask, "d-1") == [
        {"n": 1, "level": "A", "by": ["upper", "last"]},
        {"n": 2, "by": ["last"]},
        {"n": 3, "level": "B", "by": ["upper", "last"]},
    ]
    await ask("PUT", "/d-1/_settings", json={"index.default_pipeline": None, "index.final_pipeline": "_none"})
    await send(ask, "/d-1/_bulk", {"index": {}}, {"n": 4, "level": "c"})
    assert (await sources(ask, "d-1"))[-1] == {"n": 4, "level": "c"}


async def test_a_pipeline_chooses_index_and_id(ask: Any) -> None:
    (made,) = await send(ask, "/app/_bulk?pipeline=move", {"index": {}}, {"level": "warn"})
    assert (made["_index"], made["_id"], made["status"]) == ("moved-warn", "x", 201)
    (again,) = await send(ask, "/app/_bulk?pipeline=move", {"index": {"_id": "other"}}, {"level": "warn"})
    assert (again["_id"], again["_version"]) == ("x", 2)
    (bad,) = await send(ask, "/app/_bulk?pipeline=move", {"index": {}}, {"level": "BAD"})
    assert bad["error"]["type"] == "invalid_index_name_exception"
    _, indices = await ask("GET", "/_cat/indices?format=json")
    assert {one["index"] for one in indices} == {"logs", "moved-warn"}


async def test_what_is_dropped_makes_no_index(ask: Any, platform: FakePlatform) -> None:
    await send(ask, "/none/_bulk?pipeline=drop", {"index": {}}, {"level": "debug"})
    assert (await ask("HEAD", "/none"))[0] == 404
    assert platform.telemetry.logs.records == []


async def test_trying_one(ask: Any, platform: FakePlatform) -> None:
    docs = [{"_source": {"level": "a"}}, {"_index": "i", "_id": "7", "_source": {}}]
    _, tried = await ask("POST", "/_ingest/pipeline/upper/_simulate", json={"docs": docs})
    first, second = tried["docs"]
    assert first["doc"]["_source"] == {"level": "A", "by": "upper"}
    assert first["doc"]["_ingest"]["timestamp"].endswith("Z")
    assert second["error"]["reason"] == "field [level] not present as part of path [level]"
    body = {"pipeline": DROP, "docs": [{"_source": {"level": "debug"}}]}
    assert (await ask("POST", "/_ingest/pipeline/_simulate", json=body))[1] == {"docs": [None]}
    assert (await ask("POST", "/_ingest/pipeline/none/_simulate", json={"docs": docs}))[0] == 400
    assert (await ask("POST", "/_ingest/pipeline/_simulate", json={"docs": docs}))[0] == 400
    assert (await ask("POST", "/_ingest/pipeline/upper/_simulate", json={"docs": []}))[0] == 400
    assert (await ask("POST", "/_ingest/pipeline/upper/_simulate?verbose=true", json={"docs": docs}))[0] == 400
    assert platform.telemetry.logs.records == []


DROPPING: dict[str, Any] = {"processors": [{"drop": {}}]}
MARKING: dict[str, Any] = {"processors": [{"set": {"field": "seen", "value": True}}]}


async def test_a_sender_cannot_drop_what_others_send(ask: Any) -> None:
    """A pipeline that documents go through without being asked for is an admin's."""

    async def refused(method: str, path: str, body: Any = None) -> None:
        status, found = await ask(method, path, Role.INGEST, json=body or {})
        assert (status, found["error"]["type"]) == (403, "security_exception"), (method, path)
        assert "changes what others send" in found["error"]["reason"]

    bound = {"index": {"default_pipeline": "drop"}}
    assert (await ask("PUT", "/_ingest/pipeline/drop", Role.INGEST, json=DROPPING))[0] == 200, "a request may name it"
    await send(ask, "/app/_bulk", {"index": {}}, {"n": 1})
    await refused("PUT", "/app/_settings", bound)
    await refused("PUT", "/other", {"settings": bound})
    await refused("PUT", "/_index_template/t", {"index_patterns": ["x*"], "template": {"settings": bound}})
    await refused("PUT", "/_component_template/t", {"template": {"settings": {"index.final_pipeline": "drop"}}})
    await refused("PUT", "/_template/t", {"index_patterns": ["x*"], "settings": bound})
    assert (await ask("PUT", "/mine", Role.INGEST))[0] == 200
    assert (await ask("PUT", "/mine/_settings", Role.INGEST, json={"index.default_pipeline": "_none"}))[0] == 200


async def test_a_sender_cannot_change_the_pipelines_that_an_admin_has_bound(ask: Any) -> None:
    calls = {"processors": [{"pipeline": {"name": "inner"}}]}
    template = {"index_patterns": ["x*"], "template": {"settings": {"index.final_pipeline": "outer"}}}
    for name, body in (("inner", MARKING), ("outer", calls)):
        assert (await ask("PUT", f"/_ingest/pipeline/{name}", json=body))[0] == 200
    assert (await ask("PUT", "/_index_template/t", json=template))[0] == 200
    for method, path, body in (
        ("PUT", "/_ingest/pipeline/outer", DROPPING),
        ("PUT", "/_ingest/pipeline/inner", DROPPING),
        ("DELETE", "/_ingest/pipeline/inner", None),
        ("DELETE", "/_index_template/t", None),
        ("PUT", "/_index_template/t", {**template, "template": {}}),
        ("PUT", "/x1", {"settings": {"index.final_pipeline": "_none"}}),
    ):
        assert (await ask(method, path, Role.INGEST, json=body or {}))[0] == 403, (method, path)
    for path, same in (("/_ingest/pipeline/outer", calls), ("/_index_template/t", template), ("/x1", {})):
        assert (await ask("PUT", path, Role.INGEST, json=same))[0] == 200, path
    assert (await ask("PUT", "/_ingest/pipeline/outer", json=DROPPING))[0] == 200, "an admin may"
