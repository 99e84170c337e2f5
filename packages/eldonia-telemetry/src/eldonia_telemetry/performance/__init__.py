"""How long operations take and what they do meanwhile.

    with performance.timer("checkout") as measured:
        ...

    @performance.timer("resize")
    async def resize(...): ...

Database queries, cache hits and misses, calls to other services and errors inside are counted, by
themselves for SQLAlchemy, redis, httpx and requests (see :func:`eldonia_telemetry.init`), by
``measured.count_query()`` and its like for anything else. Requests that the middleware serves are
operations too. Each process has its own figures.
"""

import os

from eldonia_telemetry.performance import memory, operation_recorder, operations
from eldonia_telemetry.performance.operation_recorder import Thresholds, configure
from eldonia_telemetry.performance.operations import (
    Measurement,
    count_cache,
    count_error,
    count_external_call,
    count_query,
)
from eldonia_telemetry.performance.statistics import OperationReport, Report, Summary
from eldonia_telemetry.performance.timer import Timer


def timer(operation: str, *, slow: float | None = None, log: bool = True) -> Timer:
    """Measure ``operation``: use the result in a ``with`` or as a decorator, also of coroutine functions.

    Args:
        operation: a name out of a small set; ids belong into records, not here.
        slow: seconds after which a warning is logged, where the process' threshold (2) does not fit.
        log: write a performance record each time; leave it out for what runs thousands of times a second.
    """
    return Timer(operation, slow=slow, log=log)


def report() -> Report:
    """The figures of all operations since the start or the last :func:`clear`; durations in milliseconds."""
    return operation_recorder.statistics.report()


def clear() -> None:
    """Begin the report anew; metrics keep counting."""
    operation_recorder.statistics.clear()


def _after_fork() -> None:
    operations.after_fork()
    memory.after_fork()
    operation_recorder.after_fork()


os.register_at_fork(after_in_child=_after_fork)

__all__ = [
    "Measurement",
    "OperationReport",
    "Report",
    "Summary",
    "Thresholds",
    "Timer",
    "clear",
    "configure",
    "count_cache",
    "count_error",
    "count_external_call",
    "count_query",
    "report",
    "timer",
]
