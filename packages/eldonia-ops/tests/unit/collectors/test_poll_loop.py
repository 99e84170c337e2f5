import asyncio

from collector_loops import Rows

from eldonia_ops.collectors.collector import LoopContext
from eldonia_ops.collectors.poll_loop import poll_plan
from eldonia_ops.collectors.status import TargetHealth
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.services.clock import ManualClock
from eldonia_ops.services.loops import Loops


class Scripted:
    """A source that answers, or raises, what it was given."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.closed = 0

    async def measure(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self):
        self.closed += 1


GOOD = [("up", {}, 1.0), ("degrees", {"city": "Osaka"}, 21.5)], ""
LABELS = Labels({"job": "weather", "instance": "jp"})


def plan_of(source, specification=1):
    return poll_plan(
        kind="weather",
        name="jp",
        specification=specification,
        labels=LABELS,
        source=lambda: source,
        interval_ms=5_000,
        metadata=[MetricMetadata("degrees", MetricType.GAUGE)],
        url="https://weather/jp",
    )


async def test_a_plan_becomes_a_loop():
    rows, clock, loops = Rows(), ManualClock(), Loops()
    source = Scripted(GOOD)
    plan = plan_of(source)
    assert (plan.name, plan == plan_of(source), plan == plan_of(source, 2)) == ("jp", True, False)
    loop = plan.build(LoopContext(clock, rows.store, loops.item))
    task = asyncio.create_task(loop.run())
    await clock.advance(15_000)
    task.cancel()
    assert len(rows.collected) == 4
    assert rows.values() == {("up",): 1.0, ("degrees", "city=Osaka"): 21.5}
    assert rows.collected[0].row.target == "weather/jp"
    assert [len(one.metadata) for one in rows.collected] == [1, 0, 0, 0]
    [status] = loop.statuses()
    assert (status.kind, status.name, status.url, status.labels) == ("weather", "jp", "https://weather/jp", LABELS)
    assert (status.health, status.interval_ms) == (TargetHealth.UP, 5_000)
    await loop.close()
    assert source.closed == 1


async def test_a_source_that_raises_is_a_target_that_is_down():
    rows, clock, loops = Rows(), ManualClock(), Loops()
    source = Scripted(GOOD, ZeroDivisionError("x"), ZeroDivisionError("x"), ZeroDivisionError("x"), GOOD)
    loop = plan_of(source).build(LoopContext(clock, rows.store, loops.item))
    task = asyncio.create_task(loop.run())
    await clock.advance(15_000)
    # Its other series ended with the first row of the failure.
    assert [one.row.values.tolist()[0] for one in rows.collected] == [1.0, 0.0, 0.0, 0.0]
    assert len(rows.collected[1].row.labels) == 3, "up, why, and the end of the series of before"
    [status] = loop.statuses()
    assert (status.health, status.error) == (TargetHealth.DOWN, "a fault of our own: ZeroDivisionError")
    assert [loop.name for loop in loops.failing()] == ["weather jp"]
    await clock.advance(5_000)
    task.cancel()
    assert loops.failing() == []
    assert loop.statuses()[0].health is TargetHealth.UP


async def test_a_row_that_is_not_stored_does_not_end_it():
    clock, loops, stored = ManualClock(), Loops(), []

    async def store(collected):
        stored.append(collected)
        if len(stored) < 2:
            raise RuntimeError("disk full")

    loop = plan_of(Scripted(GOOD)).build(LoopContext(clock, store, loops.item))
    task = asyncio.create_task(loop.run())
    await clock.advance(0)
    assert loop.statuses()[0].error == "not stored: disk full"
    await clock.advance(5_000)
    task.cancel()
    # The metadata comes with the first row that is stored.
    assert [len(one.metadata) for one in stored] == [1, 1]
    assert loop.statuses()[0].error == ""
