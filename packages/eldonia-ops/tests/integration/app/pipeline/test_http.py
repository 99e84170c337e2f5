"""A source of type http: real requests on real sockets, and what comes out of the pipeline."""

import asyncio
import contextlib
import gzip
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgpack
import pytest
from certificates import Authority
from fluent_conf import pipeline
from local_server import free_port
from pipeline_kept import MATCH, Kept
from required_tools import requires_tool

from eldonia_ops.app.pipeline.http import HttpSource
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.pipeline.requests import HttpRequests
from eldonia_ops.services.pipeline.runner import PipelineRunner


@contextlib.asynccontextmanager
async def source(parameters: str = "", verify: Any = False) -> AsyncIterator[tuple[httpx.AsyncClient, Kept]]:
    port, kept = free_port(), Kept()
    text = f"<source>\n@type http\nbind 127.0.0.1\nport {port}\n{parameters}\n</source>\n{MATCH}"
    found, clock = pipeline(text), SystemClock()

    async def on_lost(batch: Batch, reason: str) -> None:
        raise AssertionError(reason)

    runner = PipelineRunner(found, clock.now, lambda _runner, _output: kept, on_lost)
    one: Any = found.sources[0]
    listener = HttpSource(one, HttpRequests(one, runner, clock))
    task = asyncio.create_task(listener.run())
    scheme = "https" if one.transport.protocol == "tls" else "http"
    try:
        async with asyncio.timeout(10):
            while listener.statuses()[0].health != "up":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        async with httpx.AsyncClient(
            base_url=f"{scheme}://127.0.0.1:{port}", trust_env=False, timeout=10, verify=verify
        ) as http:
            yield http, kept
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.close()


async def test_every_form_of_a_body() -> None:
    packed = msgpack.packb({"a": 8})
    async with source("add_tag_prefix in") as (http, kept):
        answers = [
            await http.post("/app/web", json={"a": 1}),
            await http.post("/app.web", json=[{"a": 2}, {"a": 3}]),
            await http.post("/app", content='{"a": 4}\n{"a": 5}\n', headers={"Content-Type": "application/x-ndjson"}),
            await http.post("/app", data={"json": '{"a": 6}', "time": ""}),
            await http.post("/app", data={"ndjson": '{"a": 7}\n'}),
            await http.post("/app", content=packed, headers={"Content-Type": "application/msgpack"}),
            await http.put("/app?time=1500000000.25", json={"a": 9}),
            await http.post("/app?json=%7B%22a%22%3A10%7D"),
            await http.post(
                "/app",
                content=gzip.compress(b'{"a": 11}'),
                headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
            ),
            await http.post("/%E6%B3%A8%E6%96%87", json={"a": 12}),
        ]
    assert {(one.status_code, one.content) for one in answers} == {(200, b"")}
    assert [record["a"] for record in kept.records] == list(range(1, 13))
    assert [batch.tag for batch in kept.batches[:2]] == ["in.app.web", "in.app.web"]
    assert kept.batches[-1].tag == "in.注文"
    times = [event.time_ns for batch in kept.batches for event in batch.events]
    assert times[8] == 1_500_000_000_250_000_000
    assert min(times[:8]) > 1_600_000_000_000_000_000


async def test_what_cannot_be_read_is_refused_and_says_why() -> None:
    async with source("body_size_limit 1k") as (http, kept):
        for path, kind, body, status, said in (
            ("/app", "application/json", b"{", 400, "no JSON"),
            ("/app", "application/json", b"[1]", 400, "no object"),
            ("/app", "application/json", b"[" * 500 + b"]" * 500, 400, "nested deeper"),
            ("/app", "application/msgpack", b"\xdd\xff\xff\xff\xff", 400, "MessagePack"),
            ("/app", "text/plain", b"a line", 415, "application/json"),
            ("/", "application/json", b"{}", 400, "the path is the tag"),
            ("/app", "application/json", b'{"a": "' + b"x" * 2_000 + b'"}', 413, "1,024"),
            ("/app?time=soon", "application/json", b"{}", 400, "time"),
        ):
            answer = await http.post(path, content=body, headers={"Content-Type": kind})
            assert (answer.status_code, said in answer.text) == (status, True), answer.text
            assert answer.text.startswith(f"{status} ")
        bomb = gzip.compress(b"[" + b"{}," * 400_000 + b"{}]")
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        assert (await http.post("/app", content=bomb, headers=headers)).status_code == 413
        assert (await http.get("/app?json=%7B%7D")).status_code == 405
    assert kept.records == []


