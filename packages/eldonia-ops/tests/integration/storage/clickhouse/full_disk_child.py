"""Inserts into a store whose disk has room for one file more at each attempt, and says how each went.

The directory given gets a file system of its own, so this needs a mount namespace of its own.
"""

import asyncio
import errno
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.engines.chdb import ChdbEngine
from eldonia_ops.storage.clickhouse.schema import Retention, migrate, rows

DAYS = 3
SAMPLE = np.dtype([("metric", "<u8"), ("series", "<u8"), ("timestamp", "<i8"), ("value", "<f8")])


def fill(directory: Path) -> list[Path]:
    """Create files until the disk takes no more."""
    files: list[Path] = []
    while True:
        file = directory / str(len(files))
        try:
            file.touch()
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return files
        files.append(file)


async def main(directory: Path) -> None:
    engine = ChdbEngine(directory)
    await engine.open()
    await migrate(engine, Retention())
    await engine.execute("SYSTEM STOP MERGES")
    times = [int(time.time()) - day * 86_400 for day in range(DAYS)]
    samples = np.zeros(DAYS, SAMPLE)
    samples["timestamp"] = np.array(times) * 1000
    lines = [json.dumps({"timestamp": f"{at}.000000000", "message": "x"}) for at in times]
    batches = {
        "samples": (("metric", "series", "timestamp", "value"), "RowBinary", samples.tobytes()),
        "logs": (("timestamp", "message"), "JSONEachRow", "\n".join(lines).encode()),
    }
    for table in batches:
        (directory / table).mkdir()
    ballast: list[Path] = []
    for table, (columns, format, body) in batches.items():
        ballast += fill(directory / table)
        for room in itertools.count():
            error = ""
            try:
                await engine.insert(table, columns, format, body, token="always the same")
            except TelemetryError as refusal:
                error = str(refusal)
            (found,) = await rows(engine, f"SELECT count() AS count FROM {table}")
            attempt = {"table": table, "room": room, "error": error, "rows": found["count"], "of": DAYS}
            print(json.dumps(attempt), flush=True)
            if not error:
                break
            ballast.pop().unlink()
    await engine.close()


subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m,nr_inodes=2000", "tmpfs", sys.argv[1]], check=True)
asyncio.run(main(Path(sys.argv[1])))
