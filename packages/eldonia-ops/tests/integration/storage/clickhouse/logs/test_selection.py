"""Selections and buckets in SQL answer what their definitions in Python say, on every engine."""

import math
import random
import time
from typing import Any

import pytest

from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.search import matches
from eldonia_ops.search.bucket_rows import bucket_rows
from eldonia_ops.search.buckets import (
    BucketOrder,
    BucketRequest,
    ByConditions,
    ByField,
    ByNumber,
    Grouping,
    Measure,
    MeasureKind,
)
from eldonia_ops.search.score import Fixed, Greatest, Scaled, Score, Total, When
from eldonia_ops.search.selection import Selection, SortKey, Standard, selected
from eldonia_ops.search.time_steps import ByTime, TimeUnit
from eldonia_ops.search.tree import (
    EVERYTHING,
    AtLeast,
    Comparison,
    Node,
    Not,
    OneOf,
    StoredUntil,
    Text,
    TextRange,
    TimeRange,
    conjunction,
    disjunction,
)
from eldonia_ops.simulation.memory_stores.logs import MemoryLogStore
from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore

T0 = (int(time.time()) - 28 * 86_400) * 1_000_000_000  # within what is kept
DAY = 86_400 * 1_000_000_000
VALUES: list[Any] = [1, 2, 2.5, -7, 500, "500", "a", "b", "", True, None, ["a", "b"], [1, 2], {"x": 1}, "10.0", 1e9]
NAMES = ["status", "user.name", "tags", "service", "level", "host"]
ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Asia/Kolkata"]


def records(chance: random.Random, count: int) -> list[LogRecord]:
    return [
        LogRecord(
            timestamp_ns=T0 + chance.randrange(20 * DAY)
            if chance.random() < 0.8
            else T0 + chance.randrange(3) * 400_000,
            message=" ".join(chance.choices(["alpha", "beta", "gamma", "接続"], k=3)),
            level=chance.choice(list(LogLevel)),
            service=chance.choice(["", "cart", "auth", "Auth"]),
            metadata={
                name: chance.choice(VALUES) for name in ("status", "user.name", "tags", "host") if chance.random() < 0.8
            }
            | ({"user": {"name": chance.choice(VALUES)}} if chance.random() < 0.3 else {}),
        )
        for _ in range(count)
    ]


def field(chance: random.Random) -> FieldName:
    name = chance.choice(NAMES)
    if name in ("level", "host") and chance.random() < 0.5:
        return FieldName((name,), column="level" if name == "level" else "service")
    return FieldName(tuple(name.split(".")))


def tree(chance: random.Random, last_id: int, depth: int = 2) -> Node:
    kind = chance.randrange(9 if depth else 6)
    match kind:
        case 0:
            return Text((chance.choice(["alpha", "beta", "接続"]),))
        case 1:
            return OneOf(field(chance), tuple(chance.choices(["1", "500", "500.0", "a", "cart", "true", "info"], k=2)))
        case 2:
            low, high = sorted(chance.choices(["", "1", "a", "auth", "b", "z"], k=2))
            ends = chance.random() < 0.5, chance.random() < 0.5
            return TextRange(field(chance), chance.choice([low, None]), chance.choice([high, None]), *ends)
        case 3:
            return TimeRange(T0 + chance.randrange(10 * DAY), T0 + chance.randrange(10, 20) * DAY)
        case 4:
            return StoredUntil(last_id)
        case 5:
            return Comparison(Condition(field(chance), ConditionOp.EXISTS))
        case 6:
            return Not(tree(chance, last_id, depth - 1))
        case 7:
            parts = tuple(tree(chance, last_id, depth - 1) for _ in range(3))
            return AtLeast(chance.randrange(1, 4), parts)
        case _:
            join = chance.choice([conjunction, disjunction])
            return join([tree(chance, last_id, depth - 1) for _ in range(2)])


def score(chance: random.Random, depth: int = 2) -> Score:
    match chance.randrange(5) if depth else 0:
        case 1:
            return When(tree(chance, 0, 0), score(chance, depth - 1))
        case 2:
            return Total((score(chance, depth - 1), score(chance, depth - 1)))
        case 3:
            return Greatest((score(chance, depth - 1), score(chance, depth - 1)), 0.25)
        case 4:
            return Scaled(tree(chance, 0, 0), score(chance, depth - 1), 0.5)
        case _:
            return Fixed(chance.choice([1.0, 2.0, 0.5]))


