"""Conditions in SQL find what their definition in Python says, on every engine."""

import random
import time
from typing import Any

from eldonia_ops.model.condition_fields import record_satisfies, span_satisfies
from eldonia_ops.model.condition_text import format_condition, parse_conditions
from eldonia_ops.model.conditions import ORDERINGS, PATTERNS, PRESENCE, Condition, ConditionOp, FieldName
from eldonia_ops.model.logs import LogError, LogLevel, LogPerformance, LogRecord
from eldonia_ops.model.spans import Span, SpanEvent, SpanKind, SpanStatus
from eldonia_ops.ports import LogQuery, LogStore, TraceQuery, TraceStore

# Recent, or retention would take the rows away again.
T0 = (int(time.time()) - 7200) * 1_000_000_000
HOSTILE = [
    "'",
    "a'b",
    '"',
    "\\",
    "\\'",
    "\x00",
    "\n",
    "`",
    "{c0v:String}",
    "') OR 1 --",
    "%2E",
    "a.b",
    "^a",
    ":d",
    "[]",
    "é",
    "日本",
]
VALUES: list[Any] = [
    *(None, "", "x", "X", "xy", "42", "42.0", "true", "null", "2026-01-02", "2026-01-02T03:04:05Z", "12:30"),
    *(0, 1, -1, 42, 43, 42.0, 42.5, 0.25, -0.0, 1e15, 2**53, 2**53 + 1, 2**63 - 1, 2**64 - 1, True, False),
    *([], [42], ["x"], [1, "x", None], [{"k": 1}], {}, {"k": 42}, {"k": {"l": "x"}}, "line\nbreak"),
    *HOSTILE,
]
NAMES = [("a",), ("a", "k"), ("a", "k", "l"), ("b",), ("a.k",), ("nope",)]


def _documents() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"a": value} for value in VALUES]
    found += [{"a.k": value} for value in (42, "x", None)]
    found += [{"a.k": 1, "a": {"k": 2}}, {"a.k": None, "a": {"k": 2}}, {"b": 42}, {}]
    found += [{"b": {text: 42}} for text in HOSTILE if text] + [{text: "x"} for text in HOSTILE]
    return found


def _conditions() -> list[Condition]:
    rng = random.Random(8)
    texts = [str(value) for value in VALUES if not isinstance(value, dict | list) and value is not None]
    numbers = ["0", "1", "42", "42.0", "4.2e1", "-1", "0.25", str(2**53), str(2**53 + 1), "1e15"]
    patterns = ["x", "^x$", "^4", "(?i)^X$", ".", "^$", "e.b", "日", r"\.", "^(x|42)$", "'"]
    found: list[Condition] = []
    for name in [*NAMES, *[(text,) for text in HOSTILE], *[("b", text) for text in HOSTILE if text]]:
        field = FieldName(name, exact=rng.random() < 0.5 or not all(name))
        found += [Condition(field, op) for op in PRESENCE]
        found += [Condition(field, op, rng.choice(numbers)) for op in ORDERINGS]
        found += [Condition(field, op, rng.choice(patterns)) for op in PATTERNS]
        for op in (ConditionOp.EQUAL, ConditionOp.NOT_EQUAL, ConditionOp.CONTAINS):
            found += [Condition(field, op, rng.choice(texts), quoted) for quoted in (True, False)]
            found += [Condition(field, op, rng.choice(numbers))]
    found += [Condition(FieldName(("a",)), ConditionOp.EQUAL, text) for text in texts]
    found += [Condition(FieldName(("a",)), ConditionOp.EQUAL, text, quoted=True) for text in texts]
    found += [Condition(FieldName(("a",)), ConditionOp.GREATER, text) for text in numbers]
    return found


async def test_attributes_of_records(store: LogStore, engine_name: str) -> None:
    records = [
        LogRecord(timestamp_ns=T0 + number, message=str(number), metadata=document)
        for number, document in enumerate(_documents())
    ]
    await store.insert_logs(records)
    matched = 0
    # The SQL is the same on all engines: what differs is how its parameters travel.
    conditions = _conditions() if engine_name == "chdb" else _conditions()[::8]
    for condition in conditions:
        query = LogQuery(T0, T0 + 10**9, where=(condition,), limit=1_000)
        found = {record.message for record in (await store.search_logs(query)).records}
        expected = {record.message for record in records if record_satisfies(record, [condition])}
        assert found == expected, format_condition(condition)
        matched += len(expected)
    assert matched > len(conditions)
    both = LogQuery(T0, T0 + 10**9, where=parse_conditions("a>41 a<43"))
    assert (await store.log_histogram(both, 1)).total == 3


