"""The store of spans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from eldonia_ops.model.conditions import Condition, FieldName
from eldonia_ops.model.spans import Span
from eldonia_ops.ports.logs import FieldCount, ValueCount
from eldonia_ops.ports.signals import SignalStore

LATEST_NS: Final = 2**63 - 1

MOST_SPANS: Final = 50_000
"""How many spans one answer with several traces holds."""


SHORTEST_NS: Final = 1_000
"""Durations below a microsecond count as one."""

STEPS_PER_DECADE: Final = 5
"""How many buckets of a distribution lie between a duration and ten times as much."""


class TraceSort(StrEnum):
    """The order of a list of traces; those that are equal in it, newest first."""

    NEWEST = "newest"
    LONGEST = "longest"
    SPANS = "spans"
    ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """Which traces to list. Durations are nanoseconds, 0 for no bound.

    Service, operation, ``tags`` (as Jaeger writes them) and ``where`` have to hold for one span of the trace.
    """

    since_ns: int
    until_ns: int
    service: str = ""
    operation: str = ""
    min_duration_ns: int = 0
    max_duration_ns: int = 0
    errors_only: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    where: tuple[Condition, ...] = ()
    limit: int = 50
    sort: TraceSort = TraceSort.NEWEST


@dataclass(frozen=True, slots=True)
class TraceCell:
    """How many traces start in one bucket of time and take as long as one bucket of durations says."""

    time: int
    duration: int
    count: int
    errors: int


@dataclass(frozen=True, slots=True)
class TraceDistribution:
    """All traces of a query, by start and duration.

    Bucket ``n`` of time begins at ``since_ns + n * width_ns``; bucket ``n`` of durations begins at
    :func:`duration_bound` ``(n)``. Cells without traces are left out.
    """

    since_ns: int
    width_ns: int
    times: int
    cells: tuple[TraceCell, ...]


def duration_bound(index: int) -> int:
    """The least duration of a bucket, in nanoseconds; 0 for the first."""
    return 0 if index <= 0 else round(SHORTEST_NS * 10 ** (index / STEPS_PER_DECADE))


@dataclass(frozen=True, slots=True)
class ServiceCalls:
    """Calls from one service to another: spans of ``callee`` whose parent is a span of ``caller``."""

    caller: str
    callee: str
    count: int
    errors: int


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One line of the trace list. ``root`` is the root span's name, or the earliest span's."""

    trace_id: str
    root: str
    service: str
    start_ns: int
    duration_ns: int
    spans: int
    errors: int
    services: tuple[str, ...]


class TraceStore(SignalStore, Protocol):
    """Spans, and the traces that they make."""

    async def insert_spans(self, spans: Sequence[Span], *, batch_key: str = "") -> None:
        """Store spans. A batch with a ``batch_key`` seen before is dropped as a repetition."""
        ...

    async def find_traces(self, query: TraceQuery) -> list[TraceSummary]:
        """Matching traces in the order of the query."""
        ...

    async def trace_distribution(self, query: TraceQuery, times: int = 60) -> TraceDistribution:
        """All matching traces, however many, in at most ``times`` buckets of time; ``limit`` does not count."""
        ...

    async def span_fields(self, query: TraceQuery, *, spans: int = 1_000, limit: int = 200) -> list[FieldCount]:
        """The attributes of the newest spans in the range, the most frequent first."""
        ...

    async def span_values(
        self, query: TraceQuery, name: FieldName, *, prefix: str = "", limit: int = 20
    ) -> list[ValueCount]:
        """The most frequent values of a field of spans in the range that begin with a prefix, in any case."""
        ...

    async def service_calls(self, service: str, since_ns: int, until_ns: int) -> list[ServiceCalls]:
        """Who called a service, and whom it called, in the newest traces of a range; the most calls first."""
        ...

    async def get_trace(self, trace_id: str) -> list[Span]:
        """Spans of one trace by start; empty when unknown."""
        ...

    async def get_traces(
        self, trace_ids: Sequence[str], since_ns: int = 0, until_ns: int = LATEST_NS
    ) -> list[list[Span]]:
        """Spans of several traces, each by start, in the order of the ids; unknown traces are left out.

        Only spans that start in the given range are looked at. Of more than :data:`MOST_SPANS` spans together, the
        traces that come last are left out whole; the first is always there, cut at the bound.
        """
        ...

    async def trace_services(self) -> list[str]:
        """Names of services with spans, sorted."""
        ...

    async def trace_operations(self, service: str) -> list[str]:
        """Span names of one service, sorted."""
        ...
