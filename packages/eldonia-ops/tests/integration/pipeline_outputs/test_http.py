"""To a real server: bodies, headers, answers after which a chunk is sent again, or given up."""

import gzip
import json
from pathlib import Path

import pytest
from http_receiver import http_receiver
from pipeline_outputs_world import World, batch, running, until
from pipeline_sections import output, section

from eldonia_ops.pipeline_outputs.opening import open_output

NOW = {"flush_mode": "immediate", "retry_wait": "1", "retry_randomize": "false"}


async def test_lines_of_json_with_headers(tmp_path: Path) -> None:
    async with http_receiver() as server:
        declared = output(
            "http", section("buffer", NOW, argument="tag"), section("auth", {"username": "u", "password": "p"}),
            endpoint=server.url + "in/${tag}", headers='{"X-Key":"k"}',
            headers_from_placeholders='{"X-Tag":"${tag[0]}"}',
        )  # fmt: skip
        async with running(open_output(declared, World(tmp_path).edge)) as out:
            await out.write(batch(1, 2))
            await until(lambda: server.received)
        (request,) = server.received
        assert (request.method, request.path, request.body) == ("POST", "/in/t.a", b'{"n":1}\n{"n":2}\n')
        headers = request.headers
        assert (headers["content-type"], headers["x-key"], headers["x-tag"]) == ("application/x-ndjson", "k", "t")
        assert headers["authorization"] == "Basic dTpw"
        assert len(headers["idempotency-key"]) == 32


async def test_arrays_put_and_gzip(tmp_path: Path) -> None:
    async with http_receiver() as server:
        declared = output(
            "http", section("buffer", NOW), endpoint=server.url, json_array="true", http_method="put", compress="gzip"
        )
        async with running(open_output(declared, World(tmp_path).edge)) as out:
            await out.write(batch(1, 2))
            await until(lambda: server.received)
        (request,) = server.received
        assert request.method == "PUT"
        assert request.headers["content-type"] == "application/json"
        assert json.loads(gzip.decompress(request.body)) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_chunk_is_sent_again_under_its_id(tmp_path: Path, status: int) -> None:
    world = World(tmp_path)
    async with http_receiver() as server:
        server.answers = [(status, "busy", {}), (200, "ok", {})]
        async with running(open_output(output("http", section("buffer", NOW), endpoint=server.url), world.edge)) as out:
            await out.write(batch(1))
            await until(lambda: out.statuses()[0].failed_writes == 1)
            assert f"answered {status}: busy" in out.statuses()[0].last_error
            world.now_ms += 1_000
            await out.write(batch(2))  # wakes the loop
            await until(lambda: out.statuses()[0].written_chunks == 2)
        first, again = server.received[:2]
        assert first.headers["idempotency-key"] == again.headers["idempotency-key"]


async def test_a_refusal_is_final_unless_it_is_not(tmp_path: Path) -> None:
    async with http_receiver() as server:
        server.answer(400, "no")
        async with running(
            open_output(output("http", section("buffer", NOW), endpoint=server.url), World(tmp_path).edge)
        ) as out:
            await out.write(batch(1))
            await until(lambda: out.statuses()[0].given_up_events == 1)
        lenient = output("http", section("buffer", NOW), endpoint=server.url, error_response_as_unrecoverable="false")
        async with running(open_output(lenient, World(tmp_path).edge)) as out:
            await out.write(batch(1))
            await until(lambda: out.statuses()[0].next_retry_ms)


async def test_a_server_that_is_away_is_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with http_receiver() as server:
        url = server.url
    async with running(open_output(output("http", section("buffer", NOW), endpoint=url), world.edge)) as out:
        await out.write(batch(1))
        await until(lambda: "cannot be reached" in out.statuses()[0].last_error)
        assert out.statuses()[0].queued_events == 1


async def test_a_tag_cannot_choose_another_server_nor_another_place_there(tmp_path: Path) -> None:
    async with http_receiver() as server, http_receiver() as other:
        address = other.url.removeprefix("http://").rstrip("/")
        declared = output("http", section("buffer", NOW, argument="tag"), endpoint=server.url + "in/${tag}?key=1")
        host = server.url.removeprefix("http://").rstrip("/")
        risky = output("http", section("buffer", NOW, argument="tag"), endpoint=f"http://${{tag}}{host}/in", at_id="r")
        async with (
            running(open_output(declared, World(tmp_path / "a").edge)) as out,
            running(open_output(risky, World(tmp_path / "b").edge)) as aimed,
        ):
            await out.write(batch(1, tag="a/../../admin?drop=all#"))
            await until(lambda: server.received)
            await out.write(batch(1, tag=".."))
            await until(lambda: out.statuses()[0].given_up_events == 1)
            await aimed.write(batch(1, tag=f"{address}/steal?"))
            await until(lambda: aimed.statuses()[0].given_up_events == 1)
        assert [one.path for one in server.received] == ["/in/a%2F..%2F..%2Fadmin%3Fdrop%3Dall%23?key=1"]
        assert not other.received


async def test_a_tag_in_a_header_is_one_line_of_bytes(tmp_path: Path) -> None:
    async with http_receiver() as server:
        declared = output(
            "http", section("buffer", NOW, argument="tag"), endpoint=server.url,
            headers_from_placeholders='{"X-Tag":"${tag}"}',
        )  # fmt: skip
        async with running(open_output(declared, World(tmp_path).edge)) as out:
            await out.write(batch(1, tag="a\r\nX-Evil: yes\0"))
            await out.write(batch(2, tag="日本"))
            await until(lambda: len(server.received) == 2)
        first, second = (one.headers for one in server.received)
        assert first["x-tag"] == "a  X-Evil: yes"
        assert "x-evil" not in first
        assert second["x-tag"] == "日本"


async def test_a_password_in_the_address_is_sent_and_not_shown(tmp_path: Path) -> None:
    async with http_receiver() as server:
        endpoint = server.url.replace("http://", "http://me:hunter2%40x@") + "in/${tag}@x"
        declared = output("http", section("buffer", NOW, argument="tag"), endpoint=endpoint)
        assert "hunter2" not in declared.summary + repr(declared)
        async with running(open_output(declared, World(tmp_path).edge)) as out:
            await out.write(batch(1))
            await until(lambda: server.received)
            server.answer(400, "no")
            await out.write(batch(2))
            await until(lambda: out.statuses()[0].given_up_events == 1)
            assert "hunter2" not in str(out.statuses())
        assert server.received[0].path == "/in/t.a@x"
        assert server.received[0].headers["authorization"] == "Basic bWU6aHVudGVyMkB4"
