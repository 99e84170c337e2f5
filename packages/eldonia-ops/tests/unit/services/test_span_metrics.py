"""Metrics out of spans: what is counted, that PromQL sees the first requests and restarts, and the bounds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.model.samples import MetricMetadata, SampleRow
from eldonia_ops.model.spans import Span, SpanKind, SpanStatus
from eldonia_ops.ports import TelemetryError
from eldonia_ops.services.queries import QueryService
from eldonia_ops.services.span_counts import (
    CALLS,
    IDLE_MS,
    OPERATIONS_OF_A_SERVICE,
    OTHER,
    SERVICES,
    SpanCounts,
)
from eldonia_ops.services.span_metrics import SpanMetrics
from eldonia_ops.simulation.memory_stores import MemoryMetricStore

NOW = 1_800_000_000_000
SECOND = 1_000
INTERVAL = 15 * SECOND


@dataclass
class Clock:
    at: int = NOW

    def now(self) -> int:
        return self.at

    async def sleep_until(self, at: int) -> None:
        self.at = max(self.at, at)


@dataclass
class World:
    clock: Clock = field(default_factory=Clock)
    store: MemoryMetricStore = field(default_factory=lambda: MemoryMetricStore(NOW))
    metadata: list[MetricMetadata] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queries = QueryService(self.clock, self.store)
        self.metrics = self.started()

    def started(self, interval: int = INTERVAL) -> SpanMetrics:
        return SpanMetrics(self.clock, self.row, interval_ms=interval, max_series=100)

    async def row(self, row: SampleRow, metadata: Sequence[MetricMetadata]) -> dict[str, int]:
        self.metadata += metadata
        return await self.store.insert_row(row)

    async def turn(self) -> None:
        await self.metrics._turn()

    async def value(self, query: str) -> float:
        found = await self.queries.instant(query, self.clock.at)
        return found.series[0].points[0][1] if found.series else float("nan")


def span(
    service: str = "shop",
    name: str = "GET /",
    kind: SpanKind = SpanKind.SERVER,
    ms: float = 30,
    status: SpanStatus = SpanStatus.UNSET,
    parent: str = "",
) -> Span:
    start = NOW * 1_000_000
    return Span(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_span_id=parent,
        service=service,
        name=name,
        kind=kind,
        start_ns=start,
        end_ns=start + round(ms * 1_000_000),
        status=status,
    )


async def test_an_application_that_only_sends_traces_has_rate_errors_and_latency() -> None:
    world = World()
    await world.turn()
    for _ in range(20):
        world.metrics.observe([span(), span(status=SpanStatus.ERROR, ms=700), span(kind=SpanKind.CLIENT)])
        await world.turn()
    served = 'service_name="shop",span_kind="SPAN_KIND_SERVER"'
    assert await world.value(f"sum(rate({CALLS}{{{served}}}[5m]))") == pytest.approx(2 / 15, rel=0.01)
    failed = f'sum(rate({CALLS}{{{served},status_code="STATUS_CODE_ERROR"}}[5m]))'
    assert await world.value(failed) == pytest.approx(1 / 15, rel=0.01)
    quantile = "histogram_quantile({}, sum by (le) (rate(traces_span_metrics_duration_seconds_bucket[5m])))"
    assert 0.025 < await world.value(quantile.format("0.25")) <= 0.05
    assert 0.5 < await world.value(quantile.format("0.9")) <= 1.0
    total, count = (f"sum(rate(traces_span_metrics_duration_seconds_{part}[5m]))" for part in ("sum", "count"))
    assert await world.value(f"{total} / {count}") == pytest.approx(0.365)
    assert {one.name for one in world.metadata} == {CALLS, "traces_span_metrics_duration_seconds"}
    assert len(world.metadata) == 2, "said once"


async def test_the_first_requests_count() -> None:
    world = World()
    await world.turn()
    world.metrics.observe([span()] * 7)
    await world.turn()
    await world.turn()
    # 7 requests, extrapolated by PromQL to the edges of the window.
    assert await world.value(f"sum(increase({CALLS}[1m]))") == pytest.approx(7, rel=0.5)
    assert await world.value(f"sum(increase({CALLS}[1m]))") > 6.9


async def test_a_restart_is_a_reset_however_much_is_counted_after_it() -> None:
    world = World()
    for _ in range(4):
        world.metrics.observe([span()])
        await world.turn()
    await world.metrics.close()
    before = await world.value(f"sum({CALLS})")
    world.clock.at += 20 * SECOND
    world.metrics = world.started()
    world.metrics.observe([span()] * 50)
    await world.turn()
    await world.turn()
    assert before == 4
    assert await world.value(f"sum({CALLS})") == 50
    assert await world.value(f"sum(increase({CALLS}[10m]))") > 49, "not the difference of 4 and 50"


async def test_what_was_counted_last_is_stored_when_it_is_stopped() -> None:
    world = World()
    world.metrics.observe([span()] * 3)
    world.clock.at += SECOND
    await world.metrics.close()
    assert await world.value(f"sum({CALLS})") == 3


async def test_a_store_that_fails_costs_no_request() -> None:
    world = World()
    world.metrics.observe([span()] * 3)
    world.store.broken = "away"
    with pytest.raises(TelemetryError):
        await world.turn()
    world.store.broken = ""
    world.metrics.observe([span()])
    await world.turn()
    assert await world.value(f"sum({CALLS})") == 4
    assert await world.value(f"sum(increase({CALLS}[5m]))") > 3.9, "the zero before them was offered again"


async def test_it_can_be_off_and_be_turned_off() -> None:
    world = World()
    world.metrics = world.started(0)
    world.metrics.observe([span()])
    await world.turn()
    assert not await world.store.series((Matcher("__name__", MatchOp.EQUAL, CALLS),), 0, world.clock.at)
    world.metrics.configure(INTERVAL, 100)
    world.metrics.observe([span()])
    world.metrics.configure(0, 100)
    assert len(world.metrics.counts) == 0


def test_spans_of_callers_and_inner_ones_are_not_requests_but_roots_are() -> None:
    counts = SpanCounts(100)
    counts.add(
        [span(kind=SpanKind.CLIENT), span(kind=SpanKind.PRODUCER), span(kind=SpanKind.INTERNAL, parent="c" * 16)], NOW
    )
    assert len(counts) == 0
    counts.add([span(kind=SpanKind.INTERNAL), span(kind=SpanKind.CONSUMER)], NOW)
    assert len(counts) == 2


def test_names_beyond_the_bounds_are_one() -> None:
    counts = SpanCounts(100_000)
    counts.add([span(name=f"GET /users/{number}") for number in range(1_000)], NOW)
    assert len(counts) == OPERATIONS_OF_A_SERVICE + 1
    assert names_of(counts)[OTHER] == 800
    counts.add([span(service="calm")], NOW)
    assert len(counts) == OPERATIONS_OF_A_SERVICE + 2
    counts.add([span(service=f"s{number}") for number in range(2 * SERVICES)], NOW)
    assert counts.dropped == 2 * SERVICES - (SERVICES - 2)


async def test_names_that_no_series_can_have_stop_nothing() -> None:
    world = World()
    world.metrics.observe([span(name="a\ud800b", service="s\udc00"), span(name="x" * 5_000), span(name="")])
    await world.turn()
    assert await world.value(f"sum({CALLS})") == 3
    (first, *_) = [labels for labels, _ in cells(world.metrics.counts)]
    assert (first["span_name"], first["service_name"]) == ("a?b", "s?")


def test_one_service_that_fills_the_bound_does_not_hide_another() -> None:
    counts = SpanCounts(10)
    counts.add([span(name=f"n{number}") for number in range(100)], NOW)
    counts.add([span(service="calm", name="GET /")], NOW)
    assert counts.dropped == 0
    assert {labels["service_name"] for labels, _ in cells(counts)} == {"shop", "calm"}


def test_operations_without_requests_end() -> None:
    counts = SpanCounts(100)
    counts.add([span(), span(name="other")], NOW)
    counts.rows(NOW, NOW + 1)
    counts.stored()
    counts.add([span()], NOW + IDLE_MS)
    (row,) = counts.rows(NOW + IDLE_MS, NOW + IDLE_MS + 1)
    counts.stored()
    ended = {labels["span_name"] for labels, value in zip(row.labels, row.values, strict=True) if value != value}
    assert ended == {"other"}
    assert len(counts) == 1


def cells(counts: SpanCounts) -> list[tuple[Labels, float]]:
    row = counts.rows(NOW, NOW + 1)[-1]
    return list(zip(row.labels, row.values.tolist(), strict=True))


def names_of(counts: SpanCounts) -> dict[str, float]:
    return {labels["span_name"]: value for labels, value in cells(counts) if labels["__name__"] == CALLS}
