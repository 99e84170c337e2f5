"""Spans, durations and the count of SQL statements, through SQLAlchemy's events.

:func:`eldonia_telemetry.init` connects all engines by itself. To watch a single one:

    engine = create_engine(url)
    instrument(engine)

What is recorded of a statement is in :mod:`eldonia_telemetry.integrations.database`.
"""

from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

from eldonia_telemetry import dropped_data
from eldonia_telemetry.integrations import database

_KEY: Final = "eldonia_telemetry"


def instrument(engine: Any) -> None:
    """Watch an ``Engine`` or an ``AsyncEngine``. Twice is once."""
    _listen(getattr(engine, "sync_engine", engine))


def connect() -> None:
    """Watch every engine, also those made later. Twice is once."""
    _listen(Engine)


def _listen(target: Any) -> None:
    if not event.contains(target, "before_cursor_execute", _before):
        event.listen(target, "before_cursor_execute", _before)
        event.listen(target, "after_cursor_execute", _after)
        event.listen(target, "handle_error", _error)


def _before(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
    try:
        known = connection.info.get(_KEY)
        if known is not None and known[1] is cursor:
            return  # watched twice: as this engine and as one of all
        url = connection.engine.url
        started = database.begin(connection.dialect.name, statement, url.database or "", url.host or "")
        connection.info[_KEY] = (started, cursor)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("span", "statement could not be observed", error)


def _after(connection: Any, *_: Any) -> None:
    _end(connection, None)


def _error(context: ExceptionContext) -> None:
    if context.connection is not None:
        _end(context.connection, context.original_exception)


def _end(connection: Any, failure: BaseException | None) -> None:
    try:
        known = connection.info.pop(_KEY, None)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("span", "statement could not be observed", error)
        return
    if known is not None:
        database.end(known[0], failure)
