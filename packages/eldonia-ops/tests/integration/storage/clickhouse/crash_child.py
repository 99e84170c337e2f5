"""Opens the store in the directory given, says what is there, writes until killed and says what was acknowledged."""

import asyncio
import json
import random
import sys
import time
from itertools import count
from pathlib import Path

import numpy as np
import uvloop

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.log_batch import LogBatch
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import HistogramSample, Sample, SampleRow, is_absent
from eldonia_ops.model.spans import Span
from eldonia_ops.protocols.logs.lines import LineFormat, parse_lines
from eldonia_ops.storage.clickhouse import open_telemetry_store

SERIES = tuple(Labels({"__name__": "m", "i": str(i)}) for i in range(20))


LATENCY = Labels({"__name__": "latency"})


def latency(at: int) -> NativeHistogram:
    return NativeHistogram(3, at % 1_000, at / 7, positive=((at % 50, 1.0), (60, float(at % 1_000))))


def say(kind: str, what: object) -> None:
    print(json.dumps([kind, what]), flush=True)


def small(messages: list[str], n: int) -> list[LogRecord]:
    return [LogRecord(timestamp_ns=time.time_ns(), message=message, metadata={"n": n}) for message in messages]


def large(messages: list[str]) -> LogBatch:
    at = time.time_ns()
    lines = [json.dumps({"ts": at, "level": "info", "msg": message, "size": 5}).encode() for message in messages]
    return parse_lines([*lines[1:], b"%s" % messages[0].encode()], range(1, len(lines) + 1), at, format=LineFormat.AUTO)


async def main(directory: Path, write: bool) -> None:
    store = await open_telemetry_store(directory, commit_delay_seconds=0.01)
    now = time.time_ns()
    hour = 3600 * 10**9
    detached = (await store.statistics())["detached_parts"]
    # Past the port, whose pages are smaller.
    logs = await store._engine.query("SELECT message FROM logs", format="TSV")
    spans = await store._engine.query("SELECT trace_id FROM spans", format="TSV")
    rows, singles, histograms = [], [], []
    for block in await store.select([], (now - hour) // 10**6, (now + hour) // 10**6):
        times = block.timestamps.tolist()
        if len(block.labels) == len(SERIES):
            rows += times
            continue
        # Series with equal instants share a block.
        absent = is_absent(block.values)
        for column, name in enumerate(block.labels):
            there = [(row, at) for row, at in enumerate(times) if not absent[row, column]]
            if name == LATENCY:
                # A sample without its histogram, or with another's, counts as none.
                assert dict(block.starts[column]).keys() & set(times)
                histograms += [at for row, at in there if block.histograms.get((row, column)) == latency(at)]
            else:
                singles += [at for _, at in there]
    say("logs", logs.decode().splitlines())
    say("spans", spans.decode().splitlines())
    say("rows", rows)
    say("singles", singles)
    say("histograms", histograms)
    say("detached", detached)
    if not write:
        await store.close()
        return
    run = f"{now:032x}"

    async def write_logs() -> None:
        for n in count():
            # Of three batches one is as large as those of a file, which go through the log as blocks of columns.
            messages = [f"{now} {n} {k}" for k in range(7 if n % 3 else 300)]
            await store.insert_logs(
                small(messages, n) if n % 3 else large(messages), batch_key=f"{now} {n}" if n % 2 else ""
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
            await store.insert_samples([HistogramSample(LATENCY, at, latency(at), 9)])
            say("histogram", at)

    async def read() -> None:
        # Readers make blocks begin: without them all would be in the write-ahead log alone, for seconds.
        while True:
            await asyncio.sleep(random.uniform(0.0, 0.4))
            await store.statistics()

    await asyncio.gather(write_logs(), write_spans(), write_rows(), read())


uvloop.run(main(Path(sys.argv[1]), sys.argv[2] == "write"))
