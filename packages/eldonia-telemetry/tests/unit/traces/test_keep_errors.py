from eldonia_telemetry import traces
from eldonia_telemetry.testing import capture
from eldonia_telemetry.traces.propagation import SpanContext
from eldonia_telemetry.traces.span import MAX_HELD

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def test_a_trace_that_the_ratio_leaves_out_is_sent_when_something_in_it_fails():
    with capture(trace_ratio=0.0) as seen:
        with traces.span("fine"), traces.span("child"):
            pass
        with traces.span("request") as request:
            with traces.span("query") as query:
                query.set_error("no such table")
            with traces.span("render"):
                headers: dict[str, str] = {}
                traces.inject(headers)
    assert [span.name for span in seen.spans] == ["query", "render", "request"]
    assert {span.trace_id for span in seen.spans} == {request.trace_id}
    assert all(span.attributes["sampling.reason"] == "error" for span in seen.spans)
    assert headers["traceparent"].endswith("-00")  # those after us decided as the ratio says


def test_what_ends_after_its_trace_follows_the_verdict():
    with capture(trace_ratio=0.0) as seen:
        for fails in (True, False):
            with traces.span("request") as request:
                late = traces.start_span("late")
                if fails:
                    request.set_error()
            late.end()
    assert [span.name for span in seen.spans] == ["request", "late"]


def test_a_parent_elsewhere_that_did_not_sample_does_not_hide_our_error():
    with capture() as seen:
        for fails in (False, True):
            with traces.start_span("request", parent=SpanContext(TRACE, SPAN, sampled=False)) as span:
                if fails:
                    span.set_error("boom")
    only = seen.span("request")
    assert (only.trace_id, only.parent_span_id, only.status) == (TRACE, SPAN, 2)


def test_it_can_be_turned_off():
    with capture(trace_ratio=0.0, trace_errors=False) as seen, traces.span("request") as span:
        span.set_error()
        span.set_attribute("a", 1)
    assert seen.spans == []
    assert span.attributes == {}


def test_what_is_held_is_bounded(capsys):
    with capture(trace_ratio=0.0) as seen, traces.span("request") as request:
        for _ in range(MAX_HELD + 10):
            with traces.span("step"):
                pass
        request.set_error()
    assert len(seen.spans) == MAX_HELD + 1
    assert seen.spans[-1] is request
    assert seen.increase("eldonia_telemetry_lost_total", signal="span", reason="held trace too long") == 10


def test_sampled_traces_leave_at_once():
    with capture(trace_ratio=1.0) as seen, traces.span("request"):
        with traces.span("step"):
            pass
        assert [span.name for span in seen.spans] == ["step"]
