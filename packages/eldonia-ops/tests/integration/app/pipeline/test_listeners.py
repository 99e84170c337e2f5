"""Sources of a pipeline that listen: real clients on real sockets."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority
from fluent_conf import pipeline
from local_server import free_port
from pipeline_kept import MATCH, Kept
from required_tools import requires_tool

from eldonia_ops.app.pipeline.listeners import ListeningSource
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.protocols.fluent_forward import encode_forward, encode_message
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.pipeline.runner import PipelineRunner
from eldonia_ops.services.pipeline.streams import ForwardStream
from eldonia_ops.services.pipeline.texts import TextSource


@contextlib.asynccontextmanager
async def listening(source: str) -> AsyncIterator[tuple[int, Kept, list[tuple[dict, str]]]]:
    port, kept, lost = free_port(), Kept(), []
    found = pipeline(f"<source>\n{source}\nbind 127.0.0.1\nport {port}\n</source>\n{MATCH}")

    async def on_lost(batch: Batch, reason: str) -> None:
        lost.extend((event.record, reason) for event in batch.events)

    clock = SystemClock()
    runner = PipelineRunner(found, clock.now, lambda _runner, _output: kept, on_lost)
    one: Any = found.sources[0]
    if one.type == "forward":
        listener = ListeningSource(one, ForwardStream(one, runner, clock, 1 << 20))
    else:
        texts = TextSource(one, runner, clock, 1_000)
        listener = ListeningSource(one, texts.connection, texts.datagrams if one.transport.protocol == "udp" else None)
    task = asyncio.create_task(listener.run())
    try:
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.02)
        yield port, kept, lost
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await listener.close()


async def test_forward_with_chunks_that_come_twice():
    async with listening("@type forward\nadd_tag_prefix p\nsource_address_key from") as (port, kept, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(encode_message("app", 1_500_000_000_000_000_000, {"a": 1}))
        chunk = encode_forward("app", [(0, {"a": 2}), (5, {"a": 3})], chunk="c1")
        writer.write(chunk)
        first = await asyncio.wait_for(reader.read(100), 10)
        assert b"c1" in first
        writer.write(chunk)
        assert await asyncio.wait_for(reader.read(100), 10) == first
        kept.failures = 1
        writer.write(encode_forward("app", [(7, {"a": 4})], chunk="c2"))
        assert b"c2" in await asyncio.wait_for(reader.read(100), 10)
        writer.close()
    assert [record["a"] for record in kept.records] == [1, 2, 3, 4]
    assert kept.records[0] == {"a": 1, "from": "127.0.0.1", "via": "p.app"}
    times = [event.time_ns for batch in kept.batches for event in batch.events]
    assert times[0] == 1_500_000_000_000_000_000
    assert times[1] > 1_600_000_000_000_000_000


async def test_forward_ends_a_connection_that_is_no_forward():
    async with listening("@type forward") as (port, kept, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await asyncio.wait_for(reader.read(100), 10) == b""
        writer.close()
    assert kept.records == []


async def test_forward_asks_for_the_key():
    security = "<security>\nself_hostname h\nshared_key k\n</security>"
    async with listening(f"@type forward\n{security}") as (port, kept, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert b"HELO" in await asyncio.wait_for(reader.read(200), 10)
        writer.write(encode_message("app", 0, {"a": 1}))
        assert await asyncio.wait_for(reader.read(200), 10) == b""
        writer.close()
    assert kept.records == []


async def test_tcp_and_what_its_parser_cannot_read():
    source = "@type tcp\ntag t\ndelimiter ;\n<parse>\n@type json\n</parse>"
    async with listening(source) as (port, kept, lost):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b'{"a": 1};no;{"a"')
        await writer.drain()
        await kept.until(1)
        writer.write(b": 2}")
        writer.close()
        await kept.until(2)
    assert kept.records == [{"a": 1, "via": "t"}, {"a": 2, "via": "t"}]
    assert [record for record, _ in lost] == [{"message": "no"}]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_syslog(transport: str):
    source = f"@type syslog\ntag s\nseverity_key level\n<transport {transport}>\n</transport>"
    async with listening(source) as (port, kept, _):
        line = b"<165>" + time.strftime("%b %e %H:%M:%S").encode() + b" web nginx[7]: hello"
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        with socket.socket(socket.AF_INET, kind) as sender:
            sender.connect(("127.0.0.1", port))
            sender.send(line + b"\n")
            await kept.until(1)
    (record,) = kept.records
    assert record["via"] == "s.local4.notice"
    assert (record["level"], record["host"], record["ident"], record["message"]) == ("notice", "web", "nginx", "hello")


@requires_tool("openssl")
async def test_syslog_over_tls_with_certificates_of_clients(tmp_path: Path):
    authority = Authority(tmp_path)
    server, client = authority.issue("127.0.0.1"), authority.issue("router7")
    source = (
        "@type syslog\ntag net\nsource_address_key from\n<parse>\n@type syslog\nmessage_format rfc5424\n</parse>\n"
        f"<transport tls>\ncert_path {server.certificate}\nprivate_key_path {server.key}\n"
        f"client_cert_auth true\nca_path {authority.certificate}\n</transport>"
    )
    async with listening(source) as (port, kept, _):
        context = ssl.create_default_context(cafile=authority.certificate)
        with contextlib.suppress(OSError):  # TLS 1.3 refuses after the handshake
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(b"<34>1 2026-11-01T00:00:00Z web app - - - unproved\n")
            await writer.drain()
            writer.close()
        context.load_cert_chain(client.certificate, client.key)
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        first, second = (
            f"<{priority}>1 2026-11-01T00:00:00Z web app 7 - - line {priority}\nmore".encode() for priority in (34, 165)
        )
        writer.write(b"%d %s%d %s" % (len(first), first, len(second), second))
        await writer.drain()
        await kept.until(2)
        writer.close()
    assert [record["via"] for record in kept.records] == ["net.auth.crit", "net.local4.notice"]
    assert [record["message"] for record in kept.records] == ["line 34\nmore", "line 165\nmore"]
    assert {record["from"] for record in kept.records} == {"127.0.0.1"}


async def test_udp_and_a_port_that_is_taken():
    async with listening("@type udp\ntag u\nformat none") as (port, kept, _):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"hello\n", ("127.0.0.1", port))
            await kept.until(1)
        again = pipeline(f"<source>\n@type tcp\nformat none\ntag t\nbind 127.0.0.1\nport {port}\n</source>\n{MATCH}")

        async def serve(*_: Any) -> None:
            return None

        source: Any = again.sources[0]
        second = ListeningSource(source, serve)
        task = asyncio.create_task(second.run())
        await asyncio.sleep(0.2)
        assert "cannot listen" in second.statuses()[0].error
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await second.close()
    assert kept.records == [{"message": "hello", "via": "u"}]
