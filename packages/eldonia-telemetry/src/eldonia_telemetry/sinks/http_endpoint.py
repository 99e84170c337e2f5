"""One HTTP backend: its address, credentials, TLS and a connection that is kept. For background threads only."""

import base64
import email.utils
import gzip
import http.client
import math
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

TIMEOUT: Final = 5.0
"""Seconds without a byte after which a backend counts as hanging."""
MAX_ANSWER: Final = 8 * 1024 * 1024
LONGEST_RETRY_AFTER: Final = 300.0
_COMPRESS_FROM: Final = 4096
_MEDIA_TYPE_REFUSED: Final = 415


@dataclass(frozen=True, slots=True)
class Answer:
    """What the backend said; ``retry_after`` in seconds, 0 when it named none."""

    status: int
    body: bytes
    retry_after: float = 0.0

    @property
    def excerpt(self) -> str:
        """The beginning of the body, for people."""
        return self.body[:200].decode("utf-8", "replace")


class HttpEndpoint:
    """Sends requests to one backend, one at a time.

    Args:
        url: ``http(s)://[user:password@]host[:port][/prefix]``.
        headers: sent with every request; names in any case.
        ca_file: PEM file of the authorities to trust instead of the system's.
        timeout: seconds without a byte after which the backend counts as hanging.
        compress: whether larger bodies are sent in gzip.

    Raises:
        ValueError: the address, a header or the CA file cannot be used. The text names no secret.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        ca_file: str = "",
        timeout: float = TIMEOUT,
        compress: bool = True,
    ) -> None:
        try:
            address = urlsplit(url if "://" in url else f"http://{url}")
            port = address.port
        except ValueError:
            raise ValueError("the address must look like http://host:port") from None
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ValueError("the address must look like http://host:port")
        self.prefix = address.path.rstrip("/")
        self.userinfo = (unquote(address.username), unquote(address.password or "")) if address.username else None
        self._host = address.hostname
        self._port = port or (443 if address.scheme == "https" else 80)
        self.address = f"{address.scheme}://{self._host}:{self._port}{self.prefix}"
        self._headers = {"user-agent": "eldonia-telemetry"}
        self._headers.update((name.lower(), value) for name, value in (headers or {}).items())
        for name, value in self._headers.items():
            if not (value.isascii() and value.isprintable()):
                raise ValueError(f"the value for {name} holds characters that a header cannot carry")
        self._timeout = timeout
        self._tls: ssl.SSLContext | None = None
        if address.scheme == "https":
            try:
                self._tls = ssl.create_default_context(cafile=ca_file or None)
            except (OSError, ValueError) as error:
                raise ValueError(f"the CA file {ca_file} cannot be used: {error}") from None
        self._compress = compress
        self._connection: http.client.HTTPConnection | None = None

    def authorize(self, value: str) -> None:
        """Send ``value`` as the Authorization header.

        Raises:
            ValueError: a header cannot carry it.
        """
        if not (value.isascii() and value.isprintable()):
            raise ValueError("the credentials hold characters that a header cannot carry")
        self._headers["authorization"] = value

    def authorize_with(self, token: str) -> None:
        """Send ``token`` as a bearer token; without one, the user and password that the address names, if any.

        An ``Authorization`` among the headers given at the start stays.

        Raises:
            ValueError: a header cannot carry it.
        """
        if "authorization" in self._headers:
            return
        if token:
            self.authorize(f"Bearer {token}")
        elif self.userinfo is not None:
            self.authorize(basic(*self.userinfo))

    def request(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> Answer:
        """Send one request (larger bodies compressed) and read the answer.

        Raises:
            OSError: the backend cannot be reached, or hangs.
            http.client.HTTPException: what it says is not HTTP, or does not end.
        """
        headers = dict(self._headers)
        if content_type:
            headers["Content-Type"] = content_type
        if self._compress and len(body) >= _COMPRESS_FROM:
            packed = gzip.compress(body, 1)
            answer = self._on_fresh_if_stale(method, path, packed, {**headers, "Content-Encoding": "gzip"})
            if answer.status != _MEDIA_TYPE_REFUSED:
                return answer
            self._compress = False
        return self._on_fresh_if_stale(method, path, body, headers)

    def _on_fresh_if_stale(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        kept = self._connection is not None
        try:
            return self._exchange(method, path, body, headers)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            if not kept:
                raise
        except BaseException:
            self.close()
            raise
        # The backend had closed the idle connection: that says nothing about its health.
        try:
            return self._exchange(method, path, body, headers)
        except BaseException:
            self.close()
            raise

    def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = self._connection
        if connection is None:
            if self._tls is not None:
                connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=self._timeout, context=self._tls
                )
            else:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            self._connection = connection
        connection.request(method, self.prefix + path, body or None, headers)
        response = connection.getresponse()
        retry_after = _seconds(response.headers.get("Retry-After"))
        answer = Answer(response.status, _read(response, time.monotonic() + 2 * self._timeout), retry_after)
        if response.will_close:
            self.close()
        return answer

    def close(self) -> None:
        """Drop the connection; the next request makes another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def after_fork(self) -> None:
        """The parent goes on with the connection; closing the child's descriptor does not disturb it."""
        self.close()


def basic(user: str, password: str) -> str:
    """The Authorization header of RFC 7617."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _read(response: http.client.HTTPResponse, until: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.read1(65536):
        size += len(part)
        if size > MAX_ANSWER or time.monotonic() > until:
            raise http.client.HTTPException("the answer does not end")
        parts.append(part)
    body = b"".join(parts)
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    response.close()  # the part-wise reads above do not; the connection stays
    return body


def _seconds(retry_after: str | None) -> float:
    """``Retry-After`` (RFC 9110, 10.2.3) in seconds from now: a number, or an HTTP date."""
    if not retry_after:
        return 0.0
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (TypeError, ValueError):
            return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if math.isfinite(seconds) else 0.0
