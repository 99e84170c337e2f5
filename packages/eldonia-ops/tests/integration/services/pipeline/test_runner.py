"""A pipeline at work: what is not delivered is offered again, and what is held back is nowhere lost."""

import asyncio
from typing import Any

import pytest
from fluent_conf import NOW_NS, batch, pipeline

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.outputs import CopyOutput, Output
from eldonia_ops.pipeline_outputs.opening import open_output
from eldonia_ops.pipeline_outputs.running import OutputEdge, OutputError, OutputStatus
from eldonia_ops.services.pipeline.positions import PipelinePositions
from eldonia_ops.services.pipeline.runner import PipelineRunner


class Collected:
    """An output that keeps what it gets, and fails when it is asked to."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.failures = 0
        self.closed = False

    async def write(self, some: Batch) -> None:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise OutputError("not now")
        self.batches.append(some)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True

    def statuses(self) -> list[OutputStatus]:
        return []

    @property
    def records(self) -> list[dict[str, Any]]:
        return [event.record for some in self.batches for event in some.events]


class World:
    """A runner with outputs that are kept by their ids."""

    def __init__(self, text: str) -> None:
        self.now = NOW_NS // 1_000_000
        self.outputs: dict[str, Collected] = {}
        self.lost: list[tuple[dict[str, Any], str]] = []
        self.runner = PipelineRunner(pipeline(text), lambda: self.now, self._open, self._lost)

    def _open(self, runner: PipelineRunner, output: Output) -> Any:
        if isinstance(output, CopyOutput):

            async def relabel(label: str, some: Batch) -> None:
                await runner.emit(some, label)

            from pathlib import Path

            return open_output(output, OutputEdge(lambda: self.now, Path("/nowhere"), relabel=relabel))
        return self.outputs.setdefault(output.id, Collected())

    async def _lost(self, some: Batch, reason: str) -> None:
        self.lost += [(event.record, reason) for event in some.events]


CONCAT = """
<filter **>
  @type concat
  key log
  n_lines 2
  flush_interval 1
</filter>
<match **>
  @type null
  @id out
</match>
"""


async def test_a_batch_that_fails_leaves_no_trace():
    world = World(CONCAT)
    await world.runner.emit(batch({"log": "a"}))
    world.outputs["out"].failures = 1
    with pytest.raises(OutputError):
        await world.runner.emit(batch({"log": "b"}))
    assert (world.runner.held, world.outputs["out"].records) == (1, [])
    await world.runner.emit(batch({"log": "b"}))
    assert (world.runner.held, world.outputs["out"].records) == (0, [{"log": "a\nb"}])


async def test_what_is_held_back_comes_by_itself():
    world = World(CONCAT)
    task = asyncio.create_task(world.runner.run())
    try:
        await world.runner.emit(batch({"log": "a"}))
        world.outputs["out"].failures = 1
        world.now += 1_000
        async with asyncio.timeout(10):
            while not world.outputs["out"].records:
                world.now += 100
                await asyncio.sleep(0.05)
        assert world.outputs["out"].records == [{"log": "a"}]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_end_sends_on_what_is_held_back():
    world = World(CONCAT)
    await world.runner.emit(batch({"log": "a"}))
    await world.runner.close()
    assert world.outputs["out"].records == [{"log": "a"}]
    assert world.outputs["out"].closed


COPY = """
<match in>
  @type copy
  <store>
    @type relabel
    @label @a
  </store>
  <store>
    @type relabel
    @label @b
  </store>
</match>
<label @a>
  <filter **>
    @type concat
    key log
    n_lines 2
  </filter>
  <match **>
    @type null
    @id a
  </match>
</label>
<label @b>
  <match **>
    @type null
    @id b
  </match>
</label>
"""


async def test_labels_within_a_copy_and_filters_that_remember():
    world = World(COPY)
    async with asyncio.timeout(10):
        await asyncio.gather(*(world.runner.emit(batch({"log": str(number)}, tag="in")) for number in range(20)))
    assert len(world.outputs["a"].records) == 10
    assert [record["log"] for record in world.outputs["b"].records] == [str(number) for number in range(20)]
    assert world.runner.held == 0


async def test_error_label_or_lost():
    world = World(CONCAT)
    await world.runner.refuse(batch({"x": 1}), "why")
    assert world.lost == [({"x": 1}, "why")]
    world = World(f"<label @ERROR>\n<match **>\n@type null\n@id e\n</match>\n</label>\n{CONCAT}")
    await world.runner.refuse(batch({"x": 1}), "why")
    assert (world.outputs["e"].records, world.lost) == ([{"x": 1}], [])
    world.outputs["e"].failures = 1
    await world.runner.refuse(batch({"x": 2}), "why")
    assert world.lost == [({"x": 2}, "why; @ERROR: not now")]


class Stored:
    """Positions in memory."""

    def __init__(self) -> None:
        self.saved: dict[str, tuple[str, int]] = {}

    async def load_position(self, path: str) -> tuple[str, int] | None:
        return self.saved.get(path)

    async def save_position(self, path: str, identity: str, offset: int) -> None:
        self.saved[path] = (identity, offset)

    async def source_position(self, source: str) -> int | None:
        return None


async def test_no_position_lies_behind_what_is_held_back():
    stored, held = Stored(), [1]
    positions = PipelinePositions("s", stored, "", from_head=True, held=lambda: held[0], now=lambda: 0.0)
    await positions.save_position("/a", "1:2:f", 10)
    assert stored.saved == {}
    held[0] = 0
    await positions.save_waiting()
    assert stored.saved == {"pipeline s /a": ("1:2:f", 10)}
