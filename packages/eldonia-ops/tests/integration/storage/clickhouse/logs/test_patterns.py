"""Patterns of log messages: taken in, kept over restarts, counted by searches and compared, on every engine."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.log_batch import LogBatch, LogBlock, LogPart
from eldonia_ops.model.log_patterns import LogPattern
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import LogQuery, TelemetryStore, TelemetryStores
from eldonia_ops.search import parse_search
from eldonia_ops.search.pipes.parser import parse_pipeline
from eldonia_ops.search.pipes.plan import Width
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.services.logs.patterns import pattern_changes, patterns_of
from eldonia_ops.services.logs.pipelines import run_pipeline
from eldonia_ops.simulation.memory_stores.logs import MemoryLogStore
from eldonia_ops.storage.clickhouse import ClickhouseTelemetryStore

SECOND = 10**9
T0 = (int(time.time()) - 7200) * SECOND
OpenStore = Callable[..., Awaitable[ClickhouseTelemetryStore]]
HOUR = LogQuery(T0, T0 + 3600 * SECOND)


def record(after: float, message: str, **fields: object) -> LogRecord:
    return LogRecord(timestamp_ns=T0 + int(after * SECOND), message=message, **{"service": "shop", **fields})  # pyright: ignore[reportArgumentType]


async def ingest(store: TelemetryStore | MemoryLogStore) -> IngestService:
    service = IngestService(TelemetryStores(store, store, store), Origin("test", "here"))  # pyright: ignore[reportArgumentType]
    await service.patterns.load()
    return service


NAMES = ("alice", "bob", "eve", "mika", "hana", "ken", "lee", "omar")
RECORDS = [
    *[record(10 * one, f"order {one} of user{one % 7} took {one * 3}ms") for one in range(300)],
    *[record(1800 + one, f"payment of {NAMES[one]} declined", level=LogLevel.ERROR) for one in range(8)],
    record(3000, "disk is full", service="db", level=LogLevel.WARN),
    record(3001, "", service="db"),
]


@pytest.mark.parametrize("kind", ["memory", "engine"])
async def test_patterns_of_a_search_are_counted(
    kind: str, request: pytest.FixtureRequest, open_store: OpenStore
) -> None:
    store = MemoryLogStore() if kind == "memory" else await open_store()
    await (await ingest(store)).logs(RECORDS)
    found = await patterns_of(store, HOUR, buckets=36)
    assert [(one.template, one.count, one.level, dict(one.services)) for one in found.patterns] == [
        ("order <#> of user<#> took <#>ms", 300, "info", {"shop": 300}),
        ("payment of <*> declined", 8, "error", {"shop": 8}),
        ("disk is full", 1, "warn", {"db": 1}),
    ]
    assert (found.groups, found.total, found.without) == (3, 310, 1)
    assert len(found.starts_ns) == 36
    assert found.patterns[1].buckets == [8 if place == 18 else 0 for place in range(36)]
    assert sum(found.patterns[0].buckets) == 300
    assert found.patterns[0].first_seen_ms == pytest.approx(time.time() * 1000, abs=60_000)
    errors = await patterns_of(store, replace(HOUR, search=parse_search("level:error")), limit=1)
    assert [(one.template, one.count) for one in errors.patterns] == [("payment of <*> declined", 8)]
    one = found.patterns[1]
    assert len(one.ids) == 5, "the first five names had patterns of their own"
    term = f"pattern:({' or '.join(one.ids)})"
    assert (await store.log_histogram(replace(HOUR, search=parse_search(term)), 1)).total == 8
    assert (await store.log_histogram(replace(HOUR, search=parse_search(f"-{term}")), 1)).total == 302
    order = found.patterns[0].id
    by_id = replace(HOUR, search=parse_search(f"pattern:{order}"))
    assert (await store.log_histogram(by_id, 1)).total == 300
    values = await store.log_values(HOUR, FieldName(("pattern",)), limit=1)
    assert [(value.value, value.count) for value in values] == [(order, 300)]
    pipeline = parse_pipeline(f"{term} | stats count() as declined by service | where declined > 5")
    [row] = (await run_pipeline(store, HOUR, pipeline, Width())).items
    assert row.values == {"service": "shop", "declined": 8}


@pytest.mark.parametrize("kind", ["memory", "engine"])
async def test_what_is_new(kind: str, open_store: OpenStore) -> None:
    store = MemoryLogStore() if kind == "memory" else await open_store()
    service = await ingest(store)
    await service.logs(RECORDS)
    after = replace(HOUR, since_ns=T0 + 1800 * SECOND)
    before = replace(HOUR, until_ns=T0 + 1800 * SECOND)
    found = await pattern_changes(store, after, before)
    assert {(one.pattern.template, one.change.difference.value, one.change.count) for one in found.changes} == {
        ("payment of <*> declined", "new", 8),
        ("disk is full", "new", 1),
    }
    assert (found.groups, found.total, found.total_before) == (2, 130, 180)
    back = await pattern_changes(store, before, after)
    assert [(one.pattern.template, one.change.difference.value) for one in back.changes] == [
        ("payment of <*> declined", "gone")
    ], "one record in half an hour may be missing by chance"


async def test_ids_and_templates_outlive_a_restart_and_a_generalisation(open_store: OpenStore) -> None:
    store = await open_store()
    messages = [f"payment of {name} declined" for name in NAMES]
    await (await ingest(store)).logs([record(1, message) for message in messages[:5]])
    before = (await patterns_of(store, HOUR)).patterns
    assert [one.template for one in sorted(before, key=lambda one: messages.index(one.template))] == messages[:5]
    await store.close()
    store = await open_store()
    service = await ingest(store)
    assert service.patterns.patterns == 5
    await service.logs([record(2, message) for message in messages])
    [general] = (await patterns_of(store, HOUR)).patterns
    assert (general.template, general.count) == ("payment of <*> declined", 13)
    assert set(general.ids) == {one.id for one in before}
    assert general.first_seen_ms == min(one.first_seen_ms for one in before)


async def test_of_several_rows_of_a_pattern_the_latest_counts(open_store: OpenStore) -> None:
    store = await open_store()
    now = int(time.time() * 1000)
    old = LogPattern(id="a" * 12, template="a b", first_seen_ms=now - 9, last_seen_ms=now - 9)
    new = LogPattern(id="a" * 12, template="a <*> \ud800 '\\", first_seen_ms=now - 9, last_seen_ms=now - 8)
    other = LogPattern(id="b" * 12, template="c", first_seen_ms=now, last_seen_ms=now)
    await store.put_log_patterns([old, other])
    await store.put_log_patterns([new])
    await store.put_log_patterns([])
    shown = LogPattern(id="a" * 12, template="a <*> ? '\\", first_seen_ms=now - 9, last_seen_ms=now - 8)
    assert await store.log_patterns() == [other, shown]
    assert await store.log_patterns(["a" * 12, "none"]) == [shown]
    assert await store.log_patterns([]) == []


async def test_two_patterns_whose_templates_became_the_same_are_shown_as_one(open_store: OpenStore) -> None:
    store = await open_store()
    await store.insert_logs([record(1, "x", pattern="a" * 12), record(2, "y", pattern="b" * 12), record(3, "z")])
    for number, id in enumerate("ba"):
        await store.put_log_patterns(
            [
                LogPattern(
                    id=id * 12, template="same <*>", first_seen_ms=5 + number, last_seen_ms=int(time.time() * 1000)
                )
            ]
        )
    [one] = (await patterns_of(store, HOUR, buckets=1)).patterns
    assert (one.ids, one.count, one.buckets, one.first_seen_ms) == (["b" * 12, "a" * 12], 2, [2], 5)


async def test_lines_of_a_file_have_patterns_and_a_sender_gives_none(open_store: OpenStore) -> None:
    """Columns and single records of one batch, of which a sender named a pattern itself."""
    store = await open_store()
    rows = 250
    block = LogBlock(
        timestamps_ns=[T0 + place for place in range(rows)],
        messages=[f"line {place} of {rows}" for place in range(rows)],
        levels=[LogLevel.INFO] * rows,
        offsets=list(range(rows)),
        texts={"pattern": ["forged"] * rows},
        shared={"service": "shop", "source": "app.log"},
        metadata={"n": list(range(rows))},
    )
    single = record(1, "line 7 of 9", pattern="forged")
    await (await ingest(store)).logs(LogBatch([LogPart(range(rows), block)], {rows: single}))
    found = await patterns_of(store, HOUR)
    assert [(one.template, one.count) for one in found.patterns] == [("line <#> of <#>", rows + 1)]
    page = await store.search_logs(replace(HOUR, search=parse_search("pattern:forged")))
    assert page.records == []


async def test_a_batch_is_stored_when_its_patterns_cannot_be(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store()
    service = await ingest(store)

    async def refuse(patterns: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "put_log_patterns", refuse)
        await service.logs([record(1, "first message")])
    assert service.patterns.failures == 1
    [one] = (await patterns_of(store, HOUR)).patterns
    assert (one.template, one.count, one.first_seen_ms) == ("", 1, 0)
    await service.logs([record(2, "second one here")])
    assert {one.template for one in (await patterns_of(store, HOUR)).patterns} == {"first message", "second one here"}

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(service.patterns._miner, "assign", fail)
    await service.logs([record(3, "third one")])
    assert (await patterns_of(store, HOUR)).without == 1
