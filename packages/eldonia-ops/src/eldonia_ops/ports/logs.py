"""The store of log records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from eldonia_ops.model.conditions import Condition
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports.signals import SignalStore


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What to look for in the logs; every condition given must hold.

    ``since_ns`` (inclusive) and ``until_ns`` (exclusive) bound the timestamp. ``text`` is
    matched by its words: all of them, in any order, without regard to case. ``where`` are conditions on fields and
    attributes. ``before`` is the
    ``(timestamp_ns, id)`` of the last record of the previous page (newest first), ``after`` the
    newest record already shown (live tail).
    """

    since_ns: int
    until_ns: int
    text: str = ""
    levels: tuple[LogLevel, ...] = ()
    services: tuple[str, ...] = ()
    trace_id: str = ""
    request_id: str = ""
    user_id: str = ""
    component: str = ""
    parse_errors_only: bool = False
    where: tuple[Condition, ...] = ()
    before: tuple[int, int] | None = None
    after: tuple[int, int] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class LogPage:
    """Records newest first. ``more`` says whether older ones match too."""

    records: list[LogRecord]
    more: bool


@dataclass(frozen=True, slots=True)
class LogHistogram:
    """How many records of each level fall in each bucket.

    ``starts_ns`` has B bucket starts, ``counts[level]`` has B counts; ``width_ns`` is a bucket's width.
    """

    starts_ns: list[int]
    width_ns: int
    counts: dict[str, list[int]]
    total: int


class LogStore(SignalStore, Protocol):
    """Log records."""

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        """Store records. A batch with a ``batch_key`` seen before is dropped as a repetition."""
        ...

    async def search_logs(self, query: LogQuery) -> LogPage:
        """Matching records, newest first."""
        ...

    async def log_histogram(self, query: LogQuery, buckets: int = 60) -> LogHistogram:
        """Counts per level over time; ``before``, ``after`` and ``limit`` are not applied."""
        ...

    async def log_services(self, since_ns: int, until_ns: int) -> list[str]:
        """Names of services that logged in the range, sorted."""
        ...

    async def source_position(self, source: str) -> int | None:
        """The largest ``offset`` stored for a log source, or None: where a tail may go on."""
        ...
