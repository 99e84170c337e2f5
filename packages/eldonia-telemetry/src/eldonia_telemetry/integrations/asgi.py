"""The middleware for ASGI applications (FastAPI, Starlette, Litestar, …).

    app.add_middleware(TelemetryMiddleware)

For every HTTP request: request id and W3C trace context in and out, a server span, the metrics
``http_requests_total{method,handler,status}``, ``http_request_duration_seconds{method,handler}``
and ``http_requests_in_flight``, one access log record, the context for all other records, and
recognition of injection attempts. It also answers ``GET /metrics``.
"""

import asyncio
import contextlib
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, Literal

from eldonia_telemetry import context, losses, metrics, runtime, security
from eldonia_telemetry.integrations.client_address import ClientAddress
from eldonia_telemetry.integrations.stdlib import LOGGED
from eldonia_telemetry.records import ERROR, INFO, Performance
from eldonia_telemetry.security.detection import Detection, inspect
from eldonia_telemetry.traces import Kind, Span, extract, start_span

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"})
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_BLOCKED: Final = b'{"detail":"The request was refused."}'
_MAX_USER_AGENT: Final = 512


class _Request:
    """One request in progress."""

    __slots__ = ("_base", "_scope", "id", "method", "session_id", "status", "user_id")

    def __init__(self, scope: Scope, method: str, id: str) -> None:
        self._scope = scope
        self._base = scope.get("root_path", "")
        self.method = method
        self.id = id
        self.status = 0
        self.user_id: str | None = None
        self.session_id: str | None = None

    def handler(self) -> str:
        """The route's template, with what it is mounted under; '' while nothing has matched."""
        scope = self._scope
        template = getattr(scope.get("route"), "path", None)
        if template is None:
            template = scope.get("path_template") or getattr(scope.get("route_handler"), "path", None)
        mount = scope.get("root_path", "")[len(self._base) :]
        if template is None:
            return f"{mount}/*" if mount and "endpoint" in scope else ""
        return template if not mount or template.startswith(mount) else mount + template

    def operation(self) -> str:
        """Method and template, as log records name the operation."""
        handler = self.handler()
        return f"{self.method} {handler}" if handler else ""


