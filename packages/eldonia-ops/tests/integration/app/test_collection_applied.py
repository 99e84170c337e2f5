"""Real targets, files and stores, while the settings change."""

import asyncio
import dataclasses
import time

import pytest
from collector_loops import ignored

from eldonia_ops.app.collection import Collection
from eldonia_ops.collectors.host.config import HostSettings
from eldonia_ops.collectors.scrape.config import ScrapeJob
from eldonia_ops.collectors.tail.config import LogFile
from eldonia_ops.ports import LogQuery, TelemetryStores
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.ingest import Horizon, IngestService, Origin
from eldonia_ops.services.queries import QueryService
from eldonia_ops.settings import LimitSettings, parse_settings
from eldonia_ops.storage.clickhouse import open_on_engine
from eldonia_ops.storage.state import open_state_store

DAY = 86_400_000


class Shop:
    """A server that exposes one counter and counts how often it was asked."""

    async def __aenter__(self):
        self.asked = 0
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = b"shop_orders_total %d\n" % self.asked
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()


class World:
    """A collection over real stores."""

    def __init__(self, folder, open_engine):
        self.folder = folder
        self.open_engine = open_engine

    async def __aenter__(self):
        self.telemetry = await open_on_engine(
            await self.open_engine(), wal=self.folder / "wal", commit_delay_seconds=0.01
        )
        self.state = await open_state_store(f"sqlite:///{self.folder}/state.db")
        self.clock = SystemClock()

        horizon = Horizon(30 * DAY, 30 * DAY, 30 * DAY)
        ingest = IngestService(TelemetryStores.on_one(self.telemetry), Origin("test", "here"), self.clock, horizon)
        self.queries = QueryService(self.clock, self.telemetry, concurrency=2, timeout_seconds=20)
        settings = parse_settings("", None, {"HOME": str(self.folder)})
        self.settings = dataclasses.replace(settings, collectors={"host": HostSettings(enabled=False)})
        self.collection = Collection(self.settings, self.clock, ingest, self.state, self.telemetry, ignored)
        self.task = asyncio.create_task(self.collection.run())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.collection.close()
        self.queries.close()
        await self.state.close()
        await self.telemetry.close()

    async def apply(self, limits=None, **sections):
        """The settings of the start with other sections of collectors."""
        settings = dataclasses.replace(self.settings, collectors={**self.settings.collectors, **sections})
        await self.collection.apply(dataclasses.replace(settings, limits=limits or settings.limits))

    async def now(self, query):
        """The series of an instant query, each by its job."""
        result = await self.queries.instant(query, self.clock.now())
        return sorted(series.labels.get("job", "") for series in result.series)

    async def messages(self):
        page = await self.telemetry.search_logs(LogQuery(0, time.time_ns() + 10**9, limit=1_000))
        return sorted(record.message for record in page.records)


async def until(holds):
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110 - what a user would see
            await asyncio.sleep(0.02)


def job(name, shop, **more):
    return ScrapeJob(name, (shop.address,), interval=200, timeout=200, **more)


on_chdb = pytest.mark.parametrize("engine_factory", ["chdb"], indirect=True)


@on_chdb
async def test_targets_come_change_and_go(tmp_path, engine_factory):
    async with Shop() as shop, World(tmp_path, engine_factory) as world:
        first, second = job("first", shop), job("second", shop)
        await world.apply(scrape=(first, second))

        async def both():
            return await world.now("shop_orders_total") == ["first", "second"]

        await until(both)
        # What is removed ends at once, not after five minutes; the other goes on.
        await world.apply(scrape=(second,))
        await world.collection.settled()
        assert await world.now("shop_orders_total") == ["second"]
        assert await world.now("up") == ["second"]
        # What is changed has no gap.
        await world.apply(scrape=(dataclasses.replace(second, interval=300),))
        gaps = 0
        for _ in range(20):
            gaps += await world.now("up") != ["second"]
            await asyncio.sleep(0.02)
        assert gaps == 0
        # It is known again as soon as it is scraped again.
        await world.apply(scrape=(first, second))
        await until(both)


@on_chdb
async def test_a_log_file_changes_hands_without_a_line_twice_or_lost(tmp_path, engine_factory):
    path = tmp_path / "app.log"
    path.touch()
    files = [LogFile(str(path), service, "raw") for service in ("shop", "pay")]
    stop = asyncio.Event()

    async def write():
        for number in range(400):
            with path.open("a") as file:
                file.write(f"line {number:04}\n")
            await asyncio.sleep(0.005)
        stop.set()

    async with World(tmp_path, engine_factory) as world:
        writing = asyncio.create_task(write())
        turn = 0
        while not stop.is_set():
            # The same entry, one that replaces it, none, and one with another limit.
            match turn % 4:
                case 0:
                    await world.apply(logs=(files[0],))
                case 1:
                    await world.apply(logs=(files[1],))
                case 2:
                    await world.apply()
                case 3:
                    await world.apply(logs=(files[0],), limits=LimitSettings(log_line=65_536 + turn))
            turn += 1
            await asyncio.sleep(0.15)
        await writing
        await world.apply(logs=(files[0],))

        async def all_there():
            return len(await world.messages()) >= 400

        await until(all_there)
        await asyncio.sleep(0.2)
        assert await world.messages() == [f"line {number:04}" for number in range(400)]
        assert turn > 8


@on_chdb
@pytest.mark.parametrize("cancelled", [False, True])
async def test_the_end_is_orderly(tmp_path, engine_factory, cancelled):
    async with Shop() as shop, World(tmp_path, engine_factory) as world:
        await world.apply(scrape=(job("first", shop),), logs=(LogFile(str(tmp_path / "*.log"), "", "raw"),))
        if cancelled:
            world.task.cancel()
            await asyncio.gather(world.task, return_exceptions=True)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith(("scrape", "tail"))]
