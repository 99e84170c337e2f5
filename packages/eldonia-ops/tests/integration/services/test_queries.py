"""Queries of people, their limits."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import Sample
from eldonia_ops.promql import LimitError, parse, plan
from eldonia_ops.services.api import QueryError
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.queries import QueryService
from eldonia_ops.simulation.memory_stores import MemoryStores

HEAVY = " + ".join(["quantile_over_time(0.5, vector(time())[6h:1s])"] * 20)


async def test_a_query_whose_time_is_up_gives_its_thread_back() -> None:
    # Nothing is fetched for vector(time()), so there is no store to ask.
    service = QueryService(SystemClock(), None, concurrency=1, timeout_seconds=0.2)  # type: ignore[arg-type]
    try:
        with pytest.raises(QueryError, match="timed out"):
            await service.range(HEAVY, 0, 10_000_000, 1_000)
        until = time.monotonic() + 30
        while True:
            try:
                assert (await service.instant("1 + 1")).series[0].points[0][1] == 2
                break
            except QueryError:
                assert time.monotonic() < until, "the thread is still computing"
                await asyncio.sleep(0.05)
    finally:
        service.close()


@pytest.mark.parametrize("limit", [599, 600])
async def test_what_one_query_may_load_is_bounded(limit: int) -> None:
    now = SystemClock().now()
    telemetry = MemoryStores.empty(now).metrics
    series = [Labels({"__name__": "m", "n": str(n)}) for n in range(10)]
    await telemetry.insert_samples([Sample(one, now - (30 - n) * 1000, 1.0) for n in range(30) for one in series])
    service = QueryService(SystemClock(), telemetry, max_samples=limit)
    try:
        # Two selectors, each of 300 samples.
        query = 'sum(count_over_time(m[10m])) + sum(sum_over_time(m{n!="x"}[10m]))'
        if limit == 600:
            assert (await service.instant(query)).series[0].points[0][1] == 600
            return
        with pytest.raises(QueryError, match="more than 599 samples") as caught:
            await service.instant(query)
        assert caught.value.kind == "execution"
        # One of them alone is fine, and a rule has the same bound.
        assert (await service.instant("sum(count_over_time(m[10m]))")).series
        with pytest.raises(LimitError, match=r"limits\.query_samples"):
            await service.evaluate(plan(parse(query), now, now, 0))
    finally:
        service.close()


async def test_rules_are_evaluated_while_the_threads_of_the_event_loop_hang() -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    release = threading.Event()
    hanging = asyncio.create_task(asyncio.to_thread(release.wait))
    service = QueryService(SystemClock(), None, timeout_seconds=5, rule_threads=1)  # type: ignore[arg-type]
    try:
        await asyncio.sleep(0)
        assert (await service.evaluate(plan(parse("1 + 1"), 0, 0, 0))).series[0].points[0][1] == 2
    finally:
        release.set()
        await hanging
        service.close()
