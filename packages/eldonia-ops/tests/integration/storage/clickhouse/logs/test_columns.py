"""Records come back whole, whichever columns were read at first."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import pytest

from eldonia_ops.model.logs import CONTEXT_FIELDS, LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.ports import LogQuery
from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.engines.timed import TimedEngine
from eldonia_ops.storage.clickhouse.logs.columns import HeldColumns, ReadColumns
from eldonia_ops.storage.clickhouse.logs.rows import COLUMNS, SELDOM, record_of
from eldonia_ops.storage.clickhouse.schema import rows

T0 = (int(time.time()) - 7_200) * 10**9
EVERYTHING = LogQuery(T0 - 3_600 * 10**9, T0 + 3_600 * 10**9, limit=1_000, oldest_first=True)
ALL = (1 << len(SELDOM)) - 1
NAMED = [name for names in SELDOM for name in names]


class Counted(TimedEngine):
    """An engine that counts what it is asked."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, lambda _table, _seconds: None)
        self.asked = 0

    async def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, *, format: str = "JSONEachRow"
    ) -> bytes:
        self.asked += 1
        return await super().query(sql, parameters, format=format)


async def selected(engine: Engine, read: ReadColumns) -> list[dict[str, Any]]:
    return await rows(engine, f"SELECT {', '.join(read.sql)} FROM logs ORDER BY timestamp, id")


def plain(record: LogRecord) -> LogRecord:
    return msgspec.structs.replace(record, id=0)


def one_of_each() -> list[LogRecord]:
    """A record that fills nothing, one for each column alone, and one that fills all."""
    texts = {name: f"v {name}" for name in (*CONTEXT_FIELDS, "source", "parse_error", "pattern")}
    fields: list[dict[str, Any]] = [
        {},
        *({name: value} for name, value in texts.items()),
        {"offset": 7},
        {"metadata": {"a": 1}},
        {"metadata": {"nested": {"b": [1.0]}}},
        {"error": LogError(name="E"), "tag": "t"},
        {"performance": LogPerformance(duration=1.5), "level": LogLevel.ERROR},
        {**texts, "offset": -7, "metadata": {"a": 1}, "error": LogError(name="E")},
    ]
    return [LogRecord(timestamp_ns=T0 + n * 1_000, message=f"word{n} all", **values) for n, values in enumerate(fields)]


def test_every_column_is_always_read_or_has_a_bit() -> None:
    assert {*NAMED, "timestamp", "id", "level", "message"} == set(COLUMNS)
    assert len(set(NAMED)) == len(NAMED)


@pytest.mark.parametrize("copies", [1, 20])
async def test_records_are_whole_whichever_columns_were_read(
    open_store: Callable[..., Awaitable[ClickhouseTelemetryStore]], engine: Engine, copies: int
) -> None:
    store = await open_store()
    sent = one_of_each() * copies  # more than 200 go as a block
    await store.insert_logs(sent)
    found = (await store.search_logs(EVERYTHING)).records
    assert sorted(map(repr, map(plain, found))) == sorted(map(repr, sent))
    for held in (0, ALL, *(1 << bit for bit in range(len(SELDOM)))):
        read = ReadColumns(held)
        whole = await HeldColumns().completed(engine, read, await selected(engine, read))
        assert sorted(repr(plain(record_of(row))) for row in whole) == sorted(map(repr, sent)), held


async def test_what_answers_hold_is_what_statements_read(
    open_store: Callable[..., Awaitable[ClickhouseTelemetryStore]], engine: Engine
) -> None:
    store = await open_store()
    await store.insert_logs(one_of_each()[:2])
    assert len((await store.search_logs(EVERYTHING)).records) == 2
    counted, held = Counted(engine), HeldColumns()
    assert held.reading().held == ALL, "nothing is known at first"
    bare = (await selected(engine, held.reading()))[:1]
    await held.completed(counted, held.reading(), bare)
    assert held.reading().held == 0
    for asked in (1, 1):  # the second time the column is read at once
        read = held.reading()
        found = await held.completed(counted, read, await selected(engine, read))
        assert [plain(record_of(row)) for row in found] == one_of_each()[:2]
        assert counted.asked == asked
    for _ in range(600):
        await held.completed(counted, held.reading(), [dict(row) for row in bare])
    assert held.reading().held == 0, "what no answer has held for long is not read any more"


async def test_a_record_that_is_deleted_meanwhile_is_left_out(
    open_store: Callable[..., Awaitable[ClickhouseTelemetryStore]], engine: Engine
) -> None:
    store = await open_store()
    await store.insert_logs(one_of_each()[:3])
    await store.search_logs(EVERYTHING)
    found = await selected(engine, ReadColumns(0))
    await store.delete_logs([(found[1]["ns"], found[1]["id"])])
    whole = await HeldColumns().completed(engine, ReadColumns(0), found)
    assert [record_of(row).message for row in whole] == ["word0 all", "word2 all"]
