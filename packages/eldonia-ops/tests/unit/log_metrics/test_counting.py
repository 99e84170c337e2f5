"""Metrics of log records: what counts, the bounds, and what a change of the settings does."""

import random
from typing import Any

import numpy as np
import pytest

from eldonia_ops.log_metrics import LogCounts, LogMetric, LogMetricType
from eldonia_ops.log_metrics.counting import IDLE_MS, KEYS
from eldonia_ops.log_metrics.series import OTHER
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.log_batch import LogBatch, LogBlock, LogPart
from eldonia_ops.model.logs import LogLevel, LogPerformance, LogRecord
from eldonia_ops.model.samples import MetricType, SampleRow, is_stale
from eldonia_ops.search import parse_search

NOW = 1_800_000_000_000


def metric(name: str = "failed_total", search: str = "", value: str = "", labels: str = "", **other: Any) -> LogMetric:
    return LogMetric(
        name=name,
        search=parse_search(search),
        text=search,
        value=FieldName(tuple(value.split("."))) if value else None,
        labels=tuple((label, FieldName((label,))) for label in labels.split()),
        **other,
    )


def record(message: str = "", **fields: Any) -> LogRecord:
    return LogRecord(timestamp_ns=NOW * 1_000_000, message=message, **fields)


def values(rows: list[SampleRow]) -> dict[Labels, float]:
    return dict(zip(rows[-1].labels, rows[-1].values, strict=True)) if rows else {}


def by_labels(counts: LogCounts, name: str, now: int = NOW) -> dict[tuple[str, ...], float]:
    found = values(counts.rows(now - 1, now)).items()
    own = [(labels, value) for labels, value in found if labels[METRIC_NAME] == name]
    return {tuple(text for label, text in labels.pairs if label != METRIC_NAME): value for labels, value in own}


def test_a_counter_counts_what_its_search_finds() -> None:
    counts = LogCounts([metric(search='service:shop level>=error "timed out"')])
    counts.add([record("it timed out", service="shop", level=LogLevel.ERROR)] * 3, NOW)
    counts.add([record("it timed out", service="pay", level=LogLevel.ERROR), record("fine", service="shop")], NOW)
    assert by_labels(counts, "failed_total") == {(): 3.0}


def test_one_without_labels_is_there_from_the_beginning() -> None:
    rows = LogCounts([metric()]).rows(NOW - 5, NOW)
    assert [(row.timestamp_ms, list(row.values)) for row in rows] == [(NOW - 5, [0.0]), (NOW, [0.0])]


def test_a_series_begins_with_a_zero_once() -> None:
    counts = LogCounts([metric(labels="service")])
    assert counts.rows(NOW - 2, NOW - 1) == []
    counts.add([record(service="shop")] * 7, NOW)
    zero, first = counts.rows(NOW - 1, NOW)
    assert (zero.timestamp_ms, list(zero.values), list(first.values)) == (NOW - 1, [0.0], [7.0])
    assert len(counts.rows(NOW - 1, NOW)) == 2, "it was not stored yet"
    counts.add([record(service="pay")], NOW)
    counts.stored()
    zero, second = counts.rows(NOW + 1, NOW + 2)
    assert [labels["service"] for labels in zero.labels] == ["pay"]
    assert sorted(second.values) == [1.0, 7.0]


def test_numbers_are_added_and_brought_to_their_unit() -> None:
    counts = LogCounts([metric("read_bytes_total", value="size", factor=1024.0, unit="bytes")])
    sizes: list[Any] = [1, "2", 0.5, "x", None, -1, True, [3], float("nan")]
    counts.add([record(metadata={"size": size}) for size in sizes], NOW)
    assert by_labels(counts, "read_bytes_total") == {(): 3.5 * 1024}
    state = counts.states[0]
    assert (state.records, state.skipped) == (3, 6)


def test_a_gauge_is_the_last_number() -> None:
    counts = LogCounts([metric("depth", value="depth", labels="queue", type=LogMetricType.GAUGE)])
    counts.add([record(metadata={"depth": depth, "queue": "mail"}) for depth in (5, -2)], NOW)
    rows = counts.rows(NOW - 1, NOW)
    assert len(rows) == 1, "a gauge does not begin with a zero"
    assert list(rows[0].values) == [-2.0]


def test_a_histogram_has_buckets_sum_and_count() -> None:
    wanted = metric(
        "request_seconds",
        value="performance.duration",
        factor=0.001,
        unit="seconds",
        type=LogMetricType.HISTOGRAM,
        buckets=(0.1, 1.0),
    )
    counts = LogCounts([wanted])
    durations = (50.0, 100.0, 100.5, 5_000.0)
    counts.add([record(performance=LogPerformance(duration=ms)) for ms in durations], NOW)
    found = {labels[METRIC_NAME] + labels.get("le", ""): value for labels, value in values(counts.rows(1, 2)).items()}
    assert found.pop("request_seconds_sum") == pytest.approx(5.2505)
    assert found == {
        "request_seconds_bucket0.1": 2.0,
        "request_seconds_bucket1.0": 3.0,
        "request_seconds_bucket+Inf": 4.0,
        "request_seconds_count": 4.0,
    }
    assert counts.metadata[0].type is MetricType.HISTOGRAM
    assert counts.metadata[0].unit == "seconds"


