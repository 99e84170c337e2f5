"""The store of spans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from eldonia_ops.model.conditions import Condition
from eldonia_ops.model.spans import Span
from eldonia_ops.ports.signals import SignalStore

LATEST_NS: Final = 2**63 - 1

MOST_SPANS: Final = 50_000
"""How many spans one answer with several traces holds."""


@dataclass(frozen=True, slots=True)
class TraceQuery:
    """Which traces to list, newest first. Durations are nanoseconds, 0 for no bound.

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
        """Matching traces, newest first."""
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
