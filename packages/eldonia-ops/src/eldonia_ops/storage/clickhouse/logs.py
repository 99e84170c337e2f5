"""Log records: how they are stored, and the statements that find them."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import MAX_STRING_BYTES, bounded_text
from eldonia_ops.model.logs import CONTEXT_FIELDS, LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.ports import LogHistogram, LogPage, LogQuery
from eldonia_ops.storage.clickhouse import log_text
from eldonia_ops.storage.clickhouse.conditions import LOG_COLUMNS, conditions_sql
from eldonia_ops.storage.clickhouse.documents import EMPTY_DOCUMENT, clean, decoded, encoded, indexed
from eldonia_ops.storage.clickhouse.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.group_commit import GroupCommit, kibibytes
from eldonia_ops.storage.clickhouse.identity import LogIds
from eldonia_ops.storage.clickhouse.journal import LOGS, Journal, JournaledTable, ReadingEngine
from eldonia_ops.storage.clickhouse.line_batches import LineBatch, LineInserter, batch_in, payload_of, weight_of
from eldonia_ops.storage.clickhouse.presence import ranges
from eldonia_ops.storage.clickhouse.schema import decode_rows, rows
from eldonia_ops.storage.wal import Record

MAX_LIMIT: Final = 10_000
MAX_BUCKETS: Final = 1_000
BLOCK_SECONDS: Final = 5.0
"""How long records wait for others on their way into the engine, without a query."""

_MAX_NS: Final = 2**63 - 1
_MANY: Final = 200
_CLOSE_NS: Final = 10 * 10**9
_TEXTS: Final = ("message", *CONTEXT_FIELDS, "source", "parse_error")
_COLUMNS: Final = ("timestamp", "id", "level", "offset", *_TEXTS, "details", "metadata")


class _Details(msgspec.Struct, omit_defaults=True):
    """What of a record has no column: everything nested, exactly as it came, and the tag."""

    metadata: dict[str, Any] = {}
    error: LogError | None = None
    performance: LogPerformance | None = None
    tag: str = ""


class _Place(msgspec.Struct):
    """Where a row is found: ``timestamp`` is seconds and nanoseconds with a point between them."""

    timestamp: str
    id: int

    @property
    def ns(self) -> int:
        """Unix nanoseconds."""
        return int(self.timestamp.replace(".", ""))


_place_decoder: Final = msgspec.json.Decoder(_Place)
_details_decoder: Final = msgspec.json.Decoder(_Details)
_row_encoder: Final = msgspec.json.Encoder()
_NESTED: Final = frozenset({dict, list, tuple, set, frozenset})
_FEW: Final = 64
_SHORT_DOCUMENT: Final = 16 << 10


class Logs:
    """The log side of the telemetry store."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal | None = None,
        *,
        commit_delay_seconds: float = 0.1,
        instance: int = 0,
    ) -> None:
        self._stored = self._engine = engine
        self._commit = GroupCommit[bytes](self._store, delay_seconds=commit_delay_seconds, weight=kibibytes)
        self._ids = LogIds(lambda: time.time_ns() // 1_000_000, instance)
        self._journal = journal
        self._journaled: JournaledTable[LineBatch] | None = None
        if journal is not None:
            inserter = LineInserter(engine, "logs", _COLUMNS, _plain, partial(journal.refuse, "logs"))
            self._journaled = journal.table(
                LOGS, "logs", inserter.insert, self._recover, weight=weight_of, delay_seconds=BLOCK_SECONDS
            )
            self._engine = ReadingEngine(engine, self._journaled.flush)

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
        lines = await asyncio.to_thread(_lines, records, ids) if len(records) > _MANY else _lines(records, ids)
        if self._journaled is not None:
            batch = LineBatch(b"\n".join(lines), len(lines))
            await self._journaled.submit(batch, payload_of(batch, batch_key), batch_key)
        elif batch_key:
            await self._engine.insert("logs", _COLUMNS, "JSONEachRow", b"\n".join(lines), token=clean(batch_key))
        else:
            await self._commit.submit(lines)

    async def close(self) -> None:
        """Store what was accepted."""
        await self._commit.close()

    async def search(self, query: LogQuery) -> LogPage:
        """Matching records, newest first."""
        limit = max(1, min(query.limit, MAX_LIMIT))
        where, parameters = _conditions(query)
        # The bare bound on the sorting key's first column is what lets the engine skip granules.
        if query.before is not None:
            where += (
                " AND timestamp <= fromUnixTimestamp64Nano({before:Int64}) "
                "AND (timestamp < fromUnixTimestamp64Nano({before:Int64}) OR id < {before_id:UInt64})"
            )
            parameters |= {"before": _bounded(query.before[0]), "before_id": max(0, query.before[1])}
        if query.after is not None:
            where += (
                " AND timestamp >= fromUnixTimestamp64Nano({after:Int64}) "
                "AND (timestamp > fromUnixTimestamp64Nano({after:Int64}) OR id > {after_id:UInt64})"
            )
            parameters |= {"after": _bounded(query.after[0]), "after_id": max(0, query.after[1])}
        sql = (
            f"SELECT toUnixTimestamp64Nano(timestamp) AS ns, id, level, offset, {', '.join(_TEXTS)}, details "  # noqa: S608
            f"FROM logs WHERE {where} ORDER BY timestamp DESC, id DESC LIMIT {{limit:UInt32}}"
        )
        found = decode_rows(await self._engine.query(sql, {**parameters, "limit": limit + 1}))
        return LogPage([_record(row) for row in found[:limit]], len(found) > limit)

    async def histogram(self, query: LogQuery, buckets: int) -> LogHistogram:
        """Counts per level in at most ``buckets`` buckets of equal width."""
        buckets = max(1, min(buckets, MAX_BUCKETS))
        since, until = _bounded(query.since_ns), _bounded(query.until_ns)
        width = max(1, -(-(until - since) // buckets))
        starts = list(range(since, until, width))
        where, parameters = _conditions(query)
        sql = (
            "SELECT intDiv(toUnixTimestamp64Nano(timestamp) - {since:Int64}, {width:Int64}) AS bucket, level, "  # noqa: S608
            f"count() AS count FROM logs WHERE {where} GROUP BY bucket, level"
        )
        counts = {level.value: [0] * len(starts) for level in LogLevel}
        total = 0
        for row in decode_rows(await self._engine.query(sql, {**parameters, "width": width})):
            counts[row["level"]][row["bucket"]] += row["count"]
            total += row["count"]
        return LogHistogram(starts, width, counts, total)

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
        await self._engine.insert("logs", _COLUMNS, "JSONEachRow", b"\n".join(lines))

    async def _recover(self, records: Sequence[Record]) -> list[tuple[int, LineBatch]]:
        """Of the rows of an earlier run those that the engine does not have. Each has an id of its own."""
        batches = [(record.sequence, *batch_in(record.payload)) for record in records]
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
        found: list[tuple[int, LineBatch]] = []
        for (sequence, key, lines), some in zip(batches, known, strict=True):
            if self._journal is not None:
                self._journal.recovered(LOGS, key)
            missing = [line for line, place in zip(lines, some, strict=True) if place.id not in stored]
            if missing:
                found.append((sequence, LineBatch(b"\n".join(missing), len(missing))))
        return found


def _lines(records: Sequence[LogRecord], ids: Sequence[int]) -> list[bytes]:
    return [_line(record, id) for record, id in zip(records, ids, strict=True)]


def _plain(line: bytes, reason: str) -> bytes:
    """A row that the engine refuses as one that holds nothing but texts: its details follow its message."""
    row: dict[str, Any] = msgspec.json.decode(line)
    message = f"{row.get('message', '')} {row.get('details', '')}".strip()
    fault = f"the store refused the record: {reason[:300]}"
    return _row_encoder.encode(
        {
            **{name: bounded_text(str(row.get(name, "")), MAX_STRING_BYTES) for name in _TEXTS},
            "timestamp": row["timestamp"],
            "id": row["id"],
            "level": row["level"],
            "offset": row.get("offset", 0),
            "message": bounded_text(message, 2 * MAX_STRING_BYTES),
            "parse_error": bounded_text(fault, MAX_STRING_BYTES),
            "details": "",
            "metadata": EMPTY_DOCUMENT,
        }
    )


class _Row(msgspec.Struct, omit_defaults=True):
    """A row as the database reads it; a column that is left out is empty."""

    timestamp: str
    id: int
    level: str
    message: str = ""
    service: str = ""
    component: str = ""
    operation: str = ""
    user_id: str = ""
    session_id: str = ""
    request_id: str = ""
    ip_address: str = ""
    user_agent: str = ""
    trace_id: str = ""
    span_id: str = ""
    environment: str = ""
    hostname: str = ""
    source: str = ""
    parse_error: str = ""
    offset: int = 0
    details: str = ""
    metadata: msgspec.Raw = EMPTY_DOCUMENT


def _line(record: LogRecord, id: int) -> bytes:
    seconds, nanoseconds = divmod(_bounded(record.timestamp_ns), 1_000_000_000)
    details, metadata = _documents(record)
    row = _Row(
        # Ten digits: the parser takes a shorter number for a year.
        f"{seconds:010d}.{nanoseconds:09d}",
        id,
        record.level.value,
        record.message,
        record.service,
        record.component,
        record.operation,
        record.user_id,
        record.session_id,
        record.request_id,
        record.ip_address,
        record.user_agent,
        record.trace_id,
        record.span_id,
        record.environment,
        record.hostname,
        record.source,
        record.parse_error,
        record.offset,
        details,
        metadata,
    )
    try:
        return _row_encoder.encode(row)
    except UnicodeEncodeError:
        for name in _TEXTS:
            setattr(row, name, clean(getattr(row, name)))
        return _row_encoder.encode(row)


def _documents(record: LogRecord) -> tuple[str, msgspec.Raw]:
    """What is nested in a record as the text that is kept, and the part that conditions look at."""
    metadata = record.metadata
    if record.error is None and record.performance is None and not record.tag:
        if not metadata:
            return "", EMPTY_DOCUMENT
        if len(metadata) <= _FEW and _NESTED.isdisjoint(map(type, metadata.values())):
            # Flat: both are the same text, so that it is made once.
            document = encoded(metadata)
            if len(document) <= _SHORT_DOCUMENT:
                return f'{{"metadata":{document.decode()}}}', msgspec.Raw(document)
    details = encoded(_Details(metadata, record.error, record.performance, record.tag)).decode()
    return details, indexed(metadata) if metadata else EMPTY_DOCUMENT


def _record(row: dict[str, Any]) -> LogRecord:
    details = row.pop("details")
    nested = decoded(details, _details_decoder.decode) if details else _Details()
    if isinstance(nested, str):
        fault = f"the stored attributes cannot be read: {nested}"
        row["parse_error"] = f"{row['parse_error']}; {fault}" if row["parse_error"] else fault
        nested = _Details({"document": bounded_text(details, MAX_STRING_BYTES)})
    return LogRecord(
        timestamp_ns=row.pop("ns"),
        level=LogLevel(row.pop("level")),
        metadata=nested.metadata,
        error=nested.error,
        performance=nested.performance,
        tag=nested.tag,
        **row,
    )


def _conditions(query: LogQuery) -> tuple[str, dict[str, Parameter]]:
    parameters: dict[str, Parameter] = {"since": _bounded(query.since_ns), "until": _bounded(query.until_ns)}
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
    text, text_parameters = log_text.conditions(query.text)
    return " AND ".join([*text, *parts]), parameters | text_parameters


def _bounded(ns: int) -> int:
    return min(max(ns, 0), _MAX_NS)
