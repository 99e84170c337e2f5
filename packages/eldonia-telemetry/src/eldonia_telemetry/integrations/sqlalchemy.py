"""Spans, durations and the count of SQL statements, through SQLAlchemy's events.

:func:`eldonia_telemetry.init` connects all engines by itself. To watch a single one:

    engine = create_engine(url)
    instrument(engine)

A statement gets a span when it runs inside another (so a trace never consists of a lone query).
The statement's text is recorded without its parameters.
"""

import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext

from eldonia_telemetry import losses, metrics
from eldonia_telemetry.performance import measurement
from eldonia_telemetry.traces import Kind, Span, current_span, start_span

MAX_STATEMENT: Final = 2048
_KEY: Final = "eldonia_telemetry"
_OPERATIONS: Final = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "CREATE", "DROP", "ALTER", "PRAGMA", "SET", "SHOW"}
)


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
        if known is not None and known[4] is cursor:
            return  # watched twice: as this engine and as one of all
        measurement.count_query()
        operation = statement.lstrip()[:20].partition(" ")[0].partition("\n")[0].upper()
        operation = operation if operation in _OPERATIONS else "OTHER"
        span: Span | None = None
        parent = current_span()
        if parent is not None and parent.recording:
            url = connection.engine.url
            database = url.database or ""
            span = start_span(f"{operation} {database.rpartition('/')[2]}".rstrip(), kind=Kind.CLIENT)
            span.set_attributes(
                {
                    "db.system.name": _system(connection.dialect.name),
                    "db.namespace": database,
                    "db.operation.name": operation,
                    "db.query.text": statement[:MAX_STATEMENT],
                }
            )
            if url.host:
                span.set_attribute("server.address", url.host)
        connection.info[_KEY] = (span, time.perf_counter(), _system(connection.dialect.name), operation, cursor)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        losses.count("span", "statement could not be observed", error)


def _after(connection: Any, *_: Any) -> None:
    _end(connection, None)


def _error(context: ExceptionContext) -> None:
    if context.connection is not None:
        _end(context.connection, context.original_exception)


def _end(connection: Any, failure: BaseException | None) -> None:
    try:
        started = connection.info.pop(_KEY, None)
        if started is None:
            return
        span, at, system, operation, _ = started
        metrics.standard.database.labels(system, operation).observe(time.perf_counter() - at)
        if failure is not None:
            measurement.count_error(failure)
        if span is not None:
            if failure is not None:
                span.record_exception(failure)
            span.end()
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        losses.count("span", "statement could not be observed", error)


def _system(dialect: str) -> str:
    return {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}.get(dialect, dialect)
