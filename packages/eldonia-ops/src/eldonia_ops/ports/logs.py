"""The store of log records."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from eldonia_ops.model.conditions import Condition, FieldName
from eldonia_ops.model.fingerprints import Numbers
from eldonia_ops.model.log_patterns import LogPattern
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports.signals import SignalStore
from eldonia_ops.search.aggregates import Aggregate, AggregateRows
from eldonia_ops.search.buckets import BucketRequest, BucketRows, GroupKey
from eldonia_ops.search.pipes.items import Item
from eldonia_ops.search.pipes.pipeline import Selecting
from eldonia_ops.search.selection import Selected, Selection
from eldonia_ops.search.tree import EVERYTHING, Node


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What to look for in the logs; every condition given must hold.

    ``since_ns`` (inclusive) and ``until_ns`` (exclusive) bound the timestamp. ``search`` is the tree of a search.
    ``text`` is plain text, matched by its words: all of them, in any order, without regard to case. ``where`` are
    conditions on fields and attributes. ``before`` and ``after`` are the ``(timestamp_ns, id)`` of records: only those
    before, or after, are meant. ``oldest_first`` turns the order round, and so which records are within the limit.
    """

    since_ns: int
    until_ns: int
    search: Node = EVERYTHING
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
    oldest_first: bool = False
    limit: int = 100


@dataclass(frozen=True, slots=True)
class LogPage:
    """Records in the order that was asked for. ``more`` says whether others behind them match too."""

    records: list[LogRecord]
    more: bool


@dataclass(frozen=True, slots=True)
class LogItems:
    """Records with what stages made of each, by its name. ``more`` says whether others behind them come out too."""

    items: list[Item]
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


