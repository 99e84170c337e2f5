"""What a request's quick way leaves must be what the careful way would have left."""

import json
import threading

from hypothesis import given
from hypothesis import strategies as st

from eldonia_telemetry import lines, metrics, performance
from eldonia_telemetry.integrations import outcomes
from eldonia_telemetry.integrations.outcomes import UNMATCHED, Outcome, outcome, plain_path
from eldonia_telemetry.records import Performance
from eldonia_telemetry.traces import Span, SpanContext, otlp_json

HANDLERS = st.sampled_from(["/works/{number}", "/100%/{x}", '/say/"hi"', "/\ud800", UNMATCHED])
PATHS = st.text(max_size=30) | st.sampled_from(
    ["/works/7", "/a?token=x", "/pay/4111111111111111", "/%b%d", "/x" * 9000]
)


@given(HANDLERS, PATHS, st.sampled_from([200, 204, 404, 499]), st.sampled_from([0.0, 0.125, 12.5, 123456.0]))
def test_record_and_span_are_those_of_the_careful_way(handler, path, status, milliseconds):
    one = Outcome("GET", handler, status)
    told = plain_path(path)
    if told is None or not one.plain:
        return
    metadata = {"method": "GET", "path": path, "handler": handler, "status": status}
    quick = one.content(told, status, milliseconds / 1000)
    careful = lines.content(f"GET {path} {status} {milliseconds:.1f}ms", metadata, True)
    careful += lines.performance(Performance(round(milliseconds, 3)))
    assert json.loads(b"{" + quick[1:] + b"}") == json.loads(b"{" + careful[1:] + b"}")

    span = Span(one.span_name, 2, SpanContext("a" * 32, "b" * 16, True), "c" * 16, None)
    span.stop()
    client = {"url.scheme": "https", "client.address": "203.0.113.9"}
    row = json.loads(b"".join(one.span(span, told, b"r1", otlp_json.attributes(client))))
    span.attributes = {"http.request.method": "GET", "url.path": path, "http.request.id": "r1", **client}
    span.attributes["http.response.status_code"] = status
    if handler != UNMATCHED:
        span.attributes["http.route"] = handler
    [expected] = json.loads(otlp_json.encode([span], {}))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    for both in (row, expected):
        both["attributes"] = sorted(both["attributes"], key=lambda it: it["key"])
    assert row == expected


def test_what_might_have_to_be_hidden_takes_the_careful_way():
    assert not Outcome("GET", "/say/password=hunter2", 200).plain
    assert plain_path("/reset/token=abc") is None
    assert plain_path("/pay/4111 1111 1111 1111") is None
    assert plain_path("/\ud800") is None
    assert plain_path("/x" * 9000) is None
    assert plain_path('/"quoted"') == b'"/\\"quoted\\""'


def seen(handler: str) -> tuple[float, float]:
    labels = {"method": "GET", "handler": handler}
    return (
        metrics.registry.value("http_requests_total", {**labels, "status": "200"}) or 0,
        metrics.registry.value("http_request_duration_seconds_count", labels) or 0,
    )


def test_whoever_looks_sees_all_requests():
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
        outcomes.settle()
    assert seen("/threads") == (20_000, 20_000)


def test_past_the_bound_nothing_is_kept_and_nothing_lost(monkeypatch):
    monkeypatch.setattr(outcomes, "MAX_SERIES", 0)
    one = outcome("GET", "/past-the-bound", 200)
    one.count(0.001, None, 0.0, False)
    assert outcome("GET", "/past-the-bound", 200) is not one
    assert seen("/past-the-bound") == (1, 1)
