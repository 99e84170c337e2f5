import asyncio
import contextlib
import contextvars
import threading
import time

import httpx
import pytest

from eldonia_telemetry import TelemetryMiddleware, carry, performance
from eldonia_telemetry.performance import memory, operation_recorder
from eldonia_telemetry.performance.statistics import MAX_OPERATIONS
from eldonia_telemetry.testing import capture


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    performance.clear()
    monkeypatch.setattr(operation_recorder, "thresholds", performance.Thresholds())
    monkeypatch.setattr(memory, "current", lambda: memory.MemoryUse(1, 10, 0.1, "physical"))


def operation(name: str) -> performance.OperationReport:
    return next(one for one in performance.report().operations if one.operation == name)


def test_a_block_leaves_record_metric_and_figures():
    with capture() as seen, performance.timer("resize") as measured:
        measured.count_query(2)
        performance.count_cache(hits=3, misses=1)
        performance.count_external_call()
        time.sleep(0.005)
    record = seen.record(component="performance", operation="resize")
    assert record.message.startswith("Performance: resize completed in ")
    assert record.performance.duration >= 5
    assert record.performance.memory_usage > 1_000_000
    assert record.performance.cpu_usage < 1000
    assert record.metadata == {"databaseQueries": 2, "cacheHits": 3, "cacheMisses": 1, "externalApiCalls": 1}
    assert seen.increase("operation_duration_seconds_count", operation="resize") == 1
    assert seen.increase("performance_alerts_total", operation="resize", kind="slow") == 0


def test_decorators_keep_what_they_wrap_and_its_result():
    @performance.timer("plain")
    def plain(x: int) -> int:
        """Twice."""
        return 2 * x

    @performance.timer("coroutine")
    async def coroutine(x: int) -> int:
        await asyncio.sleep(0.002)
        return 2 * x

    @performance.timer("steps")
    def steps():
        time.sleep(0.002)
        yield 1
        yield 2

    @performance.timer("stream")
    async def stream():
        yield 1
        await asyncio.sleep(0.002)
        yield 2

    async def all_of_them():
        assert await coroutine(4) == 8
        assert [x async for x in stream()] == [1, 2]

    with capture():
        assert plain(4) == 8
        assert (plain.__name__, plain.__doc__) == ("plain", "Twice.")
        assert list(steps()) == [1, 2]
        asyncio.run(all_of_them())
    assert {one.operation: one.count for one in performance.report().operations} == {
        "plain": 1,
        "coroutine": 1,
        "steps": 1,
        "stream": 1,
    }
    assert all(operation(name).min_duration >= 2 for name in ("coroutine", "steps", "stream"))


def test_nested_operations_count_for_those_around_them():
    with capture() as seen, performance.timer("outer"):
        performance.count_query()
        with performance.timer("inner"):
            performance.count_query(2)
        performance.count_query()
    assert seen.record(operation="inner").metadata == {"databaseQueries": 2}
    assert seen.record(operation="outer").metadata == {"databaseQueries": 4}


async def test_concurrent_runs_of_one_operation_do_not_mix():
    one_timer = performance.timer("parallel")

    async def run(number: int) -> int:
        async with one_timer as measured:
            for _ in range(number):
                performance.count_query()
                await asyncio.sleep(0)
            return measured.database_queries

    with capture():
        assert await asyncio.gather(*(run(number) for number in range(20))) == list(range(20))
    assert operation("parallel").database_queries == sum(range(20))


