"""Blocks: when they begin, what readers wait for, and what becomes of a block that is refused."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.journal import blocks
from eldonia_ops.storage.clickhouse.journal.blocks import BlockWriter, NotStoredError


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "RETRY_SECONDS", (0.001, 0.004))


class Engine:
    """Keeps what it is given; refuses all while ``down``, waits while the gate is closed."""

    def __init__(self) -> None:
        self.stored: list[list[str]] = []
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def store(self, items: Sequence[str]) -> None:
        await self.gate.wait()
        if self.down:
            raise TelemetryError("down")
        self.stored.append(list(items))


def writer(engine: Engine, **settings: Any) -> BlockWriter[str]:
    return BlockWriter[str]("rows", engine.store, **{"delay_seconds": 60.0, "pause_seconds": 0.0, **settings})


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.001)


async def test_a_reader_sees_what_was_taken_before() -> None:
    engine = Engine()
    rows = writer(engine)
    rows.add("a", 1)
    rows.add("b", 2)
    assert rows.oldest == 1
    await rows.flush()
    assert engine.stored == [["a", "b"]]
    assert (rows.oldest, rows.waiting) == (None, 0)
    await rows.flush()
    assert len(engine.stored) == 1


async def test_a_full_block_begins_at_once_and_others_after_a_while() -> None:
    engine = Engine()
    rows = writer(engine, max_rows=2)
    for number, item in enumerate("abcde"):
        rows.add(item, number)
    await until(lambda: len(engine.stored) == 2)
    assert engine.stored == [["a", "b"], ["c", "d"]]
    assert rows.oldest == 4
    await rows.close()
    assert engine.stored[-1] == ["e"]
    soon = writer(engine, delay_seconds=0.002)
    soon.add("f", 1)
    await until(lambda: not soon.waiting)
    assert engine.stored[-1] == ["f"]


async def test_blocks_for_readers_keep_their_distance() -> None:
    engine = Engine()
    rows = writer(engine, pause_seconds=0.05)
    loop = asyncio.get_running_loop()
    started = loop.time()
    for number in range(4):
        rows.add(str(number), number)
        await rows.flush()
    assert len(engine.stored) == 4
    assert loop.time() - started >= 3 * 0.05


async def test_what_is_refused_is_kept_in_its_order_and_offered_again() -> None:
    engine = Engine()
    engine.down = True
    rows = writer(engine)
    rows.add("a", 1)
    await rows.flush()
    rows.add("b", 2)
    assert rows.failing == "down"
    assert (rows.oldest, rows.waiting) == (1, 2)
    await rows.flush()  # returns although nothing can be stored
    engine.down = False
    await rows.flush(30)
    assert [item for block in engine.stored for item in block] == ["a", "b"]
    assert (rows.oldest, rows.failing) == (None, "")


async def test_of_a_block_that_is_stored_in_part_the_rest_is_offered_again() -> None:
    taken: list[str] = []

    async def store(items: Sequence[str]) -> None:
        taken.append(items[0])
        if len(items) > 1:
            raise NotStoredError("one at a time", items[1:])

    rows = BlockWriter[str]("rows", store, delay_seconds=60.0, pause_seconds=0.0)
    for number, item in enumerate("abc", 7):
        rows.add(item, number)
    for _ in range(3):
        await rows.flush(30)
    assert taken == ["a", "b", "c"]
    assert rows.oldest is None


async def test_a_sender_waits_for_room_and_is_refused_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    engine.gate.clear()
    rows = writer(engine, max_rows=2, max_waiting=2)
    for number, item in enumerate("ab"):
        await rows.room(item)
        rows.add(item, number)
    monkeypatch.setattr(blocks, "ROOM_SECONDS", 0.01)
    with pytest.raises(TelemetryError, match="2 rows already wait to be stored; try again later"):
        await rows.room("c")
    monkeypatch.setattr(blocks, "ROOM_SECONDS", 30.0)
    waiting = asyncio.ensure_future(rows.room("c"))
    await asyncio.sleep(0)
    engine.gate.set()
    await waiting
    assert rows.waiting == 0


async def test_closing_with_an_engine_that_refuses_ends() -> None:
    engine = Engine()
    engine.down = True
    rows = writer(engine)
    rows.add("a", 1)
    async with asyncio.timeout(30):
        await rows.close()
    assert rows.oldest == 1
