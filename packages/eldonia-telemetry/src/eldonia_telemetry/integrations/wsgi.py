"""The middleware for WSGI applications (Flask, Django, Falcon, Bottle, Pyramid, …).

    app.wsgi_app = TelemetryWSGI(app.wsgi_app)  # Flask
    application = TelemetryWSGI(get_wsgi_application())  # Django

What it does for every request is in :mod:`eldonia_telemetry.integrations.http_server`. It answers
``GET /metrics`` itself and returns the request's id in ``X-Request-ID``.
"""

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

from eldonia_telemetry import dropped_data, metrics
from eldonia_telemetry.integrations import frameworks, routes
from eldonia_telemetry.integrations.http_server import (
    QUIET_PATHS,
    REFUSED,
    Detecting,
    Exchange,
    Observer,
)
from eldonia_telemetry.integrations.sign_in import LOGIN_PATHS
from eldonia_telemetry.security.body import MAX_BODY

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[..., Any]

_HEADERS: Final = tuple(
    (f"HTTP_{name.upper().replace('-', '_')}", name.encode())
    for name in (
        *("user-agent", "x-request-id", "traceparent", "tracestate", "x-forwarded-for", "x-forwarded-host"),
        *("cookie", "origin", "host", "sec-fetch-site", "x-csrftoken", "x-xsrf-token"),
    )
)


class TelemetryWSGI:
    """Wraps a WSGI application; the arguments are those of :class:`eldonia_telemetry.TelemetryMiddleware`.

    Args:
        app: the application.
        metrics_path: answered here with the metrics; None to leave it to the application.
        quiet_paths: counted, but neither logged (unless they fail) nor traced.
        trusted_proxies: addresses or networks whose ``X-Forwarded-For`` is believed.
        detection: ``observe``, ``block`` or ``off``. Bodies of forms and JSON of at most 16 KiB are read
            before the application runs, which reads them again.
        trusted_origins: other sites whose pages may post here with the user's cookies.
        login_paths: ends of paths where a POST that is refused is reported as a failed login.
        route: the template of a request's route by its environment, '' where there is none, for routers that are
            not recognised. Where it gives '' or raises, what is recognised applies.
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
        route: Callable[[Environ], str] | None = None,
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

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        path = routes.decoded(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
        method = environ["REQUEST_METHOD"]
        if path == self._metrics_path and method in {"GET", "HEAD"}:
            return _metrics(environ, start_response)
        try:
            exchange = self._begin(environ, method, path)
        except Exception as error:  # noqa: BLE001  telemetry never breaks a request
            dropped_data.count("setup", "request could not be observed", error)
            return self._app(environ, start_response)

        def answer(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            with contextlib.suppress(ValueError):
                exchange.status = int(status[:3])
            exchange.flush()  # Flask forgets the route when it has answered
            own = exchange.answers(headers)
            if more and more[0]:  # PEP 3333: an exception that became this answer, such as Bottle's
                exchange.caught = more[0][1]
            return start_response(status, headers if own else [*headers, ("X-Request-ID", exchange.id)], *more)

        exchange.enter()
        try:
            if exchange.body is not None:
                _read_ahead(exchange, environ)
                if self._observer.blocks:
                    exchange.look_at_body()
            if exchange.findings and exchange.refuse():
                headers = [("Content-Type", "application/json"), ("Content-Length", str(len(REFUSED)))]
                answer("403 Forbidden", headers)
                exchange.end()
                return [REFUSED]
            body = self._app(environ, answer)
        except BaseException as error:
            exchange.end(error)
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            exchange.end()  # the server sends the file by itself, if no other middleware wraps it
            return body
        return _Body(body, exchange)

    def _begin(self, environ: Environ, method: str, path: str) -> Exchange:
        headers = {name: environ[key].encode("latin-1", "replace") for key, name in _HEADERS if key in environ}
        kind = environ.get("CONTENT_TYPE")
        if kind:
            headers[b"content-type"] = kind.encode("latin-1", "replace")
        route = partial(routes.wsgi, environ)
        raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        return self._observer.begin(
            method,
            path,
            environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
            raw.partition("?")[0].encode("latin-1", "replace"),
            environ.get("wsgi.url_scheme", "http"),
            environ.get("REMOTE_ADDR", ""),
            headers,
            route if self._own_route is None else partial(routes.by_hand, self._own_route, environ, route),
        )


class _Body:
    """The answer's body; when it has been sent, or the client has left, the exchange ends."""

    def __init__(self, inner: Iterable[bytes], exchange: Exchange) -> None:
        self._inner = inner
        self._exchange: Exchange | None = exchange
        self._failure: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._inner:
                exchange = self._exchange
                if exchange is not None and exchange.answer_html is not None:
                    exchange.keep_answer(chunk)
                yield chunk
        except Exception as error:
            self._failure = error
            raise

    def close(self) -> None:
        """Close the application's iterable, which may still log, then end."""
        try:
            close = getattr(self._inner, "close", None)
            if close is not None:
                close()
        finally:
            exchange, self._exchange = self._exchange, None
            if exchange is not None:
                exchange.end(self._failure)


def _read_ahead(exchange: Exchange, environ: Environ) -> None:
    """Read a small body of known length and put it back."""
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    if 0 < length <= MAX_BODY:
        body = environ["wsgi.input"].read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        exchange.keep(body)
    else:
        exchange.body = None


def _metrics(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    content_type, body = metrics.exposition(environ.get("HTTP_ACCEPT", ""))
    start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