async def test_fields_of_records(store: LogStore) -> None:
    records = [
        LogRecord(
            timestamp_ns=T0,
            message="0",
            level=LogLevel.ERROR,
            service="shop",
            user_id="42",
            metadata={"service": "attribute", "level": 3},
            error=LogError("ValueError", "it's bad", "stack\nline", "E1"),
            performance=LogPerformance(12.5, 0, 3),
        ),
        LogRecord(
            timestamp_ns=T0 + 1,
            message="1",
            service="",
            metadata={"service": "shop", "userId": 42, "http.request.id": "r-1"},
        ),
        LogRecord(timestamp_ns=T0 + 2, message="2", user_id="u-1", performance=LogPerformance(600)),
    ]
    await store.insert_logs(records)
    for text, expected in {
        "service=shop": "0",
        '"service"=shop': "1",
        "service!=shop": "12",
        "!exists(service)": "12",
        'service=""': "",
        "level=error": "0",
        "level=~^(info|debug)$": "12",
        '"level">2': "0",
        "userId=42": "0",
        "user_id*=u-": "2",
        "user_id>1": "",
        'error.message*="it\'s"': "0",
        "exists(error.code)": "0",
        "error.name!=ValueError": "12",
        "performance.duration>=12.5": "02",
        "performance.duration=600": "2",
        "performance.duration=~^12": "0",
        "exists(performance.memoryUsage)": "",
        "!exists(performance.duration)": "1",
        "message=~[02]": "02",
        # Names of attributes that became fields when the record was read.
        "user.id=42": "0",
        'user.id="42"': "0",
        "user.id>1": "",
        "exists(user.id)": "02",
        "user.id!=42": "12",
        "user.id=~^u": "2",
        '"user.id"=42': "",
        "exception.type=ValueError": "0",
        "service.name=shop": "0",
        "http.request.id=r-1": "1",
        "!exists(http.request.id)": "02",
    }.items():
        where = parse_conditions(text)
        found = (await store.search_logs(LogQuery(T0, T0 + 10**9, where=where))).records
        assert "".join(sorted(record.message for record in found)) == expected, text
        assert "".join(record.message for record in records if record_satisfies(record, where)) == expected, text


async def test_spans(store: TraceStore) -> None:
    def span(trace: str, id: int, **fields: Any) -> Span:
        return Span(trace_id=trace * 32, span_id=f"{id:016x}", start_ns=T0, end_ns=T0 + 250 * 10**6, **fields)

    spans = [
        span("a", 1, service="shop", name="GET /", kind=SpanKind.SERVER, attributes={"http.status": 503, "path": "/a"}),
        span("a", 2, service="pay", name="charge", status=SpanStatus.ERROR, resource={"host": "h1", "path": "/r"}),
        span("b", 3, service="shop", name="GET /b", resource={"host": "h2", "path": "/r"}, attributes={"path": "/b"}),
    ]
    await store.insert_spans(spans)
    for text, expected in {
        "http.status>=500": "a",
        "http.status!=503": "ab",
        "http.status>=500 host=h1": "",
        "host=h1": "a",
        "path=/r": "a",
        "service=shop path=~^/": "ab",
        "kind=server": "a",
        "status=error": "a",
        "duration_ms>=250": "ab",
        "duration_ms>250": "",
        "!exists(host)": "a",
        "name*=GET": "ab",
    }.items():
        where = parse_conditions(text)
        found = await store.find_traces(TraceQuery(T0, T0 + 10**9, where=where))
        assert "".join(sorted(one.trace_id[0] for one in found)) == expected, text
        assert "".join(sorted({one.trace_id[0] for one in spans if span_satisfies(one, where)})) == expected, text


async def test_events_of_spans(store: TraceStore, engine_name: str) -> None:
    def span(id: int, *events: SpanEvent) -> Span:
        return Span(trace_id=f"{id:032x}", span_id=f"{id:016x}", start_ns=T0, end_ns=T0 + 1, events=list(events))

    events = [SpanEvent(T0, "e", {"event": 1, **document}) for document in _documents()]
    spans = [span(number, event) for number, event in enumerate(events)]
    failed = SpanEvent(T0, "exception", {"exception.type": "TimeoutError", "a": 7})
    spans += [span(900), span(901, failed, SpanEvent(T0, "retry", {"a": "x"})), span(902, SpanEvent(T0, "", {}))]
    await store.insert_spans(spans)
    wanted = [condition for condition in _conditions() if not condition.name.exact and all(condition.name.segments)]
    named = ["event.name=exception", "event.name!=e", "exists(event.name)", "event.exception.type=~^Time", "event.a>6"]
    conditions = [
        *(Condition(FieldName(("event", *one.name.segments)), one.op, one.value, one.quoted) for one in wanted),
        *(condition for text in named for condition in parse_conditions(text)),
    ]
    matched = 0
    for condition in conditions if engine_name == "chdb" else conditions[::8]:
        found = await store.find_traces(TraceQuery(T0, T0 + 10**9, where=(condition,), limit=1_000))
        expected = {one.trace_id for one in spans if span_satisfies(one, [condition])}
        assert {one.trace_id for one in found} == expected, format_condition(condition)
        matched += len(expected)
    assert matched > len(conditions)
