"""Memory of ``eldonia-ops serve`` as people start it: after the start, and after a load."""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from benchmarks.harness import Row, Spread, Table
from benchmarks.otlp import request
from benchmarks.processes import free_port, python

TITLE = "Memory of the platform"


def run(quick: bool) -> list[Table]:
    """Mebibytes."""
    spans, lines, queries = (500, 500, 20) if quick else (50_000, 100_000, 1_000)
    table = Table(TITLE)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        log = folder / "shop.log"
        log.touch()
        settings = folder / "eldonia-ops.yml"
        settings.write_text(
            f"data: {folder}/data\nlisten: 127.0.0.1:{port}\nlogs: [{{path: {log}}}]\nhost: {{interval: 1s}}\n"
            f"scrape: [{{job: ops, targets: ['127.0.0.1:{port}'], interval: 1s, path: /-/healthy}}]\n"
        )
        began = time.perf_counter()
        with python(["-m", "eldonia_ops", "serve", "--config", str(settings)], folder / "serve.log", port) as child:
            token = (folder / "data" / "admin.token").read_text().strip()
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
                client.headers["Authorization"] = f"Bearer {token}"
                _until(lambda: client.get("/-/ready").status_code == 200, 60)
                started = time.perf_counter() - began
                time.sleep(0.5 if quick else 5)
                table.rows += _memory(child.pid, "after the start")
                began = time.perf_counter()
                _load(client, log, spans, lines, queries)
                seconds = time.perf_counter() - began
                table.rows += _memory(child.pid, "after the load")
    table.rows.append(Row("from the command to ready", Spread(started, started, started), "s"))
    table.notes = [
        f"the load: {spans:,} spans over OTLP, {lines:,} lines of a tailed log file, {queries:,} PromQL queries, "
        f"in {seconds:.0f} s, beside the host's metrics every second",
        "resident counts pages that are shared with others and the mapped file of the database engine's program; "
        "own is what would be free again if the process ended",
    ]
    return [table]


def _load(client: httpx.Client, log: Path, spans: int, lines: int, queries: int) -> None:
    start_ns = time.time_ns() - 60 * 1_000_000_000
    at_once = min(spans, 1_000)
    for first in range(0, spans, at_once):
        body = request(at_once, start_ns=start_ns, first=first).SerializeToString()
        answer = client.post("/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"})
        answer.raise_for_status()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with log.open("a") as file:
        for number in range(lines):
            entry = {
                "timestamp": stamp,
                "level": "info",
                "service": "shop",
                "component": "orders",
                "message": f"order {number} placed",
                "requestId": f"r-{number}",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
                "metadata": {"orderId": number, "total": 3800},
            }
            file.write(json.dumps(entry) + "\n")
    for _ in range(queries):
        client.get(
            "/api/v1/query", params={"query": "sum by (mode) (rate(node_cpu_seconds_total[1m]))"}
        ).raise_for_status()

    def all_there() -> bool:
        answer = client.get("/metrics")
        counted = [line for line in answer.text.splitlines() if line.startswith("eldonia_ops_logs_total ")]
        return bool(counted) and float(counted[0].split()[-1]) >= lines

    _until(all_there, 120)


def _until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError("waited in vain")
        time.sleep(0.1)


def _memory(pid: int, when: str) -> list[Row]:
    notified = psutil.Process(pid).memory_full_info()
    rows = [("resident", notified.rss), ("own", notified.uss)]
    return [Row(f"{name}, {when}", Spread(*[size / 2**20] * 3), "MiB") for name, size in rows]
