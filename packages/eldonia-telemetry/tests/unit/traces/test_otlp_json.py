import json

from eldonia_telemetry import losses, traces
from eldonia_telemetry.testing import capture
from eldonia_telemetry.traces import otlp_json


def test_a_span_that_cannot_be_expressed_does_not_take_its_batch_along():
    with capture() as seen:
        for name in ("a", "b", "c"):
            with traces.span(name):
                pass
    seen.spans[1].kind = "neither"  # type: ignore[assignment]
    before = losses.snapshot().get(("span", "cannot be expressed"), 0)
    document = json.loads(otlp_json.encode(seen.spans, {}))
    assert [row["name"] for row in document["resourceSpans"][0]["scopeSpans"][0]["spans"]] == ["a", "c"]
    assert losses.snapshot()["span", "cannot be expressed"] == before + 1


def test_the_name_of_an_event_may_be_anything():
    with capture() as seen, traces.span("a") as span:
        span.add_event(ValueError("x"))  # type: ignore[arg-type]
    document = json.loads(otlp_json.encode(seen.spans, {}))
    assert document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["events"][0]["name"] == "x"
