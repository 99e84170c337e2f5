"""One HTTP/1.1 request after the other over a connection to a receiver, without the layers of a general client.

A storm is ten thousand messages, and through httpx and httpcore each takes most of a millisecond of the processor. Here
the request is one write and the answer is read by httptools (llhttp). What goes through a proxy, and what is
redirected, is left to httpx. Errors are those of httpx. Format: RFC 9112.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

import httptools
import httpx

from eldonia_ops.http_client.proxies import Proxies

_MOST_IDLE: Final = 32
_KEPT_SECONDS: Final = 30.0
_MOST_HEAD: Final = 64 << 10
_NEXT_ADDRESS_SECONDS: Final = 0.25  # RFC 8305, section 5


@dataclass(slots=True, eq=False)
class Line:
    """How receivers with the same settings are connected to. ``retired`` once a later one has taken its place."""

    tls: ssl.SSLContext
    proxies: Proxies = field(default_factory=Proxies)
    connect_headers: tuple[tuple[str, str], ...] = ()
    made_from: object = None
    retired: bool = False


_Key: TypeAlias = tuple[bool, str, int, Line]


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it arrived: ``body`` is cut off soon after the bound that was asked for, and still encoded."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Address:
    tls: bool
    host: str
    port: int
    authority: bytes
    target: bytes


@lru_cache(maxsize=256)
def _address(url: str) -> _Address | None:
    """Where an address leads, None for what only httpx knows how to reach.

    Raises:
        httpx.InvalidURL: it is no address.
    """
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo:
        return None
    port = parsed.port or (443 if parsed.scheme == "https" else 80)
    return _Address(parsed.scheme == "https", parsed.raw_host.decode(), port, parsed.netloc, parsed.raw_path)


class Exchanges:
    """The connections: a stack of idle ones for each origin and line."""

    def __init__(self) -> None:
        self._idle: dict[_Key, list[_Connection]] = {}

    async def post(
        self, url: str, headers: Sequence[tuple[str, str]], content: bytes, *, line: Line, most_bytes: int
    ) -> RawAnswer | None:
        """POST and read the answer; None, with nothing sent, when this has to be left to httpx.

        Raises:
            httpx.TransportError: the far side cannot be reached, or what it says is not HTTP.
            httpx.InvalidURL: ``url`` is no address.
        """
        address = _address(url)
        if address is None or line.proxies:
            return None
        head = _head(address, headers, len(content))
        if head is None:
            return None
        key = address.tls, address.host, address.port, line
        connection = await self._connection(key)
        try:
            answer = await connection.exchange(head + content, most_bytes)
        except BaseException:
            connection.close()
            raise
        idle = self._idle.setdefault(key, [])
        if connection.reusable and not line.retired and len(idle) < _MOST_IDLE:
            idle.append(connection)
        else:
            connection.close()
        return answer

    def retire(self, line: Line) -> None:
        """Close what is idle of a line, and what is in use as soon as it is not."""
        line.retired = True
        for key in [key for key in self._idle if key[3] is line]:
            for connection in self._idle.pop(key):
                connection.close()

    def close(self) -> None:
        """Close what is idle."""
        for connection in [connection for some in self._idle.values() for connection in some]:
            connection.close()
        self._idle.clear()

    async def _connection(self, key: _Key) -> "_Connection":
        idle = self._idle.get(key, [])
        while idle:
            connection = idle.pop()
            if connection.reusable and time.monotonic() - connection.used_at < _KEPT_SECONDS:
                return connection
            connection.close()
        try:
            return await _connect(key[1], key[2], key[3].tls if key[0] else None)
        except OSError as error:  # an ssl.SSLError is one, too
            raise httpx.ConnectError(str(error) or type(error).__name__) from error


def _head(address: _Address, headers: Sequence[tuple[str, str]], length: int) -> bytes | None:
    lines = [b"POST %s HTTP/1.1\r\nHost: %s\r\n" % (address.target, address.authority)]
    try:
        for name, value in headers:
            if name.lower() in ("host", "content-length", "transfer-encoding", "connection", "expect"):
                return None  # they change what is done, not only what is said
            text = f"{name}: {value}"
            if "\r" in text or "\n" in text or "\0" in text:
                return None
            lines.append(text.encode("ascii") + b"\r\n")
    except UnicodeEncodeError:
        return None
    lines.append(b"Content-Length: %d\r\n\r\n" % length)
    return b"".join(lines)


async def _connect(host: str, port: int, tls: ssl.SSLContext | None) -> "_Connection":
    """Try the addresses of a host, the next one when one fails or takes long (RFC 8305)."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))

    async def connect(address: str) -> _Connection:
        options: dict[str, Any] = {} if tls is None else {"ssl": tls, "server_hostname": host}
        _, connection = await loop.create_connection(_Connection, address, port, **options)
        return connection

    if len(addresses) == 1:
        return await connect(addresses[0])
    trying: set[asyncio.Task[_Connection]] = set()
    failure: BaseException = OSError(f"{host} has no address")
    try:
        while addresses or trying:
            if addresses:
                trying.add(asyncio.create_task(connect(addresses.pop(0))))
            pause = _NEXT_ADDRESS_SECONDS if addresses else None
            ended, trying = await asyncio.wait(trying, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            connected = [task.result() for task in ended if task.exception() is None]
            for spare in connected[1:]:
                spare.close()
            if connected:
                return connected[0]
            failure = next((task.exception() or failure for task in ended), failure)
    finally:
        for task in trying:
            task.add_done_callback(_close_late)
            task.cancel()
    raise failure


def _close_late(task: "asyncio.Task[_Connection]") -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


class _Connection(asyncio.Protocol):
    """One request at a time. ``reusable`` says whether another may follow."""

    def __init__(self) -> None:
        self.used_at = time.monotonic()
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[RawAnswer] | None = None
        self._most = 0
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0  # of the head while that is read, then of the body
        self._is_body = False

    @property
    def reusable(self) -> bool:
        """Whether the connection is open, and nothing is under way on it."""
        return self._transport is not None and not self._transport.is_closing() and self._waiting is None

    async def exchange(self, request: bytes, most_bytes: int) -> RawAnswer:
        """Send a request and wait for its answer; of its body no more than about ``most_bytes`` is read."""
        if self._transport is None or self._transport.is_closing():
            raise httpx.ConnectError("the connection was closed")
        self._begin()
        self._most = most_bytes
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Close it, whatever is under way."""
        if self._transport is not None:
            self._transport.abort() if self._waiting is not None else self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    def data_received(self, data: bytes) -> None:
        """A part of an answer has arrived."""
        if self._waiting is None:  # without a request: it must not be taken for the next answer
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx.RemoteProtocolError(f"what it answered is not HTTP: {error}"))
            return
        if not self._is_body:
            self._size += len(data)
            if self._size > _MOST_HEAD:
                self._fail(httpx.RemoteProtocolError("the head of its answer has no end"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The far side, or we, have closed it."""
        if self._waiting is None:
            return
        if exc is not None:
            self._fail(httpx.ReadError(str(exc) or type(exc).__name__))
        elif self._is_body and _ends_with_connection(self._headers):
            self._end()
        elif self._is_body:
            self._fail(httpx.RemoteProtocolError("the connection was closed before the answer was complete"))
        else:
            self._fail(httpx.RemoteProtocolError("Server disconnected without sending a response."))

    def on_message_begin(self) -> None:
        """An answer begins; one too many, which the next request must not get."""
        if self._waiting is None:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header has been read."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head has been read."""
        if self._parser.get_status_code() >= 200 or self._parser.get_status_code() == 101:
            self._is_body, self._size = True, 0

    def on_body(self, part: bytes) -> None:
        """A part of the body has been read."""
        self._body.append(part)
        self._size += len(part)
        if self._size > self._most:
            self._end()

    def on_message_complete(self) -> None:
        """The answer has been read."""
        if self._is_body:
            self._end(keep=self._parser.should_keep_alive() and self._parser.get_status_code() != 101)
        else:  # an interim answer (RFC 9110, section 15.2): the real one follows
            self._headers, self._body = [], []

    def _end(self, *, keep: bool = False) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        if not keep and self._transport is not None:
            self._transport.abort()
        self.used_at = time.monotonic()
        if not waiting.done():
            body = b"".join(self._body)
            waiting.set_result(RawAnswer(self._parser.get_status_code(), tuple(self._headers), body))

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        if self._transport is not None:
            self._transport.abort()
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)


def _ends_with_connection(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether neither a length nor chunks say where the body ends."""
    return not any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in headers)


def text_of(answer: RawAnswer, most_bytes: int) -> tuple[str, httpx.Headers]:
    """The body as text, at most so many bytes of it, and the headers.

    Raises:
        httpx.DecodingError: the body is not encoded as its header says.
    """
    headers = httpx.Headers(list(answer.headers))
    body = answer.body
    if headers.get("content-encoding", "identity").lower() != "identity":
        body = b""
        for part in httpx.Response(answer.status, headers=headers, stream=_Parts(answer.body)).iter_bytes():
            body += part
            if len(body) > most_bytes:
                break
    return body[:most_bytes].decode("utf-8", "replace"), headers


class _Parts(httpx.SyncByteStream):
    """Small parts: what was compressed may unfold to anything."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), 1024):
            yield self._body[start : start + 1024]
