"""A buffer of files on a small disk of its own: taken until it is full, flushed, taken again. Prints JSON.

python buffer_full_disk_child.py FOLDER     in a mount namespace in which it may mount
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.buffer_settings import BufferSettings, RetrySettings
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.outputs import NullOutput
from eldonia_ops.pipeline_outputs.buffered import BufferedOutput
from eldonia_ops.pipeline_outputs.chunk_files import FileChunks
from eldonia_ops.pipeline_outputs.running import OutputEdge, OutputError


class Store:
    away = True

    def __init__(self) -> None:
        self.numbers: list[int] = []

    async def deliver(self, chunk: Chunk, batches: Sequence[Batch]) -> None:
        if self.away:
            raise OutputError("away")
        self.numbers += [event.record["n"] for batch in batches for event in batch.events]

    async def close(self) -> None:
        pass


async def main(folder: Path) -> None:
    loop, store = asyncio.get_running_loop(), Store()
    settings = BufferSettings(
        file=True, chunk_limit_size=50_000, flush_interval_ms=50, retry=RetrySettings(wait_ms=50, max_interval_ms=50)
    )
    edge = OutputEdge(now_ms=lambda: int(loop.time() * 1_000), buffers=folder)
    chunks = FileChunks(folder / "b")
    output = BufferedOutput(NullOutput(type="null", id="o"), settings, edge, chunks, store, nonce="a" * 12)
    running = asyncio.ensure_future(output.run())
    taken: list[int] = []
    refusals: list[str] = []
    number = 0
    for away in (True, False, True, False):
        store.away = away
        for _ in range(3_000):
            # What is refused comes again under its key, as a tail offers it.
            batch = Batch(
                "t", tuple(Event(1, {"n": n, "x": "y" * 90}) for n in range(number, number + 10)), "", str(number)
            )
            try:
                await output.write(batch)
                taken += range(number, number + 10)
                number += 10
            except OutputError as error:
                refusals.append(str(error))
                if store.away:
                    break
                await asyncio.sleep(0.02)
            if not away and number % 500 == 0:
                break
    while output.statuses()[0].queued_chunks:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    running.cancel()
    await output.close()
    print(json.dumps({"taken": taken, "written": store.numbers, "refusals": refusals, "broken": chunks.broken}))


if __name__ == "__main__":
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", sys.argv[1]], check=True)
    asyncio.run(main(Path(sys.argv[1])))
