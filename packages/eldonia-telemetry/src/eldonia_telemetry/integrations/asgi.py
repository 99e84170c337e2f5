"""The middleware for ASGI applications (FastAPI, Starlette, Litestar, Django, Quart, Falcon, Datasette, …).

    app.add_middleware(TelemetryMiddleware)

What it does for every request is in :mod:`eldonia_telemetry.integrations.http_server`. It answers
``GET /metrics`` itself and returns the request's id in ``X-Request-ID``.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import partial
from typing import Any

from eldonia_telemetry import dropped_data, metrics
from eldonia_telemetry.integrations import frameworks, lifespan, routes
from eldonia_telemetry.integrations.http_server import (
    QUIET_PATHS,
    REFUSED,
    Detecting,
    Exchange,
    Observer,
)
from eldonia_telemetry.integrations.sign_in import LOGIN_PATHS
from eldonia_telemetry.security.body import MAX_BODY

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[..., Any]


class TelemetryMiddleware:
    """Wraps an ASGI application.

    Args:
        app: the application.
        metrics_path: answered here with the metrics; None to serve them yourself (:func:`metrics_app`).
        quiet_paths: counted, but neither logged (unless they fail) nor traced.
        trusted_proxies: addresses or networks whose ``X-Forwarded-For`` is believed, such as
            ``("127.0.0.1", "10.0.0.0/8")``.
        detection: what to do about an attack: ``observe`` records it, ``block`` also answers 403,
            ``off`` does not look. To block, bodies of forms and JSON are read before the application runs,
            16 KiB at most.
        trusted_origins: other sites whose pages may post here with the user's cookies, such as
            ``("https://pay.example",)``.
        login_paths: ends of paths where a POST that is refused (400, 401, 403, 422, or 200 with the form again) is
            reported as a failed login, unless the application does (:func:`eldonia_telemetry.auth.failed_login`).
        route: the template of a request's route by its scope, '' where there is none, for routers that are not
            recognised. It is asked while the application runs and after it, so it may read what that puts into
            the scope. Where it gives '' or raises, what is recognised applies.
    """

    def __init__(
        self,
        app: App,
        *,
        metrics_path: str | None = "/metrics",
        quiet_paths: Iterable[str] = QUIET_PATHS,
        trusted_proxies: Iterable[str] = (),
        detection: Detecting = "observe",
        trusted_origins: Iterable[str] = (),
        login_paths: Iterable[str] = LOGIN_PATHS,
        route: Callable[[Scope], str] | None = None,
    ) -> None:
        self._app = app
        self._metrics_path = metrics_path
        self._own_route = route
        self._observer = Observer(
            quiet_paths=quiet_paths,
            trusted_proxies=trusted_proxies,
            detection=detection,
            trusted_origins=trusted_origins,
            login_paths=login_paths,
        )
        frameworks.watch(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await lifespan.live(self._app, scope, receive, send)
            else:
                await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path == self._metrics_path and scope["method"] in {"GET", "HEAD"}:
            await metrics_app(scope, receive, send)
            return
        try:
            exchange = self._begin(scope, path)
        except Exception as error:  # noqa: BLE001  telemetry never breaks a request
            dropped_data.count("setup", "request could not be observed", error)
            await self._app(scope, receive, send)
            return

        def answer(message: Message) -> Awaitable[None]:  # a coroutine of its own would only cost time
            kind = message["type"]
            if kind == "http.response.start":
                exchange.status = message["status"]
                headers = [*message.get("headers", ())]
                if not exchange.answers(headers):
                    headers.append((b"x-request-id", exchange.id_bytes))
                message["headers"] = headers
            elif exchange.answer_html is not None and kind == "http.response.body":
                exchange.keep_answer(message.get("body", b""))
            return send(message)

        exchange.enter()
        failure: BaseException | None = None
        try:
            if exchange.body is not None:
                if self._observer.blocks:
                    receive = await _read_ahead(exchange, receive)
                    exchange.look_at_body()
                else:
                    receive = _copying(exchange, receive)
            if exchange.findings and exchange.refuse():
                await _refuse(answer)
                return
            await self._app(scope, receive, answer)
        except BaseException as error:
            failure = error
            raise
        finally:
            exchange.end(failure)

    def _begin(self, scope: Scope, path: str) -> Exchange:
        pairs = scope["headers"]
        headers = dict(pairs)
        if b"x-request-id" in headers:  # the first, as the application sees it
            headers[b"x-request-id"] = next(value for name, value in pairs if name == b"x-request-id")
        if b"x-forwarded-for" in headers:
            headers[b"x-forwarded-for"] = b",".join(value for name, value in pairs if name == b"x-forwarded-for")
        client = scope.get("client")
        route = partial(routes.asgi, scope, scope.get("root_path", ""))
        return self._observer.begin(
            scope["method"],
            path,
            scope.get("query_string", b""),
            scope.get("raw_path") or b"",
            scope.get("scheme", "http"),
            client[0] if client else "",
            headers,
            route if self._own_route is None else partial(routes.by_hand, self._own_route, scope, route),
        )


def _copying(exchange: Exchange, receive: Receive) -> Receive:
    """Hand messages on as they come, and keep the beginning of the body to look at afterwards."""

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            exchange.keep(message.get("body", b""))
        return message

    return receiving


async def _read_ahead(exchange: Exchange, receive: Receive) -> Receive:
    """Read the body as far as it is looked at; what has been read is then received again."""
    waiting: list[Message] = []
    size = 0
    while size <= MAX_BODY:
        message = await receive()
        waiting.append(message)
        if message["type"] != "http.request":
            break
        chunk = message.get("body", b"")
        exchange.keep(chunk)
        size += len(chunk)
        if not message.get("more_body", False):
            break
    waiting.reverse()

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving


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


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(REFUSED)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSED})
