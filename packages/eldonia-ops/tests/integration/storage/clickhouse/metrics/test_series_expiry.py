"""Rows of series expire after their samples.

The engine takes the time from the machine. So that tests need not wait, they let the store live in the past, where
the engine expires nothing by itself but all that is due on request: by the same rule, with the distance to the present
added.
"""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import numpy as np
import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.model.samples import Sample, SampleRow, is_absent
from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore, Retention, open_on_engine
from eldonia_ops.storage.clickhouse.engines.engine import Engine, EngineUnavailableError, Parameter
from eldonia_ops.storage.clickhouse.identity import metric_id, series_id
from eldonia_ops.storage.clickhouse.schema import MIGRATIONS, SERIES_MARGIN_DAYS, rows

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = int(time.time()) * 1000
KEPT = Retention(metrics_days=1)

Factory = Callable[[], Awaitable[Engine]]


# The statements are the same on a server; what a server answers is tried in the other modules.
pytestmark = pytest.mark.parametrize("engine_factory", ["chdb"], indirect=True)


def labels(name: str, **more: str) -> Labels:
    return Labels({"__name__": name, **more})


A, B, C, E = (labels("m", pod=pod) for pod in "abce")
D = labels("pushed", pod="d")


class Mortal:
    """An engine whose process is killed after so many writes, as far as the database can tell."""

    def __init__(self, engine: Engine, writes: float = float("inf")) -> None:
        self._engine = engine
        self.left = writes
        self.statements: list[str] = []

    def _spend(self, statement: str) -> None:
        if self.left <= 0:
            raise EngineUnavailableError("killed")
        self.left -= 1
        self.statements.append(statement)

    async def execute(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        self._spend(sql)
        await self._engine.execute(sql, parameters)

    async def insert(self, table: str, columns: tuple[str, ...], format: str, body: bytes, *, token: str = "") -> None:
        self._spend(f"INSERT INTO {table}")
        await self._engine.insert(table, columns, format, body, token=token)

    async def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, *, format: str = "JSONEachRow"
    ) -> bytes:
        return await self._engine.query(sql, parameters, format=format)

    def facts(self) -> dict[str, Any]:
        return self._engine.facts()

    async def close(self) -> None:
        await self._engine.close()


class World:
    """One database, a clock, and the store that a process has open on it."""

    def __init__(self, factory: Factory, started: int) -> None:
        self.now = started
        self.retention = KEPT
        self.head_hours = 3.0
        self.in_the_past = True
        self._factory = factory
        self._opened: list[ClickhouseTelemetryStore] = []

    @property
    def store(self) -> ClickhouseTelemetryStore:
        return self._opened[-1]

    async def start(self, writes: float = float("inf")) -> Mortal:
        """Open the store, as a process that takes the database over from one that is gone.

        It is killed when it has made so many ``writes``. Those of the opening stay in ``statements``.
        """
        engine = Mortal(await self._factory(), writes)
        self._opened.append(
            await open_on_engine(
                engine,
                retention=self.retention,
                head_hours=self.head_hours,
                commit_delay_seconds=0.001,
                now_ms=lambda: self.now,
            )
        )
        beside = await self._factory()
        if self.in_the_past:
            await self._stop_expiry(beside)
        if len(self._opened) == 1:
            for table in ("samples", "series"):  # there is no power cut here, and a disk may be slow
                await beside.execute(f"ALTER TABLE {table} MODIFY SETTING fsync_after_insert = 0")
        await beside.close()
        return engine

    async def _stop_expiry(self, engine: Engine) -> None:
        for table in ("samples", "series"):
            await engine.execute(f"SYSTEM STOP TTL MERGES {table}")

    async def scrape(self, *series: Labels, target: str = "t") -> None:
        await self.store.insert_row(SampleRow(target, self.now, series, np.full(len(series), 1.0)))

    async def expire(self) -> None:
        """What the engine's merges would have removed by now, whether it is much or nothing.

        In a copy: the engine works out when a part expires as it writes it.
        """
        engine = await self._factory()
        behind = (NOW - self.now) // 1000
        for table, column, days in (
            ("samples", "timestamp", self.retention.metrics_days),
            ("series", "updated", self.retention.metrics_days + SERIES_MARGIN_DAYS),
        ):
            for statement in (
                f"CREATE TABLE later AS {table}",
                f"ALTER TABLE later MODIFY TTL {column} + toIntervalSecond({days * 86_400 + behind})",
                f"INSERT INTO later SELECT * FROM {table}",
                "OPTIMIZE TABLE later FINAL",
                f"EXCHANGE TABLES later AND {table}",
                "DROP TABLE later",
            ):
                await engine.execute(statement)
        await self._stop_expiry(engine)
        await engine.close()

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        return await rows(self.store._engine, sql)

    async def stored(self) -> set[str]:
        """The pods that have a row."""
        return {row["pod"] for row in await self.rows("SELECT DISTINCT labels['pod'] AS pod FROM series")}

    async def found(self, since: int = 0) -> dict[Labels, list[int]]:
        """Instants of all samples from the database and the head, by series."""
        everything: dict[Labels, list[int]] = {}
        for block in await self.store.select([], since, self.now):
            absent = is_absent(block.values)
            for column, name in enumerate(block.labels):
                everything[name] = block.timestamps[~absent[:, column]].tolist()
        return everything

    async def close(self) -> None:
        for store in self._opened:
            await store.close()


