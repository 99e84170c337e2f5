"""Samples through the port, on every engine."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import (
    STALE_NAN,
    STALE_NAN_BITS,
    HistogramSample,
    MetricMetadata,
    MetricType,
    Sample,
    SampleRow,
    SeriesBlock,
    is_absent,
)
from eldonia_ops.ports import TelemetryError, TelemetryLimitError, TelemetryStore, TooManySamplesError
from eldonia_ops.storage.clickhouse import open_on_engine
from eldonia_ops.storage.clickhouse.metrics import metrics as metrics_module

NOW = int(time.time()) * 1000
HOUR = 3_600_000


def labels(name: str, **more: str) -> Labels:
    return Labels({"__name__": name, **more})


def row(at: int, values: dict[Labels, float], target: str = "shop/1") -> SampleRow:
    return SampleRow(target, at, tuple(values), np.array(list(values.values())))


def equal(**pairs: str) -> list[Matcher]:
    return [Matcher(name.replace("metric", "__name__"), MatchOp.EQUAL, value) for name, value in pairs.items()]


def flat(blocks: Sequence[SeriesBlock]) -> dict[str, list[tuple[int, float]]]:
    """Samples by series; fails when a series is in two blocks or a block is empty."""
    found: dict[str, list[tuple[int, float]]] = {}
    for block in blocks:
        assert block.values.shape == (len(block.timestamps), len(block.labels))
        assert (np.diff(block.timestamps) > 0).all()
        absent = is_absent(block.values)
        assert not absent.all()
        for column, name in enumerate(block.labels):
            assert str(name) not in found
            present = ~absent[:, column]
            found[str(name)] = list(
                zip(block.timestamps[present].tolist(), block.values[present, column].tolist(), strict=True)
            )
    return {name: found[name] for name in sorted(found) if found[name]}


A, B, C = labels("up", job="a"), labels("up", job="b"), labels("lag", job="a", x="日本'\\")


async def test_a_scrape_is_visible_at_once_and_after_a_restart(open_store: Any) -> None:
    store = await open_store()
    waiting = asyncio.ensure_future(store.insert_row(row(NOW - 2000, {A: 1.0, B: 0.0})))
    await asyncio.sleep(0)
    assert flat(await store.select(equal(metric="up"), NOW - 5000, NOW)) == {
        str(A): [(NOW - 2000, 1.0)],
        str(B): [(NOW - 2000, 0.0)],
    }
    await waiting
    await store.insert_row(row(NOW - 1000, {A: STALE_NAN, C: float("inf")}))
    await store.insert_samples([Sample(labels("rw"), NOW - 1500 + n, n) for n in (0, 7)])
    before = await store.select([], NOW - 5000, NOW)
    await store.close()

    again = await open_store()
    after = await again.select([], NOW - 5000, NOW)
    assert repr(flat(after)) == repr(flat(before))  # repr: NaN equals itself there
    (block,) = [block for block in after if A in block.labels]
    assert set(block.labels) == {A, B, C}
    last = block.values[:, block.labels.index(A)]
    assert np.ascontiguousarray(last).view(np.uint64)[-1] == STALE_NAN_BITS
    await again.insert_row(row(NOW, {A: 1.0, C: 2.0}))
    assert flat(await again.select(equal(metric="lag"), NOW - 5000, NOW))[str(C)] == [
        (NOW - 1000, float("inf")),
        (NOW, 2.0),
    ]
    # A repetition from before the restart is recognised, too.
    await again.insert_row(row(NOW - 2000, {B: 0.0}))
    assert (await again.statistics())["metrics"]["rows"] == 8


async def test_histograms_and_starts_are_read_from_the_database_and_after_a_restart(open_store: Any) -> None:
    clock = [NOW - 2 * HOUR]
    store = await open_store(head_hours=0.5, now_ms=lambda: clock[0])
    times = list(range(NOW - 2 * HOUR, NOW + 1, 600_000))
    expected = {at: NativeHistogram(2, at % 97, 1.5, positive=((3, float(at % 97)),)) for at in times}
    for clock[0] in times:
        at = clock[0]
        await store.insert_samples(
            [
                HistogramSample(labels("lat", job="a"), at, expected[at], 77),
                Sample(labels("lat", job="b"), at, 3.0, 88),
                Sample(labels("plain"), at, 1.0),
            ]
        )

    def seen(blocks: Sequence[SeriesBlock]) -> tuple[dict, dict]:
        histograms, starts = {}, {}
        for block in blocks:
            for column, name in enumerate(block.labels):
                if known := block.starts.get(column):
                    in_force = {at: start for at, start in known if at <= block.timestamps[-1]}
                    starts[name.get("job", "")] = {*in_force.values()}
                    assert known[0][0] <= block.timestamps[0]
            histograms |= {int(block.timestamps[place]): one for (place, _), one in block.histograms.items()}
        return histograms, starts

    starts = {"a": {77}, "b": {88}}
    assert seen(await store.select([], times[0], NOW)) == (expected, starts)
    early = {at: one for at, one in expected.items() if at < NOW - HOUR}
    assert seen(await store.select([], times[1], NOW - HOUR - 1)) == (
        {at: one for at, one in early.items() if at >= times[1]},
        starts,
    )
    assert seen(await store.select(equal(metric="plain"), times[0], NOW)) == ({}, {})
    await store.close()
    again = await open_store(head_hours=0.5, now_ms=lambda: NOW)
    assert seen(await again.select([], times[0], NOW)) == (expected, starts)
    late = {at: one for at, one in expected.items() if at >= NOW - HOUR // 2}
    assert seen(again._metrics.head.select([], 0, NOW)) == (late, starts)
    found = await again.statistics()
    assert (found["histograms"]["rows"], found["metrics"]["rows"]) == (len(times), 3 * len(times))
    # Since it is noted where it changes and in each hour, 2 x 13 samples take 2 x 3 or 4 rows.
    stored = await again._engine.query("SELECT count() FROM sample_starts", format="TSV")
    assert int(stored) <= 8


@pytest.mark.parametrize("limit", [9, 10])
async def test_what_one_range_may_read_from_the_database_is_bounded(open_store: Any, limit: int) -> None:
    store = await open_store(head_hours=0.5, now_ms=lambda: NOW, max_samples=limit)
    await store.insert_samples([Sample(A, NOW - HOUR + n, n) for n in range(10)])
    if limit == 10:
        assert len(flat(await store.select([], NOW - HOUR, NOW - HOUR + 99))[str(A)]) == 10
        return
    with pytest.raises(TelemetryLimitError, match="more than 9 samples match"):
        await store.select([], NOW - HOUR, NOW - HOUR + 99)


async def test_a_select_stops_before_it_has_loaded_more_than_it_may(engine_factory: Any, tmp_path: Any) -> None:
    engine = await engine_factory()
    read: list[int] = []
    query = engine.query

    async def counted(sql: str, parameters: Any = None, *, format: str = "JSONEachRow") -> bytes:
        body = await query(sql, parameters, format=format)
        if sql.startswith("SELECT series, timestamp, value"):
            read.append(len(body) // 24)
        return body

    engine.query = counted
    store = await open_on_engine(engine, head_hours=0.5, now_ms=lambda: NOW, wal=tmp_path / "wal")
    try:
        await store.insert_samples([Sample(A, NOW - HOUR + n, n) for n in range(1_000)])
        await store.insert_samples([Sample(A, NOW - 100 + n, n) for n in range(100)])
        assert len(flat(await store.select([], NOW - HOUR, NOW, most=1_100))[str(A)]) == 1_100
        read.clear()
        for most in (1_099, 1_000, 9):
            with pytest.raises(TooManySamplesError):
                await store.select([], NOW - HOUR, NOW, most=most)
        # The last was stopped by the engine; the first two by the head, which had nothing left to give.
        assert read == [1_000, 1_000, 10]
    finally:
        await store.close()


async def test_ranges_that_reach_behind_the_head_are_joined(open_store: Any) -> None:
    clock = [NOW - 2 * HOUR]
    store = await open_store(head_hours=0.5, now_ms=lambda: clock[0])
    for step in range(0, 2 * HOUR + 1, 600_000):
        clock[0] = NOW - 2 * HOUR + step
        await store.insert_row(row(clock[0], {A: float(step), **({B: 1.0} if step < HOUR else {C: 2.0})}))
        await store.insert_samples([Sample(labels("rw"), clock[0] + 1, step)])
    assert (await store.statistics())["head"]["since_ms"] == NOW - HOUR // 2
    found = flat(await store.select([], NOW - 2 * HOUR, NOW + 5))
    steps = list(range(0, 2 * HOUR + 1, 600_000))
    assert found[str(A)] == [(NOW - 2 * HOUR + step, float(step)) for step in steps]
    assert len(found[str(B)]) == 6
    assert len(found[str(C)]) == 7
    assert found[str(labels("rw"))] == [(NOW - 2 * HOUR + step + 1, float(step)) for step in steps]
    # Both ends of the range count, wherever the seam is.
    for start, end in ((6, 9), (0, 3), (8, 8), (9, 12), (10, 11)):
        chosen = flat(await store.select(equal(job="a", metric="up"), found[str(A)][start][0], found[str(A)][end][0]))
        assert chosen == {str(A): found[str(A)][start : end + 1]}
    assert flat(await store.select(equal(metric="up"), 0, NOW - 3 * HOUR)) == {}
    everything = (NOW - 2 * HOUR, NOW + 5)
    assert await store.series([], *everything) == sorted([A, B, C, labels("rw")])
    assert await store.series(equal(metric="up"), NOW - HOUR // 4, NOW) == [A]
    assert await store.label_names([], *everything) == ["__name__", "job", "x"]
    assert await store.label_values("job", [], *everything) == ["a", "b"]
    assert await store.label_values("__name__", equal(job="a"), *everything) == ["lag", "up"]


async def test_matchers_mean_the_same_in_memory_and_in_sql(open_store: Any) -> None:
    store = await open_store()
    names = {A: 1.0, B: 2.0, C: 3.0, labels("up", job="a\nb"): 4.0, labels("up"): 5.0, labels("up", job="."): 6.0}
    await store.insert_row(row(NOW - 12 * HOUR, names, "older"))
    await store.insert_row(row(NOW - 5000, names))
    cases = [
        (op, name, value)
        for op in MatchOp
        for name in ("job", "x", "__name__", "missing")
        for value in ("", "a", "a|b", ".", ".*", ".+", "a.b", "up", "日本'\\\\", "[", "'", "(?i)A")
    ]
    for op, name, value in cases:
        try:
            matcher = Matcher(name, op, value)
        except ValueError:
            continue
        expected = sorted(known for known in names if matcher.matches(known))
        assert await store.series([matcher], NOW - 6000, NOW) == expected, matcher
        if value in ("", "a", "a.b", ".+", "日本'\\\\", "'", "(?i)A"):
            assert sorted(flat(await store.select([matcher], 0, NOW - 11 * HOUR))) == sorted(map(str, expected)), (
                matcher
            )


async def test_metadata_is_remembered(open_store: Any) -> None:
    store = await open_store()
    await store.insert_metadata([MetricMetadata("b", MetricType.GAUGE, "old"), MetricMetadata("a", MetricType.COUNTER)])
    for text in ("new", "old", "newest '\\"):
        await store.insert_metadata([MetricMetadata("b", MetricType.GAUGE, text, "s")])
        await asyncio.sleep(0.002)
    expected = [MetricMetadata("a", MetricType.COUNTER), MetricMetadata("b", MetricType.GAUGE, "newest '\\", "s")]
    assert await store.metadata() == expected
    await store.close()
    assert await (await open_store()).metadata() == expected


async def test_samples_survive_an_insert_that_failed(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = store._engine
    original = inner.insert

    async def failing(table: str, *arguments: Any, **more: Any) -> None:
        if table == "samples":
            raise TelemetryError("disk full")
        await original(table, *arguments, **more)

    monkeypatch.setattr("eldonia_ops.storage.clickhouse.journal.blocks.RETRY_SECONDS", (0.02, 0.02))
    monkeypatch.setattr(inner, "insert", failing)
    # They are in the log: acknowledged, and stored once the engine takes them.
    await store.insert_row(row(NOW - 2000, {A: 1.0}))
    statistics = await store.statistics()
    assert (statistics["metrics"]["rows"], statistics["wal"]["waiting"]) == (0, 1)
    monkeypatch.setattr(inner, "insert", original)
    await store._journal.flush(30)
    assert (await store.statistics())["metrics"]["rows"] == 1


async def test_samples_that_the_log_refused_are_not_acknowledged_before_they_are_in_it(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = store._journal._log

    async def refuse(*arguments: Any) -> None:
        raise TelemetryError("no space left")

    with monkeypatch.context() as context:
        context.setattr(log, "append", refuse)
        with pytest.raises(TelemetryError, match="no space left"):
            await store.insert_row(row(NOW - 2000, {A: 1.0}))
        assert (await store.statistics())["head"]["unsaved_samples"] == 1
        # Sent again it is known to the head, and still not acknowledged before it is in the log.
        with pytest.raises(TelemetryError, match="no space left"):
            await store.insert_row(row(NOW - 2000, {A: 1.0}))
    await store.insert_row(row(NOW - 2000, {A: 1.0}))
    statistics = await store.statistics()
    assert statistics["metrics"]["rows"] == 1
    assert statistics["head"]["unsaved_samples"] == 0


async def test_statistics_and_closing(store: TelemetryStore) -> None:
    await store.insert_row(row(NOW, {A: 1.0, B: 2.0}))
    found = await store.statistics()
    assert found["metrics"]["rows"] == 2
    assert found["metrics"]["bytes"] > 0
    assert found["head"]["series"] == 2
    assert found["head"]["samples"] == 2
    assert found["detached_parts"] == []
    assert found["settings_ignored"] == []
    assert "se%20cret" not in str(found)
    assert "se cret" not in str(found)
    await store.close()
    await store.close()
    with pytest.raises(TelemetryError, match="closed"):
        await store.insert_row(row(NOW + 1, {A: 1.0}))
    with pytest.raises(TelemetryError, match="closed"):
        await store.trace_services()


async def test_a_clock_that_was_fast_keeps_no_true_sample_out(open_store: Any) -> None:
    hour, now = 3_600_000, 1_795_000_000_000
    clock = [now + 5 * hour]
    series = Labels({"__name__": "m"})

    async def scrape(store: TelemetryStore, value: float) -> None:
        clock[0] += 15_000
        await store.insert_row(SampleRow("t", clock[0], (series,), np.array([value])))

    async def seen(store: TelemetryStore, since: int) -> list[float]:
        blocks = await store.select([Matcher("__name__", MatchOp.EQUAL, "m")], since, clock[0])
        return [value for block in blocks for value in block.values[:, 0].tolist()]

    store = await open_store(now_ms=lambda: clock[0])
    await scrape(store, 1.0)
    clock[0] = now
    for value in (2.0, 3.0):
        await scrape(store, value)
    assert await seen(store, now) == [2.0, 3.0]
    await store.close()
    # After a restart, too: what was stored under the later time is not taken for the newest.
    store = await open_store(now_ms=lambda: clock[0])
    assert await seen(store, now) == [2.0, 3.0]
    await scrape(store, 4.0)
    assert await seen(store, now) == [2.0, 3.0, 4.0]


async def test_series_that_ended_are_not_remembered_for_ever(open_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eldonia_ops.storage.clickhouse.metrics.metrics._ENDED_KEPT", 20)
    clock = [NOW]
    store = await open_store(head_hours=0.1, now_ms=lambda: clock[0])
    steady = labels("steady")
    for turn in range(12):
        clock[0] += HOUR // 20
        await store.insert_row(
            row(clock[0], {steady: 1.0, **{labels("m", turn=f"{turn}-{n}"): 1.0 for n in range(10)}})
        )
        assert (await store.statistics())["series"]["rows"] == 11 + turn * 10  # and so the blocks are stored
    assert len(store._metrics._stored_series) <= 2 * 31 + 20
    # One that comes back is found again, with all that it ever had.
    again = labels("m", turn="0-3")
    await store.insert_row(row(clock[0] + 1, {again: 2.0}))
    found = flat(await store.select(equal(metric="m", turn="0-3"), NOW, clock[0] + 1))
    assert found == {str(again): [(NOW + HOUR // 20, 1.0), (clock[0] + 1, 2.0)]}


async def test_what_is_refused_is_named_with_its_reason(open_store: Any) -> None:
    store = await open_store(head_max_series=2)
    assert await store.insert_row(row(NOW - 1000, {A: 1.0})) == {}
    assert await store.insert_row(row(NOW - 1000, {A: 1.0})) == {}  # the same again is no fault
    assert await store.insert_row(row(NOW - 1000, {A: 2.0})) == {"another value for an instant that has one already": 1}
    assert await store.insert_samples([Sample(A, NOW - 2000, 5.0), Sample(A, -1, 5.0), Sample(A, NOW, 5.0)]) == {
        "a sample that is older than the newest of its series": 1,
        "a time that cannot be stored": 1,
    }
    assert await store.insert_samples([Sample(labels("n", n=str(n)), NOW, 1.0) for n in range(3)]) == {
        "a new series beyond limits.series": 2
    }


async def test_many_samples_are_appended_in_parts_between_which_others_have_their_turn(
    store: TelemetryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_module, "_APPENDED_AT_ONCE", 2)
    samples = [Sample(labels("many", n=str(n % 4)), NOW - 1000 - n, float(n)) for n in range(10)]
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    assert await store.insert_samples([*samples, Sample(A, -1, 5.0)]) == {"a time that cannot be stored": 1}
    other.cancel()
    assert turns >= 5
    stored = flat(await store.select(equal(metric="many"), NOW - 5000, NOW))
    assert sorted(value for series in stored.values() for _, value in series) == [float(n) for n in range(10)]
    # Who gives up in the middle leaves nothing half done.
    inserting = asyncio.create_task(store.insert_samples([Sample(labels("more"), NOW + n, 1.0) for n in range(10)]))
    await asyncio.sleep(0)
    inserting.cancel()
    await asyncio.wait([inserting])
    for _ in range(100):
        found = flat(await store.select(equal(metric="more"), NOW, NOW + 10)).get(str(labels("more")), [])
        if len(found) == 10:
            break
        await asyncio.sleep(0.05)
    assert len(found) == 10
