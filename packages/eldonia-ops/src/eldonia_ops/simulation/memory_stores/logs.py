"""Log records in a list."""

import itertools
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final

from msgspec import structs

from eldonia_ops.model.condition_fields import log_value, record_satisfies
from eldonia_ops.model.conditions import MAX_VALUE, FieldName, text_of
from eldonia_ops.model.fingerprints import Numbers, fingerprints
from eldonia_ops.model.log_patterns import LogPattern
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import (
    Expunged,
    FieldCount,
    LogHistogram,
    LogItems,
    LogPage,
    LogQuery,
    LogSize,
    ValueCount,
)
from eldonia_ops.search import matches
from eldonia_ops.search.aggregate_records import aggregate_rows
from eldonia_ops.search.aggregates import Aggregate, AggregateRows
from eldonia_ops.search.bucket_rows import bucket_rows, group_keys
from eldonia_ops.search.buckets import BucketRequest, BucketRows, GroupKey
from eldonia_ops.search.message_text import text_test, words_in
from eldonia_ops.search.pipes.items import READER, Item, items_of, passed
from eldonia_ops.search.pipes.pipeline import Selecting
from eldonia_ops.search.pipes.plan import Width
from eldonia_ops.search.selection import Selected, Selection, selected
from eldonia_ops.search.tree import Node
from eldonia_ops.simulation.memory_stores.failing import FailingStore

HOUR_NS: Final = 3_600 * 10**9


def _order(record: LogRecord) -> tuple[int, int]:
    return record.timestamp_ns, record.id


