"""TCP listeners of intakes: bounds, faults and ends of their connections, on real sockets."""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from fake_platform import FakePlatform
from required_tools import requires_tool, tool

from eldonia_ops.app.listening import stream_server
from eldonia_ops.app.listening.connections import Places
from eldonia_ops.app.listening.listener import address_of, bind
from eldonia_ops.app.listening.server_tls import server_tls
from eldonia_ops.app.listening.stream_server import StreamAccess, StreamServer
from eldonia_ops.intake import IntakePlatform, ServeStream, StreamConnection, StreamListener
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.prometheus.web_config import ServerTls
from eldonia_ops.settings import Listen
from eldonia_ops.web.intake import PlatformSinks
from eldonia_ops.web.limits import RequestLimits


class Intake:
    """Takes lines as they come; ``fail`` and ``hold`` are orders to it."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.senders: list[str] = []
        self.ended = 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, _platform: IntakePlatform, connection: StreamConnection) -> None:
        self.senders.append(connection.sender)
        try:
            while data := await connection.read(64 * 1024):
                if data.startswith(b"fail"):
                    raise KeyError("sesame")
                self.taken.append(data)
                await self.hold.wait()
                await connection.write(b"ok")
        finally:
            self.ended += 1


@contextlib.asynccontextmanager
async def listening(
    serve: ServeStream,
    places: Places | None = None,
    tls: ssl.SSLContext | None = None,
    platform: Any = None,
    anonymous: bool = True,
) -> AsyncIterator[tuple[StreamServer, int]]:
    bound = bind(Listen("127.0.0.1", 0))
    server = StreamServer(
        StreamListener("lines", 1, serve),
        platform,
        bound,
        places or Places(),
        tls,
        access=StreamAccess(anonymous=anonymous),
    )
    await server.start()
    try:
        yield server, int(address_of(bound, "tcp").rpartition(":")[2])
    finally:
        await server.stop()


async def until(found: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not found():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_one_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    intake, places = Intake(), Places()
    with caplog.at_level(logging.ERROR):
        async with listening(intake, places) as (_, port):
            good, good_writer = await asyncio.open_connection("127.0.0.1", port)
            bad, bad_writer = await asyncio.open_connection("127.0.0.1", port)
            bad_writer.write(b"fail")
            assert await bad.read() == b""
            good_writer.write(b"one")
            assert await good.read(2) == b"ok"
            counts = places.of("lines")
            assert (counts.open, counts.accepted, counts.refused) == (1, 2, 0)
            assert places.reserved == 100
            for writer in (good_writer, bad_writer):
                writer.close()
            await until(lambda: counts.open == 0)
    assert intake.senders == ["lines (127.0.0.1)"] * 2
    assert "the intake failed" in caplog.text
    assert places.reserved == 0


async def test_without_a_word_of_the_settings_not_even_this_machine_is_let_in() -> None:
    intake, places = Intake(), Places()
    async with listening(intake, places, anonymous=False) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
    assert (intake.senders, places.of("lines").refused) == ([], 1)


async def test_there_are_so_many_connections_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_server, "most_connections", lambda: 12)
    intake, places = Intake(), Places()
    async with listening(intake, places) as (_, port):
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await until(lambda: places.of("lines").open == 3)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        assert places.of("lines").refused == 1
        opened[0][1].close()
        await until(lambda: places.of("lines").open == 2)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"again")
        assert await reader.read(2) == b"ok"
        for _, one in [*opened, (reader, writer)]:
            one.close()


async def test_a_sender_waits_while_nothing_is_read() -> None:
    intake = Intake()
    intake.hold.clear()
    async with listening(intake) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.set_write_buffer_limits(high=64 * 1024)
        sent = 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                while sent < 64 << 20:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
                    sent += 65_536
        # What lies between is the kernel's and not ours.
        assert sum(map(len, intake.taken)) <= 64 * 1024
        assert sent < 64 << 20
        intake.hold.set()
        assert await reader.read(2) == b"ok"
        writer.transport.abort()


async def test_when_it_stops_each_connection_comes_to_its_end() -> None:
    intake = Intake()
    async with listening(intake) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"one")
        assert await reader.read(2) == b"ok"
        async with asyncio.timeout(2):
            await server.stop()
        assert (intake.ended, await reader.read()) == (1, b"")
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        writer.close()


async def test_one_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_server, "_STOP_SECONDS", 0.2)
    intake = Intake()
    intake.hold.clear()
    async with listening(intake) as (server, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"one")
        await until(lambda: bool(intake.taken))
        async with asyncio.timeout(2):
            await server.stop()
        assert intake.ended == 1
        writer.close()


@requires_tool("openssl")
async def test_a_certificate_says_who_sends_and_without_one_nothing_is_taken(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    made = await asyncio.create_subprocess_exec(
        tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=router7",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert),
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await made.wait() == 0
    intake = Intake()
    tls = server_tls(ServerTls(str(cert), str(key), str(cert), "required"))
    async with listening(intake, tls=tls, anonymous=False) as (_, port):
        context = ssl.create_default_context(cafile=str(cert))
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(b"stranger")
            assert await reader.read() == b""
        with contextlib.suppress(OSError):  # no TLS at all
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"stranger\n")
            assert b"ok" not in await reader.read()
        assert (intake.taken, intake.senders) == ([], [])
        context.load_cert_chain(cert, key)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"known")
        assert await reader.read(2) == b"ok"
        assert (intake.taken, intake.senders) == ([b"known"], ["lines router7 (127.0.0.1)"])
        writer.close()


async def test_the_example_of_the_document_works() -> None:
    document = Path(__file__).parents[6] / "docs" / "extending.md"
    code = re.search(r"^```python\n(async def serve\(.*?)^```$", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {"LogRecord": LogRecord}
    exec(compile(code[1], str(document), "exec"), names)
    platform = FakePlatform()
    sinks = PlatformSinks(platform, RequestLimits())
    async with listening(names["serve"], platform=sinks) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"one\ntwo\nthr")
        assert await reader.readline() == b"stored\n"
        writer.write(b"ee\n")
        assert await reader.readline() == b"stored\n"
        writer.close()
    assert [record.message for record in platform.ingest.log_records] == ["one", "two", "three"]


async def test_one_client_cannot_hold_all_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_server, "most_connections", lambda: 16)
    intake = Intake()
    async with listening(intake) as (_, port):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        assert await held[4][0].read(1) == b"", "the fifth of four places"
        await until(lambda: len(intake.senders) == 4)
        for _, writer in held[1:4]:
            writer.write(b"half a mess")
            await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
        writer.write(b"a line")
        assert await reader.readexactly(2) == b"ok"
        with contextlib.suppress(ConnectionError):
            assert await held[0][0].read(1) == b"", "it was silent for longest"
        again, _ = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            assert await again.read(1) == b"", "a quarter of the places is kept for others"
        for _, one in (*held, (reader, writer)):
            one.close()
