"""The telemetry store: logs, traces and metrics over one engine."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.fingerprints import Numbers
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.log_patterns import LogPattern
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.samples import AnySample, MetricMetadata, SampleRow, SeriesBlock
from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import (
    Expunged,
    FieldCount,
    LogHistogram,
    LogItems,
    LogPage,
    LogQuery,
    LogSize,
    ServiceCalls,
    TraceDistribution,
    TraceQuery,
    TraceSummary,
    ValueCount,
)
from eldonia_ops.ports.traces import LATEST_NS
from eldonia_ops.search.aggregates import Aggregate, AggregateRows
from eldonia_ops.search.buckets import BucketRequest, BucketRows, GroupKey
from eldonia_ops.search.pipes.pipeline import Selecting
from eldonia_ops.search.selection import Selected, Selection
from eldonia_ops.search.tree import Node
from eldonia_ops.storage.clickhouse.deployment import SINGLE, Deployment
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.journal.blocks import READ_SECONDS
from eldonia_ops.storage.clickhouse.journal.journal import Journal
from eldonia_ops.storage.clickhouse.logs.logs import Logs
from eldonia_ops.storage.clickhouse.metrics.metrics import Metrics
from eldonia_ops.storage.clickhouse.schema import detached_parts, rows
from eldonia_ops.storage.clickhouse.traces.traces import Traces

_SIGNALS: Final = {
    "logs": "logs",
    "spans": "traces",
    "samples": "metrics",
    "histograms": "histograms",
    "series": "series",
}

_BACKUP: Final = "a backup that was being made meanwhile"


class ClickhouseTelemetryStore:
    """A :class:`~eldonia_ops.ports.TelemetryStore` over a ClickHouse engine; the port says what each method means."""

    def __init__(
        self,
        engine: Engine,
        logs: Logs,
        traces: Traces,
        metrics: Metrics,
        journal: Journal | None = None,
        deployment: Deployment = SINGLE,
    ) -> None:
        self._engine = engine
        self._logs = logs
        self._traces = traces
        self._metrics = metrics
        self._deployment = deployment
        self._journal = journal
        self._closing: asyncio.Task[None] | None = None
        self._version = ""
        self._copied = False  # files are kept for a backup that is being made

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        """Store log records."""
        await self._logs.insert(records, batch_key)

    async def insert_spans(self, spans: Sequence[Span], *, batch_key: str = "") -> None:
        """Store spans."""
        await self._traces.insert(spans, batch_key)

    async def insert_row(self, row: SampleRow) -> Mapping[str, int]:
        """Append one scrape."""
        return await self._metrics.insert_row(row)

    async def insert_samples(self, samples: Sequence[AnySample]) -> Mapping[str, int]:
        """Append samples that do not share a timestamp."""
        return await self._metrics.insert_samples(samples)

    async def insert_metadata(self, metadata: Sequence[MetricMetadata]) -> None:
        """Remember TYPE, HELP and unit."""
        await self._metrics.insert_metadata(metadata)

    async def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, most: int | None = None
    ) -> list[SeriesBlock]:
        """Samples of matching series in a closed range."""
        return await self._metrics.select(matchers, start_ms, end_ms, most=most)

    async def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets with a sample in a closed range."""
        return await self._metrics.series(matchers, start_ms, end_ms)

    async def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        """Label names on matching series."""
        return await self._metrics.label_names(matchers, start_ms, end_ms)

    async def label_values(self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        """Values of a label on matching series."""
        return await self._metrics.label_values(name, matchers, start_ms, end_ms)

    async def metadata(self) -> list[MetricMetadata]:
        """What is known about metric families."""
        return await self._metrics.metadata()

    async def search_logs(self, query: LogQuery) -> LogPage:
        """Matching records, newest first."""
        return await self._logs.queries.search(query)

    async def log_histogram(self, query: LogQuery, buckets: int = 60) -> LogHistogram:
        """Counts per level over time."""
        return await self._logs.queries.histogram(query, buckets)

    async def log_values(
        self, query: LogQuery, name: FieldName, *, prefix: str = "", limit: int = 10
    ) -> list[ValueCount]:
        """The most frequent values of a field."""
        return await self._logs.queries.values(query, name, prefix, limit)

    async def log_aggregate(
        self, query: LogQuery, aggregate: Aggregate, stages: Sequence[Selecting] = ()
    ) -> AggregateRows:
        """Groups of matching records with their metrics."""
        return await self._logs.queries.aggregate(query, aggregate, stages)

    async def log_items(self, query: LogQuery, stages: Sequence[Selecting]) -> LogItems:
        """What comes out of stages of a pipeline."""
        return await self._logs.queries.items(query, stages)

    async def log_fields(self, query: LogQuery, *, records: int = 1_000, limit: int = 200) -> list[FieldCount]:
        """The attributes of the newest records."""
        return await self._logs.queries.fields(query, records, limit)

    async def select_logs(self, selection: Selection) -> list[Selected]:
        """Records in the order of a selection."""
        return await self._logs.queries.select(selection)

    async def count_logs(self, search: Node, most: int | None = None) -> int:
        """How many records a search finds."""
        return await self._logs.queries.count(search, most)

    async def log_buckets(self, request: BucketRequest) -> BucketRows:
        """One level of buckets."""
        return await self._logs.queries.buckets(request)

    async def logs_in_groups(
        self, request: BucketRequest, selection: Selection
    ) -> dict[tuple[GroupKey, ...], list[Selected]]:
        """The first records of each group of a request, in the order of a selection."""
        return await self._logs.queries.in_groups(request, selection)

    async def put_log_patterns(self, patterns: Sequence[LogPattern]) -> None:
        """Keep patterns of log messages."""
        await self._logs.patterns.put(patterns)

    async def log_patterns(self, ids: Sequence[str] | None = None) -> list[LogPattern]:
        """Patterns of log messages."""
        return await self._logs.patterns.read(ids)

    async def last_log_id(self) -> int:
        """The largest id of a record."""
        return await self._logs.queries.last_id()

    async def delete_logs(self, places: Sequence[tuple[int, int]]) -> None:
        """Delete records by their times and ids."""
        await self._logs.delete(places)

    async def log_sizes(self, search: Node) -> list[LogSize]:
        """How much there is of what a search finds."""
        return await self._logs.sizes(search)

    async def delete_found(self, search: Node, since_ns: int, until_ns: int) -> None:
        """Delete all records of a range that a search finds."""
        await self._logs.delete_found(search, since_ns, until_ns)

    async def rewrite_deleted(self) -> int:
        """Write parts that hold deleted records anew."""
        return await self._logs.rewrite_deleted()

    async def expunge(self, search: Node) -> Expunged:
        """Have the bytes of deleted records leave all files of the store."""
        copied = self._copied
        done = await self._logs.expunge(search)
        return replace(done, left=(*done.left, _BACKUP)) if copied or self._copied else done

    def replacing(
        self, source: str, replaced: Sequence[tuple[int, tuple[int, int]]]
    ) -> AbstractAsyncContextManager[None]:
        """Let no crash leave both a record and the one that replaces it."""
        return self._logs.replacing(source, replaced)

    async def document_fingerprints(self, most: int) -> Numbers | None:
        """Numbers of all documents with ids of their own."""
        return await self._logs.document_fingerprints(most)

    async def log_services(self, since_ns: int, until_ns: int) -> list[str]:
        """Services that logged in a range."""
        return await self._logs.queries.services(since_ns, until_ns)

    async def source_position(self, source: str) -> int | None:
        """The largest offset stored for a source."""
        return await self._logs.queries.source_position(source)

    async def find_traces(self, query: TraceQuery) -> list[TraceSummary]:
        """Matching traces in the order of the query."""
        return await self._traces.find(query)

    async def trace_distribution(self, query: TraceQuery, times: int = 60) -> TraceDistribution:
        """All matching traces by start and duration."""
        return await self._traces.distribution(query, times)

    async def span_fields(self, query: TraceQuery, *, spans: int = 1_000, limit: int = 200) -> list[FieldCount]:
        """The attributes of the newest spans."""
        return await self._traces.fields(query, spans, limit)

    async def span_values(
        self, query: TraceQuery, name: FieldName, *, prefix: str = "", limit: int = 20
    ) -> list[ValueCount]:
        """The most frequent values of a field of spans."""
        return await self._traces.values(query, name, prefix, limit)

    async def service_calls(self, service: str, since_ns: int, until_ns: int) -> list[ServiceCalls]:
        """Calls to and from a service."""
        return await self._traces.calls(service, since_ns, until_ns)

    async def get_trace(self, trace_id: str) -> list[Span]:
        """Spans of one trace."""
        return await self._traces.get(trace_id)

    async def get_traces(
        self, trace_ids: Sequence[str], since_ns: int = 0, until_ns: int = LATEST_NS
    ) -> list[list[Span]]:
        """Spans of several traces."""
        return await self._traces.get_some(trace_ids, since_ns, until_ns)

    async def trace_services(self) -> list[str]:
        """Services with spans."""
        return await self._traces.services()

    async def trace_operations(self, service: str) -> list[str]:
        """Span names of a service."""
        return await self._traces.operations(service)

    async def statistics(self) -> dict[str, Any]:
        """Rows, bytes on disk and parts of each signal; the head; parts that had to be put aside; the engine."""
        if self._journal is not None:
            await self._journal.flush(READ_SECONDS)
        parts = await rows(
            self._engine,
            "SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts "  # noqa: S608
            f"FROM {self._deployment.system('parts')} "
            "WHERE active AND database = currentDatabase() GROUP BY table",
        )
        detached = await detached_parts(self._engine, self._deployment)
        if not self._version:
            self._version = str((await rows(self._engine, "SELECT version() AS version"))[0]["version"])
        by_table = {self._deployment.named(row.pop("table")): row for row in parts}
        nothing = {"rows": 0, "bytes": 0, "parts": 0}
        head = self._metrics.head
        return {
            **{signal: by_table.get(table, nothing) for table, signal in _SIGNALS.items()},
            "head": {
                "series": head.series_count,
                "samples": head.sample_count,
                "bytes": head.nbytes,
                "since_ms": head.floor_ms,
                "unsaved_samples": self._metrics.unsaved,
                "lost_samples": self._metrics.lost_samples,
                **head.counters,
            },
            "detached_parts": detached,
            "version": self._version,
            **({"wal": self._journal.facts()} if self._journal is not None else {}),
            **self._engine.facts(),
        }

    async def snapshot(self, scratch: Path, data: Path) -> list[SnapshotFile]:
        """What was acknowledged before, as files; see :class:`~eldonia_ops.ports.Snapshots`.

        The log comes first: a row that leaves it meanwhile is in a part by then, and parts come last. What is in both
        is found at the next start, by its keys.
        """
        self._copied = True
        found = await self._journal.snapshot(scratch, data) if self._journal is not None else []
        return found + await self._engine.freeze(data)

    async def give_up_snapshot(self) -> None:
        """The files of the last snapshot are not needed any more."""
        await self._engine.thaw()
        self._copied = False

    async def close(self) -> None:
        """Refuse new data, store what was accepted, cancel reads, close the engine. Idempotent."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await asyncio.gather(self._logs.close(), self._traces.close(), self._metrics.close(), return_exceptions=True)
        if self._journal is not None:
            await self._journal.close()
        await self._engine.close()
