"""What filters hold back, and kills: every line goes on once, wherever the process ends."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fluent_conf import NOW_NS, pipeline

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.outputs import CopyOutput, Output
from eldonia_ops.pipeline_outputs.held_journal import HeldJournal
from eldonia_ops.pipeline_outputs.opening import open_output
from eldonia_ops.pipeline_outputs.running import OutputEdge, OutputError, OutputStatus
from eldonia_ops.services.pipeline.runner import PipelineRunner

CONCAT = """
<filter **>
  @type concat
  key log
  multiline_start_regexp /^begin/
  flush_interval 1
</filter>
<match **>
  @type null
  @id out
</match>
"""
COPY = """
<filter **>
  @type concat
  key log
  n_lines 3
  flush_interval 1
</filter>
<match **>
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
    flush_interval 1
  </filter>
  <match **>
    @type null
    @id out
  </match>
</label>
<label @b>
  <match **>
    @type null
    @id other
  </match>
</label>
"""
DOWN_MS = 5_000


class KilledError(BaseException):
    """The process ends here."""


class Disk:
    """What outlives the process: outputs that know keys, and the journal."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "held"
        self.stored: dict[str, dict[str, tuple[str, ...]]] = {"out": {}, "other": {}}
        self.now = NOW_NS // 1_000_000
        self.left = -1
        self.failing = False

    def alive(self) -> None:
        """Ends the process when its time has come."""
        if self.left == 0:
            raise KilledError
        self.left -= 1

    def lines(self, output: str) -> Counter[str]:
        return Counter(line for texts in self.stored[output].values() for text in texts for line in text.split("\n"))


class Known:
    """An output that takes what has a key once, as our store and buffers do."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk = disk
        self._name = name

    async def write(self, batch: Batch) -> None:
        self._disk.alive()
        if self._disk.failing:
            raise OutputError("away")
        assert batch.key
        texts = tuple(str(event.record["log"]) for event in batch.events)
        assert self._disk.stored[self._name].setdefault(batch.key, texts) == texts, "another batch under one key"
        self._disk.alive()

    async def run(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        return None

    def statuses(self) -> list[OutputStatus]:
        return []


class Watched(HeldJournal):
    """A journal in whose steps the process may end, too."""

    def __init__(self, disk: Disk, text: str) -> None:
        super().__init__(disk.path, text)
        self._disk = disk

    def intend(self, step: Any) -> None:
        self._disk.alive()
        super().intend(step)
        self._disk.alive()

    async def commit(self, key: str, changes: Any) -> None:
        self._disk.alive()
        await super().commit(key, changes)
        self._disk.alive()


def started(disk: Disk, text: str) -> PipelineRunner:
    def opened(runner: PipelineRunner, output: Output) -> Any:
        if isinstance(output, CopyOutput):

            async def relabel(label: str, some: Batch) -> None:
                await runner.emit(some, label)

            return open_output(output, OutputEdge(lambda: disk.now, Path("/nowhere"), relabel=relabel))
        return Known(disk, output.id)

    async def on_lost(batch: Batch, reason: str) -> None:
        raise AssertionError(reason)

    return PipelineRunner(pipeline(text), lambda: disk.now, opened, on_lost, journal=Watched(disk, text))


async def expire(runner: PipelineRunner) -> None:
    """One turn of its loop."""
    async with runner._lock:
        await runner._recover()
        await runner._let_go()


def batch(number: int, chance: random.Random) -> Batch:
    names = [f"{number}-{line}" for line in range(chance.randrange(1, 5))]
    texts = [f"{'begin' if chance.random() < 0.4 else 'more'} {name}" for name in names]
    return Batch(f"tag{number % 2}", tuple(Event(number, {"log": text}) for text in texts), "test", f"batch {number}")


@pytest.mark.parametrize("text", [CONCAT, COPY], ids=["concat", "copy"])
async def test_wherever_the_process_ends(text: str, tmp_path: Path) -> None:
    kills = 0
    for seed in range(30):
        chance = random.Random(seed)
        disk = Disk(tmp_path / str(seed))
        runner = started(disk, text)
        batches = [batch(number, chance) for number in range(12)]
        waiting = list(batches)
        while waiting:
            disk.left = chance.choice((-1, *range(8)))
            disk.failing = chance.random() < 0.15
            try:
                if chance.random() < 0.4:
                    disk.now += chance.choice((300, 1_000))
                    await expire(runner)
                else:
                    await runner.emit(waiting[0])
                    if chance.random() < 0.8:  # else its sender hears nothing of it, and sends it again
                        del waiting[0]
            except KilledError:
                kills += 1
                disk.now += chance.choice((0, DOWN_MS))
                runner = started(disk, text)
            except OutputError:
                pass
        disk.left, disk.failing = -1, False
        disk.now += 1_000_000
        await expire(runner)
        await runner.close()
        wanted = Counter(event.record["log"] for one in batches for event in one.events)
        for name in ("out", "other") if text is COPY else ("out",):
            assert disk.lines(name) == wanted, (seed, name)
    assert kills > 60


async def test_what_was_acknowledged_and_is_held_back_outlives_a_kill(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    await started(disk, CONCAT).emit(Batch("t", (Event(1, {"log": "begin a"}),), "", "k1"))
    assert disk.lines("out") == {}
    disk.now += DOWN_MS
    runner = started(disk, CONCAT)
    assert runner.held == 1
    await expire(runner)
    assert disk.lines("out") == {}, "the time in which nothing was read is no silence"
    await runner.emit(Batch("t", (Event(1, {"log": "more b"}), Event(1, {"log": "begin c"})), "", "k2"))
    assert list(disk.stored["out"].values()) == [("begin a\nmore b",)]


async def test_lines_wait_for_a_batch_that_failed(tmp_path: Path) -> None:
    """Some of the outputs may have them with it: they go on with that batch, and not by themselves."""
    disk = Disk(tmp_path)
    runner = started(disk, CONCAT)
    await runner.emit(Batch("t", (Event(1, {"log": "begin a"}),), "", "k1"))
    disk.failing = True
    with pytest.raises(OutputError):
        await runner.emit(Batch("t", (Event(1, {"log": "begin b"}),), "", "k2"))
    disk.failing = False
    disk.now += 5_000
    await expire(runner)
    assert disk.lines("out") == {}
    disk.now += 600_000  # its sender is gone
    await expire(runner)
    assert disk.lines("out") == {"begin a": 1}


async def test_what_another_pipeline_held_back_goes_on_by_itself(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    events = (Event(1, {"log": "begin a"}), Event(1, {"log": "more b"}))
    await started(disk, CONCAT).emit(Batch("t", events, "", "k1"))
    changed = CONCAT.replace("/^begin/", "/^start/")
    disk.left = 1  # before the end of the first attempt
    with pytest.raises(KilledError):
        await expire(started(disk, changed))
    disk.left = -1
    runner = started(disk, changed)
    await expire(runner)
    assert disk.lines("out") == {"begin a": 1, "more b": 1}
    assert runner.held == 0
    assert started(disk, changed).held == 0
