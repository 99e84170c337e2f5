"""The bytes of deleted records leave every file: parts, old parts, the write-ahead log, and rows that were refused.

Columns are stored without compression here, so that a file that holds a text shows it.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from eldonia_ops.model.log_patterns import LogPattern
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, TelemetryError
from eldonia_ops.search import parse_search
from eldonia_ops.services.logs.deletion import delete_where
from eldonia_ops.storage.clickhouse import open_on_engine
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.logs import expunging as log_expunging
from eldonia_ops.storage.clickhouse.logs.rows import lines_of

DAY_NS = 86_400 * 10**9
PLAIN = tuple(f"MODIFY COLUMN {name} String CODEC(NONE)" for name in ("message", "user_id", "details", "session_id"))


def files_with(needle: str, *folders: Path) -> list[Path]:
    wanted = needle.encode()
    found: list[Path] = []
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                if path.is_file() and wanted in path.read_bytes():
                    found.append(path)
            except FileNotFoundError:
                continue  # a merge was faster
    return found


def records(needle: str, *, days: int = 3, each: int = 400) -> list[LogRecord]:
    """Of each day one record in a hundred is of alice, and holds the needle wherever a text can be."""
    now = time.time_ns()
    found: list[LogRecord] = []
    for day in range(days):
        for number in range(each):
            hers = number % 100 == 7
            found.append(
                LogRecord(
                    timestamp_ns=now - day * DAY_NS - number * 10**6,
                    message=f"order {number} of {needle if hers else 'somebody'}",
                    service="shop",
                    pattern=("0" if hers else "f") * 12,
                    user_id="alice" if hers else "bob",
                    session_id=needle if hers else "s",
                    metadata={"mail": f"{needle}@example.org"} if hers else {"mail": "b@example.org"},
                )
            )
    return found


async def opened(engine: Engine, wal: Path) -> Any:
    """A store that keeps old parts and segments for a shorter time than usual."""
    store = await open_on_engine(engine, wal=wal)
    store._journal._log._kept_seconds = 1.0  # pyright: ignore[reportOptionalMemberAccess]
    await engine.execute("ALTER TABLE logs MODIFY SETTING old_parts_lifetime = 1")
    for change in PLAIN:
        await engine.execute(f"ALTER TABLE logs {change}")
    await engine.execute("ALTER TABLE logs MODIFY SETTING default_compression_codec = 'NONE'")
    return store


async def test_no_file_holds_them_any_more(
    engine_factory: Callable[[], Awaitable[Engine]], directory: Path, tmp_path: Path
) -> None:
    engine = await engine_factory()
    store = await opened(engine, tmp_path / "wal")
    needle = secrets.token_hex(12)
    hers = parse_search("user_id:alice")
    await engine.execute("ALTER TABLE log_patterns MODIFY SETTING old_parts_lifetime = 1")
    await engine.execute("ALTER TABLE log_patterns MODIFY COLUMN template String CODEC(NONE)")
    now = time.time_ns() // 10**6
    await store.put_log_patterns(
        [
            LogPattern(id=id * 12, template=f"order <#> of {who}", first_seen_ms=now, last_seen_ms=now)
            for id, who in (("0", needle), ("f", "somebody"))
        ]
    )
    for _ in range(2):
        await store.insert_logs(records(needle))
        assert await store.count_logs(hers)
    assert len(await store.log_patterns()) == 2
    (tmp_path / "wal" / "refused-logs.jsonl").write_bytes(
        b"\n".join([*lines_of(records(needle, days=1, each=10), range(10)), b"{torn", b""])
    )
    kinds = {"wal" if path.is_relative_to(tmp_path) else "part" for path in files_with(needle, directory, tmp_path)}
    assert kinds == {"wal", "part"}, "the test would not see it"
    assert await delete_where(store, hers) == 24
    assert files_with(needle, directory), "a deletion alone leaves the bytes"

    done = await store.expunge(hers)

    assert files_with(needle, directory, tmp_path) == []
    assert (done.refused, done.left) == (1, ())
    assert done.patterns == ("0" * 12,)
    assert [one.template for one in await store.log_patterns()] == ["order <#> of somebody"]
    assert done.rewritten >= 3
    assert done.segments >= 1
    masked = await engine.query(
        "SELECT count() AS n FROM logs WHERE user_id = 'alice' SETTINGS apply_deleted_mask = 0, apply_patch_parts = 0"
    )
    assert masked.strip() in (b'{"n":0}', b'{"n":"0"}'), "not even behind a mask"
    page = await store.search_logs(LogQuery(0, 2**62, limit=10_000))
    assert len(page.records) == 2 * 3 * 396
    assert {one.user_id for one in page.records} == {"bob"}
    assert b"{torn" in (tmp_path / "wal" / "refused-logs.jsonl").read_bytes()
    (tmp_path / "scratch").mkdir()
    await store.snapshot(tmp_path / "scratch", directory.parent)
    again = await store.expunge(hers)
    assert again.rewritten == 0, "what is done costs nothing"
    assert again.left == ("a backup that was being made meanwhile",)
    await store.give_up_snapshot()
    await store.close()


async def test_inserts_go_on_meanwhile(engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path) -> None:
    store = await opened(await engine_factory(), tmp_path / "wal")
    await store.insert_logs(records("x"))
    hers = parse_search("user_id:alice")
    await delete_where(store, hers)
    work = asyncio.create_task(store.expunge(hers))
    took: list[float] = []
    sent = 0
    while not work.done():
        started = time.monotonic()
        await store.insert_logs([LogRecord(timestamp_ns=time.time_ns(), message="meanwhile", service="other")])
        took.append(time.monotonic() - started)
        sent += 1
        await asyncio.sleep(0.05)
    await work
    assert max(took) < 5
    assert await store.count_logs(parse_search("service:other")) == sent
    await store.close()


async def test_a_kill_between_any_two_steps_brings_nothing_back(
    engine_factory: Callable[[], Awaitable[Engine]], directory: Path, tmp_path: Path
) -> None:
    """The rows are in the log still, and in no part any more: as a start finds them after ``kill -9``."""
    engine = await engine_factory()
    store = await opened(engine, tmp_path / "wal")
    needle = secrets.token_hex(12)
    hers = parse_search("user_id:alice")
    await store.insert_logs(records(needle))
    await delete_where(store, hers)
    assert await store.rewrite_deleted() == 3
    journal = store._journal
    assert journal is not None
    await journal._log._on_thread(lambda: None)
    assert files_with(needle, tmp_path), "the log holds them"
    again = await opened(engine, tmp_path / "wal")
    assert await again.count_logs(hers) == 0
    assert (await again.expunge(hers)).segments >= 1
    assert files_with(needle, directory, tmp_path) == []
    await again.close()


async def test_what_a_search_finds_in_a_range_goes_at_once(
    engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path
) -> None:
    store = await opened(await engine_factory(), tmp_path / "wal")
    await store.insert_logs(records("needle"))
    until = time.time_ns() // DAY_NS * DAY_NS - DAY_NS
    before = await store.log_sizes(parse_search("-user_id:alice"))
    old = sum(one.records for one in before if one.start_ns < until)
    assert 0 < old < sum(one.records for one in before)
    assert all(0 < one.bytes / one.records < 1_000 for one in before)
    await store.delete_found(parse_search("-user_id:alice"), 0, until)
    after = await store.log_sizes(parse_search("-user_id:alice"))
    kept = [one for one in before if one.start_ns >= until]
    assert [(one.start_ns, one.records) for one in after] == [(one.start_ns, one.records) for one in kept]
    assert await store.count_logs(parse_search("user_id:alice")) == 12
    assert await store.rewrite_deleted() >= 1
    assert sum(one.records for one in await store.log_sizes(parse_search(""))) == 1_200 - old
    await store.close()


async def test_a_statement_that_fails_is_not_tried_for_good(
    engine_factory: Callable[[], Awaitable[Engine]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await engine_factory()
    store = await opened(engine, tmp_path / "wal")
    await store.insert_logs(records("needle", days=1))
    hers = parse_search("user_id:alice")
    await delete_where(store, hers)
    expunging = store._logs._expunging

    async def fails(condition: str) -> list[dict[str, Any]]:
        return [{"mutation_id": "1", "reason": "disk full"}]

    monkeypatch.setattr(type(expunging), "_unfinished", lambda self: fails(""))
    monkeypatch.setattr(log_expunging, "PAUSE_SECONDS", 0.01)
    with pytest.raises(TelemetryError, match="disk full"):
        await store.rewrite_deleted()
    monkeypatch.undo()
    await store.expunge(hers)
    await store.close()
