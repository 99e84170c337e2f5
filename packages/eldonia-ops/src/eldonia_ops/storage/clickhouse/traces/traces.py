"""Spans: how they are stored, and the statements that find traces."""

import asyncio
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from typing import Any, Final

import msgspec

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.foreign import MAX_STRING_BYTES, bounded_text
from eldonia_ops.model.spans import Span, SpanEvent, SpanKind, SpanLink, SpanStatus
from eldonia_ops.ports import (
    FieldCount,
    ServiceCalls,
    TelemetryLimitError,
    TraceCell,
    TraceDistribution,
    TraceQuery,
    TraceSort,
    TraceSummary,
    ValueCount,
)
from eldonia_ops.ports.traces import MOST_SPANS, SHORTEST_NS, STEPS_PER_DECADE
from eldonia_ops.storage.clickhouse.attributes.conditions import SPAN_COLUMNS, conditions_sql
from eldonia_ops.storage.clickhouse.attributes.documents import EMPTY_DOCUMENT, clean, decoded, encoded, indexed
from eldonia_ops.storage.clickhouse.attributes.field_counts import FieldTable
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.journal.group_commit import GroupCommit, kibibytes
from eldonia_ops.storage.clickhouse.journal.journal import SPANS, Journal, JournaledTable, ReadingEngine
from eldonia_ops.storage.clickhouse.journal.line_batches import LineBatch, LineInserter, batch_in, payload_of, weight_of
from eldonia_ops.storage.clickhouse.journal.presence import ranges
from eldonia_ops.storage.clickhouse.schema import decode_rows, rows
from eldonia_ops.storage.clickhouse.traces.tags import tag_condition
from eldonia_ops.storage.wal import Record

MAX_LIMIT: Final = 1_000
MAX_SPANS: Final = 20_000
MAX_TAGS: Final = 20
MAX_BUCKETS: Final = 500
MAX_CALL_TRACES: Final = 5_000
BLOCK_SECONDS: Final = 5.0
"""How long spans wait for others on their way into the engine, without a query."""

_FIELDS: Final = FieldTable("spans", "attributes", "start", SPAN_COLUMNS)
_MAX_NS: Final = 2**63 - 1
_MANY: Final = 200
_CLOSE_NS: Final = 10 * 10**9
_HOUR_NS: Final = 3_600 * 10**9
_TEXTS: Final = ("trace_id", "span_id", "parent_span_id", "service", "name")
_ORDERS: Final = {
    TraceSort.NEWEST: "start_ns DESC",
    TraceSort.LONGEST: "duration_ns DESC, start_ns DESC",
    TraceSort.SPANS: "spans DESC, start_ns DESC",
    TraceSort.ERRORS: "errors DESC, start_ns DESC",
}
_COLUMNS: Final = ("start", "duration_ns", *_TEXTS, "kind", "status", "details", "attributes")


class _Details(msgspec.Struct, omit_defaults=True):
    """The fields of a span that are only shown, exactly as they came."""

    status_message: str = ""
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] = {}
    events: list[SpanEvent] = []
    links: list[SpanLink] = []
    scope: str = ""


class _Place(msgspec.Struct):
    """What a row is known by: ``start`` is seconds and nanoseconds with a point between them."""

    start: str
    trace_id: str
    span_id: str

    @property
    def ns(self) -> int:
        """Unix nanoseconds."""
        return int(self.start.replace(".", ""))


_place_decoder: Final = msgspec.json.Decoder(_Place)
_details_decoder: Final = msgspec.json.Decoder(_Details)
_row_encoder: Final = msgspec.json.Encoder()


