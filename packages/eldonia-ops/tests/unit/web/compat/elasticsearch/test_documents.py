"""Documents in, out, changed and deleted; bad ones fail alone."""

import gzip
import json
from typing import Any

import pytest
from fake_platform import NOW, FakePlatform

from eldonia_ops.model.access import Role
from eldonia_ops.model.logs import LogRecord

TIME = "2026-11-24T00:00:00.000Z"


def bulk(*lines: Any) -> bytes:
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


async def send(ask: Any, *lines: Any, path: str = "/_bulk", **more: Any) -> list[tuple[str, int, str]]:
    status, body = await ask("POST", path, Role.INGEST, content=bulk(*lines), **more)
    assert status == 200, body
    found = [(operation, one) for item in body["items"] for operation, one in item.items()]
    assert body["errors"] is any("error" in one for _, one in found)
    return [(name, one["status"], one.get("result") or one["error"]["type"]) for name, one in found]


async def test_all_actions_in_their_order(ask: Any) -> None:
    found = await send(
        ask,
        {"index": {"_index": "app"}}, {"message": "a"},
        {"create": {"_index": "app", "_id": "1"}}, {"message": "b"},
        {"create": {"_index": "app", "_id": "1"}}, {"message": "again"},
        {"update": {"_index": "app", "_id": "1"}}, {"doc": {"n": 1}},
        {"delete": {"_index": "app", "_id": "1"}},
        {"delete": {"_index": "app", "_id": "1"}},
        {"update": {"_index": "app", "_id": "2"}}, {"doc": {"n": 1}},
        {"update": {"_index": "app", "_id": "2"}}, {"doc": {"n": 1}, "doc_as_upsert": True},
        {"update": {"_index": "app", "_id": "2"}}, {"doc": {"n": 1}},
        {"update": {"_index": "app", "_id": "2"}}, {"script": {"source": "ctx._source.n++"}},
        {"index": {"_index": "app", "_id": "3"}}, {"n": 3},
        {"index": {"_index": "app", "_id": "3"}}, {"n": 4},
        {"index": {"_index": "Bad"}}, {"n": 4},
        {"index": {"_index": "app"}}, {"@timestamp": "no"},
        {"index": {"_index": "app"}}, b"no json",
    )  # fmt: skip
    assert found == [
        ("index", 201, "created"),
        ("create", 201, "created"),
        ("create", 409, "version_conflict_engine_exception"),
        ("update", 200, "updated"),
        ("delete", 200, "deleted"),
        ("delete", 404, "not_found"),
        ("update", 404, "document_missing_exception"),
        ("update", 201, "created"),
        ("update", 200, "noop"),
        ("update", 400, "illegal_argument_exception"),
        ("index", 201, "created"),
        ("index", 200, "updated"),
        ("index", 400, "invalid_index_name_exception"),
        ("index", 400, "document_parsing_exception"),
        ("index", 400, "document_parsing_exception"),
    ]
    assert (await ask("GET", "/app/_doc/1"))[0] == 404
    assert (await ask("GET", "/app/_doc/2"))[1]["_source"] == {"n": 1}
    assert (await ask("GET", "/app/_doc/3"))[1]["_version"] == 2


async def test_what_is_stored_is_a_log_record(ask: Any, platform: FakePlatform) -> None:
    document = {"@timestamp": TIME, "message": "付", "level": "WARN", "service": {"name": "shop"}, "user_id": "u1"}
    status, made = await ask("POST", "/app/_doc", Role.INGEST, json=document)
    assert status == 201
    (record,) = platform.telemetry.logs.records
    assert (record.message, record.level, record.service, record.user_id) == ("付", "warn", "shop", "u1")
    assert record.timestamp_ns == 1_795_478_400 * 10**9
    assert record.hostname == "node-1"
    status, found = await ask("GET", f"/app/_doc/{made['_id']}", Role.VIEWER)
    assert found["_source"] == document
    assert (await ask("GET", f"/app/_source/{made['_id']}?_source_includes=level,service.*"))[1] == {
        "level": "WARN", "service": {"name": "shop"},
    }  # fmt: skip
    assert (await ask("HEAD", f"/app/_doc/{made['_id']}"))[0] == 200


