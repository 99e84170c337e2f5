"""Spans through the port, on every engine."""

import json
import time
from typing import Any

import pytest

from eldonia_ops.model.spans import Span, SpanEvent, SpanKind, SpanLink, SpanStatus
from eldonia_ops.ports import TelemetryStore, TraceQuery
from eldonia_ops.protocols import jaeger

# Recent, or retention would take the rows away again.
T0 = (int(time.time()) - 7200) * 1_000_000_000
MS = 1_000_000


def span(trace: str, id: int, start_ms: int, length_ms: int = 10, **fields: Any) -> Span:
    start = T0 + start_ms * MS
    return Span(trace_id=trace * 32, span_id=f"{id:016x}", start_ns=start, end_ns=start + length_ms * MS, **fields)


def query(**fields: Any) -> TraceQuery:
    return TraceQuery(**{"since_ns": T0, "until_ns": T0 + 3600_000 * MS, **fields})


@pytest.fixture
async def filled(store: TelemetryStore) -> TelemetryStore:
    await store.insert_spans(
        [
            span("a", 2, 5, 20, parent_span_id=f"{1:016x}", service="gateway", name="charge", status=SpanStatus.ERROR),
            span("a", 1, 0, 100, service="shop", name="POST /orders", attributes={"http.status": 500, "ok": True}),
            span("b", 3, 50, 10, service="shop", name="GET /works", attributes={"http.status": 200}),
            # The root of this trace never arrived.
            span("c", 5, 80, 5, parent_span_id="f" * 16, service="gateway", name="refund", resource={"host": "h1"}),
            span("c", 6, 90, 5, parent_span_id="f" * 16, service="mail", name="send"),
        ]
    )
    return store


async def test_a_span_comes_back_as_it_went_in(store: TelemetryStore) -> None:
    given = span(
        "d",
        7,
        0,
        name="名前",
        service="s",
        kind=SpanKind.SERVER,
        status=SpanStatus.OK,
        status_message="fine",
        attributes={"http.method": "GET", "n": 1, "f": 1.0, "b": True, "list": [1, 2], "none": None, "big": 2**80},
        resource={"service.name": "s"},
        events=[SpanEvent(T0, "e", {"k": 1})],
        links=[SpanLink("e" * 32, "f" * 16, {"k": 1.0})],
        scope="lib",
    )
    await store.insert_spans([given])
    (found,) = await store.get_trace(given.trace_id)
    assert found == given
    assert [type(value) for value in found.attributes.values()] == [type(v) for v in given.attributes.values()]


async def test_summaries_are_newest_first(filled: TelemetryStore) -> None:
    found = await filled.find_traces(query())
    assert [(item.trace_id[0], item.root, item.service) for item in found] == [
        ("c", "refund", "gateway"),
        ("b", "GET /works", "shop"),
        ("a", "POST /orders", "shop"),
    ]
    last = found[-1]
    assert (last.start_ns, last.duration_ns, last.spans, last.errors) == (T0, 100 * MS, 2, 1)
    assert last.services == ("gateway", "shop")
    assert len(await filled.find_traces(query(limit=2))) == 2


async def test_conditions(filled: TelemetryStore) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"service": "gateway"}, "ca"),
        ({"service": "gateway", "operation": "charge"}, "a"),
        ({"service": "shop", "operation": "charge"}, ""),
        ({"errors_only": True}, "a"),
        ({"min_duration_ns": 50 * MS}, "a"),
        ({"max_duration_ns": 12 * MS}, "b"),
        ({"tags": {"http.status": "500"}}, "a"),
        ({"tags": {"http.status": "500", "ok": "true"}}, "a"),
        ({"tags": {"host": "h1"}}, "c"),
        ({"tags": {"http": "500"}}, ""),
        ({"tags": {"'; x {y:String}": "\\'"}}, ""),
        ({"since_ns": T0 + 50 * MS}, "cb"),
        ({"until_ns": T0 + 50 * MS}, "a"),
    ]
    for fields, expected in cases:
        found = await filled.find_traces(query(**fields))
        assert "".join(item.trace_id[0] for item in found) == expected, fields


async def test_a_trace_is_ordered_and_free_of_repetitions(filled: TelemetryStore) -> None:
    await filled.insert_spans([span("a", 1, 0, 100, service="shop", name="POST /orders")])
    found = await filled.get_trace("a" * 32)
    assert [item.name for item in found] == ["POST /orders", "charge"]
    assert (await filled.find_traces(query(service="gateway", operation="charge")))[0].spans == 2
    assert await filled.get_trace("'") == []


