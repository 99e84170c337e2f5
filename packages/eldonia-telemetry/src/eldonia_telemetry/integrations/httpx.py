"""Client spans and trace propagation for httpx, as transports to wrap another with.

    client = httpx.AsyncClient(transport=AsyncTelemetryTransport())

Attributes follow OpenTelemetry's HTTP semantic conventions. The query string is left out: it may
hold secrets.
"""

from types import TracebackType

import httpx

from eldonia_telemetry.traces import Kind, Span, inject, start_span


class TelemetryTransport(httpx.BaseTransport):
    """Wraps a transport of ``httpx.Client``; a plain ``HTTPTransport`` when none is given."""

    def __init__(self, inner: httpx.BaseTransport | None = None) -> None:
        self._inner = inner or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request inside a client span, which ends when the answer's headers are there."""
        with _start(request) as span:
            inject(request.headers)
            response = self._inner.handle_request(request)
            _finish(span, response)
            return response

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
        with _start(request) as span:
            inject(request.headers)
            response = await self._inner.handle_async_request(request)
            _finish(span, response)
            return response

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


def _start(request: httpx.Request) -> Span:
    url = request.url
    span = start_span(request.method, kind=Kind.CLIENT)
    if span.recording:
        span.set_attributes(
            {
                "http.request.method": request.method,
                "url.full": f"{url.scheme}://{url.netloc.decode('ascii', 'replace').rpartition('@')[2]}{url.path}",
                "server.address": url.host,
                "server.port": url.port or (443 if url.scheme == "https" else 80),
            }
        )
    return span


def _finish(span: Span, response: httpx.Response) -> None:
    span.set_attribute("http.response.status_code", response.status_code)
    if response.status_code >= 400:
        span.set_error(f"HTTP {response.status_code}")
