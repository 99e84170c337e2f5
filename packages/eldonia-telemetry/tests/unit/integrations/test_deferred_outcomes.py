"""Requests in which nothing was odd are recorded together, a moment later."""

import asyncio
import json
import threading

import pytest

from eldonia_telemetry import TelemetryMiddleware, flush, get_logger, metrics, runtime, traces
from eldonia_telemetry.integrations import outcomes
from eldonia_telemetry.records import DEBUG, INFO, WARN
from eldonia_telemetry.settings import Settings

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADER = (b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())
log = get_logger(component="app")


class Backend:
    """A sink and an exporter in one; ``spans`` are encoded ones, ``careful`` are those that are not."""

    threshold = DEBUG
    takes_encoded = True

    def __init__(self):
        self.records, self.spans, self.careful = [], [], []

    def write(self, line):
        self.records.append(json.loads(line))

    def write_all(self, lines):
        self.records += map(json.loads, lines)

    def put(self, span):
        self.careful.append(span)

    def put_all(self, spans):
        self.spans += [json.loads(b"".join(span)) for span in spans]

    def flush(self, timeout):
        return True

    def close(self, timeout=0.0): ...
    def after_fork(self): ...

    @property
    def said(self):
        return [
            record["metadata"]["path"] if record["component"] == "http" else record["message"]
            for record in self.records
        ]


@pytest.fixture
def install():
    """Installs runtimes that let records wait for minutes; the last one's backend is returned."""
    first = runtime.current
    used = []

    def install(*, exporting=True, waiting=True, **settings):
        backend = Backend()
        own = Settings(**{"service": "shop", "access_log_delay": 300.0, **settings})
        used.append(runtime.Runtime(own, (backend,), backend if exporting else None))
        if waiting:
            used[-1].deferred._due_ns = 1 << 62  # as if one had just been recorded: the first does not wait
        runtime.replace(used[-1])
        return backend

    yield install
    runtime.replace(first)
    for one in used:
        one.close()


