"""Stages of pipelines in SQL do what their definition in Python says, on every engine."""

import random
import time
from typing import Any

import pytest

from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.search import matches
from eldonia_ops.search.pipes.items import Item, items_of, passed, rows_of
from eldonia_ops.search.pipes.parser import parse_pipeline
from eldonia_ops.search.pipes.pipeline import Pipeline
from eldonia_ops.search.pipes.plan import Width, aggregate_of, narrowed
from eldonia_ops.search.tree import Node
from eldonia_ops.search.values import value_number, value_text
from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore

# Recent, or retention would take the rows away again.
T0 = (int(time.time()) - 7200) * 10**9
QUERY = LogQuery(T0, T0 + 10**12, limit=1_000)
WIDTH = Width(7 * 10**9, "Asia/Tokyo")
SEARCHES = ["", "order", "level>=warn", "took -timeout", "status>=404 or 注文", "path:/api/*"]
SELECTING = [
    *("where order", "where 注文", "where status>=404", "where -path:*", "where level:error or service:shop"),
    *('extract "order {order_id} of {user}"', "extract /took (?<ms>[0-9.]+) ?ms/", 'extract "/{part}/" from path'),
    *('extract "{word} {_} {status}"', "extract /(?:(?<a>注文)|(?<b>[a-z]+))/", 'extract "{user}" from service'),
    *("eval half = status / 2", "eval x = round(duration * 10 - -1) / status", "eval x = 1 / (status - 200)"),
    *(
        "eval user = sqrt(duration) + floor(status)",
        "rename service as program",
        "rename status as code, path as place",
    ),
    *("sort -status, service", "sort duration", "sort user, -user_id desc", "head 7", "head 40"),
    *("dedup service", "dedup user_id, status", "dedup user", "fields message, status, service, duration, user_id"),
]
ABOUT_COMPUTED = [
    *(
        "where order_id>5",
        "where user:bob or order",
        "where ms<100 -user:*",
        "where half=100",
        "where user:b*",
        "sort ms",
    ),
    *(
        "where user=~^[ab]",
        "where x!=1",
        "dedup order_id",
        "eval y = ms / 1000",
        "where code>=404",
        "where program:shop",
    ),
]
COUNTING = [
    *("stats count(), uniq(user) by service", "stats avg(ms), last(order_id), count(user) if (level:error) by level"),
    *(
        "timechart count() by level",
        "timechart 10s max(duration)",
        "top 3 service",
        "rare user_id, status",
        "top 2 user",
    ),
    *("stats p90(x), sum(half), min(status), count() by code, program", "stats count() if (order or user:bob)"),
]
AFTER = ["", "| sort -count | head 2", "| head 1", "| where count>3", "| sort service | head 3", "| stats sum(count)"]


def _record(rng: random.Random, number: int) -> LogRecord:
    metadata: dict[str, Any] = {}
    for name, values in {
        "path": ["/api/orders", "/health/", "/a/b/"],
        "status": [200, 404, 500.5, "404", "n/a"],
        "duration": [0.25, 12, "12.5"],
    }.items():
        if rng.random() < 0.7:
            metadata[name] = rng.choice(values)
    message = rng.choice(
        [
            f"order {number % 13} of {rng.choice(['alice', 'bob', 'bob smith'])}",
            f"took {rng.choice([5, 12.5, 300])}ms",
            "timeout order",
            f"注文{number} エラー",
            "line\norder 3 of\tx",
            "",
        ]
    )
    return LogRecord(
        timestamp_ns=T0 + rng.randrange(60) * 10**9,
        message=message,
        level=rng.choice(list(LogLevel)),
        service=rng.choice(["shop", "ship", "10", ""]),
        user_id=rng.choice(["alice", "bob", ""]),
        metadata=metadata,
    )


def _pipeline(rng: random.Random) -> str:
    stages = rng.choices([*SELECTING, *ABOUT_COMPUTED], k=rng.randint(0, 5))
    if rng.random() < 0.5:
        stages.append(rng.choice(COUNTING))
    return " | ".join([rng.choice(SEARCHES), *stages]) + (rng.choice(AFTER) if stages else "")


async def _answer(store: LogStore, pipeline: Pipeline) -> list[Item]:
    query = LogQuery(QUERY.since_ns, QUERY.until_ns, search=pipeline.search, limit=1_000)
    before, counting, after = pipeline.split()
    if counting is None:
        return (await store.log_items(query, before)).items
    aggregate = narrowed(counting, aggregate_of(counting, WIDTH), after)
    return passed(rows_of(counting, await store.log_aggregate(query, aggregate, before)), after, WIDTH)


def _comparable(items: list[Item]) -> list[Any]:
    return [
        (
            item.record and (item.record.timestamp_ns, item.record.id),
            {name: _plain(value) for name, value in item.values.items()},
        )
        for item in items
    ]


def _plain(value: Any) -> Any:
    """A value whatever its type: a text of a number is that number."""
    number = value_number(value)
    return value_text(value) if number is None else pytest.approx(number)


async def test_pipelines_in_sql_and_in_python_are_the_same(store: ClickhouseTelemetryStore, engine_name: str) -> None:
    rng = random.Random(11)
    await store.insert_logs([_record(rng, number) for number in range(200)])
    records = (await store.search_logs(QUERY)).records
    assert len(records) == 200
    tried = some = 0
    while tried < (150 if engine_name == "chdb" else 30):
        text = _pipeline(rng)
        try:
            pipeline = parse_pipeline(text)
        except ValueError:
            continue
        tried += 1
        everything = items_of(records)
        expected = passed(_searched(everything, pipeline.search), pipeline.stages, WIDTH)
        assert _comparable(await _answer(store, pipeline)) == _comparable(expected), text
        some += bool(expected)
    assert some > tried / 2


def _searched(items: list[Item], search: Node) -> list[Item]:
    return [item for item in items if item.record is not None and matches(search, item.record)]


async def test_pages_of_piped_records_have_no_gap(store: LogStore) -> None:
    await store.insert_logs([LogRecord(timestamp_ns=T0 + n // 3, message=f"order {n} of x") for n in range(10)])
    stages = parse_pipeline('* | extract "order {n} of" | where n>2').split()[0]
    seen: list[str] = []
    before = None
    more = True
    while more:
        page = await store.log_items(LogQuery(T0, T0 + 10**9, limit=3, before=before), stages)
        seen += [str(item.values["n"]) for item in page.items]
        before, more = page.items[-1].place, page.more
    assert seen == [str(n) for n in range(9, 2, -1)]
