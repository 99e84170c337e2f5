"""What is in the write-ahead log and not in the engine is stored at the next start; what is in both is there once."""

import asyncio
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import Sample, SampleRow
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import LogQuery, TelemetryError
from eldonia_ops.protocols.logs.lines import parse_lines
from eldonia_ops.storage.clickhouse.schema import rows

NS = 10**9
NOW = int(time.time()) * 1000  # rows that are old expire
TODAY = time.strftime("%Y%m%d", time.gmtime(NOW // 1000))
SERIES = tuple(Labels({"__name__": "m", "i": str(i)}) for i in range(5))
TABLES = ("logs", "spans", "samples")


async def write(store: Any, turn: int) -> None:
    at = (NOW + turn) * 10**6
    await store.insert_logs(
        [LogRecord(timestamp_ns=at, message=f"{turn} {n}", source="f", offset=n) for n in range(4)],
        batch_key=f"b{turn}",
    )
    await store.insert_logs([LogRecord(timestamp_ns=at - 20 * 86_400 * NS, message=f"{turn} old")])
    await store.insert_spans(
        [Span(trace_id=f"{turn:032x}", span_id=f"{n:016x}", name="x", start_ns=at, end_ns=at + 1) for n in range(3)]
    )
    await store.insert_row(SampleRow("t", NOW + turn * 1000, SERIES, np.full(len(SERIES), float(turn))))
    await store.insert_samples([Sample(Labels({"__name__": "single"}), NOW + turn * 1000, 1.0)])


async def counts(store: Any) -> list[int]:
    found = await store.statistics()
    return [found[name]["rows"] for name in ("logs", "traces", "metrics")]


async def test_what_was_only_in_the_log_is_there_after_a_start(open_store: Any, tmp_path: Path) -> None:
    first = await open_store(now_ms=lambda: NOW + 9_000)
    for turn in range(3):
        await write(first, turn)
    # As after kill -9: nothing was stored, nothing closed.
    shutil.copytree(tmp_path / "wal", tmp_path / "left")
    expected = await counts(first)
    assert expected == [15, 9, 18]
    for table in TABLES:
        await first._engine.execute(f"TRUNCATE TABLE {table}")
    await first._engine.execute("TRUNCATE TABLE series")
    second = await open_store(now_ms=lambda: NOW + 9_000, wal=tmp_path / "left")
    assert await counts(second) == expected
    assert len(await second.series([], NOW - 1, NOW + 9_000)) == len(SERIES) + 1
    assert await second.source_position("f") == 3
    # The key of a batch is known after the start as well.
    await second.insert_logs([LogRecord(timestamp_ns=NOW * 10**6, message="again")], batch_key="b1")
    assert await counts(second) == expected


async def test_rows_of_a_large_batch_are_the_same_after_a_start(open_store: Any, tmp_path: Path) -> None:
    lines = [
        json.dumps({"time": NOW + n, "level": "WARN", "msg": f"注文 {n}", "n": n, "x.y": n / 4, "host": "h"}).encode()
        for n in range(400)
    ]
    lines.insert(7, b"no JSON")
    batch = parse_lines(lines, range(1, len(lines) + 1), NOW * 10**6, source="f")
    assert [len(part.places) for part in batch.parts] == [400]
    first = await open_store()
    await first.insert_logs(batch, batch_key="large")
    shutil.copytree(tmp_path / "wal", tmp_path / "left")
    columns = "* EXCEPT (metadata), toString(metadata) AS document, toString(JSONAllPathsWithTypes(metadata)) AS types"
    await first.statistics()  # the block is stored before the table is asked
    expected = await rows(first._engine, f"SELECT {columns} FROM logs ORDER BY id")
    assert len(expected) == 401
    await first._engine.execute("DELETE FROM logs WHERE offset % 3 = 0 SETTINGS mutations_sync = 2")
    second = await open_store(wal=tmp_path / "left")
    assert await rows(second._engine, f"SELECT {columns} FROM logs ORDER BY id") == expected
    await second.insert_logs(batch, batch_key="large")
    await second.statistics()
    assert len(await rows(second._engine, "SELECT id FROM logs")) == 401


async def test_what_is_in_both_is_there_once(open_store: Any, tmp_path: Path) -> None:
    first = await open_store(now_ms=lambda: NOW + 9_000)
    for turn in range(3):
        await write(first, turn)
    expected = await counts(first)
    shutil.copytree(tmp_path / "wal", tmp_path / "left")
    second = await open_store(now_ms=lambda: NOW + 9_000, wal=tmp_path / "left")
    assert await counts(second) == expected


async def test_a_part_that_a_power_cut_took_is_stored_again_although_the_others_are_there(
    open_store: Any, tmp_path: Path
) -> None:
    first = await open_store(now_ms=lambda: NOW + 9_000)
    expected: list[int] = []
    for turn in range(3):
        await write(first, turn)
        expected = await counts(first)
    shutil.copytree(tmp_path / "wal", tmp_path / "left")
    for table in TABLES:
        await first._engine.execute(f"ALTER TABLE {table} DROP PARTITION ID '{TODAY}'")
    second = await open_store(now_ms=lambda: NOW + 9_000, wal=tmp_path / "left")
    assert await counts(second) == expected


async def test_a_clean_end_leaves_nothing_to_do(open_store: Any, tmp_path: Path) -> None:
    first = await open_store(now_ms=lambda: NOW + 9_000)
    await write(first, 1)
    await first.close()
    assert sum(path.stat().st_size for path in (tmp_path / "wal").iterdir()) < 200
    second = await open_store(now_ms=lambda: NOW + 9_000)
    assert await counts(second) == [5, 3, 6]


async def test_a_full_disk_refuses_and_what_was_taken_stays(open_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await open_store(now_ms=lambda: NOW + 9_000)
    await write(store, 1)

    async def full(*arguments: Any) -> None:
        raise TelemetryError("the write-ahead log: No space left on device")

    with monkeypatch.context() as context:
        context.setattr(store._journal._log, "append", full)
        with pytest.raises(TelemetryError, match="No space left"):
            await store.insert_logs([LogRecord(timestamp_ns=NOW * 10**6, message="refused")], batch_key="k")
        with pytest.raises(TelemetryError, match="No space left"):
            await store.insert_spans([Span(trace_id="a" * 32, span_id="b" * 16, name="x", start_ns=1, end_ns=2)])
    await store.insert_logs([LogRecord(timestamp_ns=NOW * 10**6, message="again")], batch_key="k")
    assert await counts(store) == [6, 3, 6]


async def test_an_engine_that_is_away_for_a_while_delays_no_acknowledgement(
    open_store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eldonia_ops.storage.clickhouse.journal.blocks.RETRY_SECONDS", (0.01, 0.01))
    store = await open_store(now_ms=lambda: NOW + 9_000)
    insert = store._engine.insert

    async def away(table: str, *arguments: Any, **more: Any) -> None:
        raise TelemetryError(f"{table} is away")

    monkeypatch.setattr(store._engine, "insert", away)
    await asyncio.gather(*(write(store, turn) for turn in range(5)))
    assert await counts(store) == [0, 0, 0]
    monkeypatch.setattr(store._engine, "insert", insert)
    await store._journal.flush(30)
    await store._journal.flush(30)
    assert await counts(store) == [25, 15, 30]


async def test_a_record_that_the_engine_refuses_is_kept_as_its_text(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = store._engine.insert

    async def picky(table: str, columns: Any, format: str, body: bytes, *, token: str = "") -> None:
        if b'"poison":1' in body:
            raise TelemetryError("Code: 117. Incorrect data")
        await insert(table, columns, format, body, token=token)

    monkeypatch.setattr(store._engine, "insert", picky)
    at = NOW * 10**6
    records = [LogRecord(timestamp_ns=at + n, message=f"m{n}", metadata={"n": n}) for n in range(20)]
    records[7] = LogRecord(timestamp_ns=at + 7, message="m7", metadata={"poison": 1}, service="s")
    await store.insert_logs(records)
    found = (await store.search_logs(LogQuery(at - 1, at + NS))).records[::-1]
    assert [record.message for record in found if record.parse_error == ""] == [f"m{n}" for n in range(20) if n != 7]
    [plain] = [record for record in found if record.parse_error]
    assert (plain.message, plain.service) == ('m7 {"metadata":{"poison":1}}', "s")
    assert "Incorrect data" in plain.parse_error
