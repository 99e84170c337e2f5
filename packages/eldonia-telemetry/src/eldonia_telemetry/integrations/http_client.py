"""Calls to other services, whatever library makes them: a client span, propagation, and the count.

Attributes follow OpenTelemetry's HTTP semantic conventions. The query string is left out: it may
hold secrets.
"""

from eldonia_telemetry.performance import operations
from eldonia_telemetry.traces import Kind, Span, start_span


def begin(method: str, scheme: str, host: str, port: int | None, path: str) -> Span:
    """Count a call and start its span; use it in a ``with``, and :func:`answered` inside."""
    operations.count_external_call()
    span = start_span(method, kind=Kind.CLIENT)
    if span.recording:
        shown = f"[{host}]" if ":" in host else host
        span.set_attributes(
            {
                "http.request.method": method,
                "url.full": f"{scheme}://{shown}{f':{port}' if port else ''}{path}",
                "server.address": host,
                "server.port": port or (443 if scheme == "https" else 80),
            }
        )
    return span


def answered(span: Span, status: int) -> None:
    """Note the answer's status. One of 400 and above is an error of the span, of 500 one of the operation."""
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        span.set_error(f"HTTP {status}")
    if status >= 500:
        operations.count_error()


def failed(error: BaseException) -> None:
    """Note that there was no answer."""
    if isinstance(error, Exception):
        operations.count_error(error)
