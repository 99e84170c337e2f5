"""Logs into the embedded store, acknowledged when they would survive ``kill -9``; and out of it again."""

import asyncio
import random
import tempfile
import time
from pathlib import Path

from benchmarks.harness import AsyncContender, Row, Spread, Table, alternate_async, durations, number, rates
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import LogQuery
from eldonia_ops.storage.clickhouse import open_telemetry_store

_WORDS = [
    "order",
    "placed",
    "payment",
    "accepted",
    "cart",
    "updated",
    "gateway",
    "answered",
    "slowly",
    "user",
    "signed",
    "in",
    "stock",
    "low",
    "retry",
]


def run(quick: bool) -> list[Table]:
    """Rows a second, and milliseconds a question."""
    with tempfile.TemporaryDirectory() as name:
        return asyncio.run(_measure(Path(name), quick))


async def _measure(folder: Path, quick: bool) -> list[Table]:
    size = 100 if quick else 5_000
    rounds = 2 if quick else 7
    since = (int(time.time()) - 3_600) * 1_000_000_000
    store = await open_telemetry_store(folder / "telemetry")
    inserted = 0

    def batch(count: int) -> list[LogRecord]:
        nonlocal inserted
        inserted += count
        return [_record(since, number) for number in range(inserted - count, inserted)]

    # Made beforehand: making them is not the store's work.
    turns = rounds + 1
    waiting = {count: [batch(count) for _ in range(many * turns)] for count, many in ((1, 1), (99, 1), (size, 5))}

    async def one(count: int) -> None:
        await store.insert_logs(waiting[count].pop())

    async def several(count: int) -> None:
        await asyncio.gather(*(one(count) for _ in range(4)))

    try:
        ingest = await alternate_async(
            [
                AsyncContender(f"4 senders, {size:,} records each", lambda: several(size), 4 * size),
                AsyncContender(f"1 sender, {size:,} records", lambda: one(size), size),
                AsyncContender("1 sender, 99 records", lambda: one(99), 99),
            ],
            rounds=rounds,
        )
        alone = await alternate_async([AsyncContender("1 record, until acknowledged", lambda: one(1))], rounds=rounds)
        for _ in range(0 if quick else 6):
            await asyncio.gather(*(store.insert_logs(batch(size)) for _ in range(6)))
        until = since + 3_700 * 1_000_000_000
        rows = (await store.log_histogram(LogQuery(since, until))).total

        async def search(query: LogQuery, least: int) -> None:
            assert len((await store.search_logs(query)).records) >= least

        async def histogram(query: LogQuery) -> None:
            assert (await store.log_histogram(query)).total

        # Every fiftieth record holds a word of its own.
        needle = f"needle{inserted - inserted % 50 - 50}"
        questions = await alternate_async(
            [
                AsyncContender("the newest 100", lambda: search(LogQuery(since, until), 100)),
                AsyncContender(
                    "the newest 100 errors of one service",
                    lambda: search(
                        LogQuery(since, until, levels=(LogLevel.ERROR,), services=("shop-3",)), 1 if quick else 100
                    ),
                ),
                AsyncContender(
                    "one word that only one record holds", lambda: search(LogQuery(since, until, text=needle), 1)
                ),
                AsyncContender("two common words", lambda: search(LogQuery(since, until, text="gateway slowly"), 1)),
                AsyncContender(
                    "one request's records, by its id", lambda: search(LogQuery(since, until, request_id="r-40"), 1)
                ),
                AsyncContender("histogram, 60 buckets by level", lambda: histogram(LogQuery(since, until))),
                AsyncContender(
                    "histogram of two common words", lambda: histogram(LogQuery(since, until, text="gateway slowly"))
                ),
            ],
            rounds=rounds if quick else 15,
        )
        statistics = await store.statistics()
    finally:
        await store.close()
    stored = statistics["logs"]
    table = rates("Log intake, acknowledged", ingest, "rows")
    for row in durations("", alone, "ms").rows:
        table.rows.append(row)
    table.rows.append(_constant("bytes on disk a record", stored["bytes"] / stored["rows"], "bytes"))
    table.rows = [Row(row.name, row.spread, row.unit) for row in table.rows]
    table.notes.append(
        "acknowledged is what the write-ahead log has, synced; blocks go into the engine meanwhile, and a sender waits "
        "only when 100,000 records wait for the engine"
    )
    asked = durations("Log search", questions, "ms", notes=[f"over {number(float(rows))} records of an hour"])
    asked.rows = [Row(row.name, row.spread, row.unit) for row in asked.rows]
    return [table, asked]


def _constant(name: str, value: float, unit: str) -> Row:
    return Row(name, Spread(value, value, value), unit)


def _record(since: int, number: int) -> LogRecord:
    chance = random.Random(number)
    words = " ".join(chance.choices(_WORDS, k=8))
    return LogRecord(
        timestamp_ns=since + number * 1_000_000,
        level=chance.choices((LogLevel.INFO, LogLevel.WARN, LogLevel.ERROR), (90, 7, 3))[0],
        service=f"shop-{number % 8}",
        component="orders",
        operation="POST /orders",
        user_id=f"u-{chance.randrange(10_000)}",
        request_id=f"r-{number // 5}",
        ip_address=f"203.0.113.{number % 250}",
        user_agent="Mozilla/5.0 (X11; Linux x86_64)",
        trace_id=f"{number // 5:032x}",
        message=f"{words} needle{number}" if number % 50 == 0 else words,
        metadata={"orderId": number, "total": chance.randrange(10_000), "gateway": "card"},
        source="/var/log/shop/combined.log",
        offset=number * 340,
    )
