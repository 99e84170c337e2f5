"""What operations have taken so far, in bounded memory, and the report of it."""

import threading
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from eldonia_telemetry import dropped_data
from eldonia_telemetry.performance.operations import Measurement
from eldonia_telemetry.performance.quantiles import Sketch

MAX_OPERATIONS: Final = 1000
"""Names that are kept apart; later ones share one that reads ``other``."""
OVERFLOW: Final = "other"


class Summary(msgspec.Struct, frozen=True, rename="camel"):
    """All operations together. Durations in milliseconds, rates in percent.

    ``error_rate`` is the share of operations in which anything failed, so it never exceeds 100.
    """

    total_operations: int = 0
    avg_duration: float = 0.0
    max_duration: float = 0.0
    min_duration: float = 0.0
    error_rate: float = 0.0
    avg_database_queries: float = 0.0
    cache_hit_rate: float = 0.0


class OperationReport(msgspec.Struct, frozen=True, rename="camel"):
    """One operation. Durations in milliseconds; quantiles are within 1 % of the value."""

    operation: str
    count: int
    avg_duration: float
    min_duration: float
    max_duration: float
    p50: float
    p95: float
    p99: float
    errors: int
    error_rate: float
    database_queries: int
    cache_hits: int
    cache_misses: int
    external_api_calls: int
    slow: int


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """What :func:`eldonia_telemetry.performance.report` returns; the slowest operations (p95) first."""

    summary: Summary
    operations: tuple[OperationReport, ...]


class _Operation:
    __slots__ = (
        "cache_hits",
        "cache_misses",
        "database_queries",
        "errors",
        "external_calls",
        "failed",
        "longest",
        "shortest",
        "sketch",
        "slow",
        "sum",
    )

    def __init__(self) -> None:
        self.sketch = Sketch()
        self.sum = 0.0
        self.shortest = float("inf")
        self.longest = 0.0
        self.errors = 0
        self.failed = 0
        self.database_queries = 0
        self.cache_hits = 0
        self.cache_misses = 0
        self.external_calls = 0
        self.slow = 0

    def add(self, durations: Sequence[float]) -> None:
        """Put at least one duration into the figures."""
        self.sketch.add(durations)
        self.sum += sum(durations)
        self.shortest = min(self.shortest, *durations)
        self.longest = max(self.longest, *durations)


class Statistics:
    """The operations of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: dict[str, _Operation] = {}
        self._settling: list[Callable[[], None]] = []

    def settle_before(self, flush: Callable[[], None]) -> None:
        """Call ``settle`` before every report, to add what was gathered elsewhere."""
        self._settling.append(flush)

    def add(self, operation: str, milliseconds: float, measured: Measurement, *, slow: bool) -> None:
        """Add an operation that has ended."""
        with self._lock:
            one = self._operations.get(operation) or self._new(operation)
            one.add((milliseconds,))
            if slow:
                one.slow += 1
            if measured.errors:
                one.errors += measured.errors
                one.failed += 1
            if measured.counted:
                one.database_queries += measured.database_queries
                one.cache_hits += measured.cache_hits
                one.cache_misses += measured.cache_misses
                one.external_calls += measured.external_calls

    def add_plain(self, operation: str, milliseconds: Sequence[float]) -> None:
        """Add operations of one name that have ended, in which nothing was to be counted."""
        with self._lock:
            (self._operations.get(operation) or self._new(operation)).add(milliseconds)

    def report(self) -> Report:
        """Everything since the start or the last :meth:`clear`."""
        for flush in self._settling:
            flush()
        with self._lock:
            rows = [_row(name, one) for name, one in self._operations.items()]
            kept = list(self._operations.values())
            sums = [sum(getattr(one, name) for one in kept) for name in ("sum", "failed", "database_queries")]
            hits, misses = sum(one.cache_hits for one in kept), sum(one.cache_misses for one in kept)
        total = sum(row.count for row in rows)
        if not total:
            return Report(Summary(), ())
        summary = Summary(
            total_operations=total,
            avg_duration=round(sums[0] / total, 2),
            max_duration=max(row.max_duration for row in rows),
            min_duration=min(row.min_duration for row in rows),
            error_rate=round(100 * sums[1] / total, 2),
            avg_database_queries=round(sums[2] / total, 2),
            cache_hit_rate=round(100 * hits / (hits + misses), 2) if hits + misses else 0.0,
        )
        return Report(summary, tuple(sorted(rows, key=lambda row: -row.p95)))

    def clear(self) -> None:
        """Forget everything."""
        for flush in self._settling:
            flush()
        with self._lock:
            self._operations = {}

    def after_fork(self) -> None:
        """Replace the lock: another thread may have held it when the process forked."""
        self._lock = threading.Lock()

    def _new(self, operation: str) -> _Operation:
        if len(self._operations) >= MAX_OPERATIONS:
            dropped_data.count("metric", "too many operations are measured")
            operation = OVERFLOW
            known = self._operations.get(operation)
            if known is not None:
                return known
        return self._operations.setdefault(operation, _Operation())


def _row(name: str, one: _Operation) -> OperationReport:
    number = one.sketch.count

    def quantile(share: float) -> float:
        return round(min(max(one.sketch.quantile(share), one.shortest), one.longest), 3)

    return OperationReport(
        operation=name,
        count=number,
        avg_duration=round(one.sum / number, 2),
        min_duration=round(one.shortest, 2),
        max_duration=round(one.longest, 2),
        p50=quantile(0.5),
        p95=quantile(0.95),
        p99=quantile(0.99),
        errors=one.errors,
        error_rate=round(100 * one.failed / number, 2),
        database_queries=one.database_queries,
        cache_hits=one.cache_hits,
        cache_misses=one.cache_misses,
        external_api_calls=one.external_calls,
        slow=one.slow,
    )
