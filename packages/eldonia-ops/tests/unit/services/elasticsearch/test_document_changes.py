"""Requests that write the same documents at once, against what one request after another would leave."""

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from fake_platform import NOW, FakePlatform

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogPage, LogQuery
from eldonia_ops.protocols.elasticsearch.bulk import parse_bulk
from eldonia_ops.protocols.elasticsearch.documents import source_of
from eldonia_ops.services.elasticsearch.documents import DocumentService
from eldonia_ops.services.elasticsearch.index_catalog import IndexCatalog
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.simulation.memory_stores.logs import MemoryLogStore

T = TypeVar("T")


class SlowStore(MemoryLogStore):
    """A store that lets others run before and after each step. ``looks`` counts the searches."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0
        self.chance = random.Random(7)

    async def pause(self) -> None:
        for _ in range(self.chance.randrange(4)):
            await asyncio.sleep(0)

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        await self.pause()
        await super().insert_logs(records, batch_key=batch_key)
        await self.pause()

    async def search_logs(self, query: LogQuery) -> LogPage:
        self.looks += 1
        await self.pause()
        found = await super().search_logs(query)
        await self.pause()
        return found

    async def delete_logs(self, places: Sequence[tuple[int, int]]) -> None:
        await self.pause()
        await super().delete_logs(places)


class Threads:
    async def aside(self, work: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        return work()


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


@pytest.fixture
def documents(store: SlowStore) -> DocumentService:
    platform = FakePlatform()
    telemetry = replace(platform.telemetry, logs=store)
    ingest = IngestService(telemetry, Origin("production", "node-1"))  # pyright: ignore[reportArgumentType]
    catalog = IndexCatalog(platform.state, platform.now)
    return DocumentService(ingest, store, catalog, Threads())


async def send(documents: DocumentService, *lines: Any) -> list[tuple[int, int]]:
    """The status and version of each item."""
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    actions, some = parse_bulk(body, "app")
    done = await documents.bulk(actions, some, NOW)
    found = [next(iter(json.loads(item).values())) for item in done.items]
    return [(one["status"], one.get("_version", 0)) for one in found]


async def test_new_documents_are_not_looked_for(documents: DocumentService, store: SlowStore) -> None:
    assert await send(documents, {"index": {"_id": "0"}}, {"n": 0}) == [(201, 1)]
    looks = store.looks
    answers = await asyncio.gather(*(send(documents, {"index": {"_id": f"n{n}"}}, {"n": n}) for n in range(20)))
    assert answers == [[(201, 1)]] * 20
    assert store.looks == looks
    assert await send(documents, {"index": {"_id": "n3"}}, {"n": 5}) == [(200, 2)]
    assert store.looks > looks


async def test_one_of_many_creates_wins(documents: DocumentService, store: SlowStore) -> None:
    for turn in range(10):
        answers = await asyncio.gather(
            *(send(documents, {"create": {"_id": f"t{turn}"}}, {"sender": n}) for n in range(5))
        )
        assert sorted(status for [(status, _)] in answers) == [201, 409, 409, 409, 409]
    assert len(store.records) == 10


async def test_versions_count_without_a_gap(documents: DocumentService, store: SlowStore) -> None:
    """Every write of a document gets a version of its own, and the last one is what is there."""
    chance = random.Random(3)

    async def sender(number: int) -> list[tuple[str, int, int]]:
        found: list[tuple[str, int, int]] = []
        for turn in range(12):
            ids = [str(chance.randrange(6)) for _ in range(3)]
            value = number * 100 + turn
            lines = [part for id in ids for part in ({"index": {"_id": id}}, {"value": value})]
            answers = await send(documents, *lines)
            assert all(status in (200, 201) for status, _ in answers)
            found += [(id, version, value) for id, (_, version) in zip(ids, answers, strict=True)]
            await store.pause()
        return found

    written = [one for some in await asyncio.gather(*map(sender, range(4))) for one in some]
    assert len(store.records) == len({id for id, _, _ in written})
    for record in store.records:
        own = sorted((version, value) for id, version, value in written if id == record.metadata["_id"])
        assert [version for version, _ in own] == list(range(1, len(own) + 1))
        assert source_of(record) == {"value": own[-1][1]}


async def test_a_failed_write_is_done_again(documents: DocumentService, store: SlowStore) -> None:
    await send(documents, {"index": {"_id": "0"}}, {"n": 0})
    store.broken = "away"
    with pytest.raises(Exception, match="away"):
        await send(documents, {"index": {"_id": "1"}}, {"n": 1})
    store.broken = ""
    assert await send(documents, {"create": {"_id": "1"}}, {"n": 1}) == [(201, 1)]
    assert await send(documents, {"create": {"_id": "1"}}, {"n": 1}) == [(409, 0)]
    assert len(store.records) == 2
