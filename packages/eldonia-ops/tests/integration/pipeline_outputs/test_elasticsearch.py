"""Bulk requests to a server that answers item by item, and keeps what came."""

import json
from pathlib import Path
from typing import Any

import pytest
from http_receiver import HttpReceiver, http_receiver
from pipeline_outputs_world import World, batch, running, until
from pipeline_sections import output, section

from eldonia_ops.pipeline.outputs import StoreOutput
from eldonia_ops.pipeline_outputs.opening import open_output, ours

NOW = {"flush_mode": "immediate", "retry_wait": "1", "retry_randomize": "false"}


def declared(server: HttpReceiver, type: str = "elasticsearch", **values: str) -> Any:
    return output(type, section("buffer", NOW, argument="tag"), hosts=server.url.rstrip("/"), **values)


def answer(*statuses: int, operation: str = "index") -> str:
    kinds = {
        400: "mapper_parsing_exception",
        429: "es_rejected_execution_exception",
        409: "version_conflict_engine_exception",
    }
    items = [
        {
            operation: {
                "status": status,
                **({"error": {"type": kinds[status], "reason": "why"}} if status in kinds else {}),
            }
        }
        for status in statuses
    ]
    return json.dumps({"errors": any(status >= 400 for status in statuses), "items": items})


def documents(body: bytes) -> list[tuple[Any, Any]]:
    lines = [json.loads(line) for line in body.splitlines()]
    return list(zip(lines[::2], lines[1::2], strict=True))


async def test_documents_are_sent_with_their_index_and_id(tmp_path: Path) -> None:
    async with http_receiver() as server:
        server.answer(200, answer(201, 201))
        made = declared(
            server, logstash_format="true", logstash_prefix="app", include_tag_key="true", user="u", password="p"
        )
        async with running(open_output(made, World(tmp_path).edge)) as out:
            await out.write(batch(1, 2))
            await until(lambda: out.statuses()[0].written_events == 2)
        (request,) = server.received
        assert (request.method, request.path) == ("POST", "/_bulk")
        assert request.headers["authorization"].startswith("Basic ")
        (action, source), (second, _) = documents(request.body)
        assert action["index"]["_index"] == "app-2026.12.01"
        assert source == {"n": 1, "tag": "t.a", "@timestamp": "2026-12-01T00:00:00.000000000+00:00"}
        first, other = action["index"]["_id"], second["index"]["_id"]
        assert (first[-2:], other[-2:], first[:32]) == ("-0", "-1", other[:32])


async def test_items_are_handled_one_by_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with http_receiver() as server:
        server.answers = [(200, answer(201, 400, 429, 201), {}), (200, answer(201), {})]
        async with running(open_output(declared(server), world.edge)) as out:
            await out.write(batch(1, 2, 3, 4))
            await until(lambda: out.statuses()[0].failed_writes == 1)
            assert "429 es_rejected_execution_exception" in out.statuses()[0].last_error
            assert [(one.events[0].record, reason) for one, reason in world.refused] == [
                ({"n": 2}, "400 mapper_parsing_exception: why")
            ]
            world.now_ms += 1_000
            await until(lambda: out.statuses()[0].written_events == 4, 35)
        first, again = (documents(request.body) for request in server.received)
        assert [source["n"] for _, source in first] == [1, 2, 3, 4]
        assert again == [first[2]]  # only what was rejected, under the same id
        assert len(world.refused) == 1


async def test_a_duplicate_of_create_was_stored_before(tmp_path: Path) -> None:
    async with http_receiver() as server:
        server.answers = [(404, "{}", {}), (200, "{}", {}), (200, answer(201, 409, operation="create"), {})]
        made = declared(server, "opensearch_data_stream", data_stream_name="logs-x")
        world = World(tmp_path)
        async with running(open_output(made, world.edge)) as out:
            await out.write(batch(1, 2))
            await until(lambda: out.statuses()[0].written_events == 2)
        assert not world.refused
        assert [(one.method, one.path) for one in server.received] == [
            ("GET", "/_index_template/logs-x_template"),
            ("PUT", "/_index_template/logs-x_template"),
            ("POST", "/_bulk"),
        ]
        assert json.loads(server.received[1].body)["data_stream"] == {}
        assert "create" in documents(server.received[2].body)[0][0]


@pytest.mark.parametrize("status", [401, 404, 429, 503])
async def test_a_refused_request_is_sent_again(tmp_path: Path, status: int) -> None:
    async with http_receiver() as server:
        server.answer(status, '{"error":{"type":"t","reason":"r"}}')
        async with running(open_output(declared(server), World(tmp_path).edge)) as out:
            await out.write(batch(1))
            await until(lambda: out.statuses()[0].next_retry_ms)
            assert out.statuses()[0].last_error == f"bulk was answered with {status}: t: r"


async def test_what_is_too_large_is_divided(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with http_receiver() as server:
        server.answers = [(413, "", {}), (200, answer(201), {}), (413, "", {})]
        async with running(open_output(declared(server), world.edge)) as out:
            await out.write(batch(1, 2))
            await until(lambda: out.statuses()[0].written_events == 2)
        assert [len(documents(one.body)) for one in server.received] == [2, 1, 1]
        assert [reason for _, reason in world.refused] == ["the document is too large"]


async def test_answers_that_cannot_be_read_are_no_success(tmp_path: Path) -> None:
    for body in ("no json", "{}", '{"items":[]}', '{"items":[1]}'):
        async with http_receiver() as server:
            server.answer(200, body)
            async with running(open_output(declared(server), World(tmp_path).edge)) as out:
                await out.write(batch(1))
                await until(lambda: out.statuses()[0].next_retry_ms)


async def test_our_own_address_is_our_own_store(tmp_path: Path) -> None:
    from dataclasses import replace

    edge = replace(World(tmp_path).edge, own_addresses=frozenset({"127.0.0.1:9200"}))
    mine = output("elasticsearch", host="127.0.0.1", index_name="x")
    assert isinstance(ours(mine, edge), StoreOutput)
    other = output("elasticsearch", hosts="127.0.0.1,es:9200")
    assert ours(other, edge) is other
