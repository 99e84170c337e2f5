import threading

import pytest

from eldonia_telemetry import dropped_data
from eldonia_telemetry.metrics.exposition import OPENMETRICS, TEXT, negotiate, render
from eldonia_telemetry.metrics.registry import Registry


@pytest.fixture
def registry():
    return Registry()


def text(registry, kind=TEXT):
    return render(registry.snapshot(), kind).decode()


def test_the_text_format(registry):
    requests = registry.counter("http_requests_total", "Requests\nanswered.", ("method", "path"))
    requests.labels("GET", 'a"b\\c\nd').inc()
    requests.labels(method="GET", path='a"b\\c\nd').inc(2.5)
    registry.gauge("temperature").set(-1.5)
    latency = registry.histogram("latency_seconds", "", (), buckets=(0.1, 1))
    for value in (0.05, 0.1, 0.5, 5):
        latency.observe(value)
    assert text(registry) == (
        "# HELP http_requests_total Requests\\nanswered.\n"
        "# TYPE http_requests_total counter\n"
        'http_requests_total{method="GET",path="a\\"b\\\\c\\nd"} 3.5\n'
        "# TYPE latency_seconds histogram\n"
        'latency_seconds_bucket{le="0.1"} 2\n'
        'latency_seconds_bucket{le="1.0"} 3\n'
        'latency_seconds_bucket{le="+Inf"} 4\n'
        "latency_seconds_sum 5.65\n"
        "latency_seconds_count 4\n"
        "# TYPE temperature gauge\n"
        "temperature -1.5\n"
    )


def test_openmetrics_names_the_family_without_total_and_ends(registry):
    registry.counter("jobs", "Jobs.").inc()
    assert text(registry, OPENMETRICS) == "# HELP jobs Jobs.\n# TYPE jobs counter\njobs_total 1\n# EOF\n"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", TEXT),
        ("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.5", TEXT),
        ("application/openmetrics-text;version=9.0.0", TEXT),
        ("application/openmetrics-text;q=nonsense", TEXT),
    ],
)
def test_negotiation(accept, chosen):
    assert negotiate(accept) == chosen


def test_cardinality_is_bounded(registry):
    family = registry.counter("hits_total", "", ("path",), max_series=10)
    for number in range(1000):
        family.labels(f"/{number}").inc()
    lines = family.snapshot().lines
    assert len(lines) == 11
    assert registry.value("hits_total", {"path": "other"}) == 990
    assert sum(line.value for line in lines) == 1000


def test_threads_lose_nothing(registry):
    counter = registry.counter("n_total", "", ("k",))
    histogram = registry.histogram("h", "")

    def work():
        for _ in range(5000):
            counter.labels("x").inc()
            histogram.observe(0.2)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.value("n_total", {"k": "x"}) == 20_000
    assert registry.value("h_count") == 20_000


def test_misuse_is_counted_not_raised(registry):
    counter = registry.counter("a_total", "", ("x",))
    counter.labels().inc()
    counter.labels("1", "2").inc()
    counter.labels(y="1").inc()
    counter.labels(x="1").inc(-1)
    counter.inc()
    registry.gauge("a_total").set(1)
    odd = registry.counter("9 bad-name", "", ("ok", "no-good"))
    odd.labels("1", "2").inc()
    assert registry.value("a_total", {"x": "1"}) == 0
    assert registry.counter("a_total", "", ("x",)) is counter
    assert ("metric", "wrong labels for a_total") in dropped_data.snapshot()
    assert "_9_bad_name_total" in text(registry)


def test_functions_and_collectors_that_fail_do_not_break_the_scrape(registry):
    registry.gauge("good").set(1)
    registry.gauge("queue_length").set_function(lambda: 5)
    registry.gauge("bad").set_function(lambda: 1 / 0)
    registry.register(lambda: 1 / 0)
    shown = text(registry)
    assert "good 1\n" in shown
    assert "queue_length 5\n" in shown
    assert "\nbad " not in shown


def test_the_standard_set_is_there():
    from eldonia_telemetry import metrics

    content_type, body = metrics.exposition()
    assert content_type.startswith("text/plain; version=0.0.4")
    names = {line.split()[2] for line in body.decode().splitlines() if line.startswith("# TYPE")}
    assert names >= {
        *("http_requests_total", "http_request_duration_seconds", "http_requests_in_flight"),
        *("process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"),
        *("payment_requests_total", "auth_failed_logins_total", "security_events_total"),
        *("orders_total", "revenue_total", "signups_total"),
    }


def test_exemplars_are_openmetrics_and_nothing_else():
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    registry = Registry()
    durations = registry.histogram("seconds", "How long.", ("handler",), buckets=(0.1, 1.0))
    durations.labels("/").observe(0.05, "a" * 32)
    durations.labels("/").observe(0.06, "b" * 32)
    durations.labels("/").observe(5.0, "c" * 32)
    durations.labels("/").observe(0.5)
    registry.counter("things_total").inc(3)
    page = render(registry.snapshot(), OPENMETRICS).decode()
    families = {family.name: family for family in text_string_to_metric_families(page)}
    found = {
        sample.labels["le"]: (sample.exemplar.labels["trace_id"][0], sample.exemplar.value)
        for sample in families["seconds"].samples
        if sample.exemplar
    }
    assert found == {"0.1": ("b", 0.06), "+Inf": ("c", 5.0)}
    assert families["things"].samples[0].value == 3
    assert " # " not in render(registry.snapshot(), TEXT).decode()
