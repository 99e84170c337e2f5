"""Attributes are stored once, come back as they were sent, and tables of earlier releases go on."""

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogError, LogRecord
from eldonia_ops.ports import LogQuery, TelemetryStore
from eldonia_ops.search import parse_search
from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore, open_on_engine
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.schema import MIGRATIONS, rows

T0 = (int(time.time()) - 7_200) * 10**9
EVERYTHING = LogQuery(T0 - 3_600 * 10**9, T0 + 3_600 * 10**9, limit=1_000)
FLAT: list[dict[str, Any]] = [
    {"z": "x", "a": 1, "m.n": 2.0, "whole": 1e22, "tiny": 1e-7, "ok": True, "none": None, "großes": 2**64 - 1},
    {"http.method": "GET", "http.status_code": 200, "user": None, "latency_ms": 12.0},
    {"http.method": "GET", "http.status_code": "200", "user": "7", "latency_ms": 12},
    {"date": "2026-11-28", "number": "12", "flag": "true", "empty": "", "quoted": '"\\\n\x00', "ja": "注文"},
    {f"k{n:02}": n for n in range(64)},
]
OTHERS: list[dict[str, Any]] = [
    {},
    {"nested": {"b": 1.0}, "a": [1, None]},
    {"minus": -0.0},
    {"50%": 1, "a%2Eb": 2, "a.b": 3},
    {f"k{n}": float(n) for n in range(100)},
    {"long": "x" * 20_000},
]


def record(number: int, metadata: dict[str, Any], **fields: Any) -> LogRecord:
    return LogRecord(timestamp_ns=T0 + number * 1_000, message=f"m {number}", metadata=metadata, **fields)


async def found(store: TelemetryStore, **fields: Any) -> list[LogRecord]:
    query = LogQuery(EVERYTHING.since_ns, EVERYTHING.until_ns, limit=1_000, oldest_first=True, **fields)
    return list((await store.search_logs(query)).records)


def as_text(records: list[LogRecord]) -> list[str]:
    """With the order of keys, and the kinds of numbers."""
    return [json.dumps(one.metadata) for one in records]


@pytest.mark.parametrize("copies", [1, 40])
async def test_attributes_come_back_as_they_were_sent(
    open_store: Callable[..., Awaitable[ClickhouseTelemetryStore]], engine: Engine, copies: int
) -> None:
    store = await open_store()
    sent = [record(n, document) for n, document in enumerate((FLAT + OTHERS) * copies)]
    await store.insert_logs(sent)  # more than 200 go as a block
    assert as_text(await found(store)) == as_text(sent)
    kept = await rows(engine, "SELECT countIf(details = '') AS once, countIf(shape != '') AS shaped FROM logs")
    assert kept == [{"once": (len(FLAT) + 1) * copies, "shaped": len(FLAT) * copies}]
    await engine.execute("OPTIMIZE TABLE logs FINAL")
    assert as_text(await found(store)) == as_text(sent)
    assert len(await found(store, search=parse_search("http.status_code:200"))) == 2 * copies


async def test_what_is_no_attribute_stays_beside_the_shape(store: TelemetryStore) -> None:
    error = LogError(name="E", stack="at x")
    sent = [record(0, {"a": 1.0}, error=error, tag="app.x"), record(1, {}, error=error), record(2, {"a": 2}, tag="t")]
    await store.insert_logs(sent)
    assert [(one.metadata, one.error, one.tag) for one in await found(store)] == [
        ({"a": 1.0}, error, "app.x"),
        ({}, error, ""),
        ({"a": 2}, None, "t"),
    ]
    assert len(await found(store, search=parse_search("error.name:E"))) == 2


async def test_a_table_of_an_earlier_release_goes_on(engine_factory: Callable[[], Awaitable[Engine]]) -> None:
    engine = await engine_factory()
    await engine.execute(
        "CREATE TABLE schema_versions (version UInt32, applied DateTime DEFAULT now()) "
        "ENGINE = MergeTree ORDER BY version"
    )
    for statement in [statement for statements in MIGRATIONS[:4] for statement in statements]:
        await engine.execute(statement)
    await engine.insert("schema_versions", ("version",), "JSONEachRow", b'{"version":4}')
    # Lists of the text index as they were written then.
    await engine.execute("ALTER TABLE logs MODIFY SETTING text_index_posting_list_codec = 'none'")
    documents = FLAT[:2] + OTHERS[1:2]
    lines = [
        {
            "timestamp": f"{(T0 + n * 1_000) // 10**9:010d}.{(T0 + n * 1_000) % 10**9:09d}",
            "id": n + 1,
            "level": "info",
            "message": f"old {n} needle",
            "service": "shop",
            "details": json.dumps({"metadata": document}),
            "metadata": document,
        }
        for n, document in enumerate(documents)
    ]
    columns = ("timestamp", "id", "level", "message", "service", "details", "metadata")
    await engine.insert("logs", columns, "JSONEachRow", b"\n".join(json.dumps(line).encode() for line in lines))
    store = await open_on_engine(engine, commit_delay_seconds=0.005)
    await engine.execute("ALTER TABLE logs RESET SETTING text_index_posting_list_codec")
    new = [msgspec.structs.replace(record(n + 50, one), message=f"new {n} needle") for n, one in enumerate(documents)]
    await store.insert_logs(new)
    for merged in (False, True):
        if merged:
            await engine.execute("OPTIMIZE TABLE logs FINAL")
        every = await found(store)
        assert as_text(every) == as_text([record(0, document) for document in documents * 2])
        assert len(await found(store, search=parse_search("needle"))) == 6
        assert len(await found(store, search=parse_search("needle old 1"))) == 1
        assert len(await found(store, search=parse_search("http.method:GET"))) == 2
        assert [(one.value, one.count) for one in await store.log_values(EVERYTHING, FieldName(("ok",)))] == [
            ("true", 2)
        ]
    await store.close()