def grouping(chance: random.Random, last_id: int) -> Grouping:
    match chance.randrange(5):
        case 0:
            missing = chance.choice([None, None, "none", 0.0])
            include = chance.choice([None, None, "a.*|5.*", ("a", "500")])
            return ByField(field(chance), missing, chance.random() < 0.3, include, chance.choice([None, "auth"]))
        case 1:
            step = chance.choice([DAY, DAY // 24, 7 * DAY, 90_000_000_000])
            return ByTime(step, chance.choice(ZONES), chance.choice([0, DAY // 4]))
        case 2:
            return ByTime(chance.choice(list(TimeUnit)[2:]), chance.choice(ZONES), chance.choice([0, 0, DAY // 8]))
        case 3:
            return ByNumber(FieldName(("status",)), chance.choice([5.0, 2.5]), chance.choice([0.0, 1.0]), None)
        case _:
            return ByConditions(tuple(tree(chance, last_id, 1) for _ in range(3)))


def measure(chance: random.Random) -> Measure:
    kind = chance.choice(list(MeasureKind))
    levels = (0.5, 0.99) if kind is MeasureKind.QUANTILES else (2.0, 500.0) if kind is MeasureKind.RANKS else ()
    return Measure(kind, FieldName(("status",)), levels, chance.choice([None, None, 3.0]))


@pytest.fixture
async def filled(store: ClickhouseTelemetryStore) -> tuple[ClickhouseTelemetryStore, list[LogRecord]]:
    await store.insert_logs(records(random.Random(1), 400))
    every = await store.select_logs(Selection(EVERYTHING, limit=1_000))
    assert len(every) == 400
    return store, [one.record for one in every]


async def test_selections(filled: tuple[ClickhouseTelemetryStore, list[LogRecord]]) -> None:
    store, every = filled
    chance = random.Random(2)
    middle = sorted(record.id for record in every)[200]
    for _ in range(40):
        search = tree(chance, middle)
        by: list[Any] = [*Standard, *[field(chance) for _ in range(3)]]
        sort = tuple(
            SortKey(one, chance.random() < 0.5, chance.random() < 0.3) for one in chance.sample(by, chance.randrange(3))
        )
        selection = Selection(
            search, score(chance), sort, oldest_first=chance.random() < 0.3, skip=chance.choice([0, 3]), limit=20
        )
        found = [record for record in every if matches(search, record)]
        for _page in range(3):
            wanted = selected(selection, found)
            got = await store.select_logs(selection)
            assert [one.record for one in got] == [one.record for one in wanted], selection
            assert [one.values for one in got] == [one.values for one in wanted], selection
            assert [one.score for one in got] == pytest.approx([one.score for one in wanted]), selection
            if not (wanted and sort):
                break
            last = wanted[-1]
            place = (last.record.timestamp_ns, last.record.id) if chance.random() < 0.7 else None
            selection = Selection(search, selection.score, sort, last.values, place, selection.oldest_first, limit=20)
        assert await store.count_logs(search) == len(found), search
        assert await store.count_logs(search, 5) == min(6, len(found))


async def test_buckets(filled: tuple[ClickhouseTelemetryStore, list[LogRecord]]) -> None:
    store, every = filled
    chance = random.Random(3)
    middle = sorted(record.id for record in every)[200]
    for _ in range(40):
        search = tree(chance, middle, 1)
        groups = tuple(grouping(chance, middle) for _ in range(chance.randrange(4)))
        if groups and chance.random() < 0.3:
            groups = (*groups[:2], groups[0])
        measures = tuple(measure(chance) for _ in range(chance.randrange(3)))
        own = min(len(groups), chance.choice([1, 1, 1, 2]))
        order: list[BucketOrder] = []
        if groups:
            order.append(BucketOrder("count", descending=True))
            if measures and measures[0].kind is not MeasureKind.SQUARES and chance.random() < 0.5:
                order.insert(0, BucketOrder("measure", descending=chance.random() < 0.5))
            order.append(BucketOrder("key", len(groups) - 1, descending=chance.random() < 0.5))
        at_least, limit = chance.choice([1, 1, 2]), chance.choice([None, 3])
        request = BucketRequest(search, groups, own, measures, tuple(order), None, limit, at_least)
        await compared(store, request, every)
        rows = bucket_rows(request, [one for one in every if matches(search, one)]).rows
        if len(groups) > own and rows:
            parents = tuple({row.keys[: len(groups) - own] for row in rows[:3]})
            await compared(store, BucketRequest(search, groups, own, measures, tuple(order), parents, limit), every)
        if groups and rows:
            await first_records_compared(store, request, chance, every)
            by_keys = tuple(BucketOrder("key", len(groups) - own + place) for place in range(own))
            after = rows[len(rows) // 2].keys[len(groups) - own :]
            await compared(store, BucketRequest(search, groups, own, (), by_keys, None, 5, after=after), every)


async def compared(store: ClickhouseTelemetryStore, request: BucketRequest, every: list[LogRecord]) -> None:
    wanted = bucket_rows(request, [one for one in every if matches(request.search, one)])
    got = await store.log_buckets(request)
    assert [(row.keys, row.count) for row in got.rows] == [(row.keys, row.count) for row in wanted.rows], request
    assert got.others == wanted.others, request
    for one, other in zip(got.rows, wanted.rows, strict=True):
        for a, b in zip(one.measures, other.measures, strict=True):
            for x, y in zip(a if isinstance(a, tuple) else (a,), b if isinstance(b, tuple) else (b,), strict=True):
                assert (x is None) == (y is None), request
                assert x is None or math.isclose(x, y or 0.0, rel_tol=1e-6), request


async def first_records_compared(
    store: ClickhouseTelemetryStore, request: BucketRequest, chance: random.Random, every: list[LogRecord]
) -> None:
    selection = Selection(EVERYTHING, Fixed(1.0), (SortKey(field(chance), chance.random() < 0.5),), limit=2)
    memory = MemoryLogStore()
    memory.records = every
    got = await store.logs_in_groups(request, selection)
    assert got == await memory.logs_in_groups(request, selection), (request, selection)
