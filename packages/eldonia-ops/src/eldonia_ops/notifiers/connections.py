"""HTTP connections to receivers, kept open between messages.

httpx with its own pool looks at every idle connection for each request, and a message takes half a millisecond of the
processor; a storm has ten thousand. Delivery bounds how many are under way at once, so a stack of idle connections for
each origin is all that is needed. The connections themselves are httpcore's.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import TypeAlias

import httpcore
import httpx

_Key: TypeAlias = tuple[bytes, bytes, int | None]
_MOST_IDLE = 32
_KEPT_SECONDS = 30.0
_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
)


class ReceiverTransport(httpx.AsyncBaseTransport):
    """A connection for each request that is under way; idle ones are used again for ``_KEPT_SECONDS``."""

    def __init__(self) -> None:
        self._tls = httpx.create_ssl_context(trust_env=False)
        self._idle: dict[_Key, list[httpcore.AsyncHTTPConnection]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the answer's body is read from its connection as it is asked for.

        Raises:
            httpx.TransportError: the far side cannot be reached, or what it says is not HTTP.
        """
        url = request.url
        key = url.raw_scheme, url.raw_host, url.port
        connection = await self._connection(key)
        try:
            with _as_httpx():
                answer = await connection.handle_async_request(
                    httpcore.Request(
                        method=request.method,
                        url=httpcore.URL(scheme=key[0], host=key[1], port=key[2], target=url.raw_path),
                        headers=request.headers.raw,
                        content=request.stream,
                        extensions=request.extensions,
                    )
                )
        except BaseException:
            await connection.aclose()
            raise
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(self, key, connection, answer),
            extensions=answer.extensions,
        )

    async def _connection(self, key: _Key) -> httpcore.AsyncHTTPConnection:
        idle = self._idle.get(key, [])
        while idle:
            connection = idle.pop()
            if not connection.is_closed() and not connection.has_expired():
                return connection
            await connection.aclose()
        scheme, host, port = key
        if port is None:
            port = 443 if scheme == b"https" else 80
        return httpcore.AsyncHTTPConnection(
            httpcore.Origin(scheme, host, port), ssl_context=self._tls, keepalive_expiry=_KEPT_SECONDS
        )

    async def give_back(self, key: _Key, connection: httpcore.AsyncHTTPConnection) -> None:
        """An answer has been read, or left: keep the connection if another request can use it."""
        idle = self._idle.setdefault(key, [])
        if connection.is_idle() and len(idle) < _MOST_IDLE:
            idle.append(connection)
        else:
            await connection.aclose()

    async def aclose(self) -> None:
        """Close what is idle."""
        idle = [connection for some in self._idle.values() for connection in some]
        self._idle.clear()
        for connection in idle:
            await connection.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(
        self,
        transport: ReceiverTransport,
        key: _Key,
        connection: httpcore.AsyncHTTPConnection,
        answer: httpcore.Response,
    ) -> None:
        self._transport = transport
        self._key = key
        self._connection = connection
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        with _as_httpx():
            await self._answer.aclose()
        await self._transport.give_back(self._key, self._connection)


@contextlib.contextmanager
def _as_httpx() -> Iterator[None]:
    """Errors of httpcore as those of httpx, which have the same names."""
    try:
        yield
    except _ERRORS as error:
        raise getattr(httpx, type(error).__name__, httpx.TransportError)(str(error)) from error
