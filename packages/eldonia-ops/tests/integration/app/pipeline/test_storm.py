"""A source that sends far more than the store takes: it is slowed by its protocol, the memory stays bounded, and a
quiet source does not wait for it. Real sockets."""

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fluent_conf import pipeline
from local_server import free_port

from eldonia_ops.app.pipeline.listeners import ListeningSource
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline_outputs.running import OutputStatus
from eldonia_ops.protocols.fluent_forward import encode_event, encode_packed
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.pipeline.entry import PipelineEntry
from eldonia_ops.services.pipeline.runner import PipelineRunner
from eldonia_ops.services.pipeline.streams import ForwardStream
from eldonia_ops.services.pipeline.texts import TextSource

CONNECTIONS = 50
EVENTS = 1_000
WRITE_SECONDS = 0.05
STORM_SECONDS = 5.0


class SlowStore:
    """Takes one batch at a time."""

    def __init__(self) -> None:
        self.taken: dict[str, int] = {}
        self.late: list[float] = []
        self._turn = asyncio.Lock()

    async def write(self, batch: Batch) -> None:
        async with self._turn:
            await asyncio.sleep(WRITE_SECONDS)
        self.taken[batch.tag] = self.taken.get(batch.tag, 0) + len(batch.events)
        if batch.tag == "quiet":
            self.late += [time.monotonic() - float(event.record["message"]) for event in batch.events]

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        return None

    def statuses(self) -> list[OutputStatus]:
        return []


@contextlib.asynccontextmanager
async def platform() -> AsyncIterator[tuple[int, int, SlowStore, list[PipelineEntry]]]:
    loud, quiet, store, clock = free_port(), free_port(), SlowStore(), SystemClock()
    found = pipeline(
        f"<source>\n@type forward\nbind 127.0.0.1\nport {loud}\n</source>\n"
        f"<source>\n@type tcp\ntag quiet\nformat none\nbind 127.0.0.1\nport {quiet}\n</source>\n"
        # A filter with a memory: all batches go through it one behind the other.
        "<filter **>\n@type throttle\ngroup_key user\ngroup_bucket_limit 1000000000\n</filter>\n"
        "<match **>\n@type null\n</match>"
    )

    async def on_lost(batch: Batch, reason: str) -> None:
        raise AssertionError(reason)

    runner = PipelineRunner(found, clock.now, lambda _runner, _output: store, on_lost)
    one, other = found.sources
    entries = [PipelineEntry(runner, clock.now) for _ in range(2)]
    first: Any = one
    second: Any = other
    listeners = [
        ListeningSource(first, ForwardStream(first, entries[0], clock, 32 << 20)),
        ListeningSource(second, TextSource(second, entries[1], clock, 1_000).connection),
    ]
    tasks = [asyncio.create_task(listener.run()) for listener in listeners]
    try:
        async with asyncio.timeout(10):
            while not all(listener.statuses()[0].health == "up" for listener in listeners):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield loud, quiet, store, entries
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for listener in listeners:
            await listener.close()


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def test_a_storm_of_one_source() -> None:
    body = b"".join(encode_event(1, {"message": "x" * 200, "n": number}) for number in range(EVENTS))
    message = encode_packed("loud", body, count=EVENTS)

    async def storm(port: int, end: float) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while time.monotonic() < end:
                writer.write(message)
                await writer.drain()
        finally:
            writer.transport.abort()

    async with platform() as (loud, quiet, store, entries):
        before, most = resident_bytes(), 0
        end = time.monotonic() + STORM_SECONDS
        storms = [asyncio.ensure_future(storm(loud, end)) for _ in range(CONNECTIONS)]
        _, writer = await asyncio.open_connection("127.0.0.1", quiet)
        lines = 0
        while time.monotonic() < end:
            writer.write(f"{time.monotonic()}\n".encode())
            lines += 1
            await asyncio.sleep(0.1)
            most = max(most, resident_bytes() - before)
        for one in storms:  # their senders wait: the protocol has them do so
            one.cancel()
        await asyncio.gather(*storms, return_exceptions=True)
        async with asyncio.timeout(20):
            while store.taken.get("quiet", 0) < lines:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        writer.close()
    assert store.taken["loud"] > 20 * lines, "it is a storm"
    assert store.taken["quiet"] == lines
    # It would be the time of a write for each connection of the storm if they all came before it.
    assert sorted(store.late)[len(store.late) // 2] < CONNECTIONS * WRITE_SECONDS / 2, sorted(store.late)
    assert most < 300_000_000, most
    assert entries[1].events == lines