async def test_a_parser_and_times_in_records() -> None:
    parse = "<parse>\n@type regexp\nexpression /^(?<name>[a-z]+)=(?<value>.*)$/\n</parse>"
    async with source(parse) as (http, kept):
        assert (await http.post("/app", content=b"key=word")).status_code == 200
        assert (await http.post("/app", content=b"?")).status_code == 400
    assert kept.records == [{"name": "key", "value": "word", "via": "app"}]
    async with source("<parse>\n@type in_http\ntime_key at\n</parse>") as (http, kept):
        await http.post("/app", json=[{"at": 1_500_000_000.5, "a": 1}, {"a": 2}])
        await http.post("/app", json={"at": "soon"})
    (batch,) = kept.batches
    assert batch.events[0].time_ns == 1_500_000_000_500_000_000
    assert [record["a"] for record in kept.records] == [1, 2]
    assert "at" not in kept.records[0]


async def test_fields_of_the_request() -> None:
    async with source("add_http_headers true\nadd_remote_addr true\nadd_query_params true") as (http, kept):
        headers = {"X-Shop": "tokyo", "Authorization": "Bearer secret"}
        await http.post("/app?part=1", json={"a": 1}, headers=headers)
    (record,) = kept.records
    assert record["HTTP_X_SHOP"] == "tokyo"
    assert record["REMOTE_ADDR"] == "127.0.0.1"
    assert record["QUERY_PART"] == "1"
    assert "secret" not in json.dumps(record)


async def test_an_output_that_takes_nothing_is_answered_so_that_the_sender_sends_again() -> None:
    async with source() as (http, kept):
        kept.failures = 1
        answer = await http.post("/app", json={"a": 1})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert kept.records == []
        assert (await http.post("/app", json={"a": 1})).status_code == 200
        named = {"Idempotency-Key": "one"}
        await http.post("/app", json={"a": 2}, headers=named)
        await http.post("/app", json={"a": 2}, headers=named)
    unnamed, first, second = (batch.key for batch in kept.batches)
    assert unnamed == ""
    assert first == second != ""


@pytest.mark.parametrize(
    ("allowed", "origin", "answered"),
    [
        ("", "https://shop.example", None),
        ('cors_allow_origins ["https://shop.example"]', "https://shop.example", "https://shop.example"),
        ('cors_allow_origins ["https://shop.example"]', "https://other.example", None),
        ('cors_allow_origins ["https://*.example"]', "https://a.example", "https://a.example"),
        ('cors_allow_origins ["https://*.example"]', "https://a.example.evil", None),
        ('cors_allow_origins ["*"]', "https://any.where", "*"),
    ],
)
async def test_pages_of_browsers(allowed: str, origin: str, answered: str | None) -> None:
    async with source(allowed) as (http, kept):
        ask = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        before = await http.request("OPTIONS", "/app", headers=ask)
        sent = await http.post("/app", json={"a": 1}, headers={"Origin": origin})
        without = await http.post("/app", json={"a": 2})
    status = 403 if answered is None else 200
    assert (before.status_code, sent.status_code, without.status_code) == (status, status, 200)
    assert sent.headers.get("access-control-allow-origin") == answered
    assert [record["a"] for record in kept.records] == ([2] if answered is None else [1, 2])


async def test_an_image_and_no_content() -> None:
    async with source("respond_with_empty_img true") as (http, kept):
        answer = await http.get("/app?json=%7B%22a%22%3A1%7D")
        assert answer.headers["content-type"].startswith("image/gif")
        assert answer.content.startswith(b"GIF89a")
    assert [record["a"] for record in kept.records] == [1]
    async with source("use_204_response true") as (http, _):
        assert (await http.post("/app", json={"a": 1})).status_code == 204


@requires_tool("openssl")
async def test_tls_with_certificates_of_clients(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server, client = authority.issue("127.0.0.1"), authority.issue("web-1")
    transport = (
        f"<transport tls>\ncert_path {server.certificate}\nprivate_key_path {server.key}\n"
        f"client_cert_auth true\nca_path {authority.certificate}\n</transport>"
    )
    context = ssl.create_default_context(cafile=authority.certificate)
    async with source(transport, context) as (http, kept):
        with pytest.raises(httpx.HTTPError):
            await http.post("/app", json={"a": 1})
        known = ssl.create_default_context(cafile=authority.certificate)
        known.load_cert_chain(client.certificate, client.key)
        async with httpx.AsyncClient(base_url=http.base_url, trust_env=False, verify=known) as proved:
            assert (await proved.post("/app", json={"a": 2})).status_code == 200
    assert [record["a"] for record in kept.records] == [2]


async def test_many_large_bodies_at_once_are_taken_one_behind_the_other() -> None:
    text = json.dumps({"message": "x" * 1_000_000})
    headers = {"Content-Type": "application/json"}
    async with source() as (http, kept):
        answers = await asyncio.gather(*(http.post("/app", content=text, headers=headers) for _ in range(20)))
    assert {one.status_code for one in answers} == {200}
    assert len(kept.records) == 20