class Traces:
    """The trace side of the telemetry store."""

    def __init__(self, engine: Engine, journal: Journal | None = None, *, commit_delay_seconds: float = 0.1) -> None:
        self._stored = self._engine = engine
        self._commit = GroupCommit[bytes](self._store, delay_seconds=commit_delay_seconds, weight=kibibytes)
        self._journal = journal
        self._journaled: JournaledTable[LineBatch] | None = None
        if journal is not None:
            inserter = LineInserter(engine, "spans", _COLUMNS, _plain, partial(journal.refuse, "spans"))
            self._journaled = journal.table(
                SPANS, "spans", inserter.insert, self._recover, weight=weight_of, delay_seconds=BLOCK_SECONDS
            )
            self._engine = ReadingEngine(engine, self._journaled.flush)

    async def insert(self, spans: Sequence[Span], batch_key: str = "") -> None:
        """Return once the spans are durable; a ``batch_key`` that is known already makes it a no-op."""
        if not spans:
            return
        # A large batch takes some milliseconds: alerting goes on meanwhile.
        lines = await asyncio.to_thread(_lines, spans) if len(spans) > _MANY else _lines(spans)
        if self._journaled is not None:
            batch = LineBatch(b"\n".join(lines), len(lines))
            await self._journaled.submit(batch, payload_of(batch, batch_key), batch_key)
        elif batch_key:
            await self._engine.insert("spans", _COLUMNS, "JSONEachRow", b"\n".join(lines), token=clean(batch_key))
        else:
            await self._commit.submit(lines)

    async def close(self) -> None:
        """Store what was accepted."""
        await self._commit.close()

    async def find(self, query: TraceQuery) -> list[TraceSummary]:
        """Traces that start in the range, in the order of the query.

        Service, operation, tags and conditions must hold for one span of the trace (its resource counts as
        its tags), as in Jaeger; the bounds on the duration are for the whole trace.
        """
        inner, parameters = _found_traces(query)
        sql = f"SELECT * FROM ({inner}) ORDER BY {_ORDERS[query.sort]}, trace_id LIMIT {{limit:UInt32}}"  # noqa: S608
        parameters["limit"] = max(1, min(query.limit, MAX_LIMIT))
        found = decode_rows(await self._engine.query(sql, parameters))
        return [
            TraceSummary(
                trace_id=row["trace_id"],
                root=row["root"][0],
                service=row["root"][1],
                start_ns=row["start_ns"],
                duration_ns=row["duration_ns"],
                spans=row["spans"],
                errors=row["errors"],
                services=tuple(row["services"]),
            )
            for row in found
        ]

    async def distribution(self, query: TraceQuery, times: int) -> TraceDistribution:
        """All matching traces by start and duration."""
        times = max(1, min(times, MAX_BUCKETS))
        since, until = _bounded(query.since_ns), _bounded(query.until_ns)
        width = max(1, -(-(until - since) // times))
        inner, parameters = _found_traces(query)
        sql = f"""
            SELECT intDiv(start_ns - {{since:Int64}}, {{width:Int64}}) AS time,
                toInt32(floor({STEPS_PER_DECADE} * log10(greatest(duration_ns, {SHORTEST_NS}) / {SHORTEST_NS}) + 1e-9))
                    AS duration,
                count() AS count, countIf(errors > 0) AS errors
            FROM ({inner}) GROUP BY time, duration ORDER BY time, duration
        """  # noqa: S608
        found = decode_rows(await self._engine.query(sql, {**parameters, "width": width}))
        cells = tuple(TraceCell(row["time"], row["duration"], row["count"], row["errors"]) for row in found)
        return TraceDistribution(since, width, -(-(until - since) // width), cells)

    async def fields(self, query: TraceQuery, spans: int, limit: int) -> list[FieldCount]:
        """The attributes of the newest spans."""
        where, parameters = _spans_in_range(query)
        return await _FIELDS.fields(self._engine, where, parameters, spans, limit)

    async def values(self, query: TraceQuery, name: FieldName, prefix: str, limit: int) -> list[ValueCount]:
        """The most frequent values of a field."""
        where, parameters = _spans_in_range(query)
        return await _FIELDS.values(self._engine, where, parameters, name, prefix, limit)

    async def calls(self, service: str, since_ns: int, until_ns: int) -> list[ServiceCalls]:
        """Calls to and from a service in its newest traces."""
        within = "start >= fromUnixTimestamp64Nano({since:Int64}) AND start < fromUnixTimestamp64Nano({until:Int64})"
        newest = (
            f"SELECT trace_id FROM spans WHERE {within} AND service = {{service:String}} "  # noqa: S608
            f"GROUP BY trace_id ORDER BY max(start) DESC LIMIT {MAX_CALL_TRACES}"
        )
        columns = "trace_id, span_id, parent_span_id, service, status"
        some = f"SELECT {columns} FROM spans WHERE {within} AND trace_id IN ({newest}) LIMIT 1 BY trace_id, span_id"  # noqa: S608
        sql = f"""
            SELECT caller, callee, count() AS count, countIf(status = 'error') AS errors FROM (
                SELECT parents.service AS caller, children.service AS callee, children.status AS status
                FROM ({some}) AS children INNER JOIN ({some}) AS parents
                ON children.trace_id = parents.trace_id AND children.parent_span_id = parents.span_id
                WHERE caller != callee AND (caller = {{service:String}} OR callee = {{service:String}})
            ) GROUP BY caller, callee ORDER BY count DESC, caller, callee LIMIT 200
        """  # noqa: S608
        parameters: dict[str, Parameter] = {
            "service": service,
            "since": _bounded(since_ns),
            "until": _bounded(until_ns),
        }
        found = decode_rows(await self._engine.query(sql, parameters))
        return [ServiceCalls(row["caller"], row["callee"], row["count"], row["errors"]) for row in found]

    async def get(self, trace_id: str) -> list[Span]:
        """Spans of one trace by start, at most :data:`MAX_SPANS`; a span received twice appears once."""
        found = await rows(
            self._engine,
            f"SELECT toUnixTimestamp64Nano(start) AS ns, duration_ns, {', '.join(_TEXTS)}, kind, status, details "  # noqa: S608
            "FROM spans WHERE trace_id = {trace_id:String} ORDER BY start, span_id LIMIT 1 BY span_id "
            "LIMIT {limit:UInt32}",
            {"trace_id": trace_id, "limit": MAX_SPANS},
        )
        return [_span(row) for row in found]

    async def get_some(self, trace_ids: Sequence[str], since_ns: int, until_ns: int) -> list[list[Span]]:
        """Spans of several traces in one query; the port says which."""
        ids = list(dict.fromkeys(trace_ids))
        if not ids:
            return []
        body = await self._engine.query(
            f"SELECT toUnixTimestamp64Nano(start) AS ns, duration_ns, {', '.join(_TEXTS)}, kind, status, details "  # noqa: S608
            "FROM spans WHERE trace_id IN {ids:Array(String)} AND start >= fromUnixTimestamp64Nano({since:Int64}) "
            "AND start < fromUnixTimestamp64Nano({until:Int64}) "
            "ORDER BY transform(trace_id, {ids:Array(String)}, {places:Array(UInt32)}, toUInt32(0)), start, span_id "
            "LIMIT 1 BY trace_id, span_id LIMIT {limit:UInt32}",
            {
                "ids": ids,
                "places": list(range(len(ids))),
                "since": _bounded(since_ns),
                "until": _bounded(until_ns),
                "limit": MOST_SPANS + 1,
            },
        )
        # Up to a second of work for a full answer.
        return await asyncio.to_thread(_traces, body)

    async def services(self) -> list[str]:
        """Names of services with spans, sorted."""
        found = await rows(
            self._engine, "SELECT DISTINCT service FROM spans WHERE service != '' ORDER BY service LIMIT 10000"
        )
        return [row["service"] for row in found]

    async def operations(self, service: str) -> list[str]:
        """Span names of one service, sorted."""
        found = await rows(
            self._engine,
            "SELECT DISTINCT name FROM spans WHERE service = {service:String} ORDER BY name LIMIT 10000",
            {"service": service},
        )
        return [row["name"] for row in found]

    async def _store(self, lines: Sequence[bytes]) -> None:
        await self._engine.insert("spans", _COLUMNS, "JSONEachRow", b"\n".join(lines))

    async def _recover(self, records: Sequence[Record]) -> list[tuple[int, LineBatch]]:
        """Of the rows of an earlier run those that the engine does not have. A span is known by its ids and start."""
        batches = [(record.sequence, *batch_in(record.payload)) for record in records]
        known = [[_place_decoder.decode(line) for line in lines] for _, _, lines in batches]
        stored: set[tuple[str, str, int]] = set()
        for since, until in ranges((place.ns for some in known for place in some), _CLOSE_NS):
            found = await self._found(
                "SELECT trace_id, span_id, toUnixTimestamp64Nano(start) AS ns FROM spans WHERE start "
                "BETWEEN fromUnixTimestamp64Nano({since:Int64}) AND fromUnixTimestamp64Nano({until:Int64})",
                {"since": since, "until": until},
            )
            stored.update((row["trace_id"], row["span_id"], row["ns"]) for row in found)
        taken: list[tuple[int, LineBatch]] = []
        for (sequence, key, lines), some in zip(batches, known, strict=True):
            if self._journal is not None:
                self._journal.recovered(SPANS, key)
            missing = [
                line
                for line, place in zip(lines, some, strict=True)
                if (place.trace_id, place.span_id, place.ns) not in stored
            ]
            if missing:
                taken.append((sequence, LineBatch(b"\n".join(missing), len(missing))))
        return taken

    async def _found(self, sql: str, parameters: dict[str, Parameter]) -> list[dict[str, Any]]:
        try:
            return await rows(self._stored, sql, parameters)
        except TelemetryLimitError:
            return []  # a span that is stored twice is shown once


def _lines(spans: Sequence[Span]) -> list[bytes]:
    return [_line(span) for span in spans]


def _plain(line: bytes, reason: str) -> bytes:
    """A row that the engine refuses without its attributes for conditions; they are in its details."""
    row: dict[str, Any] = msgspec.json.decode(line)
    return _row_encoder.encode({**row, "attributes": EMPTY_DOCUMENT})


def _found_traces(query: TraceQuery) -> tuple[str, dict[str, Parameter]]:
    """A statement whose rows are the traces of a query, in no order, and its parameters."""
    since, until = _bounded(query.since_ns), _bounded(query.until_ns)
    parameters: dict[str, Parameter] = {
        "since": since,
        "until": until,
        # Spans of one trace are looked for an hour around the range, so that a trace at its edge is whole.
        "from": max(0, since - _HOUR_NS),
        "to": min(until + _HOUR_NS, _MAX_NS),
    }
    around = "start >= fromUnixTimestamp64Nano({from:Int64}) AND start < fromUnixTimestamp64Nano({to:Int64})"
    where = around
    span_conditions = _span_conditions(query, parameters)
    if span_conditions:
        where += f" AND trace_id IN (SELECT trace_id FROM spans WHERE {around} AND {span_conditions})"  # noqa: S608
    having = ["start_ns >= {since:Int64}", "start_ns < {until:Int64}"]
    if query.errors_only:
        having.append("errors > 0")
    if query.min_duration_ns > 0:
        having.append("duration_ns >= {min_duration:Int64}")
        parameters["min_duration"] = _bounded(query.min_duration_ns)
    if query.max_duration_ns > 0:
        having.append("duration_ns <= {max_duration:Int64}")
        parameters["max_duration"] = _bounded(query.max_duration_ns)
    sql = f"""
        SELECT trace_id,
            argMin((name, service), (parent_span_id != '', begin)) AS root,
            min(begin) AS start_ns,
            max(begin + length) - start_ns AS duration_ns,
            uniqExact(span_id) AS spans,
            uniqExactIf(span_id, status = 'error') AS errors,
            arraySort(groupUniqArray(1000)(service)) AS services
        FROM (
            SELECT trace_id, span_id, parent_span_id, name, service, status,
                toUnixTimestamp64Nano(start) AS begin, spans.duration_ns AS length
            FROM spans WHERE {where}
        )
        GROUP BY trace_id HAVING {" AND ".join(having)}
    """  # noqa: S608
    return sql, parameters


def _spans_in_range(query: TraceQuery) -> tuple[str, dict[str, Parameter]]:
    """The condition that spans start in the range of a query and fit its service, operation, tags and conditions."""
    parameters: dict[str, Parameter] = {"since": _bounded(query.since_ns), "until": _bounded(query.until_ns)}
    within = "start >= fromUnixTimestamp64Nano({since:Int64}) AND start < fromUnixTimestamp64Nano({until:Int64})"
    return " AND ".join(filter(None, (within, _span_conditions(query, parameters)))), parameters


def _span_conditions(query: TraceQuery, parameters: dict[str, Parameter]) -> str:
    parts: list[str] = []
    if query.service:
        parts.append("service = {service:String}")
        parameters["service"] = query.service
    if query.operation:
        parts.append("name = {operation:String}")
        parameters["operation"] = query.operation
    for number, (key, value) in enumerate(list(query.tags.items())[:MAX_TAGS]):
        parts.append(tag_condition(f"tag{number}", key, value, parameters))
    parts += conditions_sql(query.where, SPAN_COLUMNS, parameters)
    return " AND ".join(parts)


def _traces(body: bytes) -> list[list[Span]]:
    """Spans of several traces, those of each side by side; beyond the bound the last trace is not whole."""
    found = [[_span(row) for row in spans] for _, spans in groupby(decode_rows(body), key=lambda row: row["trace_id"])]
    if sum(map(len, found)) > MOST_SPANS:
        found = found[:-1] or [found[0][:MOST_SPANS]]
    return found


def _line(span: Span) -> bytes:
    start = _bounded(span.start_ns)
    seconds, nanoseconds = divmod(start, 1_000_000_000)
    tags = {**span.resource, **span.attributes}
    row: dict[str, Any] = {
        "start": f"{seconds:010d}.{nanoseconds:09d}",
        "duration_ns": max(0, _bounded(span.end_ns) - start),
        "kind": span.kind.value,
        "status": span.status.value,
        "details": encoded(
            _Details(span.status_message, span.attributes, span.resource, span.events, span.links, span.scope)
        ).decode(),
        "attributes": indexed(tags) if tags else EMPTY_DOCUMENT,
    }
    for name in _TEXTS:
        row[name] = getattr(span, name)
    try:
        return _row_encoder.encode(row)
    except UnicodeEncodeError:
        return _row_encoder.encode(
            {key: clean(value) if isinstance(value, str) else value for key, value in row.items()}
        )


def _span(row: dict[str, Any]) -> Span:
    details = decoded(row["details"], _details_decoder.decode)
    if isinstance(details, str):
        details = _Details(
            f"the stored attributes cannot be read: {details}",
            {"document": bounded_text(row["details"], MAX_STRING_BYTES)},
        )
    return Span(
        **{name: row[name] for name in _TEXTS},
        kind=SpanKind(row["kind"]),
        status=SpanStatus(row["status"]),
        start_ns=row["ns"],
        end_ns=row["ns"] + row["duration_ns"],
        status_message=details.status_message,
        attributes=details.attributes,
        resource=details.resource,
        events=details.events,
        links=details.links,
        scope=details.scope,
    )


def _bounded(ns: int) -> int:
    return min(max(ns, 0), _MAX_NS)
