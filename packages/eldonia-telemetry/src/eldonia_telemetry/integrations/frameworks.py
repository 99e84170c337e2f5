"""What frameworks know and do not hand to their server: the routes of Quart, Falcon, Pyramid and Datasette,
exceptions that became answers, refused sign-ins and forged forms.

Nothing is imported here that the application has not imported itself.
"""

import contextlib
import functools
import logging
import sys
import threading
from typing import Any, Final

from eldonia_telemetry import auth, dropped_data, runtime, security
from eldonia_telemetry.integrations import http_server
from eldonia_telemetry.integrations.routes import template_of

_lock = threading.Lock()
_watched: set[str] = set()

_FORGED: Final = ("CSRF token from", "CSRF token incorrect", "Origin checking failed", "Referer checking failed")


def watch(app: Any) -> None:
    """Connect to the signals of the frameworks that are in use; once each. Never raises."""
    for name, connect in (("flask", _flask), ("django", _django), ("quart", _quart), ("datasette.app", _datasette)):
        with _lock:
            if name in _watched or name not in sys.modules:
                continue
            _watched.add(name)
        try:
            connect()
        except Exception as error:  # noqa: BLE001  telemetry never raises into its host
            dropped_data.count("setup", f"{name} cannot be watched", error)
    try:
        hooks = getattr(app, "after_exception", None)  # Litestar
        if isinstance(hooks, list) and "litestar" in sys.modules and _litestar_failed not in hooks:
            hooks.append(_litestar_failed)
        if "falcon" in sys.modules:
            _falcon(app)
        if "pyramid.router" in sys.modules:
            _pyramid(app)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("setup", f"{type(app).__name__} cannot be watched", error)


def _quart() -> None:
    from quart import got_request_exception, request, request_started

    async def started(_: Any, **__: Any) -> None:
        rule = request.url_rule
        if rule is not None:
            _matched(rule.rule, request.root_path)

    async def failed(sender: Any = None, *, exception: BaseException | None = None, **_: Any) -> None:
        _failed(sender, exception=exception)

    # Coroutine functions: Quart would run plain ones in another thread.
    request_started.connect(started, weak=False)
    got_request_exception.connect(failed, weak=False)


class _FalconRoute:
    """A middleware of Falcon's that only notes the route: neither environment nor scope has it."""

    def process_resource(self, req: Any, resp: Any, resource: Any, params: Any) -> None:
        """Note it, once it is known."""
        _falcon_matched(req)

    async def process_resource_async(self, req: Any, resp: Any, resource: Any, params: Any) -> None:
        """The same of an ASGI application."""
        _falcon_matched(req)


_falcon_route: Final = _FalconRoute()


def _falcon(app: Any) -> None:
    import falcon

    known = getattr(app, "_eldonia_telemetry", False)
    if isinstance(app, falcon.App) and not known:
        app.add_middleware(_falcon_route)
        # An application whose class has slots gets the middleware again when it is wrapped again; it notes the same.
        with contextlib.suppress(AttributeError):
            app._eldonia_telemetry = True  # type: ignore[attr-defined]


def _falcon_matched(req: Any) -> None:
    if req.uri_template:
        _matched(req.uri_template, req.root_path)


def _pyramid(app: Any) -> None:
    from pyramid.interfaces import IBeforeTraversal
    from pyramid.router import Router

    if isinstance(app, Router) and not getattr(app, "_eldonia_telemetry", False):
        app._eldonia_telemetry = True  # type: ignore[attr-defined]
        app.registry.registerHandler(_pyramid_matched, (IBeforeTraversal,))


def _pyramid_matched(event: Any) -> None:
    route = getattr(event.request, "matched_route", None)
    if route is not None:
        _matched("/" + route.pattern.lstrip("/"), event.request.script_name)


def _datasette() -> None:
    """Its router hands copies of the scope on, so the function that looks a path up is wrapped."""
    app = sys.modules["datasette.app"]
    resolve = getattr(app, "resolve_routes", None)
    if resolve is None:
        return

    @functools.wraps(resolve)
    def resolving(routes: Any, path: Any) -> Any:
        found = resolve(routes, path)
        try:
            if found[0] is not None:
                _matched(template_of(found[0].re.pattern))
        except Exception as error:  # noqa: BLE001  telemetry never raises into its host
            dropped_data.count("setup", "the route of a request could not be read", error)
        return found

    app.resolve_routes = resolving  # type: ignore[attr-defined]


def _matched(template: str, root: str = "") -> None:
    request = http_server.current()
    if request is not None:
        request.matched(root + template if root and request.path.startswith(root) else template)


def _flask() -> None:
    from flask import got_request_exception

    got_request_exception.connect(_failed)


def _django() -> None:
    from django.core.signals import got_request_exception

    got_request_exception.connect(_failed)
    if runtime.current.settings.instrument:
        from eldonia_telemetry.integrations import django_database

        django_database.connect()
    logging.getLogger("django.security.csrf").addFilter(_forged)
    if "django.contrib.auth" in sys.modules:
        from django.contrib.auth.signals import user_login_failed

        user_login_failed.connect(_login_failed)


def _failed(sender: Any = None, *, exception: BaseException | None = None, **_: Any) -> None:
    error = exception or sys.exc_info()[1]
    if error is not None:
        http_server.caught(error)


async def _litestar_failed(error: Exception, scope: Any) -> None:
    if getattr(error, "status_code", 500) >= 500:
        http_server.caught(error)


def _login_failed(credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    names = ("username", "email", *(name for name in credentials if "password" not in name))
    account = next((credentials[name] for name in names if credentials.get(name)), None)
    auth.signalled(account, reason="refused by django.contrib.auth")


def _forged(record: logging.LogRecord) -> bool:
    # "Forbidden (%s): %s" with the reason and the path
    reason = record.args[0] if isinstance(record.args, tuple) and record.args else None
    if isinstance(reason, str) and reason.startswith(_FORGED):
        request_in_progress = http_server.current()
        if request_in_progress is not None:
            if request_in_progress.forged:  # by its headers
                return True
            request_in_progress.forged = True
        security.record("csrf_attempt", "medium", details={"detector": "django", "matched": reason[:200]})
    return True
