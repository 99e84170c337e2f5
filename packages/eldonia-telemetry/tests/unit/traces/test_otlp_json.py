import json

import pytest

from eldonia_telemetry import dropped_data, traces
from eldonia_telemetry.testing import capture
from eldonia_telemetry.traces import otlp_json


def test_a_span_that_cannot_be_expressed_does_not_take_its_batch_along():
    with capture() as seen:
        for name in ("a", "b", "c"):
            with traces.span(name):
                pass
    seen.spans[1].kind = "neither"  # type: ignore[assignment]
    before = dropped_data.snapshot().get(("span", "cannot be expressed"), 0)
    document = json.loads(otlp_json.encode(seen.spans, {}))
    assert [row["name"] for row in document["resourceSpans"][0]["scopeSpans"][0]["spans"]] == ["a", "c"]
    assert dropped_data.snapshot()["span", "cannot be expressed"] == before + 1


def test_the_name_of_an_event_may_be_anything():
    with capture() as seen, traces.span("a") as span:
        span.add_event(ValueError("x"))  # type: ignore[arg-type]
    document = json.loads(otlp_json.encode(seen.spans, {}))
    assert document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["events"][0]["name"] == "x"


@pytest.mark.parametrize(
    ("given", "least", "most"),
    [
        ({}, 500, 600),
        ({"a": "x" * 10_000}, 10_000, 11_000),
        ({"a": ["x" * 1000] * 10}, 10_000, 12_000),
        ({"a": {"b": {"c": ["x" * 1000] * 10}}}, 10_000, 12_000),
        ({"a": list(range(100_000))}, 1_000_000, 10_000_000),
        ({"a": object(), "b": 1, "c": None}, 600, 1200),
    ],
)
def test_what_a_span_weighs(given, least, most):
    with capture() as seen, traces.span("a", attributes=given):
        pass
    assert least <= otlp_json.weight(seen.spans[0]) <= most


def test_what_an_event_holds_is_weighed_and_a_cycle_ends():
    cycle: list = []
    cycle += [cycle, cycle]
    with capture() as seen:
        with traces.span("a") as span:
            span.add_event("b", {"c": "x" * 10_000})
        with traces.span("d", attributes={"e": cycle}):
            pass
    event, endless = map(otlp_json.weight, seen.spans)
    assert 10_000 < event < 11_000
    assert endless < 1_000_000
