"""What a token that only writes may declare: what is new, what is there just so, and what it made itself."""

from typing import Any

import pytest
from fake_platform import FakePlatform

from eldonia_ops.model.access import Role

HOT = {"policy": {"phases": {"hot": {"actions": {}}}}}
WARM = {"policy": {"phases": {"hot": {"actions": {}}, "warm": {"actions": {}}}}}
ENTRIES = [
    ("/_index_template/t", {"index_patterns": ["t-*"]}, {"index_patterns": ["*"]}),
    ("/_template/t", {"index_patterns": ["t-*"]}, {"index_patterns": ["*"]}),
    ("/_component_template/t", {"template": {}}, {"template": {"settings": {"a": 1}}}),
    ("/_ilm/policy/p", HOT, WARM),
    ("/_ingest/pipeline/p", {"processors": []}, {"processors": [{"drop": {}}]}),
    ("/app/_alias/a", {}, {"filter": {"term": {"level": "error"}}}),
    ("/app/_mapping", {"properties": {"n": {"type": "long"}}}, {"properties": {"n": {"type": "ip"}}}),
    ("/app/_settings", {"index.codec": "x"}, {"index.codec": "y"}),
]
"""An address, what is put there, and what is put there then."""


def refused(answer: tuple[int, Any]) -> bool:
    status, body = answer
    return status == 403 and body["error"]["type"] == "security_exception" and "role admin" in body["error"]["reason"]


@pytest.mark.parametrize(("path", "first", "second"), ENTRIES)
async def test_what_others_made_stays(ask: Any, path: str, first: Any, second: Any) -> None:
    await ask("PUT", "/app")
    assert (await ask("PUT", path, json=first))[0] == 200
    assert (await ask("PUT", path, Role.INGEST, json=first))[0] == 200, "it is there just so: a start-up goes on"
    assert refused(await ask("PUT", path, Role.INGEST, json=second))
    assert (await ask("PUT", path, json=second))[0] == 200


@pytest.mark.parametrize(("path", "first", "second"), ENTRIES)
async def test_what_it_made_itself_it_changes(ask: Any, path: str, first: Any, second: Any) -> None:
    await ask("PUT", "/app", Role.INGEST)
    for body in (first, second, first):
        assert (await ask("PUT", path, Role.INGEST, json=body))[0] == 200
    assert (await ask("PUT", path, json=second))[0] == 200, "an admin changes all"


async def test_it_is_the_token_that_counts(ask: Any, platform: FakePlatform) -> None:
    template = {"index_patterns": ["t-*"]}
    assert (await ask("PUT", "/_index_template/t", Role.INGEST, json=template))[0] == 200
    _, secret = platform.access.mint("another shipper", Role.INGEST)
    headers = {"Authorization": f"ApiKey {secret}"}
    assert refused(await ask("PUT", "/_index_template/t", None, json={"index_patterns": ["*"]}, headers=headers))
    assert (await ask("PUT", "/_index_template/t", None, json=template, headers=headers))[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/_index_template/t", "/_template/t", "/_component_template/t", "/_ingest/pipeline/p", "/app"],
)
async def test_it_deletes_nothing(ask: Any, path: str) -> None:
    for made, first, _ in ENTRIES:
        await ask("PUT", "/app", Role.INGEST)
        await ask("PUT", made, Role.INGEST, json=first)
    status, body = await ask("DELETE", path, Role.INGEST)
    assert (status, body["error"]["type"]) == (403, "security_exception")
    assert (await ask("DELETE", path))[0] == 200


async def test_aliases_of_others_are_not_moved(ask: Any) -> None:
    await ask("PUT", "/pay-1", json={"aliases": {"pay": {"is_write_index": True}}})
    await ask("PUT", "/mine", Role.INGEST)
    writes = {"is_write_index": True}
    swap = [
        {"add": {"index": "pay-1", "alias": "pay", "is_write_index": False}},
        {"add": {"index": "mine", "alias": "pay", **writes}},
    ]
    assert refused(await ask("POST", "/_aliases", Role.INGEST, json={"actions": swap}))
    assert refused(await ask("POST", "/_aliases", Role.INGEST, json={"actions": [{"remove": swap[0]["add"]}]}))
    assert refused(await ask("PUT", "/mine/_alias/pay", Role.INGEST, json={}))
    assert refused(await ask("PUT", "/other", Role.INGEST, json={"aliases": {"pay": {}}}))
    assert refused(await ask("POST", "/pay/_rollover", Role.INGEST))
    template = {"index_patterns": ["x-*"], "template": {"aliases": {"pay": {}}}}
    assert refused(await ask("PUT", "/_index_template/x", Role.INGEST, json=template))
    assert (await ask("GET", "/_alias/pay"))[1] == {"pay-1": {"aliases": {"pay": {"is_write_index": True}}}}
    assert (await ask("HEAD", "/other"))[0] == 404


async def test_a_template_does_not_reach_an_alias_that_came_later(ask: Any) -> None:
    template = {"index_patterns": ["x-*"], "template": {"aliases": {"pay": {}}}}
    assert (await ask("PUT", "/_index_template/x", Role.INGEST, json=template))[0] == 200
    await ask("PUT", "/pay-1", json={"aliases": {"pay": {}}})
    status, body = await ask("POST", "/x-1/_doc", Role.INGEST, json={"n": 1})
    assert (status, body["error"]["type"]) == (403, "security_exception")
    # A template of an admin does.
    await ask("DELETE", "/_index_template/x")
    assert (await ask("PUT", "/_index_template/x", json=template))[0] == 200
    assert (await ask("POST", "/x-1/_doc", Role.INGEST, json={"n": 1}))[0] == 201
    assert set((await ask("GET", "/_alias/pay"))[1]) == {"pay-1", "x-1"}


async def test_what_is_deleted_is_free_again(ask: Any) -> None:
    template = {"index_patterns": ["t-*"]}
    await ask("PUT", "/_index_template/t", Role.INGEST, json=template)
    await ask("DELETE", "/_index_template/t")
    await ask("PUT", "/_index_template/t", json=template)
    assert refused(await ask("PUT", "/_index_template/t", Role.INGEST, json={"index_patterns": ["*"]}))


async def test_its_own_stream_it_rolls_over(ask: Any) -> None:
    await ask("PUT", "/_data_stream/logs-a-b", Role.INGEST)
    assert (await ask("POST", "/logs-a-b/_rollover", Role.INGEST))[1]["rolled_over"] is True
    await ask("PUT", "/_data_stream/logs-c-d")
    assert refused(await ask("POST", "/logs-c-d/_rollover", Role.INGEST))
    assert len((await ask("GET", "/_data_stream/logs-c-d"))[1]["data_streams"][0]["indices"]) == 1
