"""Deleted records are found no more: not by a query, not after a crash, not after a merge."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery
from eldonia_ops.protocols.elasticsearch.fields import of_ids
from eldonia_ops.storage.clickhouse import open_on_engine
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.journal.journal import LOG_DELETIONS
from eldonia_ops.storage.clickhouse.logs.deletions import payload_of_places

EVERYTHING = LogQuery(0, 2**62, limit=10_000)


def records(count: int) -> list[LogRecord]:
    now = time.time_ns()
    return [
        LogRecord(timestamp_ns=now - n * 10**9, message=f"m{n}", metadata={"_id": f"d{n}", "_index": "app"})
        for n in range(count)
    ]


async def messages(store: Any) -> set[str]:
    return {record.message for record in (await store.search_logs(EVERYTHING)).records}


async def test_deleted_at_once_and_for_good(engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path) -> None:
    store = await open_on_engine(await engine_factory(), wal=tmp_path / "wal")
    await store.insert_logs(records(300))
    found = (await store.search_logs(EVERYTHING)).records
    gone = [(one.timestamp_ns, one.id) for one in found if one.message in ("m0", "m7", "m299")]
    await store.insert_logs(records(2))  # these wait for the engine while others are deleted
    await store.delete_logs([*gone, (5, 5)])
    left = await messages(store)
    assert left == {f"m{n}" for n in range(300)} - {"m7", "m299"}  # m0 came again
    await store.close()


async def test_a_crash_does_not_bring_them_back(
    engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path
) -> None:
    engine = await engine_factory()
    store = await open_on_engine(engine, wal=tmp_path / "wal")
    await store.insert_logs(records(20))
    found = (await store.search_logs(EVERYTHING)).records
    await store.delete_logs([(one.timestamp_ns, one.id) for one in found[:5]])
    await engine.execute("OPTIMIZE TABLE logs FINAL")  # the rows are in no part any more
    # Logged, and the statement did not come: as if the process had been killed in between.
    journal = store._journal
    assert journal is not None
    await journal.append(LOG_DELETIONS, payload_of_places([(found[6].timestamp_ns, found[6].id)]), lambda _: None)
    await journal._log.close()
    again = await open_on_engine(engine, wal=tmp_path / "wal")
    assert await messages(again) == {f"m{n}" for n in range(20)} - {"m0", "m1", "m2", "m3", "m4", "m6"}
    await again.close()


async def test_ids_are_found_by_their_index(engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path) -> None:
    engine = await engine_factory()
    store = await open_on_engine(engine, wal=tmp_path / "wal")
    await store.insert_logs(records(1_000))
    page = await store.search_logs(LogQuery(0, 2**62, search=of_ids(["d3", "d999", "none"])))
    assert {one.message for one in page.records} == {"m3", "m999"}
    await store.close()
