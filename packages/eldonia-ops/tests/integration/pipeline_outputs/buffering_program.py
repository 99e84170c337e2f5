"""A program that writes numbered events to an http output with a buffer of files, until it is killed.

    python buffering_program.py URL FOLDER FIRST (or "drain")

Each line that it prints is a number of an event that was acknowledged.
"""

import asyncio
import sys
import time
from pathlib import Path

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.outputs import output_of
from eldonia_ops.pipeline.section import Parameter, Section, SectionReader
from eldonia_ops.pipeline_outputs.opening import open_output
from eldonia_ops.pipeline_outputs.running import OutputEdge, OutputError, RunningOutput


def _section(name: str, argument: str = "", *inner: Section, **values: str) -> Section:
    parameters = {key.replace("at_", "@"): Parameter(key.replace("at_", "@"), value) for key, value in values.items()}
    return Section(name, argument, parameters, inner)


async def main(url: str, folder: str, first: str) -> None:
    buffer = _section(
        "buffer", "tag", at_type="file", path=folder, flush_interval="0.05s", chunk_limit_size="20k",
        flush_thread_count="2", retry_wait="0.02s", retry_max_interval="0.1s",
    )  # fmt: skip
    match = _section("match", "**", buffer, at_type="http", endpoint=url, json_array="true")
    problems: list = []
    declared = output_of(SectionReader(match, problems))
    assert declared is not None, problems
    edge = OutputEdge(now_ms=lambda: time.time_ns() // 1_000_000, buffers=Path(folder))
    output = open_output(declared, edge)
    loop = asyncio.ensure_future(output.run())
    if first == "drain":
        while output.statuses()[0].queued_chunks:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        loop.cancel()
        await output.close()
        return
    await asyncio.gather(*(_write(output, f"tag{n}", int(first) + n, 4) for n in range(4)))


async def _write(output: RunningOutput, tag: str, number: int, step: int) -> None:
    while True:
        numbers = range(number, number + 10 * step, step)
        number += 10 * step
        try:
            await output.write(Batch(tag, tuple(Event(1, {"n": n, "text": "x" * 100}) for n in numbers)))
        except OutputError:
            await asyncio.sleep(0.01)
            continue
        sys.stdout.write("".join(f"{n}\n" for n in numbers))
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
