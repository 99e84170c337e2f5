"""Who waits for what, and what a failure means to whom."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import pytest

from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.engines.engine import EngineUnavailableError
from eldonia_ops.storage.clickhouse.journal.group_commit import GroupCommit, kibibytes


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose time jumps to the next timer instead of passing."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]
        select = selector.select

        def jump(timeout: float | None) -> Any:
            self._now += timeout or 0.0
            return select(0)

        selector.select = jump

    def time(self) -> float:
        return self._now


class Disk:
    """Keeps what it is given; refuses ``bad`` rows, and everything while ``down``."""

    def __init__(self) -> None:
        self.stored: list[list[str]] = []
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def store(self, rows: Sequence[str]) -> None:
        await self.gate.wait()
        if self.down:
            raise EngineUnavailableError("down")
        if "bad" in rows:
            raise TelemetryError("a bad row")
        self.stored.append(list(rows))


async def test_rows_of_many_callers_are_stored_together() -> None:
    disk = Disk()
    commit = GroupCommit(disk.store, delay_seconds=0.005)
    await asyncio.gather(*[commit.submit([str(n)]) for n in range(20)])
    assert disk.stored == [[str(n) for n in range(20)]]
    assert commit.waiting == 0
    assert commit.idle


async def test_a_full_group_does_not_wait() -> None:
    disk = Disk()
    commit = GroupCommit(disk.store, delay_seconds=60, max_rows=3)
    async with asyncio.timeout(30):
        await asyncio.gather(commit.submit(["a", "b"]), commit.submit(["c"]))
    assert disk.stored == [["a", "b", "c"]]


def test_a_trickle_is_stored_less_often_than_a_single_row() -> None:
    loop = JumpingLoop()
    begun: list[float] = []

    async def store(rows: Sequence[str]) -> None:
        begun.append(round(loop.time(), 6))

    async def story() -> None:
        commit = GroupCommit(store, delay_seconds=0.1)
        for row in ("first", "second", "third"):
            await commit.submit([row])
        await asyncio.sleep(60)
        await commit.submit(["after a pause"])

    with contextlib.closing(loop):
        loop.run_until_complete(story())
    assert begun == [0.1, 0.5, 0.9, 61.0]


async def test_heavy_rows_fill_a_group_and_the_queue_like_many() -> None:
    assert [kibibytes(b"x" * size) for size in (0, 1_023, 1_024, 10_240)] == [1, 1, 2, 11]
    stored: list[list[bytes]] = []
    gate = asyncio.Event()

    async def store(rows: Sequence[bytes]) -> None:
        await gate.wait()
        stored.append(list(rows))

    commit = GroupCommit(store, delay_seconds=60, max_rows=3, max_waiting=5, weight=kibibytes)
    heavy = b"x" * 2_048
    first = asyncio.ensure_future(commit.submit([heavy]))  # alone it weighs as much as a full group
    await asyncio.sleep(0)
    with pytest.raises(TelemetryError, match="already wait"):
        await commit.submit([heavy])
    gate.set()
    async with asyncio.timeout(30):
        await first
        await commit.submit([heavy])
    assert stored == [[heavy], [heavy]]


async def test_a_bad_row_fails_its_own_caller_only() -> None:
    disk = Disk()
    commit = GroupCommit(disk.store, delay_seconds=0.005)
    results = await asyncio.gather(
        commit.submit(["a"]), commit.submit(["bad", "b"]), commit.submit(["c"]), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), TelemetryError, type(None)]
    assert disk.stored == [["a"], ["c"]]
    await commit.submit(["d"])
    assert disk.stored[-1] == ["d"]


async def test_an_engine_that_is_away_is_asked_once() -> None:
    disk = Disk()
    disk.down = True
    commit = GroupCommit(disk.store, delay_seconds=0.005)
    results = await asyncio.gather(*[commit.submit([str(n)]) for n in range(5)], return_exceptions=True)
    assert all(isinstance(result, EngineUnavailableError) for result in results)
    disk.down = False
    await commit.submit(["x"])
    assert disk.stored == [["x"]]


async def test_too_much_waiting_is_refused() -> None:
    disk = Disk()
    disk.gate.clear()
    commit = GroupCommit(disk.store, delay_seconds=0.001, max_waiting=3)
    first = asyncio.ensure_future(commit.submit(["a", "b", "c"]))
    await asyncio.sleep(0.01)
    with pytest.raises(TelemetryError, match="already wait"):
        await commit.submit(["d"])
    disk.gate.set()
    await first
    await commit.submit(["d"])
    assert disk.stored == [["a", "b", "c"], ["d"]]


async def test_a_caller_who_gives_up_does_not_disturb_the_others() -> None:
    disk = Disk()
    commit = GroupCommit(disk.store, delay_seconds=0.005)
    leaver = asyncio.ensure_future(commit.submit(["a"]))
    stayer = asyncio.ensure_future(commit.submit(["b"]))
    await asyncio.sleep(0)
    leaver.cancel()
    await stayer
    assert disk.stored == [["a", "b"]]


async def test_an_empty_submission_waits_for_what_is_under_way() -> None:
    disk = Disk()
    disk.gate.clear()
    commit = GroupCommit(disk.store, delay_seconds=0.001)
    await commit.submit([])  # nothing to wait for
    first = asyncio.ensure_future(commit.submit(["a"]))
    await asyncio.sleep(0.01)
    barrier = asyncio.ensure_future(commit.submit([]))
    await asyncio.sleep(0.01)
    assert not barrier.done()
    disk.gate.set()
    await barrier
    assert first.done()
    assert disk.stored == [["a"]]


async def test_closing_stores_what_was_accepted() -> None:
    disk = Disk()
    commit = GroupCommit(disk.store, delay_seconds=60)
    accepted = asyncio.ensure_future(commit.submit(["a"]))
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await commit.close()
        await accepted
    assert disk.stored == [["a"]]
    with pytest.raises(TelemetryError, match="closed"):
        await commit.submit(["b"])