async def test_names(filled: TelemetryStore) -> None:
    assert await filled.trace_services() == ["gateway", "mail", "shop"]
    assert await filled.trace_operations("gateway") == ["charge", "refund"]
    assert await filled.trace_operations("nobody") == []


async def test_a_repeated_batch_is_dropped(store: TelemetryStore) -> None:
    for _ in range(2):
        await store.insert_spans([span("e", 1, 0)], batch_key="k")
    assert (await store.statistics())["traces"]["rows"] == 1


async def test_every_tag_that_jaegers_api_shows_finds_its_span(store: TelemetryStore) -> None:
    attributes = {
        "http.method": "GET", "n": 5, "whole": 1.0, "part": 0.5, "small": 1e-7, "big": 2**80, "yes": True, "no": False,
        "texts": ["a/b", 'c"d'], "numbers": [1.5, 2.0], "mixed": [1, "a"], "nothing": None, "empty": "", "[": "[",
        "map": {"a.b": {"c": 1.0}, "d": "x"}, "tick`": "`",
    }  # fmt: skip
    given = span(
        "f", 1, 0, service="s", name="op", kind=SpanKind.CONSUMER, status=SpanStatus.ERROR, status_message="it's off",
        scope="lib", attributes=attributes, resource={"service.name": "s", "host.name": "h1", "host.cpus": 8},
    )  # fmt: skip
    await store.insert_spans([given, span("0", 2, 0, service="s", name="op", attributes={"n": "text", "http": "GET"})])
    shown = jaeger.trace([given])
    tags = [*shown["spans"][0]["tags"], *shown["processes"]["p1"]["tags"]]
    assert {tag["key"] for tag in tags} >= {"error", "span.kind", "otel.status_code", "otel.status_description"}
    for tag in tags:
        value = tag["value"] if isinstance(tag["value"], str) else json.dumps(tag["value"])
        found = await store.find_traces(query(service="s", tags={tag["key"]: value}))
        assert [item.trace_id for item in found] == ["f" * 32], tag
    for key, value in [("whole", "1"), ("n", "5.0"), ("numbers", "[1.5, 2]"), ("map", '{"d": "x", "a.b": {"c": 1}}')]:
        assert len(await store.find_traces(query(tags={key: value}))) == 1, key
    wrong = {
        "n": "6", "yes": "false", "no": "", "texts": '["a/b"]', "map": '{"d": "y"}', "error": "false", "http": "",
        "span.kind": "server", "otel.status_code": "OK", "otel.scope.name": "libs", "missing": "null", "empty": "x",
    }  # fmt: skip
    for key, value in wrong.items():
        assert await store.find_traces(query(tags={key: value})) == [], key
    assert len(await store.find_traces(query(tags={"error": "true", "n": "5", "otel.scope.name": "lib"}))) == 1
    assert await store.find_traces(query(tags={"error": "true", "n": "text"})) == []


async def test_fields_of_events_find_their_span(store: TelemetryStore) -> None:
    error = SpanEvent(T0, "exception", {"exception.type": "TimeoutError", "exception.escaped": True, "level": 3})
    await store.insert_spans(
        [
            span(
                "f", 1, 0, service="s", name="op", events=[SpanEvent(T0, "retry", {"message": 'it\'s "late"'}), error]
            ),
            span("0", 2, 0, service="s", name="op", attributes={"event": "x"}, events=[SpanEvent(T0, "other", {})]),
        ]
    )
    right = {
        "event": "exception", "exception.type": "TimeoutError", "exception.escaped": "true", "level": "3",
        "message": "it's \"late\"",
    }  # fmt: skip
    for key, value in right.items():
        found = await store.find_traces(query(tags={key: value}))
        assert [item.trace_id for item in found] == ["f" * 32], key
    for key, value in {"event": "none", "exception.type": "Timeout", "level": "4", "exception.x": "true"}.items():
        assert await store.find_traces(query(tags={key: value})) == [], key
    assert len(await store.find_traces(query(tags={"event": "x"}))) == 1, "an attribute of that name counts as before"
    assert len(await store.find_traces(query(tags={"event": "retry", "exception.type": "TimeoutError"}))) == 1
