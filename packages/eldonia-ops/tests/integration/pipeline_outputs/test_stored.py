"""Our own store as an output: what is taken is stored, under a key by which it is stored once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pipeline_outputs_world import World, batch, running, until
from pipeline_sections import output, section

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.pipeline.outputs import Output
from eldonia_ops.pipeline_outputs.direct import StoreWriter
from eldonia_ops.pipeline_outputs.opening import open_output
from eldonia_ops.pipeline_outputs.running import OutputError, RunningOutput
from eldonia_ops.ports import TelemetryUnavailableError
from eldonia_ops.sinks import Receipt, RefusedItem


class Store:
    """Knows the keys of what it has, and refuses records whose message says so."""

    def __init__(self) -> None:
        self.away = False
        self.stored: dict[str, list[str]] = {}

    async def logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> Receipt:
        if self.away:
            raise TelemetryUnavailableError("away")
        refused = [number for number, one in enumerate(records) if one.metadata.get("n") == 13]
        kept = [str(one.metadata["n"]) for number, one in enumerate(records) if number not in refused]
        if batch_key not in self.stored:
            self.stored[batch_key or str(len(self.stored))] = kept
        return Receipt(len(records), tuple(RefusedItem(number, "too old") for number in refused))


def opened(world: World, store: Store, declared: Output) -> RunningOutput:
    return open_output(declared, replace(world.edge, store=store))


@pytest.mark.parametrize("buffered", [False, True])
async def test_an_event_is_taken_when_it_is_stored(tmp_path: Path, buffered: bool) -> None:
    """A buffer in memory before our own store would take what a kill loses."""
    world, store = World(tmp_path), Store()
    sections = [section("buffer", {"flush_interval": "60s"})] if buffered else []
    writer = opened(world, store, output("eldonia", *sections))
    assert isinstance(writer, StoreWriter)
    store.away = True
    with pytest.raises(OutputError, match="the log store does not take records: away"):
        await writer.write(batch(1).under("k"))
    store.away = False
    await writer.write(batch(1).under("k"))
    await writer.write(batch(1).under("k"))
    assert store.stored == {"k": ["1"]}


async def test_a_buffer_of_files_takes_events_while_the_store_is_away(tmp_path: Path) -> None:
    world, store = World(tmp_path), Store()
    store.away = True
    declared = output("eldonia", section("buffer", {"@type": "file", "flush_mode": "immediate", "retry_wait": "1"}))
    async with running(opened(world, store, declared)) as out:
        await out.write(batch(1, 2).under("k"))
        await until(lambda: out.statuses()[0].failed_writes == 1)
        store.away = False
        world.now_ms += 2_000
        await out.write(batch(3))  # wakes the loop
        await until(lambda: len(store.stored) == 2)
    assert sorted(store.stored.values()) == [["1", "2"], ["3"]]


async def test_what_is_refused_goes_on_under_a_key_of_its_own(tmp_path: Path) -> None:
    world, store = World(tmp_path), Store()
    writer = opened(world, store, output("eldonia"))
    await writer.write(batch(12, 13, 14).under("k"))
    ((refused, reason),) = world.refused
    assert (refused.key, refused.events[0].record, reason) == ("k^1", {"n": 13}, "too old")
    assert store.stored == {"k": ["12", "14"]}


async def test_both_stores_of_a_copy_are_meant(tmp_path: Path) -> None:
    world, store = World(tmp_path), Store()
    copy = output("copy", section("store", {"@type": "eldonia"}), section("store", {"@type": "eldonia"}))
    writer = opened(world, store, copy)
    await writer.write(batch(1).under("k"))
    await writer.write(batch(1).under("k"))
    assert store.stored == {"k": ["1"], "k+1": ["1"]}


async def test_fields_that_are_injected_are_stored(tmp_path: Path) -> None:
    world, store = World(tmp_path), Store()
    seen: list[LogRecord] = []

    async def logs(records: Sequence[LogRecord], *, batch_key: str = "") -> Receipt:
        seen.extend(records)
        return Receipt(len(records))

    store.logs = logs  # type: ignore[method-assign]
    writer = opened(world, store, output("eldonia", section("inject", {"tag_key": "from_tag", "worker_id_key": "w"})))
    await writer.write(batch(1))
    assert seen[0].metadata == {"n": 1, "from_tag": "t.a", "w": 0}
