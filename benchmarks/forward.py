"""Fluentd's forward protocol: four senders of packed chunks, each acknowledged when its events are durable."""

import asyncio
import concurrent.futures
import json
import multiprocessing
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from benchmarks.harness import Row, Spread, Table
from benchmarks.log_tail import write_lines
from eldonia_ops.app.listening.connections import Places
from eldonia_ops.app.listening.listener import bind
from eldonia_ops.app.listening.stream_server import StreamAccess, StreamServer
from eldonia_ops.intake import IntakeLimits, StreamListener
from eldonia_ops.intake.fluent_forward import INTAKE
from eldonia_ops.ports import LogQuery, TelemetryStores
from eldonia_ops.protocols.fluent_forward import Compression, encode_event, encode_packed
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.settings import Listen
from eldonia_ops.storage.clickhouse import open_telemetry_store

T = TypeVar("T")
SENDERS: Final = 4
CHUNK: Final = 1_000
"""Events of one chunk: a Fluentd or a Fluent Bit that flushes each second sends some hundred to some ten thousand."""


class _Platform:
    """What the intake may use of the platform, over a store of the benchmark."""

    def __init__(self, ingest: IngestService) -> None:
        self.logs = self.spans = self.samples = ingest
        self.limits = IntakeLimits()
        self._threads = concurrent.futures.ThreadPoolExecutor(2)

    def now_ns(self) -> int:
        return time.time_ns()

    async def aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def refused(self, signal: str, sender: str, reasons: Mapping[str, int]) -> None:
        if reasons:
            raise RuntimeError(f"{signal} of {sender} were refused: {reasons}")


def run(quick: bool) -> list[Table]:
    """Records a second until acknowledged and until visible, and CPU-seconds a million of the platform alone."""
    records = 8_000 if quick else 400_000
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "app.jsonl"
        write_lines(path, records)
        size = path.stat().st_size // records
        events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        rows: list[Row] = []
        for title, compression in (("packed", Compression.NONE), ("gzip", Compression.GZIP)):
            chunks = _chunks(events, compression)
            for number, row in enumerate(asyncio.run(_measure(Path(name) / title, chunks, records))):
                if number == 0 or compression is Compression.NONE:
                    rows.append(Row(f"{title}: {row.name}", row.spread, row.unit))
    note = (
        f"{records:,} events of {size} bytes as JSON with eleven keys, in chunks of {CHUNK:,}, from {SENDERS} senders "
        "in another process, each of which waits for its receipts; merges are not waited for"
    )
    return [Table("Logs by Fluentd's forward protocol", rows, [note])]


def _chunks(events: Sequence[Mapping[str, Any]], compression: Compression) -> list[tuple[bytes, bytes]]:
    """Messages, and the ids that their receipts have."""
    found: list[tuple[bytes, bytes]] = []
    now = time.time_ns() - 3_600 * 10**9
    for begin in range(0, len(events), CHUNK):
        some = events[begin : begin + CHUNK]
        # As Fluentd's parser does: the time of the record is that of the event.
        body = b"".join(
            encode_event(now + begin + number, {key: value for key, value in event.items() if key != "ts"})
            for number, event in enumerate(some)
        )
        chunk = f"{compression}-{begin:012d}"
        found.append(
            (encode_packed("app.shop", body, count=len(some), chunk=chunk, compression=compression), chunk.encode())
        )
    return found


async def _measure(folder: Path, chunks: Sequence[tuple[bytes, bytes]], records: int) -> list[Row]:
    store = await open_telemetry_store(folder)
    (listener,) = INTAKE.listeners
    assert isinstance(listener, StreamListener)
    bound = bind(Listen("127.0.0.1", 0))
    platform = _Platform(IngestService(TelemetryStores.on_one(store), Origin("production", "host")))
    server = StreamServer(listener, platform, bound, Places(), access=StreamAccess(anonymous=True))
    await server.start()
    context = multiprocessing.get_context("spawn")
    ready, go = context.Event(), context.Event()
    child = context.Process(target=_send_all, args=(bound.getsockname()[1], chunks, ready, go))
    child.start()
    try:
        await asyncio.to_thread(ready.wait)
        began, processor = time.perf_counter(), time.process_time()
        go.set()
        await asyncio.to_thread(child.join)
        acknowledged = time.perf_counter() - began
        if child.exitcode:
            raise RuntimeError("a sender failed")
        total = 0
        while total < records:
            total = (await store.log_histogram(LogQuery(0, 2**62), 1)).total
        visible, processor = time.perf_counter() - began, time.process_time() - processor
    finally:
        child.kill()
        await server.stop()
        await store.close()
    return [
        _row("until acknowledged", records / acknowledged, "records/s"),
        _row("until visible", records / visible, "records/s"),
        _row("processor", processor / records * 1e6, "CPU-s a million records"),
    ]


def _send_all(port: int, chunks: Sequence[tuple[bytes, bytes]], ready: Any, go: Any) -> None:
    """The senders, in a process of their own."""
    threads = [
        threading.Thread(target=_send, args=(port, chunks[number::SENDERS], go), daemon=True)
        for number in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
    ready.set()
    for thread in threads:
        thread.join()


def _send(port: int, chunks: Sequence[tuple[bytes, bytes]], go: Any) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        go.wait()
        for message, chunk in chunks:
            connection.sendall(message)
            received = b""
            while not received.endswith(chunk):
                data = connection.recv(4_096)
                if not data:
                    raise RuntimeError("the connection was closed")
                received += data


def _row(name: str, value: float, unit: str) -> Row:
    return Row(name, Spread(value, value, value), unit)
