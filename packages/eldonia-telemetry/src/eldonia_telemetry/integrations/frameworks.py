"""What frameworks know and do not hand to their server: Django's routes, exceptions that became answers,
refused sign-ins and forged forms.

Nothing is imported here that the application has not imported itself.
"""

import logging
import sys
import threading
from typing import Any, Final

from eldonia_telemetry import auth, losses, security
from eldonia_telemetry.integrations import exchange
from eldonia_telemetry.performance import measurement

_lock = threading.Lock()
_watched: set[str] = set()

_FORGED: Final = ("CSRF token from", "CSRF token incorrect", "Origin checking failed", "Referer checking failed")


def watch(app: Any) -> None:
    """Connect to the signals of the frameworks that are in use; once each. Never raises."""
    for name, connect in (("flask", _flask), ("django", _django)):
        with _lock:
            if name in _watched or name not in sys.modules:
                continue
            _watched.add(name)
        try:
            connect()
        except Exception as error:  # noqa: BLE001  telemetry never raises into its host
            losses.count("setup", f"{name} cannot be watched", error)
    hooks = getattr(app, "after_exception", None)  # Litestar
    if isinstance(hooks, list) and "litestar" in sys.modules and _litestar_failed not in hooks:
        hooks.append(_litestar_failed)


def django_route(path: str) -> str:
    """The route that Django's URL configuration has for a path below the script's name; '' when it has none."""
    if "django.urls" not in sys.modules:
        return ""
    from django.conf import settings
    from django.urls import Resolver404, resolve

    if not settings.configured or not getattr(settings, "ROOT_URLCONF", None):
        return ""
    try:
        return "/" + (resolve(path).route or "").removeprefix("^").removesuffix("$").removeprefix("/")
    except Resolver404:
        return ""


def _flask() -> None:
    from flask import got_request_exception

    got_request_exception.connect(_failed)


def _django() -> None:
    from django.core.signals import got_request_exception
    from django.db.backends.signals import connection_created

    got_request_exception.connect(_failed)
    connection_created.connect(_connected)
    logging.getLogger("django.security.csrf").addFilter(_forged)
    if "django.contrib.auth" in sys.modules:
        from django.contrib.auth.signals import user_login_failed

        user_login_failed.connect(_login_failed)


def _failed(sender: Any = None, *, exception: BaseException | None = None, **_: Any) -> None:
    error = exception or sys.exc_info()[1]
    if error is not None:
        exchange.caught(error)


async def _litestar_failed(error: Exception, scope: Any) -> None:
    if getattr(error, "status_code", 500) >= 500:
        exchange.caught(error)


def _connected(connection: Any, **_: Any) -> None:
    if _statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_statement)


def _statement(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    measurement.count_query()
    try:
        return execute(sql, params, many, context)
    except Exception as error:
        measurement.count_error(error)
        raise


def _login_failed(credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    names = ("username", "email", *(name for name in credentials if "password" not in name))
    account = next((credentials[name] for name in names if credentials.get(name)), None)
    auth.failed_login(account, reason="refused by django.contrib.auth")


def _forged(record: logging.LogRecord) -> bool:
    # "Forbidden (%s): %s" with the reason and the path
    reason = record.args[0] if isinstance(record.args, tuple) and record.args else None
    if isinstance(reason, str) and reason.startswith(_FORGED):
        security.record("csrf_attempt", "medium", details={"detector": "django", "matched": reason[:200]})
    return True
