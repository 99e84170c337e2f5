"""HTTP connections with settings of their own, to receivers and targets, kept open between requests.

Most messages go through :mod:`eldonia_ops.http_client.exchange`. The others (through proxies, redirected) go
through httpx, without its pool, which looks at every idle connection for each request: delivery bounds how many are
under way at once, so a stack of idle connections for each origin is all that is needed. These connections are
httpcore's.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import httpcore
import httpx

from eldonia_ops.alerting.http_config import ProxyConfig, TlsConfig
from eldonia_ops.http_client.credentials import UnresolvedError, in_header, resolve
from eldonia_ops.http_client.exchange import Exchanges, Line, RawAnswer
from eldonia_ops.http_client.oauth2 import Tokens
from eldonia_ops.http_client.proxies import Proxies, from_environment
from eldonia_ops.http_client.tls import stamp, tls_context

_MOST_IDLE = 32
_KEPT_SECONDS = 30.0
_EXTENSION: Final = "eldonia_line"
_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
    httpcore.ConnectionNotAvailable,
)


_Key: TypeAlias = tuple[bytes, bytes, int | None, Line]


class HttpTransport(httpx.AsyncBaseTransport):
    """A connection for each request that is under way; idle ones are used again for ``_KEPT_SECONDS``."""

    def __init__(self) -> None:
        self.plain = Line(httpx.create_ssl_context(trust_env=False))
        self._idle: dict[_Key, list[httpcore.AsyncConnectionInterface]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the answer's body is read from its connection as it is asked for.

        Raises:
            httpx.TransportError: the far side cannot be reached, or what it says is not HTTP.
        """
        url = request.url
        extensions = dict(request.extensions)
        line: Line = extensions.pop(_EXTENSION, self.plain)
        key = url.raw_scheme, url.raw_host, url.port, line
        connection = await self._connection(key)
        try:
            with _as_httpx():
                answer = await connection.handle_async_request(
                    httpcore.Request(
                        method=request.method,
                        url=httpcore.URL(scheme=key[0], host=key[1], port=key[2], target=url.raw_path),
                        headers=request.headers.raw,
                        content=request.stream,
                        extensions=extensions,
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

    async def _connection(self, key: _Key) -> httpcore.AsyncConnectionInterface:
        idle = self._idle.get(key, [])
        while idle:
            connection = idle.pop()
            if not connection.is_closed() and not connection.has_expired():
                return connection
            await connection.aclose()
        scheme, host, port, line = key
        if port is None:
            port = 443 if scheme == b"https" else 80
        origin = httpcore.Origin(scheme, host, port)
        proxy = line.proxies.of(scheme.decode(), host.decode(), port) if line.proxies else ""
        if not proxy:
            return httpcore.AsyncHTTPConnection(origin, ssl_context=line.tls, keepalive_expiry=_KEPT_SECONDS)
        return _through(proxy, line, is_tunnel=scheme == b"https").create_connection(origin)

    async def give_back(self, key: _Key, connection: httpcore.AsyncConnectionInterface) -> None:
        """An answer has been read, or left: keep the connection if another request can use it."""
        if connection.is_idle() and not key[3].retired and len(self._idle.get(key, ())) < _MOST_IDLE:
            self._idle.setdefault(key, []).append(connection)
        else:
            await connection.aclose()

    async def retire(self, line: Line) -> None:
        """Close what is idle of a line, and what is in use as soon as it is not."""
        line.retired = True
        for key in [key for key in self._idle if key[3] is line]:
            for connection in self._idle.pop(key):
                await connection.aclose()

    async def aclose(self) -> None:
        """Close what is idle."""
        idle = [connection for some in self._idle.values() for connection in some]
        self._idle.clear()
        for connection in idle:
            await connection.aclose()


def _through(proxy: str, line: Line, *, is_tunnel: bool) -> httpcore.AsyncHTTPProxy:
    parsed = httpx.Proxy(proxy)
    url = parsed.url
    # It is asked for single connections only, which it does not keep. Headers are for tunnels: where the proxy reads
    # the request itself, they would be part of it.
    return httpcore.AsyncHTTPProxy(
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        proxy_auth=parsed.raw_auth,
        proxy_headers=line.connect_headers if is_tunnel else None,
        ssl_context=line.tls,
        proxy_ssl_context=line.tls if url.scheme == "https" else None,
        keepalive_expiry=_KEPT_SECONDS,
    )


class HttpClient(httpx.AsyncClient):
    """A client for receivers and targets. It keeps connections, their settings as made from files, and tokens."""

    def __init__(self) -> None:
        self._connections = HttpTransport()
        self._lines: dict[tuple[TlsConfig, ProxyConfig], Line] = {}
        self._making = asyncio.Lock()
        self._exchanges = Exchanges()
        self.tokens = Tokens()
        super().__init__(trust_env=False, transport=self._connections)

    async def exchange(
        self, url: str, headers: Sequence[tuple[str, str]], content: bytes, extensions: Mapping[str, Any], most: int
    ) -> RawAnswer | None:
        """POST by the short way; None, with nothing sent, for what has to go through httpx. Of the answer's body about
        ``most`` bytes are read. ``extensions`` are those of :meth:`extensions`.

        Raises:
            httpx.TransportError: the far side cannot be reached, or what it says is not HTTP.
            httpx.InvalidURL: ``url`` is no address.
        """
        line = extensions.get(_EXTENSION, self._connections.plain)
        return await self._exchanges.post(url, headers, content, line=line, most_bytes=most)

    async def aclose(self) -> None:
        """Close all connections."""
        self._exchanges.close()
        await super().aclose()

    async def __aexit__(self, *error: Any) -> None:
        """Close all connections."""
        self._exchanges.close()
        await super().__aexit__(*error)

    async def extensions(self, tls: TlsConfig, proxy: ProxyConfig, what: str) -> dict[str, Any]:
        """``extensions`` of requests (and what they are redirected to) by which the settings are applied.

        Certificates that were renewed, and a changed environment, are taken.

        Raises:
            UnresolvedError: a certificate or the proxy's address is missing, or of no use.
        """
        if (tls, proxy) == (TlsConfig(), ProxyConfig()):
            return {}
        async with self._making:
            proxies, headers = proxies_of(proxy, what)
            made_from = stamp(tls), proxies, headers
            line = self._lines.get((tls, proxy))
            if line is None or line.made_from != made_from:
                context = await asyncio.to_thread(tls_context, tls, what)
                if line is not None:
                    self._exchanges.retire(line)
                    await self._connections.retire(line)
                line = Line(context, proxies, headers, made_from)
                self._lines[tls, proxy] = line
            return {_EXTENSION: line}


def proxies_of(config: ProxyConfig, what: str) -> tuple[Proxies, tuple[tuple[str, str], ...]]:
    """The proxies of a configuration, and the headers for tunnels, with their secrets.

    Raises:
        UnresolvedError: the address is missing, or not one of a proxy that can be used.
    """
    if config.from_environment:
        found = from_environment(os.environ)
    elif config.url:
        url = resolve(config.url, f"proxy for {what}")
        found = Proxies(url, url, config.no_proxy, exempts=bool(config.no_proxy))
    else:
        return Proxies(), ()
    for url in {found.http, found.https} - {""}:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL()
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise UnresolvedError(f"the proxy for {what} is not an http:// or https:// address")
    headers = tuple(
        (name, in_header(resolve(value, f"{name} for the proxy"), f"{name} for the proxy"))
        for name, value in config.connect_headers
    )
    return found, headers


class _Body(httpx.AsyncByteStream):
    def __init__(
        self,
        transport: HttpTransport,
        key: _Key,
        connection: httpcore.AsyncConnectionInterface,
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