@dataclass(frozen=True, slots=True)
class ValueCount:
    """How many records have a value in a field; the value as its text."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class FieldCount:
    """In how many of the newest records an attribute is."""

    name: FieldName
    count: int


@dataclass(frozen=True, slots=True)
class LogSize:
    """How much there is of records of one hour: ``start_ns`` is its beginning (UTC). ``bytes`` on the disk are an
    estimate: what a record of that day takes on average."""

    start_ns: int
    records: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Expunged:
    """What was removed from files: parts that were written anew, old parts that are gone, segments of the write-ahead
    log, rows of the file of refused rows. ``left`` names what was not looked into and may still hold records.
    ``patterns`` are the ids of patterns that no record has any more, whose templates are gone."""

    rewritten: int = 0
    removed: int = 0
    segments: int = 0
    refused: int = 0
    left: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


class LogStore(SignalStore, Protocol):
    """Log records."""

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        """Store records. A batch with a ``batch_key`` seen before is dropped as a repetition."""
        ...

    async def search_logs(self, query: LogQuery) -> LogPage:
        """Matching records, newest first unless the query says otherwise."""
        ...

    async def log_histogram(self, query: LogQuery, buckets: int = 60) -> LogHistogram:
        """Counts per level over time; ``before``, ``after`` and ``limit`` are not applied."""
        ...

    async def log_values(
        self, query: LogQuery, name: FieldName, *, prefix: str = "", limit: int = 10
    ) -> list[ValueCount]:
        """The most frequent values of a field in matching records, of those that begin with ``prefix`` in any case.

        Values longer than :data:`~eldonia_ops.model.conditions.MAX_VALUE` characters and lists are left out;
        ``before``, ``after`` and ``limit`` of the query are not applied.
        """
        ...

    async def log_aggregate(
        self, query: LogQuery, aggregate: Aggregate, stages: Sequence[Selecting] = ()
    ) -> AggregateRows:
        """Groups of matching records with their metrics; ``before``, ``after`` and ``limit`` are not applied.

        Records go through ``stages`` of a pipeline first, newest first.

        Raises:
            QueryTooLargeError: there are more than :data:`~eldonia_ops.search.aggregates.MAX_GROUPS` groups, or it
                takes too much memory.
            TelemetryLimitError: it takes too much time.
        """
        ...

    async def log_items(self, query: LogQuery, stages: Sequence[Selecting]) -> LogItems:
        """What comes out of stages of a pipeline when matching records go through it, newest first.

        ``before`` is about the records that go in, so it leads from page to page only where the stages neither sort nor
        count; ``after`` is not applied.
        """
        ...

    async def log_fields(self, query: LogQuery, *, records: int = 1_000, limit: int = 200) -> list[FieldCount]:
        """The attributes of the newest matching records (so many of them), the most frequent first."""
        ...

    async def select_logs(self, selection: Selection) -> list[Selected]:
        """Records in the order of a selection, each with what it was ordered by."""
        ...

    async def count_logs(self, search: Node, most: int | None = None) -> int:
        """How many records a search finds; with ``most``, any number above it may be answered as one more than it."""
        ...

    async def log_buckets(self, request: BucketRequest) -> BucketRows:
        """One level of buckets."""
        ...

    async def logs_in_groups(
        self, request: BucketRequest, selection: Selection
    ) -> dict[tuple[GroupKey, ...], list[Selected]]:
        """The first records of each group of a request, in the order of a selection."""
        ...

    async def put_log_patterns(self, patterns: Sequence[LogPattern]) -> None:
        """Keep patterns. Of several with one id the one with the latest ``last_seen_ms`` counts."""
        ...

    async def log_patterns(self, ids: Sequence[str] | None = None) -> list[LogPattern]:
        """The patterns with these ids, or all; at most 100,000, those that were seen last, the latest first."""
        ...

    async def last_log_id(self) -> int:
        """The largest id of a record, 0 for none: later records have larger ones."""
        ...

    async def delete_logs(self, places: Sequence[tuple[int, int]]) -> None:
        """Delete records by their ``(timestamp_ns, id)``. On return no query finds them, and no crash brings them back;
        places without a record are passed over. Their bytes leave the disk with later merges.
        """
        ...

    async def log_sizes(self, search: Node) -> list[LogSize]:
        """How much there is of what a search finds, by hours with any, the oldest first."""
        ...

    async def delete_found(self, search: Node, since_ns: int, until_ns: int) -> None:
        """Delete all records of a range that a search finds, however many. On return no query finds them; after a crash
        those that came in seconds ago may be back."""
        ...

    async def rewrite_deleted(self) -> int:
        """Write those parts of the store anew that hold deleted records, day by day; the old ones are removed a little
        later. How many parts.

        Raises:
            TelemetryError: it could not be done, as when the disk is full. The records stay deleted.
        """
        ...

    async def expunge(self, search: Node) -> Expunged:
        """Have the bytes of records that are deleted leave all files of the store; ``search`` finds those among rows
        that were refused. Returns when old parts and segments of the write-ahead log are gone: some half minute.

        Raises:
            TelemetryError: they may still be there. It can be called again.
        """
        ...

    def replacing(
        self, source: str, replaced: Sequence[tuple[int, tuple[int, int]]]
    ) -> AbstractAsyncContextManager[None]:
        """Within it, records of a source are stored that replace others, and then those are deleted.

        ``replaced`` has the ``offset`` of a record that will be stored, and the ``(timestamp_ns, id)`` of one that it
        replaces. After a crash in between, the next start deletes what is replaced by a record that was stored; a store
        without a log of its own cannot promise that.

        Raises:
            TelemetryError: the promise cannot be kept now: nothing may be stored.
        """
        ...

    async def document_fingerprints(self, most: int) -> Numbers | None:
        """The :func:`~eldonia_ops.model.fingerprints.fingerprints` of the attributes ``_index`` and ``_id`` of each
        record that has an ``_id``.

        None when there are more than ``most``, or when other processes write to the same tables: they would change
        without notice.
        """
        ...

    async def log_services(self, since_ns: int, until_ns: int) -> list[str]:
        """Names of services that logged in the range, sorted."""
        ...

    async def source_position(self, source: str) -> int | None:
        """The largest ``offset`` stored for a log source, or None: where a tail may go on."""
        ...
