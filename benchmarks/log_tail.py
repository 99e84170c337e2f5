"""A file of plain JSON lines, followed by a tail and stored; and small batches from several senders."""

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.harness import Row, Spread, Table
from eldonia_ops.collectors.tail.batches import DEFAULT_OPTIONS, TailBatch
from eldonia_ops.collectors.tail.files import LineReader, open_file
from eldonia_ops.collectors.tail.records import batch_records
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, TelemetryStores
from eldonia_ops.protocols.logs.lines import LineDefaults
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.storage.clickhouse import open_telemetry_store

_WORDS = [
    "order",
    "payment",
    "cache",
    "timeout",
    "retry",
    "connection",
    "upstream",
    "session",
    "token",
    "queue",
    "worker",
    "注文の処理に失敗しました",
]


def run(quick: bool) -> list[Table]:
    """Lines a second, CPU-seconds a million lines, and what senders of small batches wait for."""
    with tempfile.TemporaryDirectory() as name:
        return asyncio.run(_measure(Path(name), 2_000 if quick else 300_000, 5 if quick else 200))


async def _measure(folder: Path, lines: int, batches: int) -> list[Table]:
    path = folder / "app.jsonl"
    write_lines(path, lines)
    store = await open_telemetry_store(folder / "telemetry")
    try:
        ingest = IngestService(TelemetryStores.on_one(store), Origin("production", "host"))
        began, processor = time.perf_counter(), time.process_time()
        await _follow(path, ingest)
        acknowledged = time.perf_counter() - began
        total = 0
        while total < lines:
            total = (await store.log_histogram(LogQuery(0, 2**62), 1)).total
        visible, processor = time.perf_counter() - began, time.process_time() - processor
        waits = await _senders(store.insert_logs, batches)
    finally:
        await store.close()
    rows = [
        _row("a tailed file, until acknowledged", lines / acknowledged, "lines/s"),
        _row("a tailed file, until visible", lines / visible, "lines/s"),
        _row("a tailed file, processor", processor / lines * 1e6, "CPU-s a million lines"),
        Row("8 senders, 100 records each, until acknowledged", Spread.of(waits), "ms"),
    ]
    note = f"{lines:,} JSON lines of {path.stat().st_size // lines} bytes with eleven keys; merges are not waited for"
    return [Table("Log files, tailed", rows, [note])]


async def _follow(path: Path, ingest: IngestService) -> None:
    defaults = LineDefaults("", "production", "host")
    reader = LineReader(open_file(path), 0, DEFAULT_OPTIONS.max_line_bytes)
    try:
        while lines := reader.read(DEFAULT_OPTIONS.batch_lines, DEFAULT_OPTIONS.batch_bytes):
            batch = TailBatch(str(path), f"{path}#1", reader.start, lines)
            records = await asyncio.to_thread(batch_records, batch, time.time_ns(), defaults=defaults)
            await ingest.logs(records, batch_key=batch.key)
    finally:
        reader.close()


async def _senders(insert: Callable[[list[LogRecord]], Awaitable[None]], batches: int) -> list[float]:
    waits: list[float] = []

    async def send() -> None:
        for _ in range(batches):
            records = [LogRecord(timestamp_ns=time.time_ns(), message="order placed") for _ in range(100)]
            began = time.perf_counter()
            await insert(records)
            waits.append((time.perf_counter() - began) * 1e3)

    await asyncio.gather(*(send() for _ in range(8)))
    return waits


def write_lines(path: Path, lines: int) -> None:
    """A file of JSON lines with eleven keys, as many loggers write them."""
    chance = random.Random(42)
    now = time.time() - 3_600
    with path.open("w", encoding="utf-8") as file:
        for number in range(lines):
            at = now + number / lines * 3_000
            line = {
                "ts": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1e6):06d}Z",
                "service": f"shop-{number % 40}",
                "level": chance.choices(("debug", "info", "warn", "error"), (15, 74, 8, 3))[0],
                "host": f"node-{number % 60:02d}",
                "message": " ".join(chance.choices(_WORDS, k=12)),
                "user_id": f"u{chance.randrange(200_000):06d}",
                "request_id": f"{chance.getrandbits(128):032x}",
                "method": "GET",
                "path": f"/api/v1/orders/{chance.randrange(99_999)}",
                "status": 200,
                "latency_ms": round(chance.lognormvariate(3.2, 1.1), 3),
            }
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def _row(name: str, value: float, unit: str) -> Row:
    return Row(name, Spread(value, value, value), unit)