class MemoryLogStore(FailingStore):
    """``records`` are in the order of their arrival, with ids that grow."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self._batches: set[str] = set()
        self._patterns: dict[str, LogPattern] = {}

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        self.check()
        if batch_key and batch_key in self._batches:
            return
        self._batches.add(batch_key)
        first = max((record.id for record in self.records), default=0) + 1
        self.records += [structs.replace(record, id=first + index) for index, record in enumerate(records)]

    async def put_log_patterns(self, patterns: Sequence[LogPattern]) -> None:
        self.check()
        for one in patterns:
            known = self._patterns.get(one.id)
            if known is None or known.last_seen_ms <= one.last_seen_ms:
                self._patterns[one.id] = one

    async def log_patterns(self, ids: Sequence[str] | None = None) -> list[LogPattern]:
        self.check()
        wanted = [one for one in self._patterns.values() if ids is None or one.id in ids]
        return sorted(wanted, key=lambda one: (-one.last_seen_ms, one.id))

    def _matching(self, query: LogQuery) -> list[LogRecord]:
        words = [text_test(pieces) for pieces in words_in(query.text)]
        return [
            record
            for record in self.records
            if query.since_ns <= record.timestamp_ns < query.until_ns
            and (not query.levels or record.level in query.levels)
            and (not query.services or record.service in query.services)
            and (not query.trace_id or record.trace_id == query.trace_id)
            and (not query.request_id or record.request_id == query.request_id)
            and (not query.user_id or record.user_id == query.user_id)
            and (not query.component or record.component == query.component)
            and (not query.parse_errors_only or record.parse_error)
            and record_satisfies(record, query.where)
            and all(word.holds(record.message) for word in words)
            and matches(query.search, record)
        ]

    async def search_logs(self, query: LogQuery) -> LogPage:
        self.check()
        found = [
            record
            for record in self._matching(query)
            if (query.before is None or _order(record) < query.before)
            and (query.after is None or _order(record) > query.after)
        ]
        found.sort(key=_order, reverse=not query.oldest_first)
        return LogPage(found[: query.limit], len(found) > query.limit)

    async def log_histogram(self, query: LogQuery, buckets: int = 60) -> LogHistogram:
        self.check()
        width = max(1, -(-(query.until_ns - query.since_ns) // buckets))
        starts = list(range(query.since_ns, query.until_ns, width))
        counts = {level.value: [0] * len(starts) for level in LogLevel}
        found = self._matching(query)
        for record in found:
            counts[record.level.value][(record.timestamp_ns - query.since_ns) // width] += 1
        return LogHistogram(starts, width, counts, len(found))

    async def log_values(
        self, query: LogQuery, name: FieldName, *, prefix: str = "", limit: int = 10
    ) -> list[ValueCount]:
        self.check()
        values = [log_value(record, name) for record in self._matching(query)]
        texts = [text_of(value) for value in values if value is not None and not isinstance(value, list)]
        counts = Counter(text for text in texts if text.lower().startswith(prefix.lower()) and len(text) <= MAX_VALUE)
        return [ValueCount(*one) for one in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:limit]]

    async def log_aggregate(
        self, query: LogQuery, aggregate: Aggregate, stages: Sequence[Selecting] = ()
    ) -> AggregateRows:
        self.check()
        return aggregate_rows(self._piped(query, stages), aggregate, READER)

    async def log_items(self, query: LogQuery, stages: Sequence[Selecting]) -> LogItems:
        self.check()
        found = self._piped(query, stages)
        return LogItems(found[: query.limit], len(found) > query.limit)

    def _piped(self, query: LogQuery, stages: Sequence[Selecting]) -> list[Item]:
        found = [one for one in self._matching(query) if query.before is None or _order(one) < query.before]
        return passed(items_of(newest_first(found)), stages, Width())

    async def log_fields(self, query: LogQuery, *, records: int = 1_000, limit: int = 200) -> list[FieldCount]:
        self.check()
        newest = newest_first(self._matching(query))[:records]
        counts = Counter(key for record in newest for key, value in record.metadata.items() if value is not None)
        return [FieldCount(FieldName((key,), exact=True), count) for key, count in counts.most_common(limit)]

    async def select_logs(self, selection: Selection) -> list[Selected]:
        self.check()
        return selected(selection, [record for record in self.records if matches(selection.search, record)])

    async def count_logs(self, search: Node, most: int | None = None) -> int:
        self.check()
        found = sum(matches(search, record) for record in self.records)
        return found if most is None else min(found, most + 1)

    async def log_buckets(self, request: BucketRequest) -> BucketRows:
        self.check()
        return bucket_rows(request, [record for record in self.records if matches(request.search, record)])

    async def logs_in_groups(
        self, request: BucketRequest, selection: Selection
    ) -> dict[tuple[GroupKey, ...], list[Selected]]:
        """The first records of each group of a request, in the order of a selection."""
        self.check()
        found: dict[tuple[GroupKey, ...], list[LogRecord]] = {}
        for record in self.records:
            if matches(request.search, record):
                for keys in itertools.product(*(group_keys(group, record) for group in request.groups)):
                    if request.parents is None or keys[: len(keys) - request.own] in request.parents:
                        found.setdefault(keys, []).append(record)
        return {keys: selected(selection, records) for keys, records in found.items()}

    async def last_log_id(self) -> int:
        return max((record.id for record in self.records), default=0)

    async def delete_logs(self, places: Sequence[tuple[int, int]]) -> None:
        self.check()
        gone = set(places)
        self.records = [record for record in self.records if _order(record) not in gone]

    async def log_sizes(self, search: Node) -> list[LogSize]:
        self.check()
        found: dict[int, list[int]] = {}
        for record in self.records:
            if matches(search, record):
                found.setdefault(record.timestamp_ns // HOUR_NS * HOUR_NS, []).append(len(record.message))
        return [LogSize(start, len(sizes), sum(sizes)) for start, sizes in sorted(found.items())]

    async def delete_found(self, search: Node, since_ns: int, until_ns: int) -> None:
        self.check()
        self.records = [
            record
            for record in self.records
            if not (since_ns <= record.timestamp_ns < until_ns and matches(search, record))
        ]

    async def rewrite_deleted(self) -> int:
        self.check()
        return 0

    async def expunge(self, search: Node) -> Expunged:
        self.check()
        used = {record.pattern for record in self.records}
        unused = tuple(sorted(id for id in self._patterns if id not in used))
        self._patterns = {id: one for id, one in self._patterns.items() if id in used}
        return Expunged(patterns=unused)

    def replacing(
        self, source: str, replaced: Sequence[tuple[int, tuple[int, int]]]
    ) -> AbstractAsyncContextManager[None]:
        self.check()
        return nullcontext()

    async def document_fingerprints(self, most: int) -> Numbers | None:
        self.check()
        own = [
            (str(one.metadata.get("_index", "")), str(id))
            for one in self.records
            if (id := one.metadata.get("_id")) is not None
        ]
        return fingerprints(own) if len(own) <= most else None

    async def log_services(self, since_ns: int, until_ns: int) -> list[str]:
        found = {record.service for record in self._matching(LogQuery(since_ns, until_ns))}
        return sorted(found - {""})

    async def source_position(self, source: str) -> int | None:
        return max((record.offset for record in self.records if record.source == source), default=None)


def newest_first(records: list[LogRecord]) -> list[LogRecord]:
    """In the order of a page."""
    return sorted(records, key=_order, reverse=True)
