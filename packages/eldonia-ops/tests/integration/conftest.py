"""The same tests against both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from clickhouse_engines import directory, engine_factory, stand_in

from eldonia_ops.storage.state import SqlStateStore, open_state_store

__all__ = ["directory", "engine_factory", "stand_in"]  # fixtures, for all tests below


@pytest.fixture(params=["sqlite", "postgresql"])
def state_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state.db"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture
async def store(state_url: str) -> AsyncIterator[SqlStateStore]:
    opened = await open_state_store(state_url)
    yield opened
    await opened.close()
