"""Mappings that are declared refuse the document that does not fit, alone, by every way to write."""

import json
from typing import Any

MAPPINGS = {"dynamic": "strict", "properties": {"n": {"type": "long"}, "message": {"type": "text"}}}


def lines(*some: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in some)


async def test_neighbours_go_on(ask: Any) -> None:
    template = {"index_patterns": ["s-*"], "template": {"mappings": MAPPINGS}}
    assert (await ask("PUT", "/_index_template/s", json=template))[0] == 200
    documents = [
        {"n": 1, "message": "m"},
        {"n": "x", "message": "m"},
        {"n": 3, "message": "m"},
        {"n": 4, "new": 1},
    ] * 20
    for action in ({"create": {"_index": "s-1"}}, {"index": {"_index": "s-2", "_id": None}}):
        some = [part for number, one in enumerate(documents) for part in (_named(action, number), one)]
        _, answer = await ask("POST", "/_bulk", content=lines(*some))
        found = [next(iter(one.values())) for one in answer["items"]]
        assert [one["status"] for one in found] == [201, 400, 201, 400] * 20
        assert found[1]["error"]["type"] == "document_parsing_exception"
        assert found[1]["error"]["caused_by"]["reason"] == 'For input string: "x"'
        assert found[3]["error"]["type"] == "strict_dynamic_mapping_exception"
    assert (await ask("GET", "/s-*/_count"))[1]["count"] == 80


def _named(action: dict[str, Any], number: int) -> dict[str, Any]:
    ((name, fields),) = action.items()
    return {name: {**fields, "_id": str(number)}} if "_id" in fields else action


async def test_a_document_that_is_there_is_not_spoilt(ask: Any) -> None:
    await ask("PUT", "/d", json={"mappings": MAPPINGS})
    assert (await ask("PUT", "/d/_doc/1", json={"n": 1}))[0] == 201
    for method, path, body in (
        ("PUT", "/d/_doc/1", {"n": "x"}),
        ("POST", "/d/_update/1", {"doc": {"n": "x"}}),
        ("POST", "/d/_update/2", {"doc": {"other": 1}, "doc_as_upsert": True}),
        ("PUT", "/d/_create/3", {"n": {"a": 1}}),
    ):
        status, answer = await ask(method, path, json=body)
        assert (status, answer["error"]["root_cause"][0]["type"][-9:]) == (400, "exception"), path
    assert (await ask("GET", "/d/_doc/1"))[1]["_source"] == {"n": 1}
    assert (await ask("GET", "/d/_count"))[1]["count"] == 1


async def test_a_mapping_that_is_put_later_counts_from_then(ask: Any) -> None:
    assert (await ask("PUT", "/l/_doc/1", json={"n": "text"}))[0] == 201
    await ask("PUT", "/l/_mapping", json={"properties": {"n": {"type": "long"}}})
    assert (await ask("PUT", "/l/_doc/2", json={"n": "text"}))[0] == 400
    assert (await ask("GET", "/l/_doc/1"))[1]["_source"] == {"n": "text"}


async def test_a_declared_field_is_shown_as_it_is_declared(ask: Any) -> None:
    """``items.sku`` is seen as a text with a keyword inside of it; declared as a keyword it has nothing inside."""
    declared = {"items": {"type": "nested", "properties": {"sku": {"type": "keyword"}}}}
    await ask("PUT", "/f", json={"mappings": {"properties": declared}})
    await ask("PUT", "/f/_doc/1", json={"items": {"sku": "A-1", "seen": 1}})
    shown = (await ask("GET", "/f/_mapping"))[1]["f"]["mappings"]["properties"]["items"]
    assert shown == {"type": "nested", "properties": {"sku": {"type": "keyword"}, "seen": {"type": "long"}}}
    assert set((await ask("GET", "/f/_field_caps?fields=items.*"))[1]["fields"]) == {"items", "items.sku", "items.seen"}
