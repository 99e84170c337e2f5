"""One source at the entrance of a pipeline: it is counted, and it waits for itself."""

import asyncio

import pytest

from eldonia_ops.collectors.status import TargetHealth, TargetStatus
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.inputs import TailInput
from eldonia_ops.pipeline_outputs.running import OutputError
from eldonia_ops.services.pipeline.entry import PipelineEntry
from eldonia_ops.services.pipeline.view import source_view


class Slow:
    """A pipeline that lets through one batch at a time, in the order in which they come."""

    held = 0

    def __init__(self) -> None:
        self.failure = ""
        self.order: list[str] = []
        self.inside = self.most = 0
        self._turn = asyncio.Lock()

    async def emit(self, batch: Batch, label: str = "") -> None:
        if self.failure:
            raise OutputError(self.failure)
        self.inside += 1
        self.most = max(self.most, self.inside)
        async with self._turn:
            await asyncio.sleep(0)
            self.order.append(batch.tag)
        self.inside -= 1

    async def refuse(self, batch: Batch, reason: str) -> None:
        await self.emit(batch)


def batch(tag: str, events: int = 1) -> Batch:
    return Batch(tag, tuple(Event(1, {}) for _ in range(events)))


async def test_a_loud_source_waits_for_itself_and_a_quiet_one_does_not_wait_for_it() -> None:
    pipeline = Slow()
    loud, quiet = (PipelineEntry(pipeline, lambda: 0) for _ in range(2))
    storm = [asyncio.ensure_future(loud.emit(batch("loud"))) for _ in range(1_000)]
    await asyncio.sleep(0)
    await quiet.emit(batch("quiet"))
    place = pipeline.order.index("quiet")
    assert place <= 8
    assert loud.waiting >= 900
    await asyncio.gather(*storm)
    assert pipeline.most <= 9
    assert (loud.events, quiet.events, loud.waiting) == (1_000, 1, 0)


async def test_counts_rates_and_the_last_fault() -> None:
    pipeline, now = Slow(), 1_000_000
    entry = PipelineEntry(pipeline, lambda: now)
    await entry.emit(batch("a", 5))
    now += 40_000
    await entry.emit(batch("a", 7))
    assert entry.per_minute() == 12
    now += 30_000
    assert entry.per_minute() == 7
    await entry.refuse(batch("a", 2), "no JSON")
    pipeline.failure = "the store is away"
    with pytest.raises(OutputError):
        await entry.emit(batch("a", 9))
    view = source_view(TailInput(id="t", paths=("/a",)), entry, [TargetStatus("tail", "/a", "/a")])
    assert (view.events, view.unread, view.fault, view.fault_at) == (12, 2, "the store is away", now)
    assert (view.health, view.waiting, view.last_at) == ("unknown", 0, 1_040_000)


async def test_a_source_is_down_when_a_part_of_it_is() -> None:
    up = TargetStatus("tail", "/a", "/a", health=TargetHealth.UP)
    down = TargetStatus("tail", "/b", "/b", health=TargetHealth.DOWN, error="cannot read: Permission denied")
    entry = PipelineEntry(Slow(), lambda: 0)
    assert source_view(TailInput(id="t"), entry, [up]).health == "up"
    view = source_view(TailInput(id="t"), entry, [up, down])
    assert (view.health, view.fault) == ("down", "cannot read: Permission denied")
