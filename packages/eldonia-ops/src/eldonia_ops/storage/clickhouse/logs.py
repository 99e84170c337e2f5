"""Log records: how they are stored, and the statements that find them."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Final

import msgspec

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.fingerprints import Numbers
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import (
    Expunged,
    FieldCount,
    LogHistogram,
    LogItems,
    LogPage,
    LogQuery,
    LogSize,
    TelemetryLimitError,
    ValueCount,
)
from eldonia_ops.search.aggregates import Aggregate, AggregateRows
from eldonia_ops.search.buckets import BucketRequest, BucketRows, GroupKey
from eldonia_ops.search.evaluate import matches
from eldonia_ops.search.pipes import Selecting
from eldonia_ops.search.selection import Selected, Selection
from eldonia_ops.search.tree import Node, conjunction
from eldonia_ops.storage.clickhouse import log_buckets, log_selection
from eldonia_ops.storage.clickhouse.aggregates import aggregate_rows_of, aggregate_sql
from eldonia_ops.storage.clickhouse.conditions import LOG_COLUMNS, conditions_sql
from eldonia_ops.storage.clickhouse.deployment import SINGLE, Deployment
from eldonia_ops.storage.clickhouse.documents import clean
from eldonia_ops.storage.clickhouse.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.field_counts import FieldTable
from eldonia_ops.storage.clickhouse.group_commit import GroupCommit, kibibytes
from eldonia_ops.storage.clickhouse.identity import LogIds
from eldonia_ops.storage.clickhouse.journal import LOG_DELETIONS, LOGS, Journal, JournaledTable, ReadingEngine
from eldonia_ops.storage.clickhouse.line_batches import LineBatch, LineInserter, payload_of
from eldonia_ops.storage.clickhouse.log_answers import in_words, items_of, read_aside
from eldonia_ops.storage.clickhouse.log_blocks import LogInserter, RowBatch, block_batch, rows_in, weight_of
from eldonia_ops.storage.clickhouse.log_blocks import payload_of as payload_of_blocks
from eldonia_ops.storage.clickhouse.log_columns import HeldColumns
from eldonia_ops.storage.clickhouse.log_deletions import DELETED_AT_ONCE, LogDeletions, payload_of_places
from eldonia_ops.storage.clickhouse.log_expunging import Expunging
from eldonia_ops.storage.clickhouse.log_fingerprints import document_fingerprints
from eldonia_ops.storage.clickhouse.log_patterns import LogPatterns
from eldonia_ops.storage.clickhouse.log_replacements import LogReplacements, Replaced
from eldonia_ops.storage.clickhouse.log_rows import (
    COLUMNS,
    MAX_NS,
    bounded_ns,
    lines_of,
    plain_line,
    record_in_line,
    record_of,
)
from eldonia_ops.storage.clickhouse.log_sizes import log_sizes
from eldonia_ops.storage.clickhouse.pipes import PipedLogs
from eldonia_ops.storage.clickhouse.presence import ranges
from eldonia_ops.storage.clickhouse.schema import decode_rows, rows
from eldonia_ops.storage.clickhouse.search import SearchSql, plain_text
from eldonia_ops.storage.wal import Record

MAX_LIMIT: Final = 10_000
MAX_BUCKETS: Final = 1_000
BLOCK_SECONDS: Final = 5.0
"""How long records wait for others on their way into the engine, without a query."""

FLUSH_SECONDS: Final = 30.0
"""How long a deletion waits until what was acknowledged before is in the engine."""

EXPUNGE_SECONDS: Final = 120.0
"""How long an erasure waits until the write-ahead log holds nothing of what was acknowledged before."""

_FIELDS: Final = FieldTable("logs", "metadata", "timestamp", LOG_COLUMNS)
_MANY: Final = 200
_CLOSE_NS: Final = 10 * 10**9


class _Place(msgspec.Struct):
    """Where a row is found: ``timestamp`` is seconds and nanoseconds with a point between them."""

    timestamp: str
    id: int

    @property
    def ns(self) -> int:
        """Unix nanoseconds."""
        return int(self.timestamp.replace(".", ""))


_place_decoder: Final = msgspec.json.Decoder(_Place)


class Logs:
    """The log side of the telemetry store."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal | None = None,
        *,
        commit_delay_seconds: float = 0.1,
        instance: int = 0,
        deployment: Deployment = SINGLE,
        alone: bool = False,
    ) -> None:
        self._alone = alone
        self._stored = self._engine = engine
        self._deletions = LogDeletions(engine, deployment)
        self._expunging = Expunging(engine, deployment)
        self._parts = f"{deployment.system('parts')} WHERE table = '{deployment.stored('logs')}'"
        self.patterns = LogPatterns(engine, journal, deployment)
        self._commit = GroupCommit[bytes](self._store, delay_seconds=commit_delay_seconds, weight=kibibytes)
        self._ids = LogIds(lambda: time.time_ns() // 1_000_000, instance)
        self._held = HeldColumns()
        self._journal = journal
        self._journaled: JournaledTable[RowBatch] | None = None
        self._replacements: LogReplacements | None = None
        if journal is not None:
            lines = LineInserter(engine, "logs", COLUMNS, plain_line, partial(journal.refuse, "logs"))
            inserter = LogInserter(engine, lines)
            self._journaled = journal.table(
                LOGS, "logs", inserter.insert, self._recover, weight=weight_of, delay_seconds=BLOCK_SECONDS
            )
            self._engine = ReadingEngine(engine, self._journaled.flush)
            journal.afterwards(LOG_DELETIONS, self._deletions.again)
            self._replacements = LogReplacements(engine, journal, self._deletions)

    async def open(self) -> None:
        """Find out where the ids of records go on."""
        found = await rows(self._engine, "SELECT max(id) AS id FROM logs")
        self._ids.continue_after(int(found[0]["id"]))

    async def insert(self, records: Sequence[LogRecord], batch_key: str = "") -> None:
        """Return once the records are durable; a ``batch_key`` that is known already makes it a no-op."""
        if not records:
            return
        ids = self._ids.reserve(len(records))
        # A large batch takes some milliseconds: alerting goes on meanwhile.
        many = len(records) > _MANY
        if self._journaled is not None and many:
            blocks = await asyncio.to_thread(block_batch, records, ids)
            await self._journaled.submit(blocks, payload_of_blocks(blocks, batch_key), batch_key)
            return
        lines = await asyncio.to_thread(lines_of, records, ids) if many else lines_of(records, ids)
        if self._journaled is not None:
            batch = LineBatch(b"\n".join(lines), len(lines))
            await self._journaled.submit(batch, payload_of(batch, batch_key), batch_key)
        elif batch_key:
            await self._engine.insert("logs", COLUMNS, "JSONEachRow", b"\n".join(lines), token=clean(batch_key))
        else:
            await self._commit.submit(lines)

    async def delete(self, places: Sequence[tuple[int, int]]) -> None:
        """Return once no query finds the records, nor will after a crash."""
        for start in range(0, len(places), DELETED_AT_ONCE):
            some = places[start : start + DELETED_AT_ONCE]
            if self._journal is None or self._journaled is None:
                await self._deletions.run(some)
                continue
            # Rows that wait would come behind the statement; of a record that is in no part the log must know, too: it
            # would be taken for one that the engine lost.
            await self._journaled.blocks.flush(FLUSH_SECONDS)
            await self._journal.append(LOG_DELETIONS, payload_of_places(some), _not_awaited)
            await self._deletions.run(some)

    async def delete_found(self, search: Node, since_ns: int, until_ns: int) -> None:
        """Delete all records of a range that a search finds."""
        if self._journaled is not None:
            await self._journaled.blocks.flush(FLUSH_SECONDS)
        await self._deletions.found(*_conditions(LogQuery(since_ns, until_ns, search=search)))

    async def rewrite_deleted(self) -> int:
        """Write parts that hold deleted records anew; how many."""
        return await self._expunging.rewrite()

    async def expunge(self, search: Node) -> Expunged:
        """Have the bytes of deleted records leave all files of the store."""
        segments = refused = 0
        if self._journal is not None:
            segments = await self._journal.expunge(EXPUNGE_SECONDS)
            refused = await self._journal.drop_refused("logs", lambda line: _is_found(search, line))
        rewritten = await self._expunging.rewrite()
        removed = await self._expunging.old_parts_gone()
        aside = await self._expunging.put_aside()
        patterns = await self.patterns.forget_unused()
        left = (f"{aside} broken parts that the engine put aside",) if aside else ()
        return Expunged(rewritten, removed, segments, refused, left, tuple(patterns))

    async def sizes(self, search: Node) -> list[LogSize]:
        """How much there is of what a search finds, by hours."""
        return await log_sizes(self._engine, self._parts, *_conditions(LogQuery(0, MAX_NS, search=search)))

    def replacing(self, source: str, replaced: Replaced) -> AbstractAsyncContextManager[None]:
        """Let no crash leave both a record and the one that replaces it; without a log it may."""
        return self._replacements.noted(source, replaced) if self._replacements is not None else nullcontext()

    async def document_fingerprints(self, most: int) -> Numbers | None:
        """Numbers of all documents with ids; None if others write to the table, or there are more."""
        return await document_fingerprints(self._engine, most) if self._alone else None

    async def close(self) -> None:
        """Store what was accepted."""
        await self._commit.close()

    async def search(self, query: LogQuery) -> LogPage:
        """Matching records in the order of the query."""
        limit = max(1, min(query.limit, MAX_LIMIT))
        where, parameters = _conditions(query)
        # The bare bound on the sorting key's first column is what lets the engine skip granules.
        if query.before is not None:
            where += _before(query.before, parameters)
        if query.after is not None:
            where += (
                " AND timestamp >= fromUnixTimestamp64Nano({after:Int64}) "
                "AND (timestamp > fromUnixTimestamp64Nano({after:Int64}) OR id > {after_id:UInt64})"
            )
            parameters |= {"after": bounded_ns(query.after[0]), "after_id": max(0, query.after[1])}
        order = "ASC" if query.oldest_first else "DESC"
        read = self._held.reading()
        sql = (
            f"SELECT {', '.join(read.sql)} FROM logs WHERE {where} "  # noqa: S608
            f"ORDER BY timestamp {order}, id {order} LIMIT {{limit:UInt32}}"
        )
        found = decode_rows(await self._asked(sql, {**parameters, "limit": limit + 1}))
        more = len(found) > limit
        found = await self._held.completed(self._engine, read, found[:limit])
        return LogPage([record_of(row) for row in found], more)

    async def histogram(self, query: LogQuery, buckets: int) -> LogHistogram:
        """Counts per level in at most ``buckets`` buckets of equal width."""
        buckets = max(1, min(buckets, MAX_BUCKETS))
        since, until = bounded_ns(query.since_ns), bounded_ns(query.until_ns)
        width = max(1, -(-(until - since) // buckets))
        starts = list(range(since, until, width))
        where, parameters = _conditions(query)
        sql = (
            "SELECT intDiv(toUnixTimestamp64Nano(timestamp) - {since:Int64}, {width:Int64}) AS bucket, level, "  # noqa: S608
            f"count() AS count FROM logs WHERE {where} GROUP BY bucket, level"
        )
        counts = {level.value: [0] * len(starts) for level in LogLevel}
        total = 0
        for row in decode_rows(await self._asked(sql, {**parameters, "width": width})):
            counts[row["level"]][row["bucket"]] += row["count"]
            total += row["count"]
        return LogHistogram(starts, width, counts, total)

    async def values(self, query: LogQuery, name: FieldName, prefix: str, limit: int) -> list[ValueCount]:
        """The most frequent values of a field, of those that begin with a prefix in any case."""
        where, parameters = _conditions(query)
        return await _FIELDS.values(self._engine, where, parameters, name, prefix, limit)

    async def aggregate(self, query: LogQuery, aggregate: Aggregate, stages: Sequence[Selecting]) -> AggregateRows:
        """Groups of matching records that went through stages of a pipeline."""
        where, parameters = _conditions(query)
        piped = PipedLogs(where, parameters, stages)
        sql = aggregate_sql(aggregate, piped.source, parameters)
        body = await self._asked(sql, parameters)
        return await read_aside(body, lambda: aggregate_rows_of(aggregate, decode_rows(body)))

    async def items(self, query: LogQuery, stages: Sequence[Selecting]) -> LogItems:
        """What comes out of stages of a pipeline."""
        limit = max(1, min(query.limit, MAX_LIMIT))
        where, parameters = _conditions(query)
        if query.before is not None:
            where += _before(query.before, parameters)
        piped = PipedLogs(where, parameters, stages)
        made = [
            f"{cell.number if cell.numeric else cell.text} AS v{number}"
            for number, cell in enumerate(piped.computed.values())
        ]
        read = self._held.reading()
        columns = [*read.sql, *made]
        sql = (
            f"SELECT {', '.join(columns)} FROM {piped} "  # noqa: S608
            f"ORDER BY {', '.join(piped.order)} LIMIT {{limit:UInt32}}"
        )
        body = await self._asked(sql, {**parameters, "limit": limit + 1})
        names = list(piped.computed)
        found = await read_aside(body, lambda: decode_rows(body))
        more = len(found) > limit
        found = await self._held.completed(self._engine, read, found[:limit])
        return await read_aside(body, lambda: items_of(found, names, more=more))

    async def _asked(self, sql: str, parameters: dict[str, Parameter]) -> bytes:
        try:
            return await self._engine.query(sql, parameters)
        except TelemetryLimitError as error:
            raise in_words(error) from error

    async def fields(self, query: LogQuery, records: int, limit: int) -> list[FieldCount]:
        """The attributes of the newest records."""
        where, parameters = _conditions(query)
        return await _FIELDS.fields(self._engine, where, parameters, records, limit)

    async def select(self, selection: Selection) -> list[Selected]:
        """Records in the order of a selection."""
        return await log_selection.select(self._engine, selection)

    async def count(self, search: Node, most: int | None) -> int:
        """How many records a search finds, counted up to one more than ``most``."""
        return await log_selection.count(self._engine, Selection(search), most)

    async def buckets(self, request: BucketRequest) -> BucketRows:
        """One level of buckets."""
        return await log_buckets.buckets(self._engine, request)

    async def in_groups(
        self, request: BucketRequest, selection: Selection
    ) -> dict[tuple[GroupKey, ...], list[Selected]]:
        """The first records of each group of a request, in the order of a selection."""
        return await log_buckets.records_in_groups(self._engine, request, selection)

    async def last_id(self) -> int:
        """The largest id of a record."""
        return int((await rows(self._engine, "SELECT max(id) AS id FROM logs"))[0]["id"])

    async def services(self, since_ns: int, until_ns: int) -> list[str]:
        """Names of services that logged in the range, sorted."""
        where, parameters = _conditions(LogQuery(since_ns, until_ns))
        sql = f"SELECT DISTINCT service FROM logs WHERE {where} AND service != '' ORDER BY service LIMIT 10000"  # noqa: S608
        return [row["service"] for row in await rows(self._engine, sql, parameters)]

    async def source_position(self, source: str) -> int | None:
        """The largest offset stored for a source, or None."""
        found = await rows(
            self._engine,
            "SELECT count() AS count, max(offset) AS position FROM logs WHERE source = {source:String}",
            {"source": source},
        )
        return found[0]["position"] if found[0]["count"] else None

    async def _store(self, lines: Sequence[bytes]) -> None:
        await self._engine.insert("logs", COLUMNS, "JSONEachRow", b"\n".join(lines))

    async def _recover(self, records: Sequence[Record]) -> list[tuple[int, RowBatch]]:
        """Of the rows of an earlier run those that the engine does not have. Each has an id of its own."""
        batches = [(record.sequence, *rows_in(record.payload)) for record in records]
        known = [[_place_decoder.decode(line) for line in lines] for _, _, lines in batches]
        places = [place for some in known for place in some]
        stored: set[int] = set()
        if places:
            parameters: dict[str, Parameter] = {
                "low": min(place.id for place in places),
                "high": max(place.id for place in places),
            }
            self._ids.continue_after(max(place.id for place in places))
            sql = (
                "SELECT id FROM logs WHERE id BETWEEN {low:UInt64} AND {high:UInt64} AND timestamp "
                "BETWEEN fromUnixTimestamp64Nano({since:Int64}) AND fromUnixTimestamp64Nano({until:Int64})"
            )
            for since, until in ranges((place.ns for place in places), _CLOSE_NS):
                body = await self._stored.query(sql, {**parameters, "since": since, "until": until}, format="TSV")
                stored.update(map(int, body.split()))
        found: list[tuple[int, RowBatch]] = []
        for (sequence, key, lines), some in zip(batches, known, strict=True):
            if self._journal is not None:
                self._journal.recovered(LOGS, key)
            missing = [line for line, place in zip(lines, some, strict=True) if place.id not in stored]
            if missing:
                found.append((sequence, LineBatch(b"\n".join(missing), len(missing))))
        return found


def _is_found(search: Node, line: bytes) -> bool:
    record = record_in_line(line)
    return record is not None and matches(search, record)


def _not_awaited(_sequence: int) -> None:
    """No row waits for the engine because of a record that deletes."""


def _before(place: tuple[int, int], parameters: dict[str, Parameter]) -> str:
    parameters |= {"before": bounded_ns(place[0]), "before_id": max(0, place[1])}
    return (
        " AND timestamp <= fromUnixTimestamp64Nano({before:Int64}) "
        "AND (timestamp < fromUnixTimestamp64Nano({before:Int64}) OR id < {before_id:UInt64})"
    )


def _conditions(query: LogQuery) -> tuple[str, dict[str, Parameter]]:
    parameters: dict[str, Parameter] = {"since": bounded_ns(query.since_ns), "until": bounded_ns(query.until_ns)}
    parts = [
        "timestamp >= fromUnixTimestamp64Nano({since:Int64})",
        "timestamp < fromUnixTimestamp64Nano({until:Int64})",
    ]
    if query.levels:
        parts.append("level IN {levels:Array(String)}")
        parameters["levels"] = [level.value for level in query.levels]
    if query.services:
        parts.append("service IN {services:Array(String)}")
        parameters["services"] = list(query.services)
    for name in ("trace_id", "request_id", "user_id", "component"):
        if value := getattr(query, name):
            parts.append(f"{name} = {{{name}:String}}")
            parameters[name] = value
    if query.parse_errors_only:
        parts.append("parse_error != ''")
    parts += conditions_sql(query.where, LOG_COLUMNS, parameters)
    found = SearchSql(parameters).conjuncts(conjunction([plain_text(query.text), query.search]))
    return " AND ".join([*found, *parts]), parameters
