"""Which stores are opened for three addresses."""

from typing import Any

import pytest

from eldonia_ops.ports import TelemetryError
from eldonia_ops.simulation.memory_stores import MemoryLogStore
from eldonia_ops.storage.clickhouse import open_signal_stores, wal_folder


class Opened(MemoryLogStore):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.closed = False

    async def close(self) -> None:
        self.closed = True


async def test_an_address_is_opened_once() -> None:
    opened: list[Any] = []

    async def open_at(address: str) -> Any:
        opened.append(Opened(address))
        return opened[-1]

    stores = await open_signal_stores(("chdb", "http://a", "chdb"), open_at)
    assert [one.address for one in opened] == ["chdb", "http://a"]
    assert stores.logs is stores.traces is opened[0]
    assert stores.metrics is opened[1]


def test_each_address_has_a_log_of_its_own() -> None:
    here, there = "http://u:p@a:8123/x", "http://b:8123/x"
    assert wal_folder("chdb") == "wal"
    assert wal_folder(here) == wal_folder("http://other:pw@a:8123/x/")
    assert len({wal_folder("chdb"), wal_folder(here), wal_folder(there), wal_folder("http://a:8123/y")}) == 4


async def test_what_was_opened_is_closed_when_another_cannot_be() -> None:
    opened: list[Any] = []

    async def open_at(address: str) -> Any:
        if address == "bad":
            raise TelemetryError("no answer")
        opened.append(Opened(address))
        return opened[-1]

    with pytest.raises(TelemetryError, match="no answer"):
        await open_signal_stores(("a", "b", "bad"), open_at)
    assert [one.closed for one in opened] == [True, True]
