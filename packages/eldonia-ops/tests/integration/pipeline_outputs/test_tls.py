"""Outputs over TLS, with real certificates: the server's is checked, and ours is shown."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority, Issued
from http_receiver import HttpReceiver
from pipeline_outputs_world import World, batch, running, until
from pipeline_sections import output, section
from required_tools import requires_tool

from eldonia_ops.pipeline_outputs.opening import open_output
from eldonia_ops.protocols.fluent_forward import ForwardFrames, decode_message, encode_ack

NOW = {"flush_mode": "immediate", "retry_wait": "1", "retry_randomize": "false"}


class Bulk(HttpReceiver):
    """Answers as Elasticsearch does."""

    def __init__(self) -> None:
        super().__init__()
        self.answer(200, json.dumps({"items": [{"create": {"status": 201}}]}), {"Content-Type": "application/json"})


class Forward:
    """Acknowledges chunks."""

    def __init__(self) -> None:
        self.received: list[Any] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = ForwardFrames(1 << 20)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                for frame in frames.feed(data):
                    message = decode_message(frame, 1 << 20)
                    self.received.append(message)
                    writer.write(encode_ack(message.chunk))
        writer.close()


SERVERS = {"http": HttpReceiver, "elasticsearch": Bulk, "forward": Forward}


def declared(kind: str, port: int, authority: Authority, client: Issued | None) -> Any:
    buffer = section("buffer", NOW)
    shown = (client.certificate, client.key) if client is not None else ("", "")
    if kind == "http":
        own = {"tls_client_cert_path": shown[0], "tls_private_key_path": shown[1]} if client else {}
        return output(
            "http", buffer, endpoint=f"https://127.0.0.1:{port}/", tls_ca_cert_path=authority.certificate, **own
        )
    if kind == "elasticsearch":
        own = {"client_cert": shown[0], "client_key": shown[1]} if client else {}
        return output(
            "elasticsearch", buffer, host="127.0.0.1", port=str(port), scheme="https", ca_file=authority.certificate,
            index_name="logs", **own,
        )  # fmt: skip
    own = {"tls_client_cert_path": shown[0], "tls_client_private_key_path": shown[1]} if client else {}
    return output(
        "forward", buffer, section("server", {"host": "127.0.0.1", "port": str(port)}), transport="tls",
        tls_cert_path=authority.certificate, require_ack_response="true", **own,
    )  # fmt: skip


@contextlib.asynccontextmanager
async def server(kind: str, authority: Authority, *, ask: bool) -> AsyncIterator[tuple[int, Any]]:
    issued = authority.issue("server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    if ask:
        context.load_verify_locations(authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    receiver: Any = SERVERS[kind]()
    listening = await asyncio.start_server(receiver._serve, "127.0.0.1", 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1], receiver
    finally:
        listening.close()


@requires_tool("openssl")
@pytest.mark.parametrize("kind", sorted(SERVERS))
async def test_both_sides_show_certificates(tmp_path: Path, kind: str) -> None:
    authority = Authority(tmp_path)
    async with server(kind, authority, ask=True) as (port, receiver):
        made = declared(kind, port, authority, authority.issue("client"))
        async with running(open_output(made, World(tmp_path).edge)) as out:
            await out.write(batch(1))
            await until(lambda: out.statuses()[0].written_events == 1)
        assert len(receiver.received) == 1
        without = declared(kind, port, authority, None)
        async with running(open_output(without, World(tmp_path / "2").edge)) as out:
            await out.write(batch(2))
            await until(lambda: out.statuses()[0].failed_writes)
            assert out.statuses()[0].written_events == 0
        assert len(receiver.received) == 1


@requires_tool("openssl")
@pytest.mark.parametrize("kind", sorted(SERVERS))
async def test_a_server_that_nobody_known_vouches_for_gets_nothing(tmp_path: Path, kind: str) -> None:
    known, other = Authority(tmp_path), Authority(tmp_path, "other")
    async with server(kind, other, ask=False) as (port, receiver):
        async with running(open_output(declared(kind, port, known, None), World(tmp_path).edge)) as out:
            await out.write(batch(1))
            await until(lambda: out.statuses()[0].failed_writes)
            assert "certificate" in out.statuses()[0].last_error.lower(), out.statuses()[0].last_error
        assert receiver.received == []
