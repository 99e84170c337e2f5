"""A crash between storing a record and deleting the one that it replaces leaves one of them, never both."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.fingerprints import fingerprints
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery
from eldonia_ops.storage.clickhouse import open_on_engine
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.logs.replacements import payload_of_replaced, replaced_in

EVERYTHING = LogQuery(0, 2**62, limit=10_000)


def record(message: str, offset: int) -> LogRecord:
    metadata = {"_id": "d", "_index": "app", "_source": "message"}
    return LogRecord(
        timestamp_ns=time.time_ns(), message=message, source="elasticsearch", offset=offset, metadata=metadata
    )


async def found(store: Any) -> list[LogRecord]:
    return (await store.search_logs(EVERYTHING)).records


@given(
    st.text(max_size=20),
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.tuples(st.integers(0, 2**62), st.integers(0, 2**64 - 1)))),
)
def test_a_note_is_read_again(source: str, replaced: list[tuple[int, tuple[int, int]]]) -> None:
    assert replaced_in(payload_of_replaced(source, replaced)) == (source, replaced)


@pytest.mark.parametrize("stored", [True, False], ids=["new one stored", "new one not stored"])
async def test_a_crash_in_between(
    engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path, stored: bool
) -> None:
    engine = await engine_factory()
    store = await open_on_engine(engine, wal=tmp_path / "wal")
    await store.insert_logs([record("old", 1)])
    (old,) = await found(store)
    async with store.replacing("elasticsearch", [(2, (old.timestamp_ns, old.id))]):
        if stored:
            await store.insert_logs([record("new", 2)])
        assert store._journal is not None
        await store._journal._log.close()  # killed here: nothing more is written
        again = await open_on_engine(engine, wal=tmp_path / "wal")
        assert [one.message for one in await found(again)] == (["new"] if stored else ["old"])
    await again.close()


async def test_the_note_is_kept_until_the_deletion_is_done(
    engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path
) -> None:
    store = await open_on_engine(await engine_factory(), wal=tmp_path / "wal")
    await store.insert_logs([record("old", 1)])
    (old,) = await found(store)
    journal = store._journal
    assert journal is not None
    async with store.replacing("elasticsearch", [(2, (old.timestamp_ns, old.id))]):
        await store.insert_logs([record("new", 2)])
        await found(store)  # all rows are in the engine now
        assert journal._log._released < journal._log.last
        await store.delete_logs([(old.timestamp_ns, old.id)])
    assert journal._log._released == journal._log.last
    assert [one.message for one in await found(store)] == ["new"]
    await store.close()


async def test_fingerprints_of_documents(engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path) -> None:
    store = await open_on_engine(await engine_factory(), wal=tmp_path / "wal", alone=True)
    now = time.time_ns()
    own = [("app", "付-1"), ("app", 'a"\n'), ("b", "1"), ("", "x" * 500)]
    records = [
        LogRecord(timestamp_ns=now, message="m", metadata={"_index": index, "_id": id, "n": 1}) for index, id in own
    ]
    await store.insert_logs(
        [
            *records,
            LogRecord(timestamp_ns=now, message="other"),
            LogRecord(timestamp_ns=now, message="m", metadata={"_index": "app"}),
        ]
    )
    numbers = await store.document_fingerprints(100)
    assert numbers is not None
    assert sorted(numbers.tolist()) == sorted(fingerprints(own).tolist())
    assert await store.document_fingerprints(3) is None
    await store.close()
    store = await open_on_engine(await engine_factory(), wal=tmp_path / "wal2")
    assert await store.document_fingerprints(100) is None
    await store.close()