def test_threads_and_tasks_count_for_what_started_them():
    async def query():
        performance.count_query()

    async def many():
        await asyncio.gather(*(query() for _ in range(5)))
        await asyncio.to_thread(performance.count_query)

    def work():
        for _ in range(1000):
            performance.count_query()

    with capture(), performance.timer("fan-out") as measured:
        asyncio.run(many())
        threads = [threading.Thread(target=carry(work)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert measured.database_queries == 4006


def test_an_exception_counts_once_in_every_operation_that_it_leaves():
    with capture() as seen, contextlib.suppress(ValueError), performance.timer("outer"), performance.timer("inner"):
        error = ValueError("bad")
        performance.count_error(error)
        raise error
    for name in ("inner", "outer"):
        assert operation(name).errors == 1
        assert operation(name).error_rate == 100
        warning = seen.record("Errors detected", operation=name)
        assert (warning.level, warning.metadata) == ("warn", {"errorCount": 1})
        assert seen.increase("performance_alerts_total", operation=name, kind="errors") == 1


def test_what_ends_a_task_is_no_error():
    with capture() as seen, contextlib.suppress(asyncio.CancelledError), performance.timer("cancelled"):
        raise asyncio.CancelledError
    assert operation("cancelled").errors == 0
    assert [record.level for record in seen.records] == ["info"]


def test_slow_operations_warn_at_their_own_threshold_or_the_common_one():
    with capture() as seen:
        with performance.timer("slow", slow=0.001):
            time.sleep(0.003)
        with performance.timer("fine"):
            time.sleep(0.003)
        performance.configure(slow=0.001)
        with performance.timer("common", log=False):
            time.sleep(0.003)
    for name in ("slow", "common"):
        warning = seen.record("Slow operation detected", operation=name)
        assert warning.metadata["threshold"] == 1
        assert warning.metadata["duration"] >= 3
        assert operation(name).slow == 1
    assert operation("fine").slow == 0


def test_memory_near_its_limit_counts_each_time_and_warns_once_a_minute(monkeypatch):
    monkeypatch.setattr(memory, "current", lambda: memory.MemoryUse(900, 1000, 0.9, "cgroup v2"))
    monkeypatch.setattr(operation_recorder, "_memory_said", -1e9)
    with capture() as seen:
        for _ in range(3):
            with performance.timer("big"):
                pass
    warning = seen.record("High memory usage")
    assert warning.metadata == {
        "memoryUsagePercent": 90.0,
        "usedBytes": 900,
        "limitBytes": 1000,
        "limit": "cgroup v2",
        "threshold": 80.0,
    }
    assert seen.increase("performance_alerts_total", operation="big", kind="memory") == 3


def test_thresholds_that_make_no_sense_change_nothing(capsys):
    assert performance.configure(slow=-1, memory=7) == performance.Thresholds(2.0, 0.8)
    assert performance.configure(slow="fast", memory=float("nan")) == performance.Thresholds(2.0, 0.8)  # type: ignore[arg-type]
    assert "the threshold slow is not usable" in capsys.readouterr().err


def test_an_operation_may_be_called_anything():
    with capture():
        for name in (None, 5, ["a"]):
            with performance.timer(name):  # type: ignore[arg-type]
                pass
    names = {row.operation for row in performance.report().operations}
    assert names == {"None", "5", "['a']"}


def test_the_report_has_the_seeds_summary_and_quantiles():
    assert performance.report().summary.total_operations == 0
    with capture():
        for number in range(100):
            measured = performance.Measurement("op", None)
            if number < 10:
                measured.count_error()
            measured.count_query(2)
            measured.count_cache(hits=3, misses=1)
            operation_recorder.record("op", float(number + 1), measured, slow=False)
        operation_recorder.record("rare", 5000.0, performance.Measurement("rare", None), slow=True)
    report = performance.report()
    summary = report.summary
    assert (summary.total_operations, summary.max_duration, summary.min_duration) == (101, 5000, 1)
    assert summary.avg_duration == pytest.approx(5050 / 101 + 5000 / 101, abs=0.01)
    assert summary.error_rate == 9.9
    assert summary.avg_database_queries == 1.98
    assert summary.cache_hit_rate == 75
    rare, op = report.operations
    assert (rare.operation, op.operation) == ("rare", "op")
    assert (op.p50, op.p95, op.p99) == pytest.approx((50, 95, 99), rel=0.02)
    assert rare.p50 == rare.p99 == 5000


def test_operations_without_end_share_one_name(capsys):
    with capture():
        for number in range(MAX_OPERATIONS + 50):
            operation_recorder.record(f"op {number}", 1.0, performance.Measurement("", None), slow=False)
    assert len(performance.report().operations) == MAX_OPERATIONS + 1
    assert operation("other").count == 50


def test_a_fault_of_our_own_stays_here(monkeypatch, capsys):
    def broken(*_, **__):
        raise RuntimeError("ours")

    monkeypatch.setattr(operation_recorder.statistics, "add", broken)
    with capture(), performance.timer("x"):
        result = 1
    assert result == 1


@pytest.mark.parametrize("shared", [False, True])
def test_dependencies_that_yield_end_their_own_timer(shared):
    """FastAPI enters and leaves those of plain functions in threads, each step in a copy of the context of its own."""
    from fastapi import Depends, FastAPI

    one = {name: performance.timer(name) for name in ("sync dependency", "async dependency")}

    def timer(name):
        return one[name] if shared else performance.timer(name)

    def plain():
        with timer("sync dependency") as measured:
            measured.count_query()
            yield measured

    async def coroutine():
        async with timer("async dependency") as measured:
            yield measured

    app = FastAPI()

    @app.get("/{number}")
    async def endpoint(number: int, a=Depends(plain), b=Depends(coroutine)):  # noqa: B008
        with performance.timer("endpoint") as measured:
            await asyncio.sleep(0.01 * (number % 3))
            a.count_query(number)
            measured.count_query(100)

    app.add_middleware(TelemetryMiddleware)

    async def ask():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await asyncio.gather(*(client.get(f"/{number}") for number in range(6)))

    with capture() as seen:
        asyncio.run(ask())
    records = [record for record in seen.records if record.component == "performance"]
    by_operation = {}
    for record in records:
        by_operation.setdefault(record.operation, []).append((record.request_id, record.metadata))
    assert {name: len(found) for name, found in by_operation.items()} == {
        "sync dependency": 6,
        "async dependency": 6,
        "endpoint": 6,
    }
    # Each is ended in its own request, with its own figures.
    requests = {r.request_id: int(r.metadata["path"][1:]) for r in seen.records if r.component == "http"}
    for request_id, metadata in by_operation["sync dependency"]:
        assert metadata["databaseQueries"] == 1 + requests[request_id]


def test_one_timer_inside_itself_across_contexts():
    timer = performance.timer("nested")
    ended = []
    with capture() as seen, timer as outer:
        outer.count_query(1)
        entered = contextvars.copy_context().run(timer.__enter__)
        entered.count_query(10)
        thread = threading.Thread(target=contextvars.copy_context().run, args=(timer.__exit__, None, None, None))
        thread.start()
        thread.join()
        ended.append([record.metadata for record in seen.records])
    assert ended == [[{"databaseQueries": 10}]]
    assert [record.metadata for record in seen.records] == [{"databaseQueries": 10}, {"databaseQueries": 11}]


def test_leaving_without_having_entered_does_nothing():
    timer = performance.timer("never")
    with capture() as seen, performance.timer("around"):
        timer.__exit__(None, None, None)
        assert seen.records == []
    assert [record.operation for record in seen.records] == ["around"]


@performance.timer("generator")
def generated():
    performance.count_query()
    try:
        got = yield 1
    except KeyError:
        performance.count_query(10)
        got = yield "caught"
    with performance.timer("inner"):
        performance.count_query(100)
        yield got
        performance.count_query(1000)
    return "done"


@performance.timer("async generator")
async def generated_async():
    performance.count_query()
    try:
        got = yield 1
    except KeyError:
        performance.count_query(10)
        got = yield "caught"
    with performance.timer("inner"):
        performance.count_query(100)
        yield got
        performance.count_query(1000)


def test_what_generators_ask_for_is_counted_for_them_and_nothing_between_their_steps_is():
    with capture() as seen, performance.timer("around") as around:
        steps = generated()
        assert next(steps) == 1
        performance.count_query(10_000)
        assert steps.throw(KeyError()) == "caught"
        assert steps.send("sent") == "sent"
        performance.count_query(10_000)
        with pytest.raises(StopIteration) as stop:
            next(steps)
        assert stop.value.value == "done"
        assert around.database_queries == 21_111
    figures = {record.operation: record.metadata for record in seen.records}
    assert figures["generator"] == {"databaseQueries": 1111}
    assert figures["inner"] == {"databaseQueries": 1100}


def test_the_same_of_asynchronous_ones():
    async def use():
        with performance.timer("around") as around:
            steps = generated_async()
            assert await anext(steps) == 1
            performance.count_query(10_000)
            assert await steps.athrow(KeyError()) == "caught"
            assert await steps.asend("sent") == "sent"
            with pytest.raises(StopAsyncIteration):
                await anext(steps)
            assert around.database_queries == 11_111

    with capture() as seen:
        asyncio.run(use())
    figures = {record.operation: record.metadata for record in seen.records}
    assert figures["async generator"] == {"databaseQueries": 1111}
    assert figures["inner"] == {"databaseQueries": 1100}


def test_generators_that_are_closed_or_raise():
    @performance.timer("closed")
    def closed():
        try:
            yield 1
        finally:
            performance.count_query(5)

    @performance.timer("raising")
    def raising():
        yield 1
        raise ValueError("no more")

    with capture() as seen:
        steps = closed()
        next(steps)
        steps.close()
        with pytest.raises(ValueError, match="no more"):
            list(raising())
    figures = {r.operation: r.metadata for r in seen.records if r.level == "info"}
    assert figures == {"closed": {"databaseQueries": 5}, "raising": {"errors": 1}}
