"""Queries that find nothing, over a store in memory: what the explanation says, and that its advice works."""

import math
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.likeness import likest
from eldonia_ops.promql.emptiness import Finding
from eldonia_ops.services.api import QueryError
from eldonia_ops.services.empty_queries import EmptyQueries
from eldonia_ops.services.queries import QueryService
from eldonia_ops.simulation.memory_stores import MemoryMetricStore

NOW = 1_800_000_000_000
MINUTE = 60_000
START, STEP = NOW - 60 * MINUTE, MINUTE


class StoppedClock:
    def now(self) -> int:
        return NOW

    async def sleep_until(self, at: int) -> None:
        raise AssertionError(at)


@dataclass
class World:
    queries: QueryService
    empty: EmptyQueries

    async def why(self, query: str, start: int = START, end: int = NOW, step: int = STEP) -> list[Finding]:
        return await self.empty.explain(query, start, end, step)

    async def finds(self, query: str) -> int:
        return len((await self.queries.range(query, START, NOW, STEP)).series)


def series(name: str, **labels: str) -> Labels:
    return Labels({"__name__": name, **labels})


@pytest.fixture
async def world() -> AsyncIterator[World]:
    store = MemoryMetricStore(NOW)
    for minute in range(61):
        at = START + minute * MINUTE
        store.measure(
            at,
            {
                series("http_requests_total", job="shop", status="200", env="prod"): minute * 10.0,
                series("http_requests_total", job="shop", status="500", env="prod"): minute * 1.0,
                series("http_requests_total", job="search", status="200", env="test"): minute * 5.0,
                series("request_seconds_bucket", job="shop", le="0.1"): minute * 1.0,
                series("request_seconds_bucket", job="shop", le="+Inf"): minute * 2.0,
                series("memory_limit_bytes", instance="a:1", team="x"): 100.0,
                series("memory_used_bytes", instance="a:1", pod="p"): 50.0,
                series("zero", job="shop"): 0.0,
            },
        )
    for minute in range(200, 190, -1):
        store.measure(NOW - minute * MINUTE, {series("old_total", job="shop"): float(minute)}, "other/target")
    queries = QueryService(StoppedClock(), store)
    yield World(queries, EmptyQueries(lambda: NOW, queries, store))
    queries.close()


async def test_a_query_with_a_result_has_no_finding(world: World) -> None:
    assert await world.why("sum(rate(http_requests_total[5m]))") == []
    assert await world.why("1 + 1") == []
    assert await world.why("http_requests_total", step=0) == []


async def test_a_metric_that_is_not_known(world: World) -> None:
    query = "sum by (job) (rate(http_request_total{status='200'}[5m] offset 1m))"
    (found,) = await world.why(query)
    assert found.code == "unknown_metric"
    assert query[found.start : found.end].startswith("http_request_total{")
    assert found.near[0] == "http_requests_total"
    assert found.suggestion == 'sum by (job) (rate(http_requests_total{status="200"}[5m] offset 1m))'
    assert await world.finds(found.suggestion)


async def test_a_value_that_no_series_has(world: World) -> None:
    (found,) = await world.why('http_requests_total{job="shopp",status="200"} * 2')
    assert (found.code, found.values["label"], found.near) == ("value_missing", "job", ("shop",))
    assert found.suggestion == 'http_requests_total{job="shop",status="200"} * 2'
    assert await world.finds(found.suggestion)


async def test_a_label_that_no_series_has(world: World) -> None:
    (found,) = await world.why('http_requests_total{jop="shop"}')
    assert (found.code, found.values["label"], found.near) == ("label_missing", "jop", ("job",))
    assert await world.finds(found.suggestion)


async def test_matchers_that_find_nothing_together(world: World) -> None:
    (found,) = await world.why('http_requests_total{job="search",status="500"}')
    assert found.code == "together"
    assert found.values["matchers"] == 'job="search", status="500"'
    assert await world.finds(found.suggestion)


async def test_a_negative_matcher_that_takes_all_away(world: World) -> None:
    (found,) = await world.why('http_requests_total{env!~"prod|test"}')
    assert found.code == "value_missing"
    assert found.suggestion == "http_requests_total"


