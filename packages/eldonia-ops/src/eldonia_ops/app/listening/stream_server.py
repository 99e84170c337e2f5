"""A listener of an intake: connections within bounds, each served by the intake's own code; and datagrams."""

import asyncio
import contextlib
import logging
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from eldonia_ops.app.listening.connections import Places, most_connections
from eldonia_ops.app.listening.datagram_server import DatagramServer
from eldonia_ops.app.listening.stream_room import gives_way
from eldonia_ops.app.listening.tls_server import TlsServer
from eldonia_ops.intake import NO_CREDENTIALS, IntakePlatform, StreamCredentials, StreamListener
from eldonia_ops.model.places import is_loopback
from eldonia_ops.web.login_throttle import network_of

log = logging.getLogger("eldonia_ops.intake")

_BUFFER: Final = 64 * 1024
_WRITE_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class StreamAccess:
    """Who may send without a certificate: the ``anonymous`` of this machine, who proves ``credentials``, and datagrams
    from the networks of ``udp_from``."""

    anonymous: bool = False
    credentials: StreamCredentials = NO_CREDENTIALS
    udp_from: tuple[str, ...] = ()


class StreamServer:
    """Accepts connections at one socket (``listener``), over TLS if asked, and hands each to ``stream.serve``.

    A client shows a certificate if ``tls`` asks for it. Otherwise it is let in by ``access``, which may be changed:
    with a shared key everybody may connect, and the intake asks for the proof; else only this machine. One whose intake
    raises is closed and logged; it stops no other. ``stream.most_connections`` bounds them; further ones are closed as
    they come, unless one client has more than its share: :func:`~.stream_room.gives_way`.
    """

    def __init__(
        self,
        stream: StreamListener,
        platform: IntakePlatform,
        bound: socket.socket,
        places: Places,
        tls: ssl.SSLContext | None = None,
        *,
        access: StreamAccess = StreamAccess(),
    ) -> None:
        self._stream = stream
        self._platform = platform
        self.listener = bound
        self._places = places
        self._counts = places.of(stream.name)
        self._tls = tls
        self.access = access
        self._most = max(1, min(stream.most_connections, most_connections() // 4))
        self._datagrams: DatagramServer | None = None
        self._server: asyncio.Server | TlsServer | None = None
        self._closing = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self._held: set[_Connection] = set()

    async def start(self) -> None:
        """Accept connections.

        Raises:
            OSError: the socket cannot be listened on.
        """
        if self._stream.datagrams is not None and self._takes_datagrams():
            self._datagrams = DatagramServer(
                self._stream.name, self._stream.datagrams, self._platform, self.listener, self._admits_datagram
            )
        if self._tls is None:
            self._server = await asyncio.start_server(self._accepted, sock=self.listener, limit=_BUFFER)
        else:
            self._server = TlsServer(self.listener, self._protocol, self._tls)
        self._places.reserved += self._most

    def close(self) -> None:
        """Accept no more connections, from now on, and let those that are open come to their end."""
        if self._server is not None:
            self._server.close()
        if self._datagrams is not None:
            self._datagrams.close()
        self._closing.set()

    async def stop(self) -> None:
        """Close, and wait until what has been read is stored, for 5 seconds at most."""
        if self._server is None:
            self.listener.close()
            return
        self.close()
        if self._datagrams is not None:
            await self._datagrams.stop(_STOP_SECONDS)
        if self._connections:
            await asyncio.wait(self._connections, timeout=_STOP_SECONDS)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self._places.reserved -= self._most
        self._server = None

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        sender = self._sender(writer)
        connection = _Connection(reader, writer, sender, self._closing, self.access.credentials)
        if not sender or self._closing.is_set() or not self._make_room(connection):
            self._counts.refused += 1
            writer.transport.abort()
            return
        self._connections.add(task)
        self._held.add(connection)
        self._counts.accepted += 1
        self._counts.open += 1
        _keep_alive(writer)
        try:
            await self._stream.serve(self._platform, connection)
        except OSError as error:
            log.info("%s: the connection is lost: %s", sender, error)
        except Exception:
            log.exception("%s: the connection is closed, for the intake failed", sender)
        finally:
            self._counts.open -= 1
            self._connections.discard(task)
            self._held.discard(connection)
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    def _make_room(self, connection: "_Connection") -> bool:
        """Whether a connection may have a place; for that, another may have to give up its own."""
        found = gives_way(self._held, connection.network, self._most)
        if isinstance(found, _Connection):
            self._held.discard(found)
            self._counts.refused += 1
            log.warning("%s: a silent connection is closed: others need its place", found.sender)
            found.abort()
        return found is not False

    def _protocol(self) -> asyncio.Protocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(_BUFFER), self._accepted)

    def _sender(self, writer: asyncio.StreamWriter) -> str:
        """Who sends, '' for one who may not: without a certificate that was asked for, and not from this machine."""
        peer = writer.get_extra_info("peername")
        host = str(peer[0]) if peer else ""
        name = self._stream.name
        if self._tls is not None and self._tls.verify_mode is ssl.CERT_REQUIRED:
            return f"{name} {_common_name(writer.get_extra_info('peercert'))} ({host})"
        known = self._has_key() or (self.access.anonymous and is_loopback(host))
        return f"{name} ({host})" if host and known else ""

    def _has_key(self) -> bool:
        return self._stream.shared_key and bool(self.access.credentials.shared_key)

    def _takes_datagrams(self) -> bool:
        return self.access.anonymous or bool(self.access.udp_from) or self._has_key()

    def _admits_datagram(self, host: str) -> bool:
        return (
            (self.access.anonymous and is_loopback(host))
            or self._has_key()
            or any(ip_address(host) in ip_network(one) for one in self.access.udp_from)
        )


class _Connection:
    """Implements :class:`eldonia_ops.intake.StreamConnection`."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        sender: str,
        closing: asyncio.Event,
        credentials: StreamCredentials,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._closing = closing
        self._sender = sender
        self._credentials = credentials
        peer = writer.get_extra_info("peername")
        self.network = network_of(str(peer[0])) if peer else ""
        self.silent_since: float | None = None

    def abort(self) -> None:
        """End it at once."""
        self._writer.transport.abort()

    @property
    def credentials(self) -> StreamCredentials:
        return self._credentials

    @property
    def sender(self) -> str:
        return self._sender

    async def read(self, most: int) -> bytes:
        """The next bytes. A read that is given up when the listener closes has taken none."""
        reading = asyncio.ensure_future(self._reader.read(most))
        closing = asyncio.ensure_future(self._closing.wait())
        self.silent_since = asyncio.get_running_loop().time()
        try:
            await asyncio.wait({reading, closing}, return_when=asyncio.FIRST_COMPLETED)
            return await reading if reading.done() else b""
        finally:
            self.silent_since = None
            for one in (reading, closing):
                one.cancel()
            await asyncio.gather(reading, closing, return_exceptions=True)

    async def write(self, data: bytes) -> None:
        """Send, and wait until the other side has room."""
        self._writer.write(data)
        async with asyncio.timeout(_WRITE_SECONDS):
            await self._writer.drain()


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """A sender may be silent for days; one that is gone must give up its place."""
    connection = writer.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _common_name(certificate: object) -> str:
    subject = certificate.get("subject", ()) if isinstance(certificate, dict) else ()
    return next((str(value)[:64] for part in subject for key, value in part if key == "commonName"), "unnamed")
