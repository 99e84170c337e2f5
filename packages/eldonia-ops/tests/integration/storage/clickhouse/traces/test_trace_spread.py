"""Sorting traces, their spread, names and values of spans, and calls between services: the engine and the one in memory
agree."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from eldonia_ops.model.condition_text import format_field
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.spans import Span, SpanKind, SpanStatus
from eldonia_ops.ports import ServiceCalls, TelemetryStore, TraceQuery, TraceSort, TraceStore
from eldonia_ops.ports.traces import duration_bound
from eldonia_ops.simulation.memory_stores import MemoryTraceStore

# Recent, or retention would take the rows away again.
T0 = (int(time.time()) - 7200) * 1_000_000_000
MS = 1_000_000


def span(trace: str, id: int, start_ms: int, length_ms: float = 10, **fields: Any) -> Span:
    start = T0 + start_ms * MS
    return Span(
        trace_id=trace * 32, span_id=f"{id:016x}", start_ns=start, end_ns=start + round(length_ms * MS), **fields
    )


def child(of: int) -> str:
    return f"{of:016x}"


SPANS = [
    span("a", 1, 0, 100, service="shop", name="POST /orders", attributes={"http.status": 500, "user": "u1"}),
    span("a", 2, 5, 20, parent_span_id=child(1), service="bank", name="charge", status=SpanStatus.ERROR,
         kind=SpanKind.SERVER, attributes={"user": "u1"}),
    span("a", 3, 30, 20, parent_span_id=child(1), service="bank", name="charge", kind=SpanKind.SERVER),
    span("b", 4, 50, 10, service="shop", name="GET /works", attributes={"http.status": 200, "user": "u2"}),
    span("c", 5, 1_000, 2_000, service="mail", name="send", status=SpanStatus.ERROR, resource={"host.name": "h1"}),
    span("c", 6, 1_010, 5, parent_span_id=child(5), service="mail", name="connect", status=SpanStatus.ERROR),
    span("d", 7, 2_000, 0.0005, service="web", name="tick"),
    span("d", 8, 2_000, 0.0005, parent_span_id=child(7), service="shop", name="GET /works"),
]  # fmt: skip


def query(**fields: Any) -> TraceQuery:
    return TraceQuery(**{"since_ns": T0, "until_ns": T0 + 4_000 * MS, **fields})


@pytest.fixture
async def stores(store: TelemetryStore) -> Sequence[TraceStore]:
    memory = MemoryTraceStore()
    for one in (store, memory):
        await one.insert_spans(SPANS)
    return store, memory


@pytest.mark.parametrize(
    ("sort", "order"),
    [(TraceSort.NEWEST, "dcba"), (TraceSort.LONGEST, "cabd"), (TraceSort.SPANS, "adcb"), (TraceSort.ERRORS, "cadb")],
)
async def test_traces_are_sorted_before_they_are_cut(stores: Sequence[TraceStore], sort: TraceSort, order: str) -> None:
    for store in stores:
        found = await store.find_traces(query(sort=sort))
        assert "".join(one.trace_id[0] for one in found) == order
        cut = await store.find_traces(query(sort=sort, limit=2))
        assert "".join(one.trace_id[0] for one in cut) == order[:2]


async def test_all_traces_are_in_the_distribution(stores: Sequence[TraceStore]) -> None:
    found = [await store.trace_distribution(query(limit=1), 4) for store in stores]
    assert found[0] == found[1]
    (spread, _) = found
    assert (spread.since_ns, spread.width_ns, spread.times) == (T0, 1_000 * MS, 4)
    assert [(cell.time, cell.count, cell.errors) for cell in spread.cells] == [
        (0, 1, 0),
        (0, 1, 1),
        (1, 1, 1),
        (2, 1, 0),
    ]
    for cell, took in zip(spread.cells, (10 * MS, 100 * MS, 2_000 * MS, 500), strict=True):
        assert duration_bound(cell.duration) <= took < duration_bound(cell.duration + 1)


async def test_a_distribution_keeps_to_the_filters(stores: Sequence[TraceStore]) -> None:
    for fields, count in [
        ({"service": "bank"}, 1), ({"errors_only": True}, 2), ({"min_duration_ns": 50 * MS}, 2),
        ({"max_duration_ns": 50 * MS}, 2), ({"service": "nothing"}, 0),
    ]:  # fmt: skip
        for store in stores:
            spread = await store.trace_distribution(query(**fields), 10)
            assert sum(cell.count for cell in spread.cells) == count, fields


async def test_names_and_values_of_spans(stores: Sequence[TraceStore]) -> None:
    for store in stores:
        # The engine knows of no dots in keys, so its names are those without quotes.
        names = {format_field(one.name).strip('"'): one.count for one in await store.span_fields(query())}
        assert names == {"user": 3, "http.status": 2, "host.name": 1}
        of_mail = [format_field(one.name).strip('"') for one in await store.span_fields(query(service="mail"))]
        assert of_mail == ["host.name"]
        values = await store.span_values(query(), FieldName(("user",)))
        assert [(one.value, one.count) for one in values] == [("u1", 2), ("u2", 1)]
        assert [one.value for one in await store.span_values(query(), FieldName(("user",)), prefix="U2")] == ["u2"]
        services = await store.span_values(query(), FieldName(("service",)), limit=2)
        assert [one.value for one in services] == ["shop", "bank"]


async def test_calls_between_services(stores: Sequence[TraceStore]) -> None:
    for store in stores:
        assert await store.service_calls("shop", T0, T0 + 4_000 * MS) == [
            ServiceCalls("shop", "bank", 2, 1),
            ServiceCalls("web", "shop", 1, 0),
        ]
        assert await store.service_calls("mail", T0, T0 + 4_000 * MS) == []
        assert await store.service_calls("bank", T0, T0 + 10 * MS) == [ServiceCalls("shop", "bank", 1, 1)]


async def test_a_span_that_came_twice_is_one_call(store: TelemetryStore) -> None:
    await store.insert_spans(SPANS)
    await store.insert_spans(SPANS[:2])
    assert (await store.service_calls("bank", T0, T0 + 4_000 * MS))[0].count == 2
