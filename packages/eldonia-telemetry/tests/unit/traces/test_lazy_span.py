import threading

import pytest

from eldonia_telemetry import runtime
from eldonia_telemetry.context import trace_context
from eldonia_telemetry.testing import capture
from eldonia_telemetry.traces import Kind, tracer
from eldonia_telemetry.traces.tracer import LazySpan, start_span

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADER = f"00-{TRACE}-{SPAN}-01".encode()


def test_every_caller_gets_the_same_span_at_any_time():
    with capture():
        lazy_span = LazySpan(1000, 7, HEADER)
        ids = lazy_span.ids(runtime.current)
        span = lazy_span.span("GET", Kind.SERVER)
        assert lazy_span.span("GET", Kind.SERVER) is span
    assert ids == lazy_span.ids(runtime.current) == (TRACE, span.span_id, SPAN, True)
    assert (span.trace_id, span.parent_span_id, span.kind, span.start_ns) == (TRACE, SPAN, 2, 1000)
    assert span.recording


def test_it_counts_from_when_it_began():
    with capture():
        span = LazySpan(1000, 0).span("GET", Kind.SERVER)
    assert span.duration_ns > 1_000_000  # the monotonic clock is far past 0
    span.stop()
    assert span.end_ns > span.start_ns == 1000


@pytest.mark.parametrize("header", [None, b"", b"junk", HEADER[:-1], b"\xff" * 55])
def test_without_a_header_that_can_be_read_a_trace_begins(header):
    with capture():
        trace_id, span_id, parent, sampled = LazySpan(0, 0, header).ids(runtime.current)
    assert (len(trace_id), len(span_id), parent, sampled) == (32, 16, "", True)


def test_the_ids_are_those_of_a_span_that_was_started_before():
    with capture():
        span = start_span("GET", kind=Kind.SERVER)
        lazy_span = LazySpan(0, 0, HEADER, span)
    assert lazy_span.ids(runtime.current) == (span.trace_id, span.span_id, "", True)


def test_what_the_ratio_leaves_out_is_kept_if_it_fails():
    with capture(trace_ratio=0.0) as seen:
        lazy_span = LazySpan(0, 0)
        assert lazy_span.ids(runtime.current)[3] is False
        span = lazy_span.span("GET", Kind.SERVER)
        assert (trace_context(), span.context.sampled) == (None, False)
        span.set_error("no")
        span.end()
    assert seen.spans == [span]
    assert span.attributes == {"sampling.reason": "error"}


def test_threads_that_ask_at_once_get_the_same():
    with capture():
        for _ in range(200):
            lazy_span, found, together = LazySpan(0, 0), [], threading.Barrier(3)

            def ask(lazy_span=lazy_span, found=found, together=together):
                together.wait()
                found.append(lazy_span.span("GET", Kind.SERVER))

            threads = [threading.Thread(target=ask) for _ in range(2)]
            for thread in threads:
                thread.start()
            together.wait()
            ids = lazy_span.ids(runtime.current)
            for thread in threads:
                thread.join()
            assert found[0] is found[1]
            assert found[0].span_id == ids[1]


def test_a_handler_that_interrupts_the_first_caller_gets_the_same_span(monkeypatch):
    with capture():
        lazy_span, found = LazySpan(0, 0), []
        root, made = tracer._root, tracer._span

        def interrupted_root(now):
            monkeypatch.setattr(tracer, "_root", root)
            found.append(lazy_span.ids(now))  # as a signal handler that logs does
            return root(now)

        def interrupted_span(*given):
            monkeypatch.setattr(tracer, "_span", made)
            found.append(lazy_span.span("GET", Kind.SERVER))
            return made(*given)

        monkeypatch.setattr(tracer, "_root", interrupted_root)
        monkeypatch.setattr(tracer, "_span", interrupted_span)
        span = lazy_span.span("GET", Kind.SERVER)
        ids, interrupting = found
        assert ids == lazy_span.ids(runtime.current)
        assert span is interrupting
        assert span.span_id == ids[1]


def test_who_asks_after_the_end_gets_a_span_that_has_ended():
    with capture() as seen:
        lazy_span = LazySpan(1000, 0, HEADER)
        lazy_span.end_ns = 5000
        span = lazy_span.span("GET", Kind.SERVER)
        span.end()
        assert (span.ended, span.end_ns, span.duration_ns) == (True, 5000, 4000)
        assert seen.spans == []


def test_a_trace_is_sampled_by_the_ratio_of_the_runtime_that_emits_it():
    with capture(trace_ratio=1.0):
        sampling = runtime.current
        with capture(trace_ratio=0.0):
            assert LazySpan(0, 0).ids(sampling)[3] is True
            assert LazySpan(0, 0).ids(runtime.current)[3] is False
