"""The stores of three signals, over one engine or several."""

from typing import Any

import pytest

from eldonia_ops.ports import TelemetryStores
from eldonia_ops.simulation.memory_stores import MemoryLogStore, MemoryMetricStore, MemoryStores, MemoryTraceStore


def counted(store: Any, statistics: dict[str, Any], closed: list[Any], error: Exception | None = None) -> Any:
    async def tell() -> dict[str, Any]:
        return statistics

    async def close() -> None:
        closed.append(store)
        if error is not None:
            raise error

    store.statistics, store.close = tell, close
    return store


async def test_a_store_that_holds_all_signals_is_asked_and_closed_once() -> None:
    closed: list[Any] = []
    said = {"logs": {"rows": 1}, "engine": "chdb"}
    stores = TelemetryStores.on_one(counted(MemoryLogStore(), said, closed))
    assert await stores.statistics() is said
    await stores.close()
    assert closed == [stores.logs]


async def test_each_signal_is_reported_by_the_store_that_holds_it() -> None:
    def said(engine: str, rows: int) -> dict[str, Any]:
        signals = {name: {"rows": rows} for name in ("logs", "metrics", "traces", "series")}
        return {**signals, "head": {"series": rows}, "detached_parts": [engine], "engine": engine}

    both = counted(MemoryLogStore(), said("one", 1), [])
    stores = TelemetryStores(both, counted(MemoryMetricStore(0), said("two", 2), []), both)
    found = await stores.statistics()
    assert [found[name]["rows"] for name in ("logs", "metrics", "traces", "series")] == [1, 2, 1, 2]
    assert found["head"] == {"series": 2}
    assert found["detached_parts"] == ["one", "two"]
    assert found["stores"] == {"logs": {"engine": "one"}, "metrics": {"engine": "two"}, "traces": {"engine": "one"}}


async def test_one_that_cannot_be_closed_keeps_no_other_open() -> None:
    closed: list[Any] = []
    stores = MemoryStores(
        counted(MemoryLogStore(), {}, closed, OSError("no")),
        counted(MemoryMetricStore(0), {}, closed),
        counted(MemoryTraceStore(), {}, closed),
    )
    with pytest.raises(OSError, match="no"):
        await stores.close()
    assert closed == [stores.logs, stores.metrics, stores.traces]
