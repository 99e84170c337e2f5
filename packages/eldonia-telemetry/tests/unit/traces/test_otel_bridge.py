"""With the application's own OpenTelemetry SDK: one trace, not two."""

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from eldonia_telemetry import get_logger, traces
from eldonia_telemetry.testing import capture
from eldonia_telemetry.traces.propagation import SpanContext

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
log = get_logger()


def install(monkeypatch, provider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)  # the API lets it be set once a process
    return exporter


@pytest.fixture
def exporter(monkeypatch):
    return install(monkeypatch, TracerProvider())


def test_ours_and_theirs_are_parents_and_children_of_each_other(exporter):
    tracer = trace.get_tracer("application")
    with capture() as seen:
        with tracer.start_as_current_span("theirs above"), traces.span("ours", attributes={"a": 1}) as ours:
            log.info("in ours")
            with tracer.start_as_current_span("theirs below") as below:
                log.info("in theirs")
                headers: dict[str, str] = {}
                traces.inject(headers)
        assert otel_context.get_current() == {}
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert set(spans) == {"theirs above", "ours", "theirs below"}
    assert spans["ours"].parent.span_id == spans["theirs above"].context.span_id
    assert spans["theirs below"].parent.span_id == spans["ours"].context.span_id
    assert f"{spans['ours'].context.trace_id:032x}" == ours.trace_id
    assert seen.record("in ours").span_id == ours.span_id
    assert seen.record("in theirs").span_id == f"{below.get_span_context().span_id:016x}"
    assert seen.record("in theirs").trace_id == ours.trace_id
    assert headers["traceparent"] == f"00-{ours.trace_id}-{seen.record('in theirs').span_id}-01"
    assert [span.name for span in seen.spans] == ["ours"]


def test_everything_recorded_arrives_redacted(exporter):
    def work() -> None:
        with traces.span("work", kind=traces.Kind.CLIENT, attributes={"password": "hunter2"}) as span:
            span.name = "renamed"
            span.attributes["list"] = [1, "a"]
            span.attributes["odd"] = {"x": 1}
            span.add_event("cached", {"hit": True})
            raise ValueError("bad token=abc123")

    with capture(), pytest.raises(ValueError, match="bad"):
        work()
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("renamed", trace.SpanKind.CLIENT)
    assert dict(span.attributes) == {"password": "[REDACTED]", "list": ("1", "a"), "odd": "{'x': 1}"}
    assert [event.name for event in span.events] == ["cached", "exception"]
    assert span.status.status_code is trace.StatusCode.ERROR
    assert "abc123" not in span.to_json()


def test_callers_elsewhere_are_parents_unless_somebody_here_has_taken_their_place(exporter):
    remote = SpanContext(TRACE, SPAN, sampled=True, tracestate="vendor=1")
    with capture():
        with traces.start_span("server", parent=remote) as server:
            pass
        carrier = trace.set_span_in_context(
            trace.NonRecordingSpan(trace.SpanContext(int(TRACE, 16), int(SPAN, 16), True, trace.TraceFlags(1)))
        )
        theirs = trace.get_tracer("asgi").start_as_current_span("their server", context=carrier)
        with theirs, traces.start_span("our server", parent=remote):
            pass
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert (server.trace_id, server.parent_span_id, server.context.tracestate) == (TRACE, SPAN, "vendor=1")
    assert spans["our server"].parent.span_id == spans["their server"].context.span_id


def test_their_sampler_decides(monkeypatch):
    exporter = install(monkeypatch, TracerProvider(sampler=ALWAYS_OFF))
    with capture() as seen, traces.span("work") as span:
        span.set_attribute("a", 1)
        assert not span.context.sampled
    assert exporter.get_finished_spans() == ()
    assert seen.spans == []


def test_it_can_be_turned_off(exporter):
    theirs = trace.get_tracer("x").start_as_current_span("theirs")
    with capture(join_opentelemetry=False) as seen, theirs, traces.span("ours"):
        log.info("inside")
    assert [span.name for span in exporter.get_finished_spans()] == ["theirs"]
    assert seen.record("inside").span_id == seen.span("ours").span_id


def test_the_api_alone_changes_nothing(monkeypatch):
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    with capture() as seen, traces.span("ours"):
        pass
    assert type(seen.span("ours")) is traces.Span
