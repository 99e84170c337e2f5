"""Opens the store in the directory given, says what is there, then writes for ever and says what was acknowledged."""

import asyncio
import json
import sys
import time
from itertools import count
from pathlib import Path

import numpy as np
import uvloop

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import Sample, SampleRow
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import LogQuery, TraceQuery
from eldonia_ops.storage.clickhouse import open_telemetry_store

SERIES = tuple(Labels({"__name__": "m", "i": str(i)}) for i in range(20))


def say(kind: str, what: object) -> None:
    print(json.dumps([kind, what]), flush=True)


async def main(directory: Path, write: bool) -> None:
    store = await open_telemetry_store(directory, commit_delay_seconds=0.01)
    now = time.time_ns()
    hour = 3600 * 10**9
    logs = await store.search_logs(LogQuery(now - hour, now + hour, limit=10_000))
    traces = await store.find_traces(TraceQuery(now - hour, now + hour, limit=1000))
    rows, singles = [], []
    for block in await store.select([], (now - hour) // 10**6, (now + hour) // 10**6):
        (rows if len(block.labels) == len(SERIES) else singles).extend(block.timestamps.tolist())
    say("logs", [record.message for record in logs.records])
    say("spans", [trace.trace_id for trace in traces])
    say("rows", rows)
    say("singles", singles)
    say("detached", (await store.statistics())["detached_parts"])
    if not write:
        await store.close()
        return
    run = f"{now:032x}"

    async def write_logs() -> None:
        for n in count():
            messages = [f"{now} {n} {k}" for k in range(7)]
            await store.insert_logs(
                [LogRecord(timestamp_ns=time.time_ns(), message=message, metadata={"n": n}) for message in messages],
                batch_key=f"{now} {n}" if n % 2 else "",
            )
            say("log", messages)

    async def write_spans() -> None:
        for n in count():
            at = time.time_ns()
            trace_id = f"{run[8:]}{n:08x}"
            await store.insert_spans([Span(trace_id=trace_id, span_id="1" * 16, name="x", start_ns=at, end_ns=at + 1)])
            say("span", trace_id)

    async def write_rows() -> None:
        for _ in count():
            at = time.time_ns() // 10**6
            await store.insert_row(SampleRow("t", at, SERIES, np.full(len(SERIES), 1.5)))
            say("row", at)
            await store.insert_samples([Sample(Labels({"__name__": "single"}), at, 1.0)])
            say("single", at)

    await asyncio.gather(write_logs(), write_spans(), write_rows())


uvloop.run(main(Path(sys.argv[1]), sys.argv[2] == "write"))
