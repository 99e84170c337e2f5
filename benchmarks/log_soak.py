"""Memory of ``eldonia-ops serve`` while logs come without a pause: a sender of Fluentd's forward protocol keeps a rate.

What is measured is whether memory grows with time. ``ELDONIA_SOAK_SECONDS`` and ``ELDONIA_SOAK_RATE`` (lines a second)
change the load.
"""

import json
import multiprocessing
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from benchmarks.harness import Row, Spread, Table
from benchmarks.log_tail import write_lines
from benchmarks.processes import free_port, python
from eldonia_ops.protocols.fluent_forward import encode_event, encode_packed

_RATE: Final = 20_000
_CHUNK: Final = 2_000
_LINES: Final = 100_000
_QUESTION: Final = {"q": "timeout retry", "limit": "50"}


def run(quick: bool) -> list[Table]:
    """Mebibytes, in every tenth of the time."""
    rate = 2_000 if quick else int(os.environ.get("ELDONIA_SOAK_RATE", _RATE))
    seconds = 3 if quick else int(os.environ.get("ELDONIA_SOAK_SECONDS", "600"))
    with tempfile.TemporaryDirectory() as name:
        return [_measure(Path(name), rate, seconds, min(_LINES, rate * seconds))]


def _measure(folder: Path, rate: int, seconds: int, lines: int) -> Table:
    port, intake, settings = free_port(), free_port(), folder / "eldonia-ops.yml"
    settings.write_text(
        f"listen: 127.0.0.1:{port}\ndata: {folder / 'data'}\n"
        f"listeners: {{forward: {{port: {intake}, anonymous: ingest}}}}\n"
    )
    settings.chmod(0o600)
    write_lines(folder / "lines", lines)
    with python(["-m", "eldonia_ops", "serve", "--config", str(settings)], folder / "serve.log", port) as server:
        process = psutil.Process(server.pid)
        token = (folder / "data" / "admin.token").read_text().strip()
        context = multiprocessing.get_context("spawn")
        sent, worst = context.Value("q", 0), context.Value("d", 0.0)
        child = context.Process(target=_send, args=(intake, str(folder / "lines"), rate, seconds, sent, worst))
        before = _processor(process)
        child.start()
        try:
            samples, waits = _watched(process, port, token, child, seconds)
        finally:
            child.kill()
            child.join()
        processor = (_processor(process) - before) / max(1, sent.value) * 1e6
        stored = _stored(port, token, sent.value)
    rows = [_row("resident, at the start", samples[0][1])]
    for tenth in range(10):
        some = [size for at, size in samples if tenth <= at / seconds * 10 < tenth + 1]
        if some:
            rows.append(_row(f"resident, peak until {seconds * (tenth + 1) // 10} s", max(some)))
    rows += [
        Row("sent", Spread(*[sent.value / seconds] * 3), "lines/s"),
        Row("processor, merges and questions included", Spread(*[processor] * 3), "CPU-s a million lines"),
        Row("the longest wait for a receipt", Spread(*[worst.value] * 3), "s"),
        Row("the newest 50 of two words, asked every five seconds", Spread.of(waits), "ms"),
    ]
    notes = [
        f"{sent.value:,} events with ten keys by one sender in chunks of {_CHUNK:,}, each acknowledged; all of them "
        "were found afterwards; the host's metrics are collected beside it"
    ]
    if stored != sent.value:
        raise RuntimeError(f"{sent.value} events were acknowledged, {stored} are stored")
    return Table("Memory while logs come in", rows, notes)


def _watched(
    process: psutil.Process, port: int, token: str, child: Any, seconds: int
) -> tuple[list[tuple[float, float]], list[float]]:
    began = time.monotonic()
    samples: list[tuple[float, float]] = []
    waits: list[float] = []
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60, headers=headers) as client:
        asked = began
        while child.is_alive() and time.monotonic() - began < seconds + 60:
            samples.append((time.monotonic() - began, process.memory_info().rss / 2**20))
            if time.monotonic() >= asked:
                asked += 5
                question = time.perf_counter()
                client.get("/api/ops/v1/logs", params=_QUESTION).raise_for_status()
                waits.append((time.perf_counter() - question) * 1e3)
            time.sleep(0.5)
    if child.exitcode:
        raise RuntimeError("the sender failed")
    return samples, waits


def _send(port: int, path: str, rate: int, seconds: int, sent: Any, worst: Any) -> None:
    """In a process of its own: chunk after chunk, no sooner than the rate wants it and behind the receipt before."""
    events = [
        {key: value for key, value in json.loads(line).items() if key != "ts"}
        for line in Path(path).read_text("utf-8").splitlines()
    ]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(120)
        began = time.monotonic()
        number = 0
        while time.monotonic() - began < seconds:
            if (early := number * _CHUNK / rate - (time.monotonic() - began)) > 0:
                time.sleep(early)
            now, start = time.time_ns(), number * _CHUNK % len(events)
            some = (events + events[:_CHUNK])[start : start + _CHUNK] if start + _CHUNK > len(events) else None
            some = some or events[start : start + _CHUNK]
            body = b"".join(encode_event(now + place * 1_000, event) for place, event in enumerate(some))
            chunk = f"soak-{number:012d}"
            asked = time.monotonic()
            connection.sendall(encode_packed("app.shop", body, count=len(some), chunk=chunk))
            received = b""
            while not received.endswith(chunk.encode()):
                data = connection.recv(4_096)
                if not data:
                    raise RuntimeError("the connection was closed")
                received += data
            worst.value = max(worst.value, time.monotonic() - asked)
            number += 1
            sent.value += len(some)


def _stored(port: int, token: str, expected: int) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    until = int(time.time() * 1_000) + 60_000
    wanted = {"since": until - 86_400_000, "until": until, "buckets": 1, "query": "service:shop-*"}
    found = 0
    for _ in range(60):
        url = f"http://127.0.0.1:{port}/api/ops/v1/logs/histogram"
        answer = httpx.get(url, params=wanted, headers=headers, trust_env=False, timeout=60)
        found = int(answer.raise_for_status().json()["total"])
        if found >= expected:
            break
        time.sleep(1)
    return found


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _row(name: str, value: float) -> Row:
    return Row(name, Spread(value, value, value), "MiB")
