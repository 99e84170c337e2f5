"""Tasks of the platform that end although nobody stopped them."""

import asyncio

from eldonia_ops.app.platform import _loop_metrics, _supervised
from eldonia_ops.services.loops import Loops


async def test_a_task_that_ends_by_an_error_is_seen() -> None:
    loops = Loops()

    async def breaks() -> None:
        raise SystemError("hunter2")

    async def has_nothing_to_do() -> None:
        pass

    tasks = [_supervised(breaks(), "Breaks", loops), _supervised(has_nothing_to_do(), "Nothing", loops)]
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert [(loop.name, loop.error) for loop in loops.failing()] == [("Breaks", "SystemError")]


async def test_a_task_that_is_stopped_is_no_failure() -> None:
    loops = Loops()

    async def waits() -> None:
        await asyncio.Event().wait()

    task = _supervised(waits(), "Waits", loops)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert loops.failing() == []


def test_each_loop_has_its_metrics_and_an_item_only_while_it_fails() -> None:
    loops = Loops()
    loops.watch("delivery").failed(OSError())
    item = loops.item('tail of /a"b\\c')
    for _ in range(3):
        item.failed(OSError())
    assert _loop_metrics(loops) == {
        'eldonia_ops_loop_failing{loop="delivery"}': 0.0,
        'eldonia_ops_loop_failures_total{loop="delivery"}': 1.0,
        'eldonia_ops_loop_failing{loop="tail of /a\\"b\\\\c"}': 1.0,
    }
    item.succeeded()
    assert len(_loop_metrics(loops)) == 2
