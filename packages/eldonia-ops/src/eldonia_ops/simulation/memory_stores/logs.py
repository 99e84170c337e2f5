"""Log records in a list."""

from collections.abc import Sequence

from msgspec import structs

from eldonia_ops.model.condition_fields import record_satisfies
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import LogHistogram, LogPage, LogQuery
from eldonia_ops.simulation.memory_stores.failing import FailingStore


def _order(record: LogRecord) -> tuple[int, int]:
    return record.timestamp_ns, record.id


class MemoryLogStore(FailingStore):
    """``records`` are in the order of their arrival, with ids that grow."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self._batches: set[str] = set()

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        self.check()
        if batch_key and batch_key in self._batches:
            return
        self._batches.add(batch_key)
        first = max((record.id for record in self.records), default=0) + 1
        self.records += [structs.replace(record, id=first + index) for index, record in enumerate(records)]

    def _matching(self, query: LogQuery) -> list[LogRecord]:
        words = query.text.lower().split()
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
            and all(word in record.message.lower() for word in words)
        ]

    async def search_logs(self, query: LogQuery) -> LogPage:
        self.check()
        found = [
            record
            for record in self._matching(query)
            if (query.before is None or _order(record) < query.before)
            and (query.after is None or _order(record) > query.after)
        ]
        found.sort(key=_order, reverse=True)
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

    async def log_services(self, since_ns: int, until_ns: int) -> list[str]:
        found = {record.service for record in self._matching(LogQuery(since_ns, until_ns))}
        return sorted(found - {""})

    async def source_position(self, source: str) -> int | None:
        return max((record.offset for record in self.records if record.source == source), default=None)


def newest_first(records: list[LogRecord]) -> list[LogRecord]:
    """In the order of a page."""
    return sorted(records, key=_order, reverse=True)
