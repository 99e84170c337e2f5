"""Tasks of the platform that end without being stopped."""

import asyncio

from eldonia_ops.app.modules import Inert, supervised
from eldonia_ops.services.loops import Loops


async def test_a_task_that_ends_by_an_error_is_seen() -> None:
    loops = Loops()

    class Breaks(Inert):
        name = "Breaks"

        async def run(self) -> None:
            raise SystemError("hunter2")

    tasks = [supervised(Breaks(), loops), supervised(Inert(), loops)]
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)
    assert [(loop.name, loop.error) for loop in loops.failing()] == [("Breaks", "SystemError")]


async def test_a_task_that_is_stopped_is_no_failure() -> None:
    loops = Loops()

    class Waits(Inert):
        name = "Waits"

        async def run(self) -> None:
            await asyncio.Event().wait()

    task = supervised(Waits(), loops)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert loops.failing() == []


async def test_a_task_that_was_cancelled_by_what_it_waits_for_is_seen() -> None:
    loops = Loops()

    class Waits(Inert):
        name = "Waits"

        async def run(self) -> None:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

    await asyncio.gather(supervised(Waits(), loops), return_exceptions=True)
    await asyncio.sleep(0)
    assert [(loop.name, loop.error) for loop in loops.failing()] == [("Waits", "RuntimeError")]
