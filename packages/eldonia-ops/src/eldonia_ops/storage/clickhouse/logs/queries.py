"""Questions about log records: pages of them, counts, values, groups."""

from collections.abc import Sequence
from typing import Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.ports import FieldCount, LogHistogram, LogItems, LogPage, LogQuery, TelemetryLimitError, ValueCount
from eldonia_ops.search.aggregates import Aggregate, AggregateRows
from eldonia_ops.search.buckets import BucketRequest, BucketRows, GroupKey
from eldonia_ops.search.pipes.pipeline import Selecting
from eldonia_ops.search.selection import Selected, Selection
from eldonia_ops.search.tree import Node
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS
from eldonia_ops.storage.clickhouse.attributes.field_counts import FieldTable
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.logs import buckets as log_buckets
from eldonia_ops.storage.clickhouse.logs import selection as log_selection
from eldonia_ops.storage.clickhouse.logs.aggregates import aggregate_rows_of, aggregate_sql
from eldonia_ops.storage.clickhouse.logs.answers import in_words, items_of, read_aside
from eldonia_ops.storage.clickhouse.logs.pipes import PipedLogs
from eldonia_ops.storage.clickhouse.logs.query_conditions import before, behind, query_conditions
from eldonia_ops.storage.clickhouse.logs.rows import READ, bounded_ns, record_of
from eldonia_ops.storage.clickhouse.schema import decode_rows, rows

MAX_LIMIT: Final = 10_000
MAX_BUCKETS: Final = 1_000

_FIELDS: Final = FieldTable("logs", "metadata", "timestamp", LOG_COLUMNS)


class LogQueries:
    """Asks an engine that has all rows that were acknowledged."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def search(self, query: LogQuery) -> LogPage:
        """Matching records in the order of the query."""
        limit = max(1, min(query.limit, MAX_LIMIT))
        where, parameters = query_conditions(query)
        if query.before is not None:
            where += before(query.before, parameters)
        if query.after is not None:
            where += behind(query.after, parameters)
        order = "ASC" if query.oldest_first else "DESC"
        sql = (
            f"SELECT {', '.join(READ)} FROM logs WHERE {where} "  # noqa: S608
            f"ORDER BY timestamp {order}, id {order} LIMIT {{limit:UInt32}}"
        )
        found = decode_rows(await self._engine.query(sql, {**parameters, "limit": limit + 1}))
        return LogPage([record_of(row) for row in found[:limit]], len(found) > limit)

    async def histogram(self, query: LogQuery, buckets: int) -> LogHistogram:
        """Counts per level in at most ``buckets`` buckets of equal width."""
        buckets = max(1, min(buckets, MAX_BUCKETS))
        since, until = bounded_ns(query.since_ns), bounded_ns(query.until_ns)
        width = max(1, -(-(until - since) // buckets))
        starts = list(range(since, until, width))
        where, parameters = query_conditions(query)
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

    async def values(self, query: LogQuery, name: FieldName, prefix: str, limit: int) -> list[ValueCount]:
        """The most frequent values of a field, of those that begin with a prefix in any case."""
        where, parameters = query_conditions(query)
        return await _FIELDS.values(self._engine, where, parameters, name, prefix, limit)

    async def aggregate(self, query: LogQuery, aggregate: Aggregate, stages: Sequence[Selecting]) -> AggregateRows:
        """Groups of matching records that went through stages of a pipeline."""
        where, parameters = query_conditions(query)
        piped = PipedLogs(where, parameters, stages)
        sql = aggregate_sql(aggregate, piped.source, parameters)
        body = await self._counted(sql, parameters)
        return await read_aside(body, lambda: aggregate_rows_of(aggregate, decode_rows(body)))

    async def items(self, query: LogQuery, stages: Sequence[Selecting]) -> LogItems:
        """What comes out of stages of a pipeline."""
        limit = max(1, min(query.limit, MAX_LIMIT))
        where, parameters = query_conditions(query)
        if query.before is not None:
            where += before(query.before, parameters)
        piped = PipedLogs(where, parameters, stages)
        made = [
            f"{cell.number if cell.numeric else cell.text} AS v{number}"
            for number, cell in enumerate(piped.computed.values())
        ]
        columns = [*READ, *made]
        sql = (
            f"SELECT {', '.join(columns)} FROM {piped} "  # noqa: S608
            f"ORDER BY {', '.join(piped.order)} LIMIT {{limit:UInt32}}"
        )
        body = await self._counted(sql, {**parameters, "limit": limit + 1})
        names = list(piped.computed)
        return await read_aside(body, lambda: items_of(decode_rows(body), names, limit))

    async def _counted(self, sql: str, parameters: dict[str, Parameter]) -> bytes:
        try:
            return await self._engine.query(sql, parameters)
        except TelemetryLimitError as error:
            raise in_words(error) from error

    async def fields(self, query: LogQuery, records: int, limit: int) -> list[FieldCount]:
        """The attributes of the newest records."""
        where, parameters = query_conditions(query)
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
        where, parameters = query_conditions(LogQuery(since_ns, until_ns))
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
