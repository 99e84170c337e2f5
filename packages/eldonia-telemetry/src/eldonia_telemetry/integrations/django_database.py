"""Spans, durations and the count of the SQL statements of Django's connections.

:func:`eldonia_telemetry.init` connects them by itself, and so do the middlewares. What is recorded of a statement is in
:mod:`eldonia_telemetry.integrations.database`. Django wraps every execution, also those of cursors that the
application opens itself (https://docs.djangoproject.com/en/stable/topics/db/instrumentation/).
"""

from typing import Any

from django.conf import settings
from django.db import connections
from django.db.backends.signals import connection_created

from eldonia_telemetry import dropped_data
from eldonia_telemetry.integrations import database


def connect() -> None:
    """Watch every connection of Django's, also those made later. Twice is once."""
    connection_created.connect(_connected, dispatch_uid="eldonia_telemetry")
    if settings.configured:  # those of this thread that are open already
        for connection in connections.all(initialized_only=True):
            _connected(connection)


def _connected(connection: Any, **_: Any) -> None:
    if _statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(_statement)


def _statement(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    started: database.Statement | None = None
    try:
        connection = context["connection"]
        where = connection.settings_dict
        text = sql if isinstance(sql, str) else _composed(sql, connection)
        name, host = str(where.get("NAME") or ""), str(where.get("HOST") or "")
        started = database.begin(connection.vendor, text, name, host)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("span", "statement could not be observed", error)
    try:
        answer = execute(sql, params, many, context)
    except BaseException as error:
        if started is not None:
            database.end(started, error)
        raise
    if started is not None:
        database.end(started, None)
    return answer


def _composed(sql: Any, connection: Any) -> str:
    """The text of a statement that psycopg has put together (``psycopg.sql.Composable``)."""
    return sql.as_string(connection.connection) if hasattr(sql, "as_string") else str(sql)
