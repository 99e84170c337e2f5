"""Client spans, trace propagation and the count of external calls for httpx.

:func:`eldonia_telemetry.init` connects httpx' own transports by itself. For others, and without
``init(instrument=True)``, wrap the transport:

    client = httpx.AsyncClient(transport=AsyncTelemetryTransport(other))
"""

import functools
from types import TracebackType
from typing import Any, Final

import httpx

from eldonia_telemetry import dropped_data
from eldonia_telemetry.integrations import http_client
from eldonia_telemetry.traces import Span, inject

_SEEN: Final = "eldonia_telemetry"
"""Among a request's extensions: a transport outside of this one has taken care of it."""


class TelemetryTransport(httpx.BaseTransport):
    """Wraps a transport of ``httpx.Client``; a plain ``HTTPTransport`` when none is given."""

    def __init__(self, inner: httpx.BaseTransport | None = None) -> None:
        self._inner = inner or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request inside a client span, which ends when the answer's headers are there."""
        return _observed(self._inner.handle_request, request)

    def close(self) -> None:
        """Close the wrapped transport."""
        self._inner.close()

    def __enter__(self) -> "TelemetryTransport":
        self._inner.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._inner.__exit__(exc_type, exc_value, traceback)


class AsyncTelemetryTransport(httpx.AsyncBaseTransport):
    """Wraps a transport of ``httpx.AsyncClient``; a plain ``AsyncHTTPTransport`` when none is given."""

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._inner = inner or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request inside a client span, which ends when the answer's headers are there."""
        return await _observed_async(self._inner.handle_async_request, request)

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._inner.aclose()

    async def __aenter__(self) -> "AsyncTelemetryTransport":
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._inner.__aexit__(exc_type, exc_value, traceback)


def connect() -> None:
    """Observe every request of httpx' own transports. Twice is once."""
    send = httpx.HTTPTransport.handle_request
    if not hasattr(send, _SEEN):

        @functools.wraps(send)
        def handle_request(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            return _observed(functools.partial(send, self), request)

        setattr(handle_request, _SEEN, True)
        httpx.HTTPTransport.handle_request = handle_request  # type: ignore[method-assign]
    send_async = httpx.AsyncHTTPTransport.handle_async_request
    if not hasattr(send_async, _SEEN):

        @functools.wraps(send_async)
        async def handle_async_request(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
            return await _observed_async(functools.partial(send_async, self), request)

        setattr(handle_async_request, _SEEN, True)
        httpx.AsyncHTTPTransport.handle_async_request = handle_async_request  # type: ignore[method-assign]


def _observed(send: Any, request: httpx.Request) -> httpx.Response:
    span = _begin(request)
    if span is None:
        return send(request)
    with span:
        inject(request.headers)
        try:
            response = send(request)
        except Exception as error:
            http_client.failed(error)
            raise
        finally:
            _forget(request)
        http_client.answered(span, response.status_code)
        return response


async def _observed_async(send: Any, request: httpx.Request) -> httpx.Response:
    span = _begin(request)
    if span is None:
        return await send(request)
    with span:
        inject(request.headers)
        try:
            response = await send(request)
        except Exception as error:
            http_client.failed(error)
            raise
        finally:
            _forget(request)
        http_client.answered(span, response.status_code)
        return response


def _begin(request: httpx.Request) -> Span | None:
    try:
        if request.extensions.get(_SEEN):
            return None
        request.extensions = {**request.extensions, _SEEN: True}
        url = request.url
        return http_client.begin(request.method, url.scheme, url.host, url.port, url.path)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("span", "request could not be observed", error)
        return None


def _forget(request: httpx.Request) -> None:
    """Take the mark off: a redirect, an authentication or a retry sends a request of the same extensions again."""
    request.extensions = {name: value for name, value in request.extensions.items() if name != _SEEN}