async def test_packed_bodies_and_defaults_in_the_path(ask: Any, platform: FakePlatform) -> None:
    body = gzip.compress(bulk({"create": {}}, {"n": 1}, {"index": {"_index": "b"}}, {"n": 2}))
    _status, found = await ask("POST", "/a/_bulk", content=body, headers={"Content-Encoding": "gzip"})
    assert [next(iter(one.values()))["_index"] for one in found["items"]] == ["a", "b"]
    assert [one.metadata["_index"] for one in platform.telemetry.logs.records] == ["a", "b"]


async def test_records_of_other_ways_are_an_index(ask: Any, platform: FakePlatform) -> None:
    await platform.telemetry.logs.insert_logs([LogRecord(timestamp_ns=NOW * 10**6, message="tailed", service="shop")])
    (record,) = platform.telemetry.logs.records
    id = f"r{record.timestamp_ns:016x}{record.id:016x}"
    _status, found = await ask("GET", f"/logs/_doc/{id}")
    assert found["_source"] == {
        "@timestamp": found["_source"]["@timestamp"],
        "message": "tailed",
        "level": "info",
        "service": "shop",
    }
    assert (await ask("POST", "/logs*/_delete_by_query", json={"query": {"match_all": {}}}))[1]["deleted"] == 1
    assert not platform.telemetry.logs.records


async def test_a_changed_document_is_one_record(ask: Any, platform: FakePlatform) -> None:
    for n in range(3):
        await ask("PUT", "/app/_doc/x", json={"n": n})
    assert len(platform.telemetry.logs.records) == 1
    status, body = await ask("PUT", "/app/_doc/x?if_seq_no=5&if_primary_term=1", json={"n": 9})
    assert (status, body["error"]["type"]) == (409, "version_conflict_engine_exception")
    number = (await ask("GET", "/app/_doc/x"))[1]["_seq_no"]
    assert (await ask("PUT", f"/app/_doc/x?if_seq_no={number}&if_primary_term=1", json={"n": 9}))[0] == 200
    assert (await ask("DELETE", "/app/_doc/x"))[1]["result"] == "deleted"
    assert (await ask("DELETE", "/app/_doc/x"))[0] == 404
    assert not platform.telemetry.logs.records


async def test_many_by_their_ids(ask: Any) -> None:
    await ask("PUT", "/app/_doc/x", json={"n": 1, "m": 2})
    docs = {"docs": [{"_index": "app", "_id": "x", "_source": ["n"]}, {"_index": "none", "_id": "x"}, {"_id": "y"}]}
    status, found = await ask("POST", "/app/_mget", json=docs)
    assert [one.get("_source", one.get("found", "error")) for one in found["docs"]] == [{"n": 1}, "error", False]
    status, body = await ask("POST", "/_mget", json={"docs": []})
    assert (status, body["error"]["type"]) == (400, "action_request_validation_exception")


async def test_times_that_are_not_kept(ask: Any, platform: FakePlatform) -> None:
    platform.ingest._clock = type("Clock", (), {"now": lambda self: NOW})()  # type: ignore[attr-defined]
    old = [{"index": {"_index": "a"}}, {"@timestamp": "1999-01-01T00:00:00Z", "message": "old"}]
    named = [{"index": {"_index": "a", "_id": "x"}}, {"@timestamp": "1999-01-01T00:00:00Z", "message": "old"}]
    new = [{"index": {"_index": "a"}}, {"@timestamp": "2099-01-01T00:00:00Z", "message": "new"}]
    found = await send(ask, *old, *new, *named)
    assert [one[1:] for one in found] == [
        (400, "document_parsing_exception"), (201, "created"), (400, "document_parsing_exception"),
    ]  # fmt: skip
    (record,) = platform.telemetry.logs.records
    assert record.timestamp_ns == NOW * 10**6
    assert record.metadata["@timestamp"] == "2099-01-01T00:00:00Z"
    assert [one.reason for one in platform.ingest.refusals()]


