"""What follows when an operation ends: statistics, metrics, a record, and a warning past a threshold."""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eldonia_telemetry import dropped_data, metrics, process, runtime
from eldonia_telemetry.metrics.standard import DURATION_BUCKETS
from eldonia_telemetry.performance import memory
from eldonia_telemetry.performance.operations import Measurement
from eldonia_telemetry.performance.statistics import Statistics
from eldonia_telemetry.records import INFO, WARN, Performance

_MEMORY_AGAIN: Final = 60.0
"""Seconds between two warnings about memory: it is a state of the process, not an event of each operation."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """``slow`` in seconds; ``memory`` as a share of the real limit, 0 to 1."""

    slow: float = 2.0
    memory: float = 0.8


statistics = Statistics()
thresholds = Thresholds()

_durations = metrics.histogram(
    "operation_duration_seconds", "Time that measured operations took.", ("operation",), buckets=DURATION_BUCKETS
)
_alerts = metrics.counter(
    "performance_alerts_total", "Operations past a threshold: slow, errors, memory.", ("operation", "kind")
)
_memory_lock = threading.Lock()
_memory_said = -math.inf


def configure(*, slow: float | None = None, memory: float | None = None) -> Thresholds:
    """Change the thresholds: ``slow`` seconds, ``memory`` as a share of the limit. What makes no sense is ignored."""
    global thresholds  # noqa: PLW0603
    thresholds = replace(
        thresholds,
        slow=thresholds.slow if slow is None else _threshold("slow", slow, math.inf, thresholds.slow),
        memory=thresholds.memory if memory is None else _threshold("memory", memory, 1.0, thresholds.memory),
    )
    return thresholds


def _threshold(name: str, given: float, most: float, before: float) -> float:
    try:
        if 0 < given <= most:
            return float(given)
        raise ValueError(f"{given} is not above 0 and at most {most}")
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("setup", f"the threshold {name} is not usable, it stays as it was", error)
        return before


def finish(
    measured: Measurement,
    milliseconds: float,
    error: BaseException | None,
    *,
    cpu_milliseconds: float,
    slow: float | None = None,
    log: bool = True,
) -> None:
    """End an operation that a timer measured. Never raises."""
    try:
        operation = measured.name
        if isinstance(error, Exception):
            measured.count_error(error)
        _durations.labels(operation).observe(milliseconds / 1000)
        limit = (thresholds.slow if slow is None else slow) * 1000
        record(operation, milliseconds, measured, slow=milliseconds > limit)
        now = runtime.current
        if log and now.threshold <= INFO:
            now.emit(
                INFO,
                "performance",
                f"Performance: {operation} completed in {milliseconds:.4g}ms",
                operation=operation,
                performance=Performance(
                    round(milliseconds, 3), process.resident_bytes(), round(max(0.0, cpu_milliseconds), 3)
                ),
                metadata=measured.counts(),
            )
        if milliseconds > limit:
            _warn("Slow operation detected", operation, {"duration": round(milliseconds, 3), "threshold": limit})
        if measured.errors:
            _warn("Errors detected during operation", operation, {"errorCount": measured.errors})
    except Exception as failure:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("metric", "operation could not be measured", failure)


def record(operation: str, milliseconds: float, measured: Measurement, *, slow: bool) -> None:
    """Put an operation into the statistics and count what went past a threshold."""
    statistics.add(operation, milliseconds, measured, slow=slow)
    if slow:
        _alerts.labels(operation, "slow").inc()
    if measured.errors:
        _alerts.labels(operation, "errors").inc()
    _look_at_memory(operation)


def record_plain(operation: str, milliseconds: Sequence[float]) -> None:
    """The same for operations of one name in which nothing was to be counted, none of them slow."""
    statistics.add_plain(operation, milliseconds)
    _look_at_memory(operation, len(milliseconds))


def slow_request(operation: str, milliseconds: float) -> None:
    """Warn about a request that took longer than the threshold; its failure is in the access record already."""
    limit = thresholds.slow * 1000
    _warn("Slow operation detected", operation, {"duration": round(milliseconds, 3), "threshold": limit})


def _look_at_memory(operation: str, operations: int = 1) -> None:
    use = memory.current()
    if use.share > thresholds.memory:
        _alerts.labels(operation, "memory").inc(operations)
        _warn_about_memory(operation, use)


def _warn_about_memory(operation: str, use: memory.MemoryUse) -> None:
    global _memory_said  # noqa: PLW0603
    now = time.monotonic()
    with _memory_lock:
        if now < _memory_said + _MEMORY_AGAIN:
            return
        _memory_said = now
    facts: dict[str, Any] = {
        "memoryUsagePercent": round(use.share * 100, 1),
        "usedBytes": use.used_bytes,
        "limitBytes": use.limit_bytes,
        "limit": use.source,
        "threshold": thresholds.memory * 100,
    }
    _warn("High memory usage", operation, facts)


def _warn(what: str, operation: str, facts: dict[str, Any]) -> None:
    now = runtime.current
    if now.threshold <= WARN:
        now.emit(WARN, "performance", f"Performance alert: {what}", operation=operation, metadata=facts)


def after_fork() -> None:
    """Replace the locks: another thread may have held one when the process forked."""
    global _memory_lock  # noqa: PLW0603
    _memory_lock = threading.Lock()
    statistics.after_fork()
