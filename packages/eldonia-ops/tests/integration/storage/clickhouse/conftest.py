"""Stores on each engine of ``clickhouse_engines``."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore, open_on_engine
from eldonia_ops.storage.clickhouse.engines.engine import Engine


@pytest.fixture
async def engine(engine_factory: Callable[[], Awaitable[Engine]]) -> Engine:
    return await engine_factory()


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    """Which of the engines the test runs on: ``chdb`` or ``server``."""
    return request.node.callspec.params["engine_factory"]


OpenStore = Callable[..., Awaitable[ClickhouseTelemetryStore]]


@pytest.fixture
async def open_store(engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path) -> AsyncIterator[OpenStore]:
    """Opens stores on one fresh database; called again, it is the same database after a restart."""
    opened: list[ClickhouseTelemetryStore] = []

    async def open_one(**settings: Any) -> ClickhouseTelemetryStore:
        settings.setdefault("commit_delay_seconds", 0.005)
        settings.setdefault("wal", tmp_path / "wal")
        store = await open_on_engine(await engine_factory(), **settings)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: OpenStore) -> ClickhouseTelemetryStore:
    return await open_store()
