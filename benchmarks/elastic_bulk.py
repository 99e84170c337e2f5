"""Documents by ``_bulk``, from four senders over HTTP to a platform that runs as a process of its own."""

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.harness import Row, Spread, Table
from benchmarks.log_tail import write_lines
from benchmarks.processes import free_port, python

_SENDERS = 4
_ACTION = b'{"create":{"_index":"bench"}}\n'
_NAMED = b'{"index":{"_index":"named","_id":"%08d"}}\n'
_NAMED_SIZE = 500
"""Documents with ids of their own in a request: as many as senders usually send."""


def run(quick: bool) -> list[Table]:
    """Documents a second, CPU-seconds a million, and bytes a document."""
    with tempfile.TemporaryDirectory() as name:
        return _measure(Path(name), 2_000 if quick else 300_000, 500 if quick else 5_000)


def _measure(folder: Path, documents: int, size: int) -> list[Table]:
    path = folder / "app.jsonl"
    write_lines(path, documents)
    lines = path.read_bytes().splitlines()
    bodies = [
        b"".join(_ACTION + line + b"\n" for line in lines[start : start + size]) for start in range(0, documents, size)
    ]
    port, settings = free_port(), folder / "eldonia-ops.yml"
    listeners = f"listeners: {{elasticsearch: {{port: {port}}}}}"
    settings.write_text(
        f"listen: 127.0.0.1:{free_port()}\ndata: {folder / 'data'}\nhost: {{enabled: false}}\n{listeners}\n"
    )
    settings.chmod(0o600)
    arguments = ["-m", "eldonia_ops", "serve", "--config", str(settings)]
    with python(arguments, folder / "serve.log", port) as server:
        token = (folder / "data" / "admin.token").read_text().strip()
        process = psutil.Process(server.pid)
        rows = _sent(process, port, token, "bench", bodies, documents)
        named = [
            b"".join(
                _NAMED % number + line + b"\n" for number, line in enumerate(lines[start : start + _NAMED_SIZE], start)
            )
            for start in range(0, documents, _NAMED_SIZE)
        ]
        own = _sent(process, port, token, "named", named, documents)
    note = (
        f"{documents:,} documents of {path.stat().st_size // documents} bytes with eleven keys, {size:,} in a request"
    )
    other = f"the same documents, each with a new id of its own, {_NAMED_SIZE} in a request"
    return [
        Table("Elasticsearch's _bulk, four senders", rows, [note]),
        Table("Elasticsearch's _bulk with ids, four senders", own, [other]),
    ]


def _sent(server: psutil.Process, port: int, token: str, name: str, bodies: list[bytes], documents: int) -> list[Row]:
    waiting, lock = iter(bodies), threading.Lock()
    faults: list[str] = []
    began, processor = time.perf_counter(), _processor(server)
    threads = [threading.Thread(target=_send, args=(port, token, waiting, lock, faults)) for _ in range(_SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acknowledged = time.perf_counter() - began
    if faults:
        raise RuntimeError(faults[0])
    while int(_asked(port, token, f"/_cat/count/{name}?format=json")[0]["count"]) < documents:
        pass
    visible, processor = time.perf_counter() - began, _processor(server) - processor
    index = _asked(port, token, f"/_cat/indices/{name}?format=json&bytes=b")[0]
    return [
        _row("four senders, until acknowledged", documents / acknowledged, "documents/s"),
        _row("four senders, until visible", documents / visible, "documents/s"),
        _row("four senders, processor of the platform", processor / documents * 1e6, "CPU-s a million documents"),
        _row("on disk, before merges", int(index["store.size"]) / documents, "bytes a document"),
    ]


def _send(port: int, token: str, bodies: Iterator[bytes], lock: threading.Lock, faults: list[str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while True:
        with lock:
            body = next(bodies, None)
        if body is None or faults:
            return
        connection.request("POST", "/_bulk", body, {"Authorization": f"ApiKey {token}"})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200 or not text.startswith(b'{"errors":false'):
            faults.append(text[:300].decode())


def _asked(port: int, token: str, path: str) -> list[dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers={"Authorization": f"ApiKey {token}"})
    return json.loads(connection.getresponse().read())


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _row(name: str, value: float, unit: str) -> Row:
    return Row(name, Spread(value, value, value), unit)
