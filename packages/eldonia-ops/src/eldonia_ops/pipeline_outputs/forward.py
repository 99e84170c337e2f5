"""Sends chunks to servers that speak Fluentd's forward protocol.

https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1.5
"""

import asyncio
import base64
import contextlib
import logging
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgpack

from eldonia_ops.http_client.credentials import UnresolvedError
from eldonia_ops.http_client.tls import tls_context
from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.outputs.forward import ForwardOutput, ForwardServer
from eldonia_ops.pipeline.server_health import ServerHealth, heard, looked_at, watched_from
from eldonia_ops.pipeline_outputs.client import tls_config
from eldonia_ops.pipeline_outputs.datagram_heartbeat import answers_datagram
from eldonia_ops.pipeline_outputs.running import OutputError
from eldonia_ops.protocols.fluent_forward import (
    Compression,
    ForwardError,
    check_pong,
    decode_ack,
    encode_event,
    encode_packed,
    encode_ping,
    read_helo,
)

logger = logging.getLogger(__name__)

_READ: Final = 64 << 10
_MOST_ANSWER: Final = 64 << 10


class _Line:
    """One connection, greeted where a key is shared."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._rest = bytearray()
        self._scanner: Any = msgpack.Unpacker(max_buffer_size=_MOST_ANSWER)
        self._passed = 0

    async def message(self) -> bytes:
        """The next value that the server sends: a greeting is an array, a receipt a map.

        Raises:
            OutputError: it sends none, or no MessagePack.
        """
        while True:
            try:
                self._scanner.skip()
            except msgpack.OutOfData:
                data = await self._reader.read(_READ)
                if not data:
                    raise OutputError("the server closed the connection") from None
                self._rest += data
                try:
                    self._scanner.feed(data)
                except msgpack.BufferFull:
                    raise OutputError("the server's answer is too long") from None
                continue
            except ValueError:
                raise OutputError("the server's answer is no MessagePack") from None
            end = int(self._scanner.tell()) - self._passed
            self._passed += end
            body = bytes(self._rest[:end])
            del self._rest[:end]
            return body

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                await self.writer.wait_closed()


class ForwardDelivery:
    """Sends for one forward output. Servers have turns by their weight; one that failed rests for ``recover_wait``, and
    one without heartbeats is asked last.

    With ``require_ack_response`` a chunk is written when the server says that it has it. Parts of a chunk that were
    acknowledged before another one failed are not sent again.
    """

    def __init__(self, output: ForwardOutput, now_ms: Callable[[], int], random_bytes: Callable[[int], bytes]) -> None:
        self._output = output
        self._now_ms = now_ms
        self._random_bytes = random_bytes
        self._turn = 0
        self._resting: dict[ForwardServer, int] = {}
        settings = output.heartbeat
        self._health = {server: watched_from(settings, now_ms()) for server in output.servers}
        self._acknowledged: set[ForwardServer] = set()
        self._kept: dict[ForwardServer, list[_Line]] = {}

    async def deliver(self, chunk: Chunk, batches: Sequence[Batch]) -> None:
        """Send a chunk to one server that takes it."""
        failures: list[str] = []
        for server in self._order():
            try:
                await self._send(server, chunk, batches)
                self._resting.pop(server, None)
                if self._output.require_ack:
                    self._acknowledged.add(server)
                    self._heard(server)
                return
            except OutputError as error:
                failures.append(f"{_address(server)}: {error}")
                self._resting[server] = self._now_ms() + round(self._output.recover_wait * 1_000)
        raise OutputError("; ".join(failures) or "there is no server")

    async def watch(self) -> None:
        """Send heartbeats until cancelled."""
        if self._output.heartbeat.kind == "none":
            return
        await asyncio.gather(*(self._watch(server) for server in self._output.servers))

    def unavailable(self) -> dict[str, bool]:
        """Whether each server is unavailable, by its address."""
        if self._output.heartbeat.kind == "none":
            return {}
        return {_address(server): not health.available for server, health in self._health.items()}

    async def _watch(self, server: ForwardServer) -> None:
        settings = self._output.heartbeat
        while True:
            if server in self._acknowledged:  # since the last look: that says as much
                self._acknowledged.discard(server)
            elif await self._answers(server):
                self._heard(server)
            self._put(server, looked_at(self._health[server], settings, self._now_ms()))
            await asyncio.sleep(settings.interval_ms / 1_000)

    async def _answers(self, server: ForwardServer) -> bool:
        try:
            if self._output.heartbeat.kind == "udp":
                return await answers_datagram(server.host, server.port, self._output.connect_timeout)
            await (await self._open(server)).close()
            return True
        except (OutputError, OSError):
            return False

    def _heard(self, server: ForwardServer) -> None:
        self._put(server, heard(self._health[server], self._output.heartbeat, self._now_ms()))

    def _put(self, server: ForwardServer, health: ServerHealth) -> None:
        before = self._health[server].available
        self._health[server] = health
        if before and not health.available:
            silent = (self._now_ms() - health.last_ms) / 1_000
            logger.warning("%s: %s gives no heartbeat for %.0f s", self._output.id, _address(server), silent)
        elif health.available and not before:
            self._resting.pop(server, None)
            logger.info("%s: %s is available again", self._output.id, _address(server))

    def _order(self) -> list[ForwardServer]:
        """The servers to try: those that are available by turns, then those that are not, each with standbys last."""
        turns = [server for server in self._output.servers for _ in range(max(1, min(server.weight, 100)))]
        self._turn += 37  # with no factor in common with most sums of weights, so that turns mix
        mixed = [turns[(self._turn + at) % len(turns)] for at in range(len(turns))] if turns else []
        now = self._now_ms()
        unique = list(dict.fromkeys(mixed))

        def last(server: ForwardServer) -> tuple[bool, bool]:
            rests = self._resting.get(server, 0) > now or not self._health[server].available
            return rests, server.standby

        return sorted(unique, key=last)

    async def _send(self, server: ForwardServer, chunk: Chunk, batches: Sequence[Batch]) -> None:
        output = self._output
        line = await self._line(server)
        good = False
        try:
            for number, (tag, events) in enumerate(_by_tag(batches)):
                wanted = _chunk_name(chunk, number) if output.require_ack else ""
                packed = b"".join(
                    encode_event(one.time_ns, one.record, whole_seconds=output.whole_seconds) for one in events
                )
                compression = Compression.GZIP if output.compress else Compression.NONE
                message = encode_packed(tag, packed, count=len(events), chunk=wanted, compression=compression)
                async with asyncio.timeout(output.send_timeout):
                    line.writer.write(message)
                    await line.writer.drain()
                if wanted:
                    async with asyncio.timeout(output.ack_timeout):
                        got = decode_ack(await line.message())
                    if got != wanted:
                        raise OutputError("the server acknowledged another chunk")
            good = True
        except TimeoutError as error:
            raise OutputError("the server did not answer in time") from error
        except (OSError, ForwardError) as error:
            raise OutputError(str(error) or type(error).__name__) from error
        except (TypeError, OverflowError, UnicodeEncodeError) as error:
            raise OutputError(f"an event cannot be written as MessagePack: {error}", retry=False) from error
        finally:
            if good and output.keepalive:
                self._kept.setdefault(server, []).append(line)
            else:
                await line.close()

    async def _line(self, server: ForwardServer) -> _Line:
        kept = self._kept.get(server)
        while kept:
            line = kept.pop()
            if not line.writer.is_closing():
                return line
        return await self._open(server)

    async def _open(self, server: ForwardServer) -> _Line:
        output = self._output
        try:
            context: ssl.SSLContext | None = None
            if output.tls is not None:
                context = tls_context(tls_config(output.tls), f"{server.host}:{server.port}")
            async with asyncio.timeout(output.connect_timeout):
                name = (server.name or server.host) if context is not None else None
                streams = await asyncio.open_connection(server.host, server.port, ssl=context, server_hostname=name)
                line = _Line(*streams)
                await self._greet(server, line)
                return line
        except TimeoutError as error:
            raise OutputError("no connection in time") from error
        except UnresolvedError as error:
            raise OutputError(str(error)) from error
        except (OSError, ForwardError) as error:
            raise OutputError(str(error) or type(error).__name__) from error

    async def _greet(self, server: ForwardServer, line: _Line) -> None:
        key = server.shared_key or self._output.shared_key
        if not key:
            return
        try:
            helo = read_helo(await line.message())
            salt, hostname = self._random_bytes(16), self._output.self_hostname
            line.writer.write(
                encode_ping(helo, hostname, key.reveal(), salt, server.username, server.password.reveal())
            )
            reason = check_pong(await line.message(), helo, hostname, key.reveal(), salt)
        except BaseException:
            await line.close()
            raise
        if reason:
            await line.close()
            raise OutputError(reason)

    async def close(self) -> None:
        """Close the connections."""
        for lines in self._kept.values():
            for line in lines:
                await line.close()
        self._kept.clear()


def _address(server: ForwardServer) -> str:
    return f"{server.host}:{server.port}"


def _by_tag(batches: Sequence[Batch]) -> list[tuple[str, list]]:
    found: dict[str, list] = {}
    for batch in batches:
        found.setdefault(batch.tag, []).extend(batch.events)
    return list(found.items())


def _chunk_name(chunk: Chunk, number: int) -> str:
    """Base64 of 16 bytes, as Fluentd names chunks; a chunk with several tags has several."""
    return base64.b64encode(bytes.fromhex(chunk.id)).decode() + (f"-{number}" if number else "")
