"""Erasures: what they take, that they go on wherever they were left, and what is known of them then."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from fake_platform.log_care import FakeErasureStore
from fake_platform.state import FakeState

from eldonia_ops.model.erasure import ErasureStage
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import Expunged, TelemetryError
from eldonia_ops.search import Node
from eldonia_ops.services.api import NotFoundError, QueryError, RefusedError
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.services.logs.erasures import MOST_WAITING, NOT_COVERED, Erasures
from eldonia_ops.simulation.memory_stores import MemoryLogStore

NOW = 1_800_000_000_000


@dataclass
class Clock:
    at: int = NOW

    def now(self) -> int:
        return self.at

    async def sleep_until(self, at: int) -> None:
        self.at = max(self.at, at)
        await asyncio.sleep(0)


class Store(MemoryLogStore):
    """Fails where it is asked to, once."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: dict[str, str] = {}
        self.expunged = Expunged(3, 4, 5, 6, ("a broken part",), ("0" * 12,))

    async def delete_logs(self, places: Sequence[tuple[int, int]]) -> None:
        await super().delete_logs(places)
        self._fail("delete")

    async def expunge(self, search: Node) -> Expunged:
        self._fail("expunge")
        return self.expunged

    def _fail(self, at: str) -> None:
        if why := self.fails.pop(at, ""):
            raise TelemetryError(why)


@dataclass
class World:
    store: Store
    kept: FakeErasureStore
    state: FakeState

    def erasures(self) -> Erasures:
        return Erasures(Clock(), self.store, self.kept, AuditLog(self.state))  # type: ignore[arg-type]


@pytest.fixture
async def world() -> World:
    made = World(Store(), FakeErasureStore(), FakeState())
    await made.store.insert_logs(
        [LogRecord(timestamp_ns=n, message="m", service="shop", user_id="alice" if n % 3 else "bob") for n in range(30)]
    )
    return made


async def test_all_of_them_go_and_what_was_asked_for_is_forgotten(world: World) -> None:
    erasures = world.erasures()
    preview = await erasures.preview("user_id:alice")
    assert (preview.records, preview.services[0].count, len(world.store.records)) == (20, 20, 30)
    made = await erasures.start("user_id:alice", "request 7", "hana")
    assert (made.matched, made.stage, made.search) == (20, ErasureStage.DELETING, "user_id:alice")
    await world.store.insert_logs([LogRecord(timestamp_ns=99, message="later", user_id="alice")])
    world.kept.buffered = 12_345
    done = await erasures.carry_out(made)
    assert {one.user_id for one in world.store.records if one.message != "later"} == {"bob"}
    assert (done.stage, done.deleted, done.found_after, done.newer) == (ErasureStage.DONE, 20, 0, 1)
    assert (done.parts, done.old_parts, done.log_segments, done.refused_rows) == (3, 4, 5, 6)
    assert done.search == ""
    assert done.digest == hashlib.sha256(b"user_id:alice").hexdigest()
    assert done.not_covered[0] == "a broken part"
    assert "12,345 bytes" in done.not_covered[1]
    assert done.not_covered[2:] == NOT_COVERED
    assert await erasures.get(made.id) == done
    (entry,) = world.state.stored_audit
    assert (entry.kind, entry.action, entry.actor) == ("erasure", "finished", "hana")
    assert "alice" not in repr(entry)


async def test_patterns_whose_templates_are_gone_are_forgotten(world: World) -> None:
    forgotten: list[str] = []

    async def forget(ids: Sequence[str]) -> None:
        forgotten.extend(ids)

    erasures = Erasures(Clock(), world.store, world.kept, AuditLog(world.state), forget=forget)  # type: ignore[arg-type]
    await erasures.carry_out(await erasures.start("user_id:alice", "", "hana"))
    assert forgotten == ["0" * 12]


@pytest.mark.parametrize("at", ["delete", "expunge"])
async def test_what_failed_is_done_by_the_next_start(world: World, at: str) -> None:
    made = await world.erasures().start("user_id:alice", "", "hana")
    world.store.fails[at] = "the disk is full"
    with pytest.raises(TelemetryError):
        await world.erasures().carry_out(made)
    (kept,) = world.kept.all()
    assert (kept.error, kept.is_done, kept.search) == ("the disk is full", False, "user_id:alice")
    done = await world.erasures().carry_out(kept)
    assert (done.is_done, done.error, done.deleted, done.found_after) == (True, "", 20, 0)


async def test_a_start_goes_on_with_all_and_one_that_fails_stops_no_other(world: World) -> None:
    erasures = world.erasures()
    first = await erasures.start("user_id:alice", "", "hana")
    second = await erasures.start("user_id:bob", "", "hana")
    world.store.fails["expunge"] = "away"
    running = asyncio.create_task(world.erasures().run())
    for _ in range(200):
        await asyncio.sleep(0.01)
        if all(one.is_done for one in world.kept.all()):
            break
    running.cancel()
    assert world.store.records == []
    assert {one.id for one in world.kept.all() if one.is_done} == {first.id, second.id}
    failed_first = [one for one in world.kept.puts if one.error or one.is_done]
    assert [one.is_done for one in failed_first] == [False, True, True]


@pytest.mark.parametrize("text", ["", "*", "()", "user_id:"])
async def test_what_is_refused(world: World, text: str) -> None:
    for call in (world.erasures().preview(text), world.erasures().start(text, "", "hana")):
        with pytest.raises((QueryError, RefusedError)):
            await call
    assert world.kept.all() == []


async def test_one_that_is_not_kept_is_not_begun(world: World) -> None:
    world.kept.broken = "read-only"
    with pytest.raises(OSError, match="read-only"):
        await world.erasures().start("user_id:alice", "", "hana")
    assert len(world.store.records) == 30


async def test_bounds(world: World) -> None:
    erasures = world.erasures()
    for number in range(MOST_WAITING):
        await erasures.start(f"user_id:u{number}", "", "hana")
    with pytest.raises(RefusedError, match="wait to be done"):
        await erasures.start("user_id:alice", "", "hana")
    with pytest.raises(NotFoundError):
        await erasures.get("none")