def finishes(work):
    """Whether ``work`` comes to an end; otherwise its thread is left behind."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    return not thread.is_alive()


async def get(path, *headers, middleware=TelemetryMiddleware, work=None, template=None):
    async def app(scope, receive, send):
        if work is not None:
            work()
        status = 500 if path == "/fails" else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        return {"type": "http.request"}

    async def send(message): ...

    scope = {"type": "http", "method": "GET", "path": path, "headers": list(headers), "client": ("203.0.113.9", 1)}
    scope["path_template"] = template
    await middleware(app)(scope, receive, send)


async def test_they_wait_and_keep_their_order(install):
    backend = install()
    await get("/a")
    await get("/b")
    assert (backend.said, backend.spans) == ([], [])
    log.info("hello")
    await get("/c")
    assert backend.said == ["/a", "/b", "hello"]
    assert flush()
    assert backend.said == ["/a", "/b", "hello", "/c"]
    times = [record["timestamp"] for record in backend.records]
    assert times == sorted(times)
    assert [span["attributes"][0]["value"]["stringValue"] for span in backend.spans] == ["/a", "/b", "/c"]


async def test_what_went_wrong_does_not_wait(install):
    backend = install()
    await get("/a")
    await get("/fails")
    assert backend.said == ["/a", "/fails"]
    assert backend.records[1]["level"] == "error"
    assert backend.careful[0].status == 2


async def test_without_a_delay_the_record_is_there_when_the_request_ends(install):
    backend = install(waiting=False, access_log_delay=0.0)
    await get("/a")
    assert backend.said == ["/a"]
    assert len(backend.spans) == 1


async def test_readers_of_the_metrics_see_requests_that_wait(install):
    install()

    def count():
        labels = {"method": "GET", "handler": "unmatched", "status": "200"}
        return metrics.registry.value("http_requests_total", labels) or 0

    before = count()
    await get("/a")
    assert count() == before + 1


async def test_another_runtime_gets_nothing_of_the_last(install):
    first = install()
    await get("/a")
    second = install()
    assert (first.said, second.said) == (["/a"], [])
    await get("/b")
    flush()
    assert (first.said, second.said) == (["/a"], ["/b"])


async def test_record_and_span_belong_together(install):
    backend = install()
    await get("/a", HEADER)
    flush()
    [record], [span] = backend.records, backend.spans
    assert record["traceId"] == span["traceId"] == TRACE
    assert record["spanId"] == span["spanId"]
    assert span["parentSpanId"] == SPAN
    assert int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) > 1.7e18


async def test_a_span_asked_for_inside_or_afterwards_is_the_exported_one(install):
    backend = install()
    asked = []
    later = asyncio.Event()

    async def outlive():
        await later.wait()
        asked.append(traces.current_span())

    tasks = []
    await get("/inside", work=lambda: asked.append(traces.current_span()))
    await get("/afterwards", work=lambda: tasks.append(asyncio.create_task(outlive())))
    flush()
    later.set()
    await tasks[0]
    assert [span.span_id for span in asked] == [span["spanId"] for span in backend.spans]
    assert [record["spanId"] for record in backend.records] == [span.span_id for span in asked]


async def test_a_request_inside_another_span_is_its_child(install):
    backend = install()
    with traces.span("outer") as outer:
        await get("/a")
    flush()
    [span] = backend.spans
    assert (span["traceId"], span["parentSpanId"]) == (outer.trace_id, outer.span_id)


async def test_a_middleware_inside_another_is_its_child(install):
    backend = install()

    def nested(app):
        return TelemetryMiddleware(TelemetryMiddleware(app))

    await get("/a", HEADER, middleware=nested)
    flush()
    inner, outer = backend.spans
    # Both have read the same header.
    assert inner["parentSpanId"] == outer["parentSpanId"] == SPAN
    await get("/b", middleware=nested)
    flush()
    inner, outer = backend.spans[2:]
    assert (inner["traceId"], inner["parentSpanId"]) == (outer["traceId"], outer["spanId"])


async def test_what_vendors_say_of_the_trace_is_kept(install):
    backend = install()
    await get("/a", HEADER, (b"tracestate", b"vendor=1"))
    flush()
    assert backend.spans == []
    [span] = backend.careful
    assert (span.context.tracestate, span.name, span.attributes["url.path"]) == ("vendor=1", "GET", "/a")
    assert backend.records[0]["spanId"] == span.span_id


async def test_a_span_that_the_application_has_said_more_of_goes_as_it_is(install):
    backend = install()
    await get("/a", work=lambda: traces.current_span().set_attribute("order.id", 7))
    assert backend.spans == []
    assert backend.careful[0].attributes["order.id"] == 7


@pytest.mark.parametrize("header", [None, (b"traceparent", f"00-{TRACE}-{SPAN}-00".encode())])
async def test_what_is_not_sampled_has_a_record_only(install, header):
    backend = install(trace_ratio=0.0)
    await get("/a", *([header] if header else []))
    flush()
    assert (backend.spans, backend.careful) == ([], [])
    assert len(backend.records[0]["traceId"]) == 32


@pytest.mark.parametrize(("level", "records"), [(INFO, 1), (WARN, 0)])
async def test_the_level_is_for_records_alone(install, level, records):
    backend = install(level=level)
    await get("/a")
    flush()
    assert (len(backend.records), len(backend.spans)) == (records, 1)


async def test_without_an_exporter_records_have_ids_and_nothing_is_exported(install):
    backend = install(exporting=False)
    await get("/a", HEADER)
    flush()
    assert backend.records[0]["traceId"] == TRACE
    assert backend.careful == []


async def test_a_sink_that_fails_does_not_take_the_others_down(install, capsys):
    backend = install()

    class Broken(Backend):
        def write_all(self, lines):
            raise OSError("no")

    runtime.current.sinks = (Broken(), backend)
    await get("/a")
    flush()
    assert backend.said == ["/a"]
    assert "Broken failed" in capsys.readouterr().err


async def test_one_that_cannot_be_recorded_does_not_stop_the_others(install, capsys):
    backend = install()

    class Odd:
        def emit(self, now, prepared):
            raise ValueError("odd")

    await get("/a")
    runtime.current.deferred.add(Odd(), 0)
    await get("/b")
    flush()
    assert backend.said == ["/a", "/b"]
    assert "request could not be recorded" in capsys.readouterr().err


async def test_a_record_does_not_overtake_those_that_another_thread_is_writing(install, monkeypatch):
    monkeypatch.setattr(runtime, "PATIENCE", 60.0)
    backend = install()
    began, go_on = threading.Event(), threading.Event()
    write_all = backend.write_all

    def write_slowly(lines):
        began.set()
        go_on.wait(20)
        write_all(lines)

    backend.write_all = write_slowly
    await get("/a")
    other = threading.Thread(target=runtime.current.deferred.flush)
    other.start()
    assert began.wait(20)
    threading.Timer(0.02, go_on.set).start()
    log.info("hello")
    other.join()
    assert backend.said == ["/a", "hello"]


async def test_a_thread_interrupted_while_holding_a_needed_lock_goes_on(install):
    backend = install()
    lock, began = threading.RLock(), threading.Event()
    write_all = backend.write_all

    def write_locked(lines):
        began.set()
        with lock:
            write_all(lines)

    backend.write_all = write_locked
    await get("/a")

    def interrupted():
        with lock:  # as in a sink
            threading.Thread(target=runtime.current.deferred.flush).start()
            assert began.wait(20)
            log.info("from a signal handler")
            flush(0.0)

    assert finishes(interrupted)
    assert flush()
    assert sorted(backend.said) == ["/a", "from a signal handler"]


async def test_a_record_waits_for_no_lock_of_the_metrics(install):
    """Code that logs in a signal handler may have interrupted the holder of the lock."""
    backend = install()
    outcome = outcomes.outcome("GET", "unmatched", 200)
    for lock in (outcomes._lock, metrics.standard.requests.lock, metrics.standard.duration.lock):
        outcomes.flush()
        for _ in range(outcomes._GATHERED - 1):
            outcome.count(0.001, None, 0.0, True)
        await get("/a")  # one more, and they are put into the metrics
        with lock:
            assert finishes(lambda: log.info("hello"))
        await get("/fails")
        assert not outcome._pending
    assert backend.said == ["/a", "hello", "/fails"] * 3


async def test_what_another_runtime_left_is_sampled_as_it_would_have(install):
    first = install()
    await get("/a")
    install(exporting=False)
    assert len(first.spans) == 1


async def test_a_child_that_fails_after_a_request_that_was_not_sampled_is_kept(install):
    backend = install(trace_ratio=0.0)
    later = asyncio.Event()
    tasks = []

    async def outlive():
        await later.wait()
        with traces.span("afterwards") as span:
            span.set_error("no")

    await get("/a", work=lambda: tasks.append(asyncio.create_task(outlive())))
    flush()
    later.set()
    await tasks[0]
    assert backend.spans == []
    [span] = backend.careful
    assert (span.name, span.attributes) == ("afterwards", {"sampling.reason": "error"})


async def test_a_kept_span_shows_how_it_ended(install):
    install()
    kept = []
    await get("/a", work=lambda: kept.append(traces.current_span()), template="/{anything}")
    [span] = kept
    assert (span.name, span.ended, span.end_ns > span.start_ns) == ("GET /{anything}", True, True)


async def test_what_is_raised_once_the_answer_has_begun_is_a_failure(install):
    backend = install()

    class ClientDisconnect(Exception): ...

    def fail(error):
        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            raise error

        return lambda _: TelemetryMiddleware(app)

    for path, error in (("/stream", RuntimeError("half")), ("/gone", ClientDisconnect())):
        with pytest.raises(type(error)):
            await get(path, middleware=fail(error))
    flush()
    failed, gone = backend.records
    assert (failed["level"], failed["metadata"]["status"], failed["error"]["message"]) == ("error", 200, "half")
    assert (gone["level"], "error" in gone) == ("info", False)
    assert [span.status for span in backend.careful] == [2, 0]


def test_settings_of_a_middleware_that_make_no_sense_are_said(capsys):
    middleware = TelemetryMiddleware(None, detection="blok", trusted_origins="https://pay.example", quiet_paths="/up")
    assert "detection is none of observe, block, off" in capsys.readouterr().err
    assert middleware._observer.detects
    assert not middleware._observer.blocks
    assert middleware._observer.quiet == {"/up"}