def test_what_is_beyond_the_bound_goes_to_one_series() -> None:
    counts = LogCounts([metric(labels="user_id", max_series=3)])
    counts.add([record(user_id=f"u{number}") for number in range(10_000)], NOW)
    counts.add([record(user_id="u1")] * 5, NOW)
    found = by_labels(counts, "failed_total")
    assert found == {("u0",): 1.0, ("u1",): 6.0, ("u2",): 1.0, (OTHER,): 9_997.0}
    state = counts.states[0]
    assert (state.series, state.overflow, state.records) == (4, 9_997, 10_005)


def test_an_idle_series_ends_and_makes_room() -> None:
    counts = LogCounts([metric(labels="user_id", max_series=1), metric("all_total")])
    counts.add([record(user_id="alice")], NOW)
    counts.rows(NOW - 1, NOW)
    counts.stored()
    later = NOW + IDLE_MS + 1
    ended = values(counts.rows(later - 1, later))
    assert [bool(is_stale(np.array([value]))[0]) for value in ended.values()] == [True, False]
    counts.stored()
    counts.add([record(user_id="bob")], later)
    assert by_labels(counts, "failed_total", later) == {("bob",): 1.0}


def test_a_batch_that_comes_again_counts_once() -> None:
    counts = LogCounts([metric()])
    for key in ("a", "b", "a", "", ""):
        counts.add([record()], NOW, key)
    assert by_labels(counts, "failed_total") == {(): 4.0}
    for number in range(KEYS):
        counts.add([], NOW, str(number))
    assert len(counts._keys) == KEYS


def test_other_settings_keep_what_is_the_same() -> None:
    counts = LogCounts([metric("a_total"), metric("b_total"), metric("c_total", labels="service")])
    counts.add([record(service="shop")] * 4, NOW)
    counts.rows(NOW - 1, NOW)
    counts.stored()
    counts.configure([metric("a_total"), metric("b_total", search="error")])
    counts.add([record("error"), record()], NOW)
    zero, row = counts.rows(NOW + 1, NOW + 2)
    assert [labels[METRIC_NAME] for labels in zero.labels] == ["b_total"], "another search is another counter"
    found = {labels[METRIC_NAME]: value for labels, value in values([row]).items()}
    assert (found["a_total"], found["b_total"]) == (6.0, 1.0)
    assert is_stale(np.array([found["c_total"]]))[0]
    counts.stored()
    assert "c_total" not in {labels[METRIC_NAME] for labels in values(counts.rows(NOW + 3, NOW + 4))}


def test_labels_that_cannot_be() -> None:
    counts = LogCounts([metric(labels="service where")])
    hostile = ["x" * 10_000, "\ud800", "a\x00b", 'q"\\\n', "日本"]
    counts.add([record(service="s", metadata={"where": text}) for text in hostile], NOW)
    counts.add([record(service="s", metadata={"where": {"a": 1}}), record()], NOW)
    rows = counts.rows(NOW - 1, NOW)
    assert all(len(text) <= 200 for labels in rows[-1].labels for text in labels.values())
    assert sum(rows[-1].values) == 7.0


def test_blocks_count_as_their_records() -> None:
    rng = random.Random(7)
    size = 500
    block = LogBlock(
        timestamps_ns=[NOW] * size,
        messages=[rng.choice(("timed out", "ok")) for _ in range(size)],
        levels=[rng.choice(list(LogLevel)) for _ in range(size)],
        offsets=list(range(size)),
        texts={"user_id": [f"u{rng.randrange(9)}" for _ in range(size)]},
        shared={"service": "shop"},
        metadata={"ms": [rng.choice((1, 2.5, "7", None, "x", True)) for _ in range(size)]},
    )
    metrics = [
        metric("a_total", '"timed out" service:shop', labels="service"),
        metric("b_total", "level>=warn", labels="user_id service", max_series=5),
        metric("c_seconds", "service:shop", "ms", labels="user_id", type=LogMetricType.HISTOGRAM, buckets=(1, 5)),
        metric("d_total", "service:pay"),
    ]
    single = record("timed out", service="shop", level=LogLevel.ERROR)
    by_block, by_record = LogCounts(metrics), LogCounts(metrics)
    by_block.add(LogBatch([LogPart(list(range(size)), block)], {size: single}), NOW)
    by_record.add([*(block.record(row) for row in range(size)), single], NOW)
    assert [state.records for state in by_block.states] == [state.records for state in by_record.states]
    assert [state.skipped for state in by_block.states] == [state.skipped for state in by_record.states]
    both = [values(counts.rows(1, 2)) for counts in (by_block, by_record)]
    # Which users are within the bound follows the order in which they are counted.
    kept = [{k: v for k, v in one.items() if k[METRIC_NAME] != "b_total"} for one in both]
    assert kept[0] == kept[1]
