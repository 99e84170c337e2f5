"""To a server that speaks the forward protocol: keys, receipts, servers that go away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline_outputs_world import World, batch, running, until
from pipeline_sections import output, section

from eldonia_ops.pipeline_outputs.opening import open_output
from eldonia_ops.protocols.fluent_forward import (
    ForwardFrames,
    Helo,
    check_ping,
    decode_events,
    decode_message,
    encode_ack,
    encode_helo,
    encode_pong,
    pieces,
    read_ping,
)

NOW = {"flush_mode": "immediate", "retry_wait": "1", "retry_randomize": "false"}


@dataclass
class Server:
    """Keeps what came. ``key``: it is asked for; ``users``: passwords by name; ``silent``: nothing is acknowledged."""

    key: str = ""
    users: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    port: int = 0
    events: list[tuple[str, int, Any]] = field(default_factory=list)
    chunks: list[str] = field(default_factory=list)
    connections: int = 0
    listener: asyncio.Server | None = None

    async def stop(self) -> None:
        """Listen no more."""
        assert self.listener is not None
        self.listener.close()
        await self.listener.wait_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError):
            frames = ForwardFrames(1 << 20)
            greeted = not self.key
            helo = Helo(b"nonce", b"salt" if self.users else b"")
            if not greeted:
                writer.write(encode_helo(helo))
            while data := await reader.read(1 << 16):
                for frame in frames.feed(data):
                    if not greeted:
                        ping = read_ping(frame.body)
                        reason = check_ping(ping, helo, self.key, self.users)
                        writer.write(encode_pong(ping, helo, "server", self.key, reason))
                        greeted = not reason
                        continue
                    message = decode_message(frame, 1 << 20)
                    for piece in pieces(message.events, 1_000):
                        found = decode_events(piece)
                        self.events += [
                            (message.tag, at, record) for at, record in zip(found.times_ns, found.records, strict=True)
                        ]
                    self.chunks.append(message.chunk)
                    if message.chunk and not self.silent:
                        writer.write(encode_ack(message.chunk))
        writer.close()


@contextlib.asynccontextmanager
async def serving(server: Server) -> AsyncIterator[Server]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", server.port)
    server.port, server.listener = listener.sockets[0].getsockname()[1], listener
    try:
        yield server
    finally:
        listener.close()


def to(*servers: Server, **values: str) -> Any:
    inner = [section("server", {"host": "127.0.0.1", "port": str(server.port)}) for server in servers]
    return output("forward", section("buffer", NOW, argument="tag"), *inner, **values)


async def test_events_arrive_with_their_times(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with serving(Server()) as server:
        for values in ({}, {"compress": "gzip"}, {"require_ack_response": "true", "keepalive": "true"}):
            server.events.clear()
            async with running(open_output(to(server, **values), world.edge)) as out:
                await out.write(batch(1, 2, at_ns=1_500_000_001))
                await until(lambda: out.statuses()[0].written_chunks == 1)
                await until(lambda: len(server.events) == 2)
            assert server.events == [("t.a", 1_500_000_001, {"n": 1}), ("t.a", 1_500_000_001, {"n": 2})]
        assert server.chunks[:2] == ["", ""]
        assert len(server.chunks[2]) == 24  # base64 of 16 bytes


async def test_keys_and_users(tmp_path: Path) -> None:
    async with serving(Server(key="k", users={"u": "p"})) as server:

        def made(key: str, password: str) -> Any:
            security = section("security", {"self_hostname": "client", "shared_key": key})
            node = section(
                "server", {"host": "127.0.0.1", "port": str(server.port), "username": "u", "password": password}
            )
            return output(
                "forward", section("buffer", NOW, argument="tag"), security, node, require_ack_response="true"
            )

        async with running(open_output(made("k", "p"), World(tmp_path).edge)) as out:
            await out.write(batch(1))
            await until(lambda: out.statuses()[0].written_chunks == 1)
        for key, password in (("k", "x"), ("x", "p")):
            async with running(open_output(made(key, password), World(tmp_path).edge)) as out:
                await out.write(batch(2))
                await until(lambda: "mismatch" in out.statuses()[0].last_error)
        assert [record for _, _, record in server.events] == [{"n": 1}]


async def test_what_is_not_acknowledged_is_sent_again_under_its_id(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with serving(Server(silent=True)) as server:
        made = to(server, require_ack_response="true", ack_response_timeout="0.1s")
        async with running(open_output(made, world.edge)) as out:
            await out.write(batch(1))
            await until(lambda: "did not answer in time" in out.statuses()[0].last_error)
            server.silent = False
            world.now_ms += 1_000
            await until(lambda: out.statuses()[0].written_chunks == 1)
        assert server.chunks[0] == server.chunks[1]


async def test_another_server_takes_over(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with serving(Server()) as gone:
        pass
    async with serving(Server()) as server:
        async with running(open_output(to(gone, server), world.edge)) as out:
            for n in range(6):
                await out.write(batch(n))
            await until(lambda: out.statuses()[0].written_chunks == 6)
        assert sorted(record["n"] for _, _, record in server.events) == list(range(6))


async def test_a_server_without_heartbeats_is_asked_last_until_it_recovers(tmp_path: Path) -> None:
    world = World(tmp_path)
    values = {"heartbeat_interval": "0.1", "recover_wait": "2s", "hard_timeout": "30s"}
    async with (
        serving(Server()) as first,
        serving(Server()) as second,
        running(open_output(to(first, second, **values), world.edge)) as out,
    ):
        port = first.port
        await until(lambda: first.connections >= 2)  # heartbeats come before anything is written
        assert out.statuses()[0].servers == ((f"127.0.0.1:{port}", False), (f"127.0.0.1:{second.port}", False))
        await first.stop()
        world.now_ms += 31_000
        await until(lambda: f"no heartbeat from 127.0.0.1:{port}" in out.statuses()[0].last_error)
        for n in range(4):
            await out.write(batch(n))
        await until(lambda: out.statuses()[0].written_chunks == 4)
        assert (len(first.events), len(second.events)) == (0, 4)
        assert not out.statuses()[0].failed_writes  # nothing was tried where nobody answers
        async with serving(first):
            await until(lambda: first.connections >= 5)
            world.now_ms += 2_100
            await until(lambda: not out.statuses()[0].last_error)
            for n in range(8):
                await out.write(batch(n))
            await until(lambda: first.events)


async def test_heartbeats_over_udp(tmp_path: Path) -> None:
    world = World(tmp_path)
    beats: list[bytes] = []

    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            beats.append(data)
            self.transport.sendto(b"\0", addr)

    async with serving(Server()) as server:
        made = to(server, heartbeat_type="udp", heartbeat_interval="0.1", hard_timeout="5s", recover_wait="0s")
        async with running(open_output(made, world.edge)) as out:
            world.now_ms += 6_000
            await until(lambda: out.statuses()[0].servers[0][1])  # nothing answers at that port yet
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", server.port))
            await until(lambda: not out.statuses()[0].servers[0][1])
            transport.close()
        assert set(beats) == {b"\0"}
        assert server.connections == 0


async def test_without_heartbeats_nothing_is_asked(tmp_path: Path) -> None:
    world = World(tmp_path)
    async with serving(Server()) as server:
        async with running(open_output(to(server, heartbeat_type="none"), world.edge)) as out:
            world.now_ms += 3_600_000
            await out.write(batch(1))
            await until(lambda: out.statuses()[0].written_chunks == 1)
            assert out.statuses()[0].servers == ()
        assert server.connections == 1