async def test_series_without_samples_in_the_range(world: World) -> None:
    (found,) = await world.why("rate(old_total[5m])")
    assert found.code == "no_samples"
    last = NOW - 191 * MINUTE
    assert abs(int(found.values["last_at"]) - last) < 10 * MINUTE
    assert found.since < last < found.until
    assert len((await world.queries.range("old_total", found.since, found.until, STEP)).series) == 1


async def test_a_window_with_less_than_two_samples(world: World) -> None:
    query = "sum(rate(http_requests_total[30s]))"
    (found,) = await world.why(query)
    assert (found.code, found.values) == ("two_samples", {"function": "rate", "window": "30s", "interval": "1m"})
    assert found.suggestion == "sum(rate(http_requests_total[4m]))"
    assert await world.finds(found.suggestion)


async def test_sides_without_a_pair(world: World) -> None:
    (found,) = await world.why("memory_used_bytes / memory_limit_bytes")
    assert found.code == "no_pairs"
    assert (found.values["only_left"], found.values["only_right"]) == ("pod", "team")
    assert found.suggestion == "memory_used_bytes / on (instance) memory_limit_bytes"
    assert await world.finds(found.suggestion)


async def test_sides_whose_labels_differ_in_value(world: World) -> None:
    (found,) = await world.why('http_requests_total{status="500"} / http_requests_total{status="200",job="shop"}')
    assert (found.code, found.values["different"]) == ("no_pairs", "status")
    assert await world.finds(found.suggestion)


async def test_a_comparison_that_takes_all_away(world: World) -> None:
    (found,) = await world.why("sum(http_requests_total) > 5000")
    assert (found.code, found.values["min"], found.values["max"]) == ("filtered", "0", "960")
    assert found.suggestion == "sum(http_requests_total)"
    assert (await world.why("zero == bool 1")) == []


async def test_a_histogram_without_its_bounds(world: World) -> None:
    (found,) = await world.why("histogram_quantile(0.9, sum by (job) (rate(request_seconds_bucket[5m])))")
    assert found.code == "no_buckets"
    assert found.suggestion == "histogram_quantile(0.9, sum by (le, job) (rate(request_seconds_bucket[5m])))"
    assert await world.finds(found.suggestion)


async def test_what_is_empty_because_there_are_series(world: World) -> None:
    assert [one.code for one in await world.why("absent(http_requests_total)")] == ["present"]
    assert [one.code for one in await world.why("zero unless on(job) http_requests_total")] == ["all_excluded"]


async def test_values_that_are_no_numbers(world: World) -> None:
    assert [one.code for one in await world.why("zero / zero")] == ["not_a_number"]


async def test_every_empty_side_is_named(world: World) -> None:
    assert [one.code for one in await world.why("nothing_a + nothing_b")] == ["unknown_metric", "unknown_metric"]


async def test_a_part_that_fails_has_no_wrong_place(world: World) -> None:
    with pytest.raises(QueryError) as caught:
        await world.why("nothing_a + (http_requests_total / on (job) http_requests_total)")
    assert (caught.value.kind, caught.value.position) == ("execution", -1)


async def test_a_query_that_cannot_be_read(world: World) -> None:
    with pytest.raises(QueryError) as caught:
        await world.why("sum(")
    assert caught.value.position >= 0


def test_names_that_are_alike() -> None:
    known = ["http_server_requests_total", "node_cpu_seconds_total", "process_cpu_seconds_total", "up"]
    assert likest("node_cpu_second_total", known)[0] == "node_cpu_seconds_total"
    assert likest("http_requests_total", known) == ("http_server_requests_total",)
    assert likest("zzz", known) == ()
    assert likest("nope_total", [*known, "node_intr_total", "node_forks_total"]) == (), "an ending makes none alike"
    assert likest("usr_id", ["user_id", "trace_id"])[0] == "user_id"
    assert likest("up", ["up"]) == ()
    assert math.isclose(len(likest("a" * 5_000, ["a" * 5_000 + str(n) for n in range(300)], 2)), 2)
