"""What a request's quick way leaves must be what the careful way would have left."""

import json
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eldonia_telemetry import metrics, performance, record_encoder, runtime, values
from eldonia_telemetry.integrations import outcomes
from eldonia_telemetry.integrations.outcomes import UNMATCHED, Ended, Outcome, outcome
from eldonia_telemetry.records import INFO, Performance
from eldonia_telemetry.settings import Settings
from eldonia_telemetry.traces import Span, SpanContext, otlp_json
from eldonia_telemetry.traces.tracer import LazySpan

CLIENT = otlp_json.attributes({"url.scheme": "https"})
AT_NS = 1_800_000_000_123_456_789

HANDLERS = st.sampled_from(["/works/{number}", "/100%/{x}", '/say/"hi"', "/\ud800", UNMATCHED])
PATHS = st.text(max_size=30) | st.sampled_from(["/works/7", "/a?token=x", "/pay/4111111111111111", "/%b%d"])


def emitted(ended: Ended) -> tuple[dict, dict]:
    """The record and the span of a request that was in order."""
    prepared = runtime.Prepared([], [], [])
    ended.emit(runtime.current, prepared)
    [record], [span] = prepared.records, prepared.spans
    return json.loads(record), json.loads(b"".join(span))


class Nowhere:
    takes_encoded = True

    def flush(self, timeout):
        return True


@pytest.fixture
def exporting():
    own = Settings(service="shop", environment="100% test", access_log_delay=0.0)
    before = runtime.replace(runtime.Runtime(own, (), Nowhere()))
    yield runtime.current
    runtime.replace(before)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HANDLERS, PATHS, st.sampled_from([200, 204, 404, 499]), st.sampled_from([0, 125_000, 12_500_000, 10**12]))
def test_record_and_span_are_those_of_the_careful_way(exporting, handler, path, status, took_ns):
    one = Outcome("GET", handler, status)
    if not one.plain:
        return
    milliseconds, who = took_ns / 1e6, record_encoder.who(None, None, "r1", "203.0.113.9", None, hide=True)
    client = {"url.scheme": "https", "client.address": "203.0.113.9"}
    lazy_span = LazySpan(AT_NS, 0, b"00-" + b"a" * 32 + b"-" + b"c" * 16 + b"-01", end_ns=AT_NS + took_ns)
    row = Ended(one, path, b"r1", who, otlp_json.attributes(client), lazy_span, True)
    record, span = emitted(row)

    trace_id, span_id, parent, sampled = lazy_span.ids(exporting)
    hidden = json.loads(record_encoder.text(path, hide=True))
    metadata = {"method": "GET", "path": path, "handler": handler, "status": status}
    careful = b"".join(
        (
            record_encoder.opening(AT_NS + took_ns),
            exporting.origin(INFO, "shop", "http", one.operation),
            who,
            record_encoder.content(f"GET {hidden} {status} {milliseconds:.1f}ms", metadata, True),
            record_encoder.performance(Performance(round(milliseconds, 3))),
            record_encoder.trace(trace_id, span_id),
            exporting.closing,
        )
    )
    assert record == json.loads(careful)

    expected = Span(one.span_name, 2, SpanContext(trace_id, span_id, sampled), parent, None)
    expected.start_ns, expected.end_ns = AT_NS, AT_NS + took_ns
    expected.attributes = {"http.request.method": "GET", "url.path": path, "http.request.id": "r1", **client}
    expected.attributes["http.response.status_code"] = status
    if handler != UNMATCHED:
        expected.attributes["http.route"] = handler
    [careful] = json.loads(otlp_json.encode([expected], {}))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    for both in (span, careful):
        both["attributes"] = sorted(both["attributes"], key=lambda it: it["key"])
    assert span == careful


def test_a_route_that_might_have_to_be_hidden_takes_the_careful_way():
    assert not Outcome("GET", "/say/password=hunter2", 200).plain


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/reset/token=abcdef12", "/reset/token=[REDACTED]"),
        ("/pay/4111 1111 1111 1111", "/pay/[REDACTED]"),
        ("/\ud800", "/?"),
        ('/"quoted"', '/"quoted"'),
    ],
)
def test_secrets_in_a_path_are_hidden_and_it_is_bounded(exporting, path, shown):
    one = outcome("GET", "/{anything}", 200)
    record, span = emitted(Ended(one, path, b"r1", b"", CLIENT, LazySpan(AT_NS, 0, end_ns=AT_NS), True))
    assert record["metadata"]["path"] == shown
    assert record["message"] == f"GET {shown} 200 0.0ms"
    assert {"key": "url.path", "value": {"stringValue": shown}} in span["attributes"]


def test_an_endless_path_is_cut(exporting):
    one = outcome("GET", "/{anything}", 200)
    record, _ = emitted(Ended(one, "/x" * 30_000, b"r1", b"", CLIENT, LazySpan(AT_NS, 0, end_ns=AT_NS), True))
    assert len(record["metadata"]["path"]) < values.MAX_TEXT + 50
    assert "characters more" in record["metadata"]["path"]


def seen(handler: str) -> tuple[float, float]:
    labels = {"method": "GET", "handler": handler}
    return (
        metrics.registry.value("http_requests_total", {**labels, "status": "200"}) or 0,
        metrics.registry.value("http_request_duration_seconds_count", labels) or 0,
    )


def test_every_reader_sees_all_requests():
    one = outcome("GET", "/looked-at", 200)
    assert outcome("GET", "/looked-at", 200) is one
    for _ in range(3):
        one.count(0.002, None, 0.0, True)
    assert seen("/looked-at") == (3, 3)
    one.count(0.002, None, 0.0, True)
    [row] = [row for row in performance.report().operations if row.operation == "GET /looked-at"]
    assert row.count == 4


def test_the_last_trace_of_a_bucket_is_its_exemplar():
    one = outcome("GET", "/traced", 200)
    one.count(0.002, "a" * 32, 1000.5, False)
    one.count(0.002, "b" * 32, 1001.5, False)
    one.count(0.002, None, 0.0, False)
    family = next(one for one in metrics.registry.snapshot() if one.name == "http_request_duration_seconds")
    exemplars = [line.exemplar for line in family.lines if ("handler", "/traced") in line.labels and line.exemplar]
    assert [(one.value, one.trace_id, one.at) for one in exemplars] == [(0.002, "b" * 32, 1001.5)]


def test_threads_lose_no_request():
    one = outcome("GET", "/threads", 200)

    def work():
        for _ in range(5000):
            one.count(0.001, None, 0.0, True)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        outcomes.flush()
    assert seen("/threads") == (20_000, 20_000)


def test_past_the_bound_nothing_is_kept_and_nothing_lost(monkeypatch):
    monkeypatch.setattr(outcomes, "MAX_SERIES", 0)
    one = outcome("GET", "/past-the-bound", 200)
    one.count(0.001, None, 0.0, False)
    assert outcome("GET", "/past-the-bound", 200) is not one
    assert seen("/past-the-bound") == (1, 1)
