"""Debian's Prometheus as a contender: started empty, fed by its remote write."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cramjam
import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.processes import free_port, stop

PROGRAM: Final = shutil.which("prometheus")

_SAMPLE = np.dtype(
    [("head", "u1", 3), ("value", "<f8"), ("tag", "u1"), ("timestamp", "u1", 6)]
)  # TimeSeries.samples: field 2, 16 bytes: a double and a varint


@contextlib.contextmanager
def running_prometheus(folder: Path) -> Iterator[httpx.Client]:
    """A client of an empty Prometheus that accepts remote write; it ends with the context."""
    if PROGRAM is None:
        raise RuntimeError("Prometheus is not installed")
    folder.mkdir()
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    port = free_port()
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(
            [
                *(PROGRAM, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
                *(f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver"),
            ],
            stdout=log,
            stderr=log,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
                for _ in range(200):
                    with contextlib.suppress(httpx.TransportError):
                        if client.get("/-/ready").status_code == 200:
                            break
                    time.sleep(0.1)
                else:
                    raise RuntimeError("Prometheus did not start")
                yield client
        finally:
            stop(child)


def remote_write(
    client: httpx.Client,
    labels: Sequence[dict[str, str]],
    timestamps: NDArray[np.int64],
    values: NDArray[np.float64],
    *,
    at_once: int = 30,
) -> None:
    """Send ``values[T × S]`` in remote write 1.0's format, ``at_once`` instants a request.

    Written by hand (https://prometheus.io/docs/specs/prw/remote_write_spec/), since building millions of
    message objects takes minutes.
    """
    heads = [b"".join(_field(1, _field(1, k) + _field(2, v)) for k, v in sorted(item.items())) for item in labels]
    for begin in range(0, len(timestamps), at_once):
        times = timestamps[begin : begin + at_once]
        samples = np.empty((len(labels), len(times)), _SAMPLE)
        samples["head"] = (0x12, 16, 0x09)
        samples["value"] = values[begin : begin + at_once].T
        samples["tag"] = 0x10
        shifted = times[:, None] >> np.arange(0, 42, 7)
        samples["timestamp"] = (shifted & 0x7F) | np.where(np.arange(6) < 5, 0x80, 0)
        packed = samples.tobytes()
        size = len(packed) // len(labels)
        body = b"".join(
            _field(1, head + packed[number * size : (number + 1) * size]) for number, head in enumerate(heads)
        )
        headers = {
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        answer = client.post("/api/v1/write", content=bytes(cramjam.snappy.compress_raw(body)), headers=headers)
        answer.raise_for_status()


def _field(number: int, content: str | bytes) -> bytes:
    raw = content.encode() if isinstance(content, str) else content
    return bytes([number << 3 | 2]) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