@pytest.fixture
async def world(engine_factory: Factory) -> AsyncIterator[World]:
    opened = World(engine_factory, NOW - 130 * DAY)
    yield opened
    await opened.close()


async def test_a_steady_series_stays_and_one_that_ended_goes_after_its_samples(world: World) -> None:
    world.head_hours = 13
    await world.start()
    ended = world.now
    await world.scrape(A, B)
    for half_days in range(1, 25):
        world.now = ended + half_days * DAY // 2
        await world.scrape(A)
        if half_days in (1, 3, 4, 15, 16, 24):
            await world.expire()
            found = await world.found()
            assert found[A][-1] == world.now
            assert (B in found) == (half_days < 3) or half_days == 3  # parts of samples go as a whole
            # B's row was written when it was scraped last, and lasts as long as promised.
            assert await world.stored() == ({"a", "b"} if half_days < 16 else {"a"})
    await world.start()
    assert await world.store.series([Matcher("pod", MatchOp.EQUAL, "a")], 0, world.now) == [A]
    assert await world.store.label_values("pod", [], 0, world.now) == ["a"]


async def test_rows_are_renewed_daily_and_not_more_often(world: World) -> None:
    engine = await world.start()
    await world.scrape(A, B)
    for _ in range(5 * 12):
        world.now += 2 * HOUR
        await world.scrape(A, B)
    assert engine.statements.count("INSERT INTO series") == 1 + 5


async def test_one_that_comes_back_is_whole_again(world: World) -> None:
    await world.start()
    await world.scrape(A, B)
    for _ in range(10):
        world.now += DAY
        await world.scrape(A)
    await world.expire()
    assert await world.stored() == {"a"}
    await world.scrape(A, B)
    back = world.now
    assert await world.stored() == {"a", "b"}
    world.now += 4 * HOUR  # beyond the head, and in another process
    await world.start()
    assert (await world.found())[B] == [back]
    assert await world.store.series([Matcher("pod", MatchOp.EQUAL, "b")], 0, back) == [B]


