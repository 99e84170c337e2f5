"""Resident memory of a process that logs millions of records, no two alike, with redaction and rotation on.

The records are written by a process of its own (``python -m benchmarks.logger_memory FOLDER COUNT…``), whose
memory nothing else of the benchmarks has touched.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import eldonia_telemetry as telemetry
from benchmarks.harness import Row, Spread, Table
from eldonia_telemetry import dropped_data, process

_SIZE, _FILES = 5 * 1024 * 1024, 5
_ERROR_EVERY = 1_000


def run(quick: bool) -> list[Table]:
    """Mebibytes in RAM after so many records.

    Raises:
        RuntimeError: the process failed, lost a record, or kept more on disk than it was allowed.
    """
    counts = (1_000, 5_000, 10_000) if quick else (1_000_000, 5_000_000, 10_000_000)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.logger_memory", folder, *map(str, counts)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or done.stderr:
            raise RuntimeError(f"the process that logs failed:\n{done.stderr[-2000:]}")
        kept = sum(path.stat().st_size for path in Path(folder).iterdir())
    bound = 2 * _FILES * (_SIZE + 64 * 1024)
    if kept > bound:
        raise RuntimeError(f"{kept:,} bytes on disk, {bound:,} were allowed")
    table = Table("Logger, memory of the process")
    for line in done.stdout.splitlines():
        measured = json.loads(line)
        mebibytes = measured["resident"] / 2**20
        table.rows.append(Row(f"after {measured['records']:,} records", Spread(*[mebibytes] * 3), "MiB"))
    table.notes = [
        "every record has a message, user, request and metadata of its own, a password and a card number to be taken "
        f"out, and one in {_ERROR_EVERY:,} an exception; none was lost",
        f"two rotated sets of {_FILES} files of 5 MiB: {kept / 2**20:.1f} MiB on disk at the end",
    ]
    return [table]


def _write(folder: str, counts: Sequence[int]) -> None:
    telemetry.init(service="shop", log_dir=folder, log_max_bytes=_SIZE, log_max_files=_FILES, console=False)
    log = telemetry.get_logger(component="orders")
    started = time.perf_counter()
    for number in range(1, counts[-1] + 1):
        with telemetry.bind(user_id=f"u-{number}", request_id=f"r-{number:x}", ip_address="203.0.113.9"):
            if number % _ERROR_EVERY:
                log.info(
                    f"order {number} placed, password=p{number}",
                    operation="POST /orders",
                    order_id=number,
                    token=f"t{number}",
                    card="4242 4242 4242 4242",
                    items=["a", "b"],
                )
            else:
                try:
                    raise ValueError(f"order {number}")
                except ValueError as error:
                    log.error("payment failed", exception=error, order_id=number)
        if number in counts:
            measured = {"records": number, "resident": process.resident_bytes()}
            print(json.dumps({**measured, "seconds": round(time.perf_counter() - started, 1)}), flush=True)
    telemetry.shutdown()
    if dropped_data.snapshot():
        raise RuntimeError(f"lost: {dropped_data.snapshot()}")


if __name__ == "__main__":
    _write(sys.argv[1], [int(count) for count in sys.argv[2:]])
