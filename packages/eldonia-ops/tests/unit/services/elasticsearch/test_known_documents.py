"""Which ids are looked for."""

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.identity import numbered_id
from eldonia_ops.services.elasticsearch.known_documents import KnownDocuments
from eldonia_ops.simulation.memory_stores.logs import MemoryLogStore


async def store(*ids: str) -> MemoryLogStore:
    found = MemoryLogStore()
    await found.insert_logs(
        [LogRecord(timestamp_ns=1, message="m", metadata={"_index": "a", "_id": id, "_source": ""}) for id in ids]
    )
    return found


async def test_only_ids_that_may_be_there() -> None:
    known = KnownDocuments(await store("1", "2"))
    assert known.note([("a", "9")]) == [("a", "9")]  # what the store has is not read yet
    await known.read()
    number = ("a", numbered_id(5))
    assert known.note([("a", "1"), ("b", "1"), ("a", "3"), number]) == [("a", "1"), number]
    assert known.note([("a", "3"), ("b", "1"), ("a", "9")]) == [("a", "3"), ("b", "1"), ("a", "9")]


async def test_too_many_are_looked_for() -> None:
    known = KnownDocuments(await store("1", "2"), most=1)
    known.note([("a", "9")])
    await known.read()
    assert known.note([("a", "8")]) == [("a", "8")]


async def test_it_gives_up_when_too_many_were_written() -> None:
    known = KnownDocuments(await store("1"), most=2)
    known.note([("a", "9")])
    await known.read()
    assert known.note([("a", "8")]) == []
    assert known.note([("a", str(n)) for n in range(100, 110)]) == [("a", str(n)) for n in range(100, 110)]


async def test_a_store_that_cannot_be_read() -> None:
    found = await store("1")
    found.broken = "away"
    known = KnownDocuments(found)
    await known.read()
    assert known.note([("a", "8")]) == [("a", "8")]
    found.broken = ""
    await known.read()
    assert known.note([("a", "1"), ("a", "7"), ("a", "8")]) == [("a", "1"), ("a", "8")]
