"""An engine that says how long its inserts take."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter

OnInsert: TypeAlias = Callable[[str, float], None]
"""Takes the table and the seconds of an insert."""


class TimedEngine:
    """An engine around another one. Inserts that fail count too."""

    def __init__(self, engine: Engine, on_insert: OnInsert) -> None:
        self._engine = engine
        self._on_insert = on_insert

    async def execute(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement that returns nothing."""
        await self._engine.execute(sql, parameters)

    async def insert(self, table: str, columns: tuple[str, ...], format: str, body: bytes, *, token: str = "") -> None:
        """Insert a body, and say how long it took."""
        started = time.perf_counter()
        try:
            await self._engine.insert(table, columns, format, body, token=token)
        finally:
            self._on_insert(table, time.perf_counter() - started)

    async def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, *, format: str = "JSONEachRow"
    ) -> bytes:
        """Run a SELECT."""
        return await self._engine.query(sql, parameters, format=format)

    async def freeze(self, data: Path) -> list[SnapshotFile]:
        """Keep the parts that are stored now."""
        return await self._engine.freeze(data)

    async def thaw(self) -> None:
        """Keep them no longer."""
        await self._engine.thaw()

    def facts(self) -> dict[str, Any]:
        """What the engine says of itself."""
        return self._engine.facts()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()