async def test_a_field_of_two_kinds_is_kept_as_it_came(ask: Any) -> None:
    found = await send(
        ask, {"index": {"_index": "a", "_id": "1"}}, {"n": 1}, {"index": {"_index": "a", "_id": "2"}}, {"n": "x"}
    )
    assert [status for _, status, _ in found] == [201, 201]
    assert (await ask("GET", "/a/_doc/2"))[1]["_source"] == {"n": "x"}


async def test_where_a_document_is_said_to_be(http: Any) -> None:
    async with http(Role.INGEST) as client:
        made = await client.put("/%E4%BB%98/_doc/a%2F%F0%9F%98%80", json={"n": 1})
    assert (made.status_code, made.headers["Location"]) == (201, "/%E4%BB%98/_doc/a%2F%F0%9F%98%80")


async def test_a_search_takes_each_value_for_what_it_is(ask: Any) -> None:
    values = [5, "5", "x", "12", 7.5]
    await send(ask, *(part for n in values for part in ({"index": {"_index": "a"}}, {"n": n})))

    async def found(**body: Any) -> list[Any]:
        return [hit["_source"]["n"] for hit in (await ask("POST", "/a/_search", json=body))[1]["hits"]["hits"]]

    assert sorted(await found(query={"range": {"n": {"gte": 4}}})) == [5, 7.5]
    assert set(map(repr, await found(query={"term": {"n": 5}}))) == {"5", "'5'"}
    assert await found(sort=[{"n": "asc"}]) == [5, 7.5, "12", "5", "x"]
    assert await found(sort=[{"n": "desc"}]) == ["x", "5", "12", 7.5, 5]


async def test_what_cannot_be_taken_is_rejected(ask: Any, platform: FakePlatform, side: Any) -> None:
    platform.telemetry.logs.broken = "the disk is full"
    status, body = await ask("POST", "/_bulk", content=bulk({"index": {"_index": "a"}}, {"n": 1}))
    assert (status, body["error"]["type"]) == (429, "es_rejected_execution_exception")
    platform.telemetry.logs.broken = ""
    side.elasticsearch.documents._in_flight = 64 << 20
    status, body = await ask("POST", "/_bulk", content=bulk({"index": {"_index": "a"}}, {"n": 1}))
    assert (status, body["error"]["type"]) == (429, "es_rejected_execution_exception")


@pytest.mark.parametrize(
    ("method", "path", "body", "type"),
    [
        ("POST", "/_bulk", b"", "parse_exception"),
        ("POST", "/_bulk", b"{}\n", "illegal_argument_exception"),
        ("PUT", "/a/_doc/" + "x" * 600, b"{}", "illegal_argument_exception"),
        ("PUT", "/a/_doc/1?op_type=put", b"{}", "illegal_argument_exception"),
        ("PUT", "/a/_doc/1?if_seq_no=x", b"{}", "illegal_argument_exception"),
        ("POST", "/a/_update/1", b"[]", "document_parsing_exception"),
        ("POST", "/a/_update/1", b'{"colour":1}', "illegal_argument_exception"),
        ("POST", "/_aliases", b"{", "x_content_parse_exception"),
        ("POST", "/_aliases", b"[" * 100, "parsing_exception"),
        ("POST", "/a/_delete_by_query", b"{}", "index_not_found_exception"),
    ],
)
async def test_requests_that_are_refused(ask: Any, method: str, path: str, body: bytes, type: str) -> None:
    status, found = await ask(method, path, content=body)
    assert status >= 400
    assert found["error"]["type"] == type
    assert found["status"] == status
