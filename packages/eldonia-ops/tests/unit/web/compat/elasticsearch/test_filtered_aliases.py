"""Aliases with a filter: who reads by them finds only the documents that it finds."""

import json
from typing import Any

import pytest

ERRORS = {"filter": {"term": {"level": "error"}}, "routing": "shop"}
EVERY = {"query": {"match_all": {}}, "size": 100}


@pytest.fixture
async def filled(ask: Any) -> Any:
    """Six documents in each of two indices, of which two are errors; ``errors`` is of the first alone."""
    lines = ""
    for index in ("a", "b"):
        for number in range(6):
            level = "error" if number % 3 == 0 else "info"
            document = {"@timestamp": "2026-11-23T00:00:00Z", "level": level, "n": number}
            lines += json.dumps({"index": {"_index": index, "_id": f"{index}{number}"}}) + "\n"
            lines += json.dumps(document) + "\n"
    assert (await ask("POST", "/_bulk", content=lines.encode()))[1]["errors"] is False
    assert (await ask("PUT", "/a/_alias/errors", json=ERRORS))[0] == 200
    return ask


def ids(answer: Any) -> list[str]:
    return sorted(hit["_id"] for hit in answer["hits"]["hits"])


async def test_every_way_to_read_finds_the_same(filled: Any) -> None:
    ask = filled
    found = ["a0", "a3"]
    assert ids((await ask("POST", "/errors/_search", json=EVERY))[1]) == found
    assert ids((await ask("POST", "/err*/_search", json=EVERY))[1]) == found
    assert (await ask("GET", "/errors/_count"))[1]["count"] == 2
    assert (await ask("GET", "/_cat/count/errors?format=json"))[1][0]["count"] == "2"
    lines = json.dumps({"index": "errors"}) + "\n" + json.dumps(EVERY) + "\n"
    assert ids((await ask("POST", "/_msearch", content=lines.encode()))[1]["responses"][0]) == found
    asked = {"size": 0, "aggs": {"all": {"global": {}, "aggs": {"n": {"value_count": {"field": "n"}}}}}}
    assert (await ask("POST", "/errors/_search", json=asked))[1]["aggregations"]["all"]["n"]["value"] == 2
    point = (await ask("POST", "/errors/_pit?keep_alive=1m"))[1]["id"]
    assert ids((await ask("POST", "/_search", json={**EVERY, "pit": {"id": point}}))[1]) == found
    page = (await ask("POST", "/errors/_search?scroll=1m", json={**EVERY, "size": 1}))[1]
    second = (await ask("POST", "/_search/scroll", json={"scroll_id": page["_scroll_id"]}))[1]
    assert sorted(ids(page) + ids(second)) == found
    # A document by its id is no search: as in Elasticsearch, the filter does not count.
    assert (await ask("GET", "/errors/_doc/a1"))[1]["found"] is True


async def test_an_index_that_is_meant_by_its_own_name_too_is_whole(filled: Any) -> None:
    ask = filled
    assert len(ids((await ask("POST", "/errors,a/_search", json=EVERY))[1])) == 6
    assert ids((await ask("POST", "/errors,b/_search", json=EVERY))[1]) == ["a0", "a3", *(f"b{n}" for n in range(6))]
    await ask("PUT", "/a/_alias/first", json={"filter": {"term": {"n": 1}}})
    assert ids((await ask("POST", "/errors,first/_search", json=EVERY))[1]) == ["a0", "a1", "a3"]
    await ask("PUT", "/b/_alias/errors", json=ERRORS)
    assert ids((await ask("POST", "/errors/_search", json=EVERY))[1]) == ["a0", "a3", "b0", "b3"]


async def test_what_is_changed_by_a_query_is_what_is_found(filled: Any) -> None:
    ask = filled
    _, answer = await ask("POST", "/errors/_delete_by_query", json={"query": {"match_all": {}}})
    assert answer["deleted"] == 2
    copied = {"source": {"index": "errors"}, "dest": {"index": "c"}}
    await ask("PUT", "/b/_alias/errors", json=ERRORS)
    assert (await ask("POST", "/_reindex", json=copied))[1]["created"] == 2
    assert (await ask("GET", "/_count"))[1]["count"] == 12


async def test_it_is_shown_again(filled: Any) -> None:
    ask = filled
    shown = {"filter": ERRORS["filter"], "index_routing": "shop", "search_routing": "shop"}
    assert (await ask("GET", "/_alias/errors"))[1] == {"a": {"aliases": {"errors": shown}}}
    row = (await ask("GET", "/_cat/aliases/errors?format=json"))[1][0]
    assert (row["filter"], row["routing.index"]) == ("*", "shop")


async def test_an_index_and_a_template_may_have_one(ask: Any) -> None:
    await ask("PUT", "/x", json={"aliases": {"x-errors": ERRORS}})
    await ask(
        "PUT", "/_index_template/t", json={"index_patterns": ["y*"], "template": {"aliases": {"y-errors": ERRORS}}}
    )
    for index in ("x", "y"):
        for level in ("error", "info"):
            await ask("POST", f"/{index}/_doc", json={"level": level})
        assert (await ask("GET", f"/{index}-errors/_count"))[1]["count"] == 1
    bad = {"filter": {"no_query": {}}}
    for path, body in (
        ("/z", {"aliases": {"q": bad}}),
        ("/_index_template/z", {"index_patterns": ["z"], "template": {"aliases": {"q": bad}}}),
        ("/_template/z", {"index_patterns": ["z"], "aliases": {"q": bad}}),
    ):
        status, answer = await ask("PUT", path, json=body)
        assert (status, "failed to parse filter for alias [q]" in answer["error"]["reason"]) == (400, True), path


async def test_a_point_in_time_of_nothing_finds_nothing(filled: Any) -> None:
    """Names with a wildcard that nothing fits to are not all names."""
    point = (await filled("POST", "/absent-*/_pit?keep_alive=1m"))[1]["id"]
    assert ids((await filled("POST", "/_search", json={**EVERY, "pit": {"id": point}}))[1]) == []


async def test_who_writes_through_an_alias(ask: Any) -> None:
    for name in ("w-1", "w-2"):
        await ask("PUT", f"/{name}")
    await ask("PUT", "/w-1/_alias/w", json={"is_write_index": False})
    status, answer = await ask("POST", "/w/_doc", json={"n": 1})
    assert (status, "no write index is defined for alias [w]" in answer["error"]["reason"]) == (400, True)
    await ask("PUT", "/w-2/_alias/w", json={"is_write_index": True})
    assert (await ask("POST", "/w/_doc", json={"n": 1}))[1]["_index"] == "w-2"
    status, answer = await ask("PUT", "/w-1/_alias/w", json={"is_write_index": True})
    assert (status, answer["error"]["type"]) == (500, "illegal_state_exception")
    swap = [
        {"add": {"index": "w-2", "alias": "w", "is_write_index": False}},
        {"add": {"index": "w-1", "alias": "w", "is_write_index": True}},
    ]
    assert (await ask("POST", "/_aliases", json={"actions": swap}))[0] == 200
    assert (await ask("POST", "/w/_doc", json={"n": 1}))[1]["_index"] == "w-1"
