"""A tail that is stopped in the middle of a delivery."""

import asyncio

import pytest

from eldonia_ops.collectors.tail.batches import TailOptions
from eldonia_ops.collectors.tail.follow import FollowedFile
from eldonia_ops.collectors.tail.join import JoinBounds

FAST = TailOptions(poll_seconds=0.005, retry_seconds=0.01, join=JoinBounds(seconds=0.02))


class Store:
    """A sink that takes its time, and the positions that were saved."""

    def __init__(self):
        self.taking = asyncio.Event()
        self.go_on = asyncio.Event()
        self.fails = False
        self.lines = []
        self.saved = []

    async def sink(self, batch):
        self.taking.set()
        await self.go_on.wait()
        if self.fails:
            raise RuntimeError("disk full")
        self.lines += [line.data for line in batch.lines]

    async def load_position(self, path):
        return None

    async def save_position(self, path, identity, offset):
        self.saved.append(offset)

    async def source_position(self, source):
        return None


@pytest.fixture
async def stopped(tmp_path):
    """A store, and a tail that was cancelled while the store takes its first batch."""
    path, store = tmp_path / "app.log", Store()
    path.write_bytes(b"one\ntwo\n")
    task = asyncio.create_task(FollowedFile(path, store.sink, store, FAST).run())
    await asyncio.wait_for(store.taking.wait(), 20)
    task.cancel()
    await asyncio.sleep(0.02)
    return store, task


async def test_what_was_handed_over_is_waited_for_and_remembered(stopped):
    store, task = stopped
    assert not task.done()
    store.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    # The second line may go on in a third, and is held back.
    assert store.lines == [b"one"]
    assert store.saved == [0, 4]


async def test_what_was_not_stored_is_not_remembered(stopped):
    store, task = stopped
    store.fails = True
    store.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert store.saved == [0]


async def test_a_store_that_hangs_is_not_waited_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr("eldonia_ops.collectors.tail.delivery._STOP_SECONDS", 0.01)
    path, store = tmp_path / "app.log", Store()
    path.write_bytes(b"one\n")
    task = asyncio.create_task(FollowedFile(path, store.sink, store, FAST).run())
    await asyncio.wait_for(store.taking.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert store.saved == [0]