class TelemetryMiddleware:
    """Wraps an ASGI application.

    Args:
        app: the application.
        metrics_path: answered here with the metrics; None to serve them yourself (:func:`metrics_app`).
        quiet_paths: counted, but neither logged (unless they fail) nor traced.
        trusted_proxies: addresses or networks whose ``X-Forwarded-For`` is believed, such as
            ``("127.0.0.1", "10.0.0.0/8")``.
        detection: what to do about an injection attempt: ``observe`` records it, ``block`` also
            answers 403, ``off`` does not look.
    """

    def __init__(
        self,
        app: App,
        *,
        metrics_path: str | None = "/metrics",
        quiet_paths: Iterable[str] = ("/health", "/healthz", "/metrics", "/favicon.ico"),
        trusted_proxies: Iterable[str] = (),
        detection: Literal["observe", "block", "off"] = "observe",
    ) -> None:
        self._app = app
        self._metrics_path = metrics_path
        self._quiet = frozenset(quiet_paths)
        self._address = ClientAddress(trusted_proxies)
        self._detect = detection != "off"
        self._block = detection == "block"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, _flush_at_shutdown(send) if scope["type"] == "lifespan" else send)
            return
        path = scope["path"]
        if path == self._metrics_path and scope["method"] in {"GET", "HEAD"}:
            await metrics_app(scope, receive, send)
            return
        try:
            request, bound, span, detection = self._begin(scope, path)
        except Exception as error:  # noqa: BLE001  telemetry never stands between a request and its answer
            losses.count("setup", "request could not be observed", error)
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request.id.encode("ascii"))]
            await send(message)

        token = context.enter(bound)
        if span is not None:
            span.activate()
        in_flight = metrics.standard.in_flight
        in_flight.inc()
        start = time.perf_counter()
        failure: BaseException | None = None
        try:
            if detection is not None:
                self._report(detection, path)
                if self._block:
                    await _refuse(answer)
                    return
            await self._app(scope, receive, answer)
        except BaseException as error:
            failure = error
            raise
        finally:
            seconds = time.perf_counter() - start
            in_flight.dec()
            try:
                self._end(request, path, seconds, failure, span)
            except Exception as error:  # noqa: BLE001  telemetry never stands between a request and its answer
                losses.count("setup", "request could not be recorded", error)
            if span is not None:
                span.deactivate()
            context.leave(token)

    def _begin(self, scope: Scope, path: str) -> tuple[_Request, context.Bound, Span | None, Detection | None]:
        request_id = user_agent = forwarded = traceparent = tracestate = None
        for name, value in scope["headers"]:
            if name == b"user-agent":
                user_agent = value
            elif name == b"x-request-id":
                request_id = value
            elif name == b"traceparent":
                traceparent = value
            elif name == b"tracestate":
                tracestate = value
            elif name == b"x-forwarded-for":
                forwarded = value if forwarded is None else forwarded + b"," + value
        method = scope["method"]
        method = method if method in _METHODS else "OTHER"
        if request_id is not None and _REQUEST_ID.fullmatch(request_id):
            id = request_id.decode("ascii")
        else:
            id = secrets.token_hex(16)
        request = _Request(scope, method, id)
        client = scope.get("client")
        address = self._address.of(client[0] if client else "", forwarded)
        agent = None if user_agent is None else user_agent[:_MAX_USER_AGENT].decode("latin-1")
        bound = context.Bound(None, None, id, address or None, agent, None, request)
        span: Span | None = None
        if path not in self._quiet:
            parent = None
            if traceparent is not None:
                parent = extract(traceparent.decode("latin-1"), tracestate.decode("latin-1") if tracestate else None)
            span = start_span(method, kind=Kind.SERVER, parent=parent)
            if span.recording:
                span.attributes = {
                    "http.request.method": method,
                    "url.path": path,
                    "url.scheme": scope.get("scheme", "http"),
                    "client.address": address,
                    "http.request.id": id,
                }
                if agent:
                    span.attributes["user_agent.original"] = agent
        detection = (
            inspect(path, scope.get("query_string", b""), scope.get("raw_path") or b"") if self._detect else None
        )
        return request, bound, span, detection

    def _report(self, found: Detection, path: str) -> None:
        security.record(
            found.event_type,
            found.severity,
            details={
                "detector": found.kind,
                "where": found.where,
                "matched": found.matched,
                "path": path[:512],
                "blocked": self._block,
            },
        )

    def _end(
        self, request: _Request, path: str, seconds: float, failure: BaseException | None, span: Span | None
    ) -> None:
        # Without an answer the server sends 500, or, when the client has left, nobody gets any (nginx' 499).
        gone = failure is not None and not isinstance(failure, Exception)
        status = request.status or (499 if gone else 500)
        handler = request.handler() or "unmatched"
        method = request.method
        standard = metrics.standard
        standard.requests.labels(method, handler, str(status)).inc()
        standard.duration.labels(method, handler).observe(seconds)
        failed = status >= 500
        if span is not None and span.recording:
            span.name = f"{method} {handler}" if handler != "unmatched" else method
            span.attributes["http.response.status_code"] = status
            if handler != "unmatched":
                span.attributes["http.route"] = handler
            if request.user_id:
                span.attributes["enduser.id"] = request.user_id
            if isinstance(failure, Exception):
                span.record_exception(failure)
            elif failed:
                span.set_error(f"HTTP {status}")
        if failed or path not in self._quiet:
            now = runtime.current
            level = ERROR if failed else INFO
            if level >= now.threshold:
                milliseconds = round(seconds * 1000, 3)
                now.emit(
                    level,
                    "http",
                    f"{method} {path} {status} {milliseconds:.1f}ms",
                    operation=f"{method} {handler}",
                    user_id=request.user_id,
                    session_id=request.session_id,
                    exception=failure if isinstance(failure, Exception) else None,
                    performance=Performance(milliseconds),
                    metadata={"method": method, "path": path, "handler": handler, "status": status},
                )
        if isinstance(failure, Exception):
            # An exception class with slots refuses; it is reported twice then.
            with contextlib.suppress(AttributeError, TypeError):
                setattr(failure, LOGGED, True)
        if span is not None:
            span.end()


async def metrics_app(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI endpoint that answers with the metrics, in the format that the Accept header prefers."""
    accept = ""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = value.decode("latin-1")
    content_type, body = metrics.exposition(accept)
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _flush_at_shutdown(send: Send) -> Send:
    """Servers end by the signal that stopped them, and then nothing runs at exit: deliver before."""

    async def sending(message: Message) -> None:
        if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
            await asyncio.to_thread(runtime.current.flush)
        await send(message)

    return sending


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_BLOCKED)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _BLOCKED})
