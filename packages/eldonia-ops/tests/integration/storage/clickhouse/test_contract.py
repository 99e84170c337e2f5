"""What every store of a signal does alike: those in memory, which tests use, and ClickHouse on both engines."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import pytest

import eldonia_ops.simulation.memory_stores.traces
import eldonia_ops.storage.clickhouse.traces.traces
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import (
    STALE_NAN,
    HistogramSample,
    MetricMetadata,
    MetricType,
    Sample,
    SampleRow,
    is_stale,
)
from eldonia_ops.model.spans import Span, SpanStatus
from eldonia_ops.ports import LogQuery, LogStore, MetricStore, TelemetryStore, TelemetryStores, TraceQuery, TraceStore
from eldonia_ops.search import EVERYTHING, parse_search
from eldonia_ops.search.pipes.parser import parse_pipeline
from eldonia_ops.search.pipes.plan import Width
from eldonia_ops.services.logs.pipelines import run_pipeline
from eldonia_ops.simulation.memory_stores import MemoryStores
from eldonia_ops.storage.clickhouse import Deployment, DeploymentKind, Retention, open_on_engine
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.schema import rows

OpenStore = Callable[..., Awaitable[TelemetryStore]]
NOW_MS = int(time.time()) * 1000
T0 = (NOW_MS - 3_600_000) * 1_000_000
SECOND = 10**9


@pytest.fixture
def logs(stores: TelemetryStores) -> LogStore:
    return stores.logs


@pytest.fixture
def metrics(stores: TelemetryStores) -> MetricStore:
    return stores.metrics


@pytest.fixture
def traces(stores: TelemetryStores) -> TraceStore:
    return stores.traces


def record(second: float, message: str, **fields: Any) -> LogRecord:
    return LogRecord(timestamp_ns=T0 + int(second * SECOND), message=message, **fields)


def query(**fields: Any) -> LogQuery:
    return LogQuery(**{"since_ns": T0, "until_ns": T0 + 3_600 * SECOND, **fields})


def span(trace: str, id: int, start: float, length: float, **fields: Any) -> Span:
    at = T0 + int(start * SECOND)
    return Span(trace_id=trace * 32, span_id=f"{id:016x}", start_ns=at, end_ns=at + int(length * SECOND), **fields)


class Contract:
    """Every test is run for each subclass, which gives the fixture ``stores``."""

    async def test_records_are_counted(self, logs: LogStore) -> None:
        await logs.insert_logs(
            [
                record(index, f"order {index % 4} of x", service="shop" if index % 3 else "", metadata={"ms": index})
                for index in range(30)
            ]
        )

        async def rows(text: str) -> list[dict[str, Any]]:
            found = await run_pipeline(logs, query(), parse_pipeline(text), Width(10 * SECOND))
            return [dict(item.values) for item in found.items]

        assert await rows("* | stats count() as n, p50(ms) as middle, last(ms) as last by service") == [
            {"service": "shop", "n": 20.0, "middle": 15.0, "last": "29"},
            {"service": None, "n": 10.0, "middle": 13.5, "last": "27"},
        ]
        assert await rows('* | extract "order {n} of" | where n>=2 ms<20 | stats count() by n | sort -n') == [
            {"n": "3", "count": 5.0},
            {"n": "2", "count": 5.0},
        ]
        times = await rows("* | timechart")
        assert sum(row["count"] for row in times) == 30
        assert {row["time"] % 10_000 for row in times} == {0}
        assert await rows("* | sort -ms | head 7 | stats min(ms), uniq(service)") == [
            {"min_ms": 23.0, "uniq_service": 1.0}
        ]
        newest = await rows("nothing | top 3 service")
        assert newest == []

    async def test_the_newest_of_each_value(self, logs: LogStore) -> None:
        await logs.insert_logs([record(index, str(index), service="ab"[index % 2]) for index in range(9)])
        found = await logs.log_items(query(), parse_pipeline("* | dedup service | eval n = 1 + 1").split()[0])
        assert [item.record and item.record.message for item in found.items] == ["8", "7"]
        assert [item.values for item in found.items] == [{"n": 2.0}] * 2
        assert not found.more

    async def test_pages_of_records_have_no_gap_and_no_repetition(self, logs: LogStore) -> None:
        await logs.insert_logs([record(index // 3, str(index)) for index in range(10)])
        seen: list[str] = []
        before: tuple[int, int] | None = None
        more = True
        while more:
            page = await logs.search_logs(query(limit=4, before=before))
            seen += [one.message for one in page.records]
            before, more = (page.records[-1].timestamp_ns, page.records[-1].id), page.more
        assert seen == [str(index) for index in reversed(range(10))]
        newest = (await logs.search_logs(query(limit=1))).records[0]
        await logs.insert_logs([record(100, "later")])
        after = await logs.search_logs(query(after=(newest.timestamp_ns, newest.id)))
        assert [one.message for one in after.records] == ["later"]

    async def test_records_are_found_by_their_fields(self, logs: LogStore) -> None:
        await logs.insert_logs(
            [
                record(0, "Payment failed", level=LogLevel.ERROR, service="shop", component="pay", user_id="u1"),
                record(1, "payment taken", service="mail", trace_id="a" * 32, request_id="r1"),
                record(2, "{", parse_error="not JSON"),
            ]
        )

        async def found(**fields: Any) -> list[str]:
            return [one.message for one in (await logs.search_logs(query(**fields))).records]

        assert await found(text="PAYMENT") == ["payment taken", "Payment failed"]
        assert await found(levels=(LogLevel.ERROR,)) == ["Payment failed"]
        assert await found(services=("mail", "other")) == ["payment taken"]
        assert await found(component="pay", user_id="u1") == ["Payment failed"]
        assert await found(trace_id="a" * 32, request_id="r1") == ["payment taken"]
        assert await found(parse_errors_only=True) == ["{"]
        assert await found(until_ns=T0 + SECOND) == ["Payment failed"]
        assert await logs.log_services(T0, T0 + 3_600 * SECOND) == ["mail", "shop"]

    async def test_a_batch_with_a_known_key_is_a_repetition(self, logs: LogStore) -> None:
        for _ in range(2):
            await logs.insert_logs([record(0, "once", source="f", offset=7)], batch_key="f:7")
        assert (await logs.log_histogram(query(), 10)).total == 1
        assert await logs.source_position("f") == 7
        assert await logs.source_position("g") is None

    async def test_deleted_records_are_found_no_more(self, logs: LogStore) -> None:
        await logs.insert_logs([record(second, str(second)) for second in range(6)])
        found = (await logs.search_logs(query())).records
        await logs.delete_logs([(one.timestamp_ns, one.id) for one in found if one.message in ("1", "4")] + [(7, 7)])
        assert [one.message for one in (await logs.search_logs(query())).records] == ["5", "3", "2", "0"]
        assert (await logs.log_histogram(query(), 10)).total == 4
        await logs.delete_logs([])

    async def test_what_a_search_finds_is_counted_by_hours_and_deleted(self, logs: LogStore) -> None:
        hour, users = 3_600, ("a", "b")
        await logs.insert_logs([record(n * hour, "m", user_id=users[n % 2]) for n in range(6) for _ in range(2)])
        of_a, starts = parse_search("user_id:a"), [(T0 // SECOND // hour + n) * hour * SECOND for n in (0, 2, 4)]
        assert [(one.start_ns, one.records) for one in await logs.log_sizes(of_a)] == [(one, 2) for one in starts]
        assert all(one.bytes > 0 for one in await logs.log_sizes(of_a))
        await logs.delete_found(of_a, 0, starts[2])
        assert [(one.start_ns, one.records) for one in await logs.log_sizes(of_a)] == [(starts[2], 2)]
        assert await logs.count_logs(parse_search("user_id:b")) == 6
        await logs.delete_found(of_a, 0, starts[2])
        await logs.rewrite_deleted()
        assert await logs.count_logs(EVERYTHING) == 8

    async def test_a_histogram_has_buckets_of_equal_width(self, logs: LogStore) -> None:
        await logs.insert_logs([record(second, "m", level=LogLevel.WARN) for second in (0, 1, 3599)])
        found = await logs.log_histogram(query(), 6)
        assert found.width_ns == 600 * SECOND
        assert found.starts_ns == [T0 + n * 600 * SECOND for n in range(6)]
        assert found.counts["warn"] == [2, 0, 0, 0, 0, 1]

    async def test_traces_are_summed_up_and_found(self, traces: TraceStore) -> None:
        given = [
            span("a", 1, 0, 10, service="shop", name="POST /orders"),
            span("a", 2, 1, 2, parent_span_id=f"{1:016x}", service="pay", name="charge", status=SpanStatus.ERROR),
            span("b", 3, 5, 1, service="shop", name="GET /works"),
        ]
        await traces.insert_spans(given)
        await traces.insert_spans(given[:1])

        async def found(**fields: Any) -> str:
            wanted = TraceQuery(**{"since_ns": T0, "until_ns": T0 + 3_600 * SECOND, **fields})
            return "".join(one.trace_id[0] for one in await traces.find_traces(wanted))

        assert await found() == "ba"
        assert await found(limit=1) == "b"
        assert await found(service="pay", operation="charge") == "a"
        assert await found(service="shop", operation="charge") == ""
        assert await found(errors_only=True) == "a"
        assert await found(min_duration_ns=2 * SECOND) == "a"
        assert await found(max_duration_ns=2 * SECOND) == "b"
        assert await traces.get_trace("a" * 32) == given[:2]
        assert await traces.get_trace("f" * 32) == []
        assert await traces.trace_services() == ["pay", "shop"]
        assert await traces.trace_operations("shop") == ["GET /works", "POST /orders"]

    async def test_several_traces_come_in_the_order_of_their_ids(self, traces: TraceStore) -> None:
        given = [span(trace, id, at, 1) for trace, id, at in (("a", 1, 0), ("b", 2, 9), ("a", 3, 5), ("c", 4, 2))]
        await traces.insert_spans(given)
        await traces.insert_spans(given)
        ids = [letter * 32 for letter in "cfab"]
        assert await traces.get_traces(ids) == [[given[3]], [given[0], given[2]], [given[1]]]
        assert await traces.get_traces([*ids, *ids], T0 + 3 * SECOND, T0 + 9 * SECOND) == [[given[2]]]
        assert await traces.get_traces([]) == []
        assert await traces.get_traces(["'", "\\"]) == []

    async def test_an_answer_with_several_traces_is_bounded(
        self, traces: TraceStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (eldonia_ops.simulation.memory_stores.traces, eldonia_ops.storage.clickhouse.traces.traces):
            monkeypatch.setattr(module, "MOST_SPANS", 3)
        given = [span(trace, id, id, 1) for id, trace in enumerate("aabbcc")]
        await traces.insert_spans(given)
        ids = [letter * 32 for letter in "abc"]
        assert await traces.get_traces(ids) == [given[:2]]
        await traces.insert_spans([span("d", id, id, 1) for id in range(5)])
        [cut] = await traces.get_traces(["d" * 32, *ids])
        assert len(cut) == 3

    async def test_samples_are_found_by_their_labels(self, metrics: MetricStore) -> None:
        up = [Labels({"__name__": "up", "job": job}) for job in ("a", "b")]
        await metrics.insert_row(SampleRow("t", NOW_MS - 60_000, tuple(up), np.array([1.0, 0.0])))
        await metrics.insert_samples([Sample(Labels({"__name__": "single"}), NOW_MS - 30_000, 5.0)])
        matcher = Matcher("job", MatchOp.EQUAL, "b")
        [block] = await metrics.select([matcher], NOW_MS - 120_000, NOW_MS)
        assert (block.labels, block.timestamps.tolist(), block.values.tolist()) == (
            (up[1],),
            [NOW_MS - 60_000],
            [[0.0]],
        )
        assert await metrics.select([matcher], NOW_MS - 30_000, NOW_MS) == []
        named = Matcher("__name__", MatchOp.REGEX, ".+")
        assert set(await metrics.series([named], NOW_MS - 120_000, NOW_MS)) == {*up, Labels({"__name__": "single"})}
        assert await metrics.label_names([named], NOW_MS - 120_000, NOW_MS) == ["__name__", "job"]
        assert await metrics.label_values("job", [named], NOW_MS - 120_000, NOW_MS) == ["a", "b"]

    async def test_native_histograms_are_stored_beside_floats(self, metrics: MetricStore) -> None:
        at = NOW_MS - 60_000
        latency, other = Labels({"__name__": "latency"}), Labels({"__name__": "other"})
        first = NativeHistogram(3, 7, 1.5, 1e-128, 2.0, ((-1, 1.0), (5, 4.0)))
        second = NativeHistogram(-53, 3, 9.0, positive=((0, 1.0), (2, 2.0)), custom_bounds=(1.0, 5.0))
        samples = [
            HistogramSample(latency, at, first, at - 5_000),
            HistogramSample(latency, at + 1_000, second, at - 5_000),
            Sample(latency, at + 2_000, STALE_NAN),
            Sample(other, at, 1.0, at - 9_000),
        ]
        assert await metrics.insert_samples(samples) == {}
        assert await metrics.insert_samples(samples) == {}, "the same again is no fault"
        changed = HistogramSample(latency, at + 1_000, first)
        [(_, count)] = (await metrics.insert_samples([changed])).items() or [("", 1)]
        assert count == 1
        named = Matcher("__name__", MatchOp.REGEX, ".+")
        found = {labels: (block, column) for block in await metrics.select([named], at - 9, NOW_MS)
                 for column, labels in enumerate(block.labels)}  # fmt: skip
        block, column = found[latency]
        assert [(block.timestamps[row], block.histograms[row, column]) for row in (0, 1)] == [
            (at, first),
            (at + 1_000, second),
        ]
        assert is_stale(block.values[:, column]).tolist() == [False, False, True]
        assert dict(block.starts[column])[at] == at - 5_000
        block, column = found[other]
        assert (block.values[0, column], block.starts[column]) == (1.0, [(at, at - 9_000)])
        assert not [place for place in block.histograms if place[1] == column]
        assert set(await metrics.series([named], at, at)) == {latency, other}
        [part] = await metrics.select([Matcher("__name__", MatchOp.EQUAL, "latency")], at + 500, at + 1_500)
        assert list(part.histograms.values()) == [second]

    async def test_the_latest_metadata_wins(self, metrics: MetricStore) -> None:
        await metrics.insert_metadata([MetricMetadata("b", MetricType.GAUGE), MetricMetadata("a", MetricType.GAUGE)])
        await metrics.insert_metadata([MetricMetadata("b", MetricType.COUNTER, "counts")])
        assert [(one.name, one.type.value, one.help) for one in await metrics.metadata()] == [
            ("a", "gauge", ""),
            ("b", "counter", "counts"),
        ]


class TestInMemory(Contract):
    @pytest.fixture
    def stores(self) -> TelemetryStores:
        return MemoryStores.empty(NOW_MS)


class TestClickhouse(Contract):
    @pytest.fixture
    async def stores(self, open_store: OpenStore) -> TelemetryStores:
        return TelemetryStores.on_one(await open_store())


class WithoutKeeper:
    """An engine that leaves out what needs ClickHouse Keeper, which chDB has not: replicas, and statements for all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def execute(self, sql: str, parameters: Any = None) -> None:
        sql = sql.replace(" ON CLUSTER `ops`", "").replace("replicated_dedup", "non_replicated_dedup")
        sql = re.sub(r"Replicated(\w*)\('[^']*', '[^']*'(?:, )?", r"\1(", sql)
        await self._engine.execute(sql, parameters)


