"""What every statement sent to a database leaves, whatever library sends it: the count, its duration and a span.

A statement gets a span when it runs inside another (so a trace never consists of a lone query). Attributes follow
OpenTelemetry's conventions for databases; the statement's text is recorded without its parameters.
"""

import time
from dataclasses import dataclass
from typing import Final

from eldonia_telemetry import dropped_data, metrics
from eldonia_telemetry.performance import operations
from eldonia_telemetry.traces import Kind, Span, current_span, start_span

MAX_STATEMENT: Final = 2048
"""Characters of a statement's text that are recorded."""
_OPERATIONS: Final = frozenset(
    {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "CREATE", "DROP", "ALTER", "PRAGMA", "SET", "SHOW"}
)
_SYSTEMS: Final = {"mssql": "microsoft.sql_server", "microsoft": "microsoft.sql_server", "oracle": "oracle.db"}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that is being executed; ``started`` is :func:`time.perf_counter`'s seconds."""

    system: str
    operation: str
    span: Span | None
    started: float


def begin(system: str, text: str, database: str, host: str) -> Statement:
    """Count a statement and start its span. ``system`` is the library's name of the kind of database."""
    operations.count_query()
    operation = text.lstrip()[:20].partition(" ")[0].partition("\n")[0].upper()
    operation = operation if operation in _OPERATIONS else "OTHER"
    system = _SYSTEMS.get(system, system)
    span: Span | None = None
    parent = current_span()
    if parent is not None and parent.recording:
        span = start_span(f"{operation} {database.rpartition('/')[2]}".rstrip(), kind=Kind.CLIENT)
        span.set_attributes(
            {
                "db.system.name": system,
                "db.namespace": database,
                "db.operation.name": operation,
                "db.query.text": text[:MAX_STATEMENT],
            }
        )
        if host:
            span.set_attribute("server.address", host)
    return Statement(system, operation, span, time.perf_counter())


def end(statement: Statement, failure: BaseException | None) -> None:
    """Observe the duration and end the span. Never raises."""
    try:
        metrics.standard.database.labels(statement.system, statement.operation).observe(
            time.perf_counter() - statement.started
        )
        if isinstance(failure, Exception):
            operations.count_error(failure)
        span = statement.span
        if span is not None:
            if failure is not None:
                span.record_exception(failure)
            span.end()
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("span", "statement could not be observed", error)
