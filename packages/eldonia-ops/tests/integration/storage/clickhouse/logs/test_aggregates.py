"""Aggregates in SQL answer what their definition in Python says, on every engine."""

import random
import time
from typing import Any

import pytest

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogLevel, LogPerformance, LogRecord
from eldonia_ops.ports import LogQuery, LogStore, TelemetryLimitError
from eldonia_ops.search import matches, parse_search
from eldonia_ops.search.aggregate_records import Reader, aggregate_rows
from eldonia_ops.search.aggregates import (
    COUNT,
    Aggregate,
    AggregateRows,
    ByField,
    ByFilters,
    ByNumber,
    ByRanges,
    Group,
    Metric,
    MetricFunction,
    NumberRange,
    Order,
)
from eldonia_ops.search.time_steps import ByTime, TimeUnit
from eldonia_ops.search.values import field_value
from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore

# Recent, or retention would take the rows away again.
T0 = (int(time.time()) - 20 * 86_400) * 1_000_000_000
DAY = 86_400 * 10**9
READER = Reader(field_value, matches, lambda record: (record.timestamp_ns, record.id))
ALL = LogQuery(T0, T0 + 20 * DAY)
ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Asia/Kathmandu"]
NAMES = [
    FieldName(tuple(name.split(".")))
    for name in (
        *(
            "service",
            "level",
            "user_id",
            "status",
            "user.plan",
            "user.id",
            "nope",
            "tags",
            "note",
            "duration",
            "message",
        ),
        *("performance.duration", "timestamp", "ok"),
    )
]


def _record(rng: random.Random, number: int) -> LogRecord:
    metadata: dict[str, Any] = {}
    for name, values in {
        "status": [200, 404, 404.0, 500, 503.5, "404", "-1.5e2", "007", "1e999", " 5", True, None],
        "user": [{"plan": "gold"}, {"plan": 7}, "x"],
        "user.plan": ["gold", 7],
        "user.id": ["carol", 42],
        "tags": [["x"], []],
        "ok": [True, False, "true"],
        "note": ["a part of it", "日本語", "", "a`b.:`Int64`"],
        "duration": [0.25, 12, 3_000_000_000, -7, "12.5", 2**63 + 2048],
    }.items():
        if rng.random() < 0.5:
            metadata[name] = rng.choice(values)
    return LogRecord(
        timestamp_ns=T0 + rng.randrange(15 * DAY),
        message=f"record {number % 7}",
        level=rng.choice(list(LogLevel)),
        service=rng.choice(["shop", "ship", "10", "9", ""]),
        user_id=rng.choice(["alice", "bob", "42", ""]),
        metadata=metadata,
        performance=rng.choice([None, LogPerformance(duration=rng.choice([0.5, 100, 101]))]),
    )


def _group(rng: random.Random) -> Group:
    name = rng.choice(NAMES)
    match rng.randrange(6):
        case 0:
            width = rng.choice([*TimeUnit, 3_600 * 10**9, 7 * 3_600 * 10**9])
            return ByTime(width, rng.choice(ZONES), rng.choice([0, 0, 5 * 3_600 * 10**9, -60 * 10**9]))
        case 1:
            return ByNumber(name, rng.choice([0.5, 10, 100]), rng.choice([0, 3]), missing=rng.random() < 0.5)
        case 2:
            return ByRanges(name, (NumberRange("*-100", high=100), NumberRange("50-*", 50), NumberRange("all")))
        case 3:
            searches = ("status>=500", "level:error or service:shop", "record -note:*")
            other = rng.choice([None, "other"])
            return ByFilters(tuple((text, parse_search(text)) for text in searches), other)
        case _:
            return ByField(name, missing=rng.random() < 0.7)


def _metric(rng: random.Random) -> Metric:
    function = rng.choice(list(MetricFunction))
    only = rng.choice([None, None, parse_search("status>=404"), parse_search("level>=warn 3")])
    name = None if function is MetricFunction.COUNT and rng.random() < 0.5 else rng.choice(NAMES)
    return Metric(function, name, rng.choice([0, 50, 95, 99.9, 100]), only)


