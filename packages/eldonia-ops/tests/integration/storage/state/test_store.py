"""Transactions: isolation, collisions, closing; on both databases."""

import asyncio
import threading
from typing import Any

import pytest

from eldonia_ops.model.alerts import Alert, LedgerEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.ports import StateStore
from eldonia_ops.storage.state import SqlStateStore, StateClosedError, StateError, open_state_store


def count_up(t: Any) -> int:
    """Read, then write what follows from it: the transaction that collides if any does."""
    value = (t.machines.load("counter", "n", int) or 0) + 1
    t.machines.save("counter", "n", value)
    return value


async def test_it_is_a_state_store(store: SqlStateStore) -> None:
    used: StateStore = store
    assert await used.read(lambda t: t.alerts.all()) == []


async def test_writers_in_one_process_take_turns(store: SqlStateStore) -> None:
    results = await asyncio.gather(*(store.write(count_up) for _ in range(40)))
    assert sorted(results) == list(range(1, 41))


async def test_writers_of_several_stores_lose_no_update(store: SqlStateStore, state_url: str) -> None:
    others = [await open_state_store(state_url) for _ in range(2)]
    try:
        stores = [store, *others]
        results = await asyncio.gather(*(stores[n % 3].write(count_up) for n in range(45)))
        ordinals = await asyncio.gather(*(stores[n % 3].write(lambda t: t.incidents.next_ordinal()) for n in range(30)))
    finally:
        for other in others:
            await other.close()
    assert sorted(results) == list(range(1, 46))
    assert sorted(ordinals) == list(range(1, 31))


async def test_two_stores_that_open_a_new_database_together_both_get_it(state_url: str) -> None:
    stores = await asyncio.gather(*(open_state_store(state_url) for _ in range(3)))
    for one in stores:
        assert await one.read(lambda t: t.alerts.all()) == []
        await one.close()


async def test_nothing_of_failed_work_remains(store: SqlStateStore) -> None:
    def fail(t: Any) -> None:
        t.alerts.put(Alert(Labels({"alertname": "a"})))
        assert len(t.alerts.all()) == 1  # it reads its own writes
        raise LookupError("stop")

    with pytest.raises(LookupError, match="stop"):
        await store.write(fail)
    assert await store.read(lambda t: t.alerts.all()) == []


async def test_a_read_is_one_snapshot(store: SqlStateStore) -> None:
    first_read, written = threading.Event(), threading.Event()

    def look_twice(t: Any) -> tuple[int, int]:
        before = len(t.ledger.find())
        first_read.set()
        assert written.wait(10)
        return before, len(t.ledger.find())

    reading = asyncio.create_task(store.read(look_twice))
    await asyncio.to_thread(first_read.wait, 10)
    await store.write(lambda t: t.ledger.append(LedgerEntry(0, 1, "f", "A", "r", "sent", "")))
    written.set()
    assert await reading == (0, 0)
    assert len(await store.read(lambda t: t.ledger.find())) == 1


async def test_a_read_cannot_write(store: SqlStateStore) -> None:
    with pytest.raises(StateError, match=r"(?i)read-?only"):
        await store.read(lambda t: t.alerts.put(Alert(Labels({"alertname": "a"}))))
    assert await store.write(lambda t: t.alerts.all()) == []


async def test_closing_finishes_what_was_begun(state_url: str) -> None:
    store = await open_state_store(state_url)
    begun = [asyncio.create_task(store.write(count_up)) for _ in range(5)]
    await asyncio.sleep(0)
    await store.close()
    assert sorted([await task for task in begun]) == [1, 2, 3, 4, 5]
    await store.close()
    with pytest.raises(StateClosedError):
        await store.read(lambda t: t.alerts.all())
    again = await open_state_store(state_url)
    assert await again.write(count_up) == 6
    await again.close()


async def test_a_cancelled_caller_does_not_tear_a_write(store: SqlStateStore) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(t: Any) -> None:
        inside.set()
        assert go_on.wait(10)
        count_up(t)

    task = asyncio.create_task(store.write(slow))
    await asyncio.to_thread(inside.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go_on.set()
    assert await store.write(count_up) == 2
