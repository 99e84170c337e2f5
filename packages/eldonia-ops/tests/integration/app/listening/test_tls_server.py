"""Handshakes that do not end: they are bounded, in number and time, and shut no one out."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from required_tools import requires_tool, tool

from eldonia_ops.app.listening import tls_server
from eldonia_ops.app.listening.listener import bind
from eldonia_ops.app.listening.server_tls import server_tls
from eldonia_ops.app.listening.tls_server import TlsServer
from eldonia_ops.protocols.prometheus.web_config import ServerTls
from eldonia_ops.settings import Listen

pytestmark = requires_tool("openssl")


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert isinstance(self.transport, asyncio.WriteTransport)
        self.transport.write(data)


@contextlib.asynccontextmanager
async def serving(folder: Path, *, most: int, seconds: float = 10.0) -> AsyncIterator[tuple[TlsServer, int]]:
    bound = bind(Listen("127.0.0.1", 0))
    port = int(bound.getsockname()[1])
    cert, key = folder / "cert.pem", folder / "key.pem"
    made = await asyncio.create_subprocess_exec(
        tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
        "-keyout", str(key), "-out", str(cert), stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await made.wait() == 0
    server = TlsServer(bound, Echo, server_tls(ServerTls(str(cert), str(key), "", "")), most=most, seconds=seconds)
    try:
        yield server, port
    finally:
        server.close()
        await server.wait_closed()


async def silent(port: int, count: int) -> list[socket.socket]:
    """Connections that say nothing."""
    found = []
    for _ in range(count):
        one = socket.socket()
        one.setblocking(False)
        await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port))
        found.append(one)
    return found


async def echoed(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    writer.write(b"here")
    answer = await reader.read(4)
    writer.close()
    return answer


async def until(found: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not found():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_silent_clients_are_bounded_and_give_their_places_to_those_who_speak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_server, "CROWDED_SECONDS", 0.2)
    async with serving(tmp_path, most=8) as (server, port):
        strangers = await silent(port, 40)
        await until(lambda: server.pending == 8)
        assert await echoed(port) == b"here"
        assert server.pending <= 8
        for one in strangers:
            one.close()


async def test_a_handshake_ends_in_time(tmp_path: Path) -> None:
    async with serving(tmp_path, most=8, seconds=0.3) as (server, port):
        (stranger,) = await silent(port, 1)
        await until(lambda: server.pending == 1)
        begun = time.monotonic()
        assert await asyncio.get_running_loop().sock_recv(stranger, 1) == b""
        assert 0.1 < time.monotonic() - begun < 5
        stranger.close()
        await until(lambda: not server.pending)


async def test_many_at_once_that_all_mean_it_are_all_served(tmp_path: Path) -> None:
    async with serving(tmp_path, most=4) as (_, port):
        assert await asyncio.gather(*[echoed(port) for _ in range(40)]) == [b"here"] * 40


async def test_closing_gives_up_what_is_under_way(tmp_path: Path) -> None:
    async with serving(tmp_path, most=8) as (server, port):
        (stranger,) = await silent(port, 1)
        await until(lambda: server.pending == 1)
        server.close()
        await server.wait_closed()
        assert await asyncio.get_running_loop().sock_recv(stranger, 1) == b""
        stranger.close()