def _aggregate(rng: random.Random) -> Aggregate:
    groups = tuple(_group(rng) for _ in range(rng.choice([0, 1, 1, 2, 3])))
    metrics = tuple(_metric(rng) for _ in range(rng.randint(0, 4)))
    order = []
    for _ in range(rng.randrange(3)):
        # Sums and means differ in their last digits: an order by them may differ, too.
        exact = [n for n, one in enumerate(metrics) if one.function in (MetricFunction.COUNT, MetricFunction.LAST)]
        if exact and rng.random() < 0.5:
            order.append(Order(metric=rng.choice(exact), descending=rng.random() < 0.5))
        elif groups and rng.random() < 0.5:
            order.append(Order(group=rng.randrange(len(groups)), descending=rng.random() < 0.5))
        else:
            order.append(Order(descending=rng.random() < 0.5))
    return Aggregate(
        groups,
        metrics,
        tuple(order),
        limit=rng.choice([1, 5, 10_000]),
        limit_each=rng.choice([None, 2]) if len(groups) > 1 else None,
        min_count=rng.choice([1, 1, 3]),
    )


def _near(answer: AggregateRows) -> tuple[Any, ...]:
    rows = [
        (
            row.keys,
            row.count,
            [value if isinstance(value, str | None) else pytest.approx(value) for value in row.values],
        )
        for row in answer.rows
    ]
    return rows, answer.groups, answer.total


async def test_aggregates_in_sql_and_in_python_are_the_same(store: ClickhouseTelemetryStore, engine_name: str) -> None:
    rng = random.Random(4)
    await store.insert_logs([_record(rng, number) for number in range(400)])
    records = (await store.search_logs(LogQuery(ALL.since_ns, ALL.until_ns, limit=1_000))).records
    assert len(records) == 400
    # The SQL is the same on all engines: what differs is how its parameters travel.
    for _ in range(200 if engine_name == "chdb" else 30):
        aggregate = _aggregate(rng)
        expected = aggregate_rows(records, aggregate, READER)
        answer = await store.log_aggregate(ALL, aggregate)
        assert _near(answer) == _near(expected), aggregate


async def test_an_aggregate_counts_what_the_search_finds(store: LogStore) -> None:
    rng = random.Random(5)
    await store.insert_logs([_record(rng, number) for number in range(100)])
    for text in ("level:error", "status>=404 -service:shop", "nothing"):
        query = LogQuery(ALL.since_ns, ALL.until_ns, search=parse_search(text), limit=1_000)
        found = (await store.search_logs(query)).records
        answer = await store.log_aggregate(query, Aggregate(metrics=(COUNT,)))
        assert [(row.keys, row.count, row.values) for row in answer.rows] == [((), len(found), (len(found),))]


async def test_rows_that_are_left_out_are_counted(store: LogStore) -> None:
    await store.insert_logs([LogRecord(timestamp_ns=T0, message="x", user_id=str(number % 10)) for number in range(55)])
    answer = await store.log_aggregate(ALL, Aggregate((ByField(NAMES[2]),), limit=3))
    assert [row.keys for row in answer.rows] == [("0",), ("1",), ("2",)]
    assert (answer.groups, answer.total, answer.other) == (10, 55, 37)


async def test_too_many_groups_are_refused_in_words(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "eldonia_ops.storage.clickhouse.logs.aggregates._BOUNDS",
        "SETTINGS max_rows_to_group_by = 10, group_by_overflow_mode = 'throw'",
    )
    await store.insert_logs([LogRecord(timestamp_ns=T0, message="x", user_id=str(number)) for number in range(50)])
    with pytest.raises(TelemetryLimitError, match="groups: search for less"):
        await store.log_aggregate(ALL, Aggregate((ByField(NAMES[2]),)))
