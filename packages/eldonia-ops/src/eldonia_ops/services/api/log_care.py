"""What the HTTP side may do with log records as a stock: metrics made of them, rules of retention, erasures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from eldonia_ops.log_metrics.counting import LogMetricState
from eldonia_ops.model.erasure import Erasure
from eldonia_ops.ports import ValueCount


@dataclass(frozen=True, slots=True)
class RetentionView:
    """A rule: what there is of its records, what is due now, and what it deleted since the start.

    ``keep_ms`` and ``max_size`` are 0 for none, instants Unix ms and 0 for none. Bytes are estimates.
    """

    name: str
    search: str
    keep_ms: int
    max_size: int
    records: int
    bytes: int
    oldest_at: int
    due_before: int
    due_records: int
    due_bytes: int
    deleted_records: int
    deleted_bytes: int
    ran_at: int


@dataclass(frozen=True, slots=True)
class ErasurePreview:
    """What an erasure would delete now: how many records, of which services, and where it would not look."""

    search: str
    records: int
    services: Sequence[ValueCount]
    not_covered: Sequence[str]


class LogMetricStates(Protocol):
    """Metrics that are made of log records."""

    def states(self) -> list[LogMetricState]:
        """What was counted of each."""
        ...


class LogRetentionRules(Protocol):
    """Rules by which log records go."""

    async def views(self) -> list[RetentionView]:
        """Every rule with what it would delete now."""
        ...

    async def apply(self, actor_id: str = ..., actor: str = ...) -> int:
        """Delete what is due; how many records."""
        ...


class LogErasures(Protocol):
    """Erases the records of one person."""

    async def preview(self, text: str) -> ErasurePreview:
        """What an erasure would delete.

        Raises:
            QueryError, RefusedError: the search cannot be read, or finds all records.
        """
        ...

    async def start(self, text: str, reason: str, actor: str) -> Erasure:
        """Take an erasure.

        Raises:
            QueryError, RefusedError: the search cannot be read, or finds all records; too many wait.
        """
        ...

    async def all(self) -> list[Erasure]:
        """All erasures, the oldest first."""
        ...

    async def get(self, id: str) -> Erasure:
        """One erasure.

        Raises:
            NotFoundError: there is none of this id.
        """
        ...