async def test_a_series_pushed_one_by_one_is_renewed_too(world: World) -> None:
    world.head_hours = 13
    await world.start()
    for _ in range(20):
        world.now += DAY // 2
        await world.store.insert_samples([Sample(D, world.now, 1.0)])
    await world.expire()
    assert await world.stored() == {"d"}
    assert (await world.found())[D][-2:] == [world.now - DAY // 2, world.now]


async def test_old_samples_of_a_series_that_ended_have_a_row(world: World) -> None:
    # Sent late by a buffer: older than the head, and the series is not live.
    world.retention = Retention(metrics_days=5)
    await world.start()
    await world.store.insert_samples([Sample(D, world.now - DAY, 1.0)])
    world.now += 3 * DAY
    late = world.now - DAY
    await world.store.insert_samples([Sample(D, late, 1.0)])
    world.now = late + 5 * DAY - HOUR
    await world.expire()
    assert late in (await world.found())[D]


@pytest.mark.parametrize("pause", [DAY - HOUR, DAY + HOUR, 8 * DAY - HOUR, 8 * DAY + HOUR, 50 * DAY])
async def test_a_start_after_a_pause(world: World, pause: int) -> None:
    await world.start()
    await world.scrape(A, B)
    await world.store.insert_samples([Sample(D, world.now, 1.0)])
    await world.store.close()
    before, world.now = world.now, world.now + pause
    await world.expire()
    await world.start()
    if pause < DAY:
        assert await world.found() == {A: [before], B: [before], D: [before]}
    await world.scrape(A)
    await world.store.insert_samples([Sample(D, world.now, 1.0)])
    assert await world.stored() >= {"a", "d"}
    world.now += DAY // 2
    await world.start()
    found = await world.found()
    assert (found[A][-1], found[D][-1]) == (world.now - DAY // 2, world.now - DAY // 2)


@pytest.mark.parametrize("early", [-HOUR, 0, HOUR])
async def test_a_restart_around_a_renewal_keeps_the_date(world: World, early: int) -> None:
    world.head_hours = 13
    await world.start()
    began = world.now
    await world.scrape(A)
    for day in range(1, 4):
        for at in (began + day * DAY - DAY // 2, began + day * DAY - early):
            world.now = at
            await world.scrape(A)
            await world.start()
            world.now += 60_000
            await world.scrape(A)
        (row,) = await world.rows("SELECT toUnixTimestamp64Milli(max(updated)) AS at FROM series")
        assert world.now - row["at"] < DAY + HOUR


@pytest.mark.parametrize("jump", [9 * DAY, 400 * DAY, -9 * DAY, -400 * DAY])
async def test_a_clock_that_jumps_leaves_every_sample_its_labels(world: World, jump: int) -> None:
    world.now = NOW - 500 * DAY
    world.head_hours = 24 * 30  # so that series outlive their rows in memory
    await world.start()
    await world.scrape(A, B)
    await world.scrape(C, target="u")
    world.now += jump
    await world.expire()
    for _ in range(6):
        world.now += DAY // 2
        await world.scrape(A, B)
    await world.expire()
    await world.start()
    since = world.now - DAY // 2
    assert (await world.found(since)) == {A: [since, world.now], B: [since, world.now]}
    assert await world.stored() >= {"a", "b"}
    world.now -= jump  # and back to the true time
    for _ in range(6):
        world.now += DAY // 2
        await world.scrape(A, C, E)
    (row,) = await world.rows(
        "SELECT min(at) AS at FROM (SELECT toUnixTimestamp64Milli(max(updated)) AS at FROM series "
        "WHERE labels['pod'] IN ('a', 'c', 'e') GROUP BY id)"
    )
    assert world.now - row["at"] <= DAY


async def test_a_sample_from_the_future_keeps_its_labels(world: World) -> None:
    await world.start()
    future = world.now + 20 * DAY
    await world.store.insert_samples([Sample(D, future, 1.0)])
    world.now = future + DAY - HOUR
    await world.expire()
    await world.start()
    assert (await world.found())[D] == [future]


@pytest.mark.parametrize("write", range(6))
async def test_killed_between_any_two_writes(world: World, write: int) -> None:
    # The second day: the renewal of A and B, a series that comes back, and their samples.
    await world.start()
    await world.scrape(A, B)
    world.now += 23 * HOUR
    engine = await world.start()
    await world.scrape(A, B)
    world.now += 2 * HOUR
    engine.left = write
    acknowledged: dict[Labels, list[int]] = {A: [], B: [], C: []}
    for series in ((A, B), (A, C), (B, C)):
        try:
            await world.scrape(*series)
        except TelemetryError:
            break
        for name in series:
            acknowledged[name].append(world.now)
        world.now += HOUR
    await world.start()
    found = await world.found(world.now - 3 * HOUR)
    for name, instants in acknowledged.items():
        assert set(instants) <= set(found.get(name, []))
    await world.scrape(A, B, C)
    await world.expire()
    assert await world.stored() == {"a", "b", "c"}


async def test_days_that_change_apply_to_what_is_there(world: World) -> None:
    world.now, world.in_the_past = NOW - 5 * DAY, False
    written = world.now
    for days, is_kept in ((10, True), (36_500, True), (30, True), (3, False)):
        world.retention = Retention(metrics_days=days)
        await world.start()
        if days == 10:
            await world.scrape(A)
            world.now += DAY  # out of the memory of those that start from here on
        engine = await world._factory()
        for table in ("samples", "series"):
            # A change that changes nothing is done when those before it are.
            await engine.execute(f"ALTER TABLE {table} DELETE WHERE 0 SETTINGS mutations_sync = 1")
            await engine.execute(f"OPTIMIZE TABLE {table} FINAL")
        assert (await world.found() == {A: [written]}) == is_kept
        assert await world.stored() == {"a"}  # 3 and 7 days are not over
        expires = {
            row["table"]: row["expires"]
            for row in await world.rows(
                "SELECT table, toUnixTimestamp(delete_ttl_info_max) AS expires FROM system.parts "
                "WHERE active AND rows > 0 AND database = currentDatabase()"
            )
        }
        assert expires["series"] == (written // 1000 + (days + 7) * 86_400) % 2**32
        if is_kept:
            assert expires["samples"] == (written // 1000 + days * 86_400) % 2**32
        # Nothing is left to do.
        assert not any("ALTER" in statement for statement in (await world.start()).statements)


async def tables_of_version_1(engine: Engine, at: int) -> None:
    """The tables as the platform made and filled them when rows of series did not expire."""
    await engine.execute(
        "CREATE TABLE IF NOT EXISTS schema_versions (version UInt32, applied DateTime DEFAULT now()) "
        "ENGINE = MergeTree ORDER BY version"
    )
    for statement in MIGRATIONS[0]:
        await engine.execute(statement)
    await engine.insert("schema_versions", ("version",), "JSONEachRow", b'{"version":1}')
    for table, column, days in (("logs", "timestamp", 30), ("spans", "start", 14), ("samples", "timestamp", 90)):
        await engine.execute(f"ALTER TABLE {table} MODIFY TTL toDateTime({column}) + toIntervalDay({days})")
    # A has lived for 400 days and changed its target, B ended 80 days ago, and its sample is still kept.
    for name, target, age in ((A, "old", 400), (A, "t", 300), (B, "t", 200)):
        await engine.execute(
            "INSERT INTO series (id, metric, name, labels, target, updated) SELECT {id:UInt64}, {metric:UInt64}, "
            "{name:String}, map('pod', {pod:String}), {target:String}, fromUnixTimestamp64Milli({at:Int64})",
            {
                "id": series_id(name),
                "metric": metric_id("m"),
                "name": "m",
                "pod": name["pod"],
                "target": target,
                "at": at - age * DAY,
            },
        )
    for name, age in ((A, HOUR), (A, 0), (B, 80 * DAY)):
        await engine.execute(
            "INSERT INTO samples SELECT {metric:UInt64}, {id:UInt64}, fromUnixTimestamp64Milli({at:Int64}), 1",
            {"metric": metric_id("m"), "id": series_id(name), "at": at - age},
        )


@pytest.mark.parametrize("killed_after", [*range(12), float("inf")])
async def test_tables_from_before_rows_expired(world: World, engine_factory: Factory, killed_after: float) -> None:
    world.now, world.in_the_past = NOW, False
    world.retention = Retention(metrics_days=90)
    engine = await engine_factory()
    await tables_of_version_1(engine, NOW)
    try:
        await world.start(killed_after)
    except EngineUnavailableError:
        for table in ("samples", "series"):
            await engine.execute(f"OPTIMIZE TABLE {table} FINAL")
        await world.start()
    for _ in range(2):
        assert await world.found() == {A: [NOW - HOUR, NOW], B: [NOW - 80 * DAY]}
        assert world.store._metrics.head.series_count == 1
        targets = await world.rows("SELECT labels['pod'] AS pod, target FROM series FINAL ORDER BY pod")
        assert targets == [{"pod": "a", "target": "t"}, {"pod": "b", "target": "t"}]
        await engine.execute("ALTER TABLE series MATERIALIZE TTL SETTINGS mutations_sync = 1")
        await engine.execute("OPTIMIZE TABLE series FINAL")
    (row,) = await world.rows("SELECT count() AS count, min(updated) > now() - 60 AS fresh FROM series")
    assert row == {"count": 2, "fresh": 1}


@pytest.mark.parametrize("seed", range(3))
async def test_no_sample_is_without_its_labels_whatever_happens(world: World, seed: int) -> None:
    """A walk through scrapes, pushes, pauses, restarts, kills and expiry, against what was acknowledged."""
    step = random.Random(seed)
    world.head_hours = step.choice([1.0, 3.0, 30.0])
    await world.start()
    acknowledged: dict[Labels, set[int]] = {}
    for _ in range(40):
        world.now += step.choice([20_000, HOUR // 2, HOUR, 5 * HOUR, DAY - 60_000, DAY, 3 * DAY])
        match step.choice(["scrape", "scrape", "scrape", "push", "expire", "restart", "kill"]):
            case "expire":
                await world.expire()
            case "restart":
                await world.store.close()
                await world.start()
            case "kill":
                engine = await world.start()
                engine.left = step.randint(0, 3)
            case "push":
                at = world.now - step.choice([0, 2 * HOUR, 12 * HOUR])
                try:
                    await world.store.insert_samples([Sample(D, at, 1.0)])
                except TelemetryError:
                    await world.start()
                else:
                    if at > max(acknowledged.get(D, {0})):  # others are refused as out of order by some heads
                        acknowledged.setdefault(D, set()).add(at)
            case _:
                chosen = step.sample([A, B, C], step.randint(1, 3))
                try:
                    await world.scrape(*chosen, target=step.choice("tu"))
                except TelemetryError:
                    await world.start()
                else:
                    for name in chosen:
                        acknowledged.setdefault(name, set()).add(world.now)
        found = await world.found()
        for name, instants in acknowledged.items():
            kept = {at for at in instants if at > world.now - DAY}
            assert kept <= set(found.get(name, [])), (seed, name)
        with_row = {row["id"] for row in await world.rows("SELECT DISTINCT id FROM series")}
        assert {series_id(name) for name in found} <= with_row
    assert sum(map(len, acknowledged.values())) > 10
