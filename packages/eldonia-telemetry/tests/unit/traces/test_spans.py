import json
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eldonia_telemetry import runtime, traces
from eldonia_telemetry.settings import Settings
from eldonia_telemetry.testing import capture
from eldonia_telemetry.traces import otlp_json
from eldonia_telemetry.traces.propagation import SpanContext, extract, received, traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_spans_nest_and_end_in_order():
    with capture() as seen:
        with traces.span("outer", attributes={"a": 1}) as outer:
            assert traces.current_span() is outer
            with traces.span("inner", kind=traces.Kind.CLIENT) as inner:
                inner.add_event("cached", {"hit": True})
        assert traces.current_span() is None
    assert [s.name for s in seen.spans] == ["inner", "outer"]
    assert inner.parent_span_id == outer.span_id
    assert inner.trace_id == outer.trace_id
    assert outer.parent_span_id == ""
    assert outer.start_ns <= inner.start_ns <= inner.end_ns <= outer.end_ns


def test_an_exception_marks_the_span_and_goes_on():
    with capture() as seen, pytest.raises(ValueError, match="bad"), traces.span("work"):
        raise ValueError("bad password=hunter2")
    span = seen.spans[0]
    assert span.status == 2
    assert span.events[0][1] == "exception"
    assert "hunter2" not in json.loads(otlp_json.encode([span], {}))["resourceSpans"][0].__repr__()


def test_sampling_follows_the_parent_and_the_ratio():
    with capture(trace_ratio=0.0) as seen:
        with traces.span("unsampled") as span:
            headers: dict[str, str] = {}
            traces.inject(headers)
        assert headers["traceparent"] == f"00-{span.trace_id}-{span.span_id}-00"
        with traces.start_span("child", parent=SpanContext(TRACE, SPAN, sampled=True)) as child:
            pass
        assert child.trace_id == TRACE
    assert [s.name for s in seen.spans] == ["child"]
    with capture(trace_ratio=0.25) as seen:
        for _ in range(4000):
            with traces.span("maybe"):
                pass
    assert 800 < len(seen.spans) < 1200


def test_a_seeded_application_does_not_repeat_ids():
    ids = set()
    for _ in range(50):
        random.seed(1)
        ids.add(traces.start_span("x").trace_id)
    assert len(ids) == 50


@pytest.mark.parametrize(
    "header",
    [
        *("", "junk", f"00-{TRACE}-{SPAN}", f"00-{TRACE.upper()}-{SPAN}-01", f"ff-{TRACE}-{SPAN}-01"),
        *(f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{SPAN}-01-extra"),
    ],
)
def test_invalid_headers_start_a_new_trace(header):
    assert extract(header) is None
    assert received(header.encode(), b"") is None


def test_a_later_version_may_say_more():
    assert extract(f"01-{TRACE}-{SPAN}-01-more") == SpanContext(TRACE, SPAN, sampled=True)


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans(), st.sampled_from(["", "vendor=1,other=x"]))
def test_contexts_survive_the_journey(trace, span, sampled, state):
    context = SpanContext(f"{trace:032x}", f"{span:016x}", sampled, state)
    assert extract(traceparent(context), state) == context
    assert received(traceparent(context).encode(), state.encode()) == context


@given(st.text("0123456789abcdefABCDEF-\xb2", max_size=60), st.text(max_size=20))
@example(f"00-{TRACE}-{SPAN}-0-", "")
@example(f"00-{TRACE[:-1]}--{SPAN}-01"[:55], "")
@example(f"00-{TRACE}-{SPAN}-ff", "k=" + "v" * 600)
def test_headers_as_they_come_are_read_alike(header, state):
    raw = header.encode("latin-1"), state.encode("latin-1", "replace")
    assert received(*raw) == extract(raw[0].decode("latin-1"), raw[1].decode("latin-1"))


def test_otlp_json():
    with capture() as seen:
        attributes = {"s": "x", "i": 3, "f": 1.5, "b": True, "l": [1, "a"], "nan": float("nan"), "none": None}
        with traces.span("work", attributes=attributes) as span:
            span.add_event("e", {"k": 1})
            span.set_error("went wrong")
    document = json.loads(otlp_json.encode(seen.spans, {"service.name": "shop"}))
    resource = document["resourceSpans"][0]
    assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "shop"}}]
    row = resource["scopeSpans"][0]["spans"][0]
    assert row["traceId"] == span.trace_id
    assert row["startTimeUnixNano"] == str(span.start_ns)
    assert row["status"] == {"code": 2, "message": "went wrong"}
    assert {a["key"]: a["value"] for a in row["attributes"]} == {
        "s": {"stringValue": "x"},
        "i": {"intValue": "3"},
        "f": {"doubleValue": 1.5},
        "b": {"boolValue": True},
        "l": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}]}},
        "nan": {"doubleValue": "NaN"},
    }
    assert row["events"][0]["attributes"] == [{"key": "k", "value": {"intValue": "1"}}]


def test_otlp_json_repairs_what_utf8_cannot_say():
    with capture() as seen, traces.span("bad \ud800", attributes={"x": "\udfff"}):
        pass
    assert b"bad ?" in otlp_json.encode(seen.spans, {})


def test_without_an_exporter_nothing_is_recorded():
    before = runtime.replace(runtime.Runtime(Settings(), ()))
    try:
        with traces.span("x") as span:
            span.set_attribute("a", 1)
        assert span.attributes == {}
        assert len(span.trace_id) == 32
    finally:
        runtime.replace(before)


def test_attributes_and_events_are_bounded():
    with capture() as seen, traces.span("x") as span:
        for number in range(500):
            span.set_attribute(f"a{number}", number)
            span.add_event("e")
    assert len(seen.spans[0].attributes) == 64
    assert len(seen.spans[0].events) == 64
