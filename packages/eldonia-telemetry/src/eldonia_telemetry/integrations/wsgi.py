"""The middleware for WSGI applications (Flask, Django, Bottle, …).

    app.wsgi_app = TelemetryWSGI(app.wsgi_app)  # Flask
    application = TelemetryWSGI(get_wsgi_application())  # Django

What it does for every request stands in :mod:`eldonia_telemetry.integrations.exchange`. It answers
``GET /metrics`` itself and returns the request's id in ``X-Request-ID``.
"""

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from eldonia_telemetry import losses, metrics
from eldonia_telemetry.integrations import frameworks
from eldonia_telemetry.integrations.exchange import (
    LOGIN_PATHS,
    QUIET_PATHS,
    REFUSED,
    Detecting,
    Exchange,
    Observer,
)
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
        login_paths: ends of paths where the answer 401 to a POST is reported as a failed login.
        route: tells the route's template by the environment, '' when there is none, for frameworks
            other than Flask and Django.
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
        self._route = route or _route
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
        path = _decoded(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
        method = environ["REQUEST_METHOD"]
        if path == self._metrics_path and method in {"GET", "HEAD"}:
            return _metrics(environ, start_response)
        try:
            exchange = self._begin(environ, method, path)
        except Exception as error:  # noqa: BLE001  telemetry never stands between a request and its answer
            losses.count("setup", "request could not be observed", error)
            return self._app(environ, start_response)

        def answer(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            with contextlib.suppress(ValueError):
                exchange.status = int(status[:3])
            exchange.settle()  # Flask forgets the route when it has answered
            return start_response(status, [*headers, ("X-Request-ID", exchange.id)], *more)

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
            exchange.end()  # the server sends the file by itself, as long as nobody wraps it
            return body
        return _Body(body, exchange)

    def _begin(self, environ: Environ, method: str, path: str) -> Exchange:
        headers = {name: environ[key].encode("latin-1", "replace") for key, name in _HEADERS if key in environ}
        kind = environ.get("CONTENT_TYPE")
        if kind:
            headers[b"content-type"] = kind.encode("latin-1", "replace")
        raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        return self._observer.begin(
            method,
            path,
            environ.get("QUERY_STRING", "").encode("latin-1", "replace"),
            raw.partition("?")[0].encode("latin-1", "replace"),
            environ.get("wsgi.url_scheme", "http"),
            environ.get("REMOTE_ADDR", ""),
            headers,
            lambda: self._route(environ),
        )


class _Body:
    """The answer's body; when it has been sent, or the client has left, the exchange ends."""

    def __init__(self, inner: Iterable[bytes], exchange: Exchange) -> None:
        self._inner = inner
        self._exchange: Exchange | None = exchange
        self._failure: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._inner
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


def _route(environ: Environ) -> str:
    """What Flask (a Werkzeug request with a rule) or Django's URL configuration says."""
    request = environ.get("werkzeug.request")
    if request is not None:
        rule = getattr(request, "url_rule", None)
        return environ.get("SCRIPT_NAME", "") + rule.rule if rule is not None else ""
    known = environ.get("eldonia_telemetry.route")
    if known is None:
        known = environ["eldonia_telemetry.route"] = frameworks.django_route(_decoded(environ.get("PATH_INFO", "/")))
    return known


def _decoded(path: str) -> str:
    """WSGI hands bytes over as Latin-1 (PEP 3333); they are nearly always UTF-8."""
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def _metrics(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    content_type, body = metrics.exposition(environ.get("HTTP_ACCEPT", ""))
    start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