class TestDistributed(Contract):
    """Distributed tables over the tables of one shard, in this process."""

    @pytest.fixture
    async def stores(self, engine: Engine) -> AsyncIterator[TelemetryStores]:
        cluster = Deployment(DeploymentKind.DISTRIBUTED, "ops")
        without_keeper: Any = WithoutKeeper(engine)
        store = await open_on_engine(without_keeper, deployment=cluster, commit_delay_seconds=0.005)
        yield TelemetryStores.on_one(store)
        await store.close()

    async def test_rows_are_counted_by_the_names_that_are_asked(self, stores: TelemetryStores) -> None:
        await stores.logs.insert_logs([record(0, "a"), record(1, "b")])
        await stores.traces.insert_spans([span("a", 1, 0, 1)])
        found = await stores.statistics()
        assert (found["logs"]["rows"], found["traces"]["rows"], found["detached_parts"]) == (2, 1, [])

    async def test_a_restart_changes_nothing(self, stores: TelemetryStores, engine: Engine) -> None:
        await stores.logs.insert_logs([record(0, "a")])
        without_keeper: Any = WithoutKeeper(engine)
        cluster = Deployment(DeploymentKind.DISTRIBUTED, "ops")
        again = await open_on_engine(without_keeper, deployment=cluster, retention=Retention(logs_days=3))
        assert [one.message for one in (await again.search_logs(query())).records] == ["a"]
        tables = await rows(
            engine,
            "SELECT create_table_query AS sql FROM system.tables WHERE name = 'logs_local' AND "
            "database = currentDatabase()",
        )
        assert "toIntervalDay(3)" in tables[0]["sql"]
