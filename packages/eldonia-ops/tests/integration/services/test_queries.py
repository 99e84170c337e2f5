"""Queries of people, their limits."""

import asyncio
import time

import pytest

from eldonia_ops.services.api import QueryError
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.queries import QueryService

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
