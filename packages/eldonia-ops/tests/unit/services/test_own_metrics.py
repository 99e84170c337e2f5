"""The platform's own metrics: declared, explained, exposed in both formats."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from eldonia_ops.protocols.prometheus.text import ScrapeParser
from eldonia_ops.services.ingest import COUNTED, IngestService
from eldonia_ops.services.metric_declarations import BY_NAME, DELIVERY, METRICS, REQUEST, RULE_EVALUATION, Type
from eldonia_ops.services.own_metrics import OPENMETRICS, TEXT, OwnMetrics, escaped, prefers_openmetrics, quantile


def test_each_name_is_declared_once_with_a_help() -> None:
    assert len(BY_NAME) == len(METRICS)
    assert all(one.help.endswith(".") for one in METRICS)
    # What the field expects of names: https://prometheus.io/docs/practices/naming/
    assert all(one.name.endswith("_total") == (one.type is Type.COUNTER) for one in METRICS)
    assert all(one.buckets for one in METRICS if one.type is Type.HISTOGRAM)


def test_what_others_know_gets_help_and_type() -> None:
    reason = 'a "quoted"\nreason\\n'
    others = {
        "eldonia_ops_logs_total": 3.0,
        f'eldonia_ops_refused_total{{signal="logs",reason="{escaped(reason)}"}}': 2.0,
        f'eldonia_ops_refused_total{{signal="metrics",reason="{escaped("a,b={c}")}"}}': 4.0,
        "process_start_time_seconds": 1_764_432_000.123,
    }
    media, body = OwnMetrics().exposition("", others)
    assert media == TEXT
    found = {family.name: family for family in text_families(body.decode())}
    assert found["eldonia_ops_logs"].documentation == "Log records stored."
    assert found["eldonia_ops_logs"].type == "counter"
    assert [(one.labels, one.value) for one in found["eldonia_ops_refused"].samples] == [
        ({"signal": "logs", "reason": reason}, 2.0),
        ({"signal": "metrics", "reason": "a,b={c}"}, 4.0),
    ]
    # All digits of an instant.
    assert found["process_start_time_seconds"].samples[0].value == 1_764_432_000.123


def test_both_formats_hold_the_same_and_our_own_scrape_reads_them() -> None:
    metrics = OwnMetrics()
    metrics.observe(RULE_EVALUATION, 0.004)
    metrics.observe(DELIVERY, 2.0, "slack")
    metrics.request("main", "native", "/api/ops/v1/incidents/{id}", "GET", 200, 0.01)
    others = {"eldonia_ops_logs_total": 3.0, "eldonia_ops_alert_groups_failing": 1.0}
    media, body = metrics.exposition("application/openmetrics-text", others)
    assert media == OPENMETRICS
    _, text = metrics.exposition("text/plain", others)

    def samples(families) -> set[tuple[str, tuple[tuple[str, str], ...], float]]:
        return {
            (one.name, tuple(sorted(one.labels.items())), one.value) for family in families for one in family.samples
        }

    expected = samples(openmetrics_families(body.decode()))
    assert samples(text_families(text.decode())) == expected
    assert not any(name.endswith("_created") for name, _, _ in expected)
    parser = ScrapeParser()
    assert len(parser.parse(text).values) == len(expected)


def test_a_metric_without_a_declaration_is_exposed_all_the_same() -> None:
    text = OwnMetrics().exposition("", {"new_thing": 1.0, "eldonia_ops_logs_total": 1.0, "no name": 2.0})[1].decode()
    assert "# TYPE new_thing untyped" in text
    assert "new_thing 1.0" in text
    assert "eldonia_ops_logs_total 1.0" in text
    with pytest.raises(KeyError):
        OwnMetrics().observe("eldonia_ops_other_duration_seconds", 1.0)


def test_what_the_intake_counts_is_declared() -> None:
    assert all(f"eldonia_ops_{name}_total" in BY_NAME for name in COUNTED)
    assert all(f"``{name}``" in (IngestService.__doc__ or "") for name in COUNTED)


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/html", False),
        ("application/openmetrics-text", True),
        # What Prometheus 3 and 2 send.
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;"
            "version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
            "*/*;q=0.1",
            True,
        ),
        ("application/openmetrics-text; version=1.0.0,application/openmetrics-text; version=0.0.1;q=0.75,*/*", True),
        ("text/plain, application/openmetrics-text;q=0.5", False),
        ("application/openmetrics-text;version=2.0.0, text/plain", False),
        ("application/openmetrics-text;q=x, text/plain;q=0.1", False),
    ],
)
def test_the_format_is_the_one_that_is_preferred(accept: str, wanted: bool) -> None:
    assert prefers_openmetrics(accept) is wanted


def test_quantiles() -> None:
    buckets = [(0.1, 0.0), (0.5, 10.0), (1.0, 10.0), (math.inf, 20.0)]
    assert quantile(0.25, buckets) == pytest.approx(0.3)
    assert quantile(0.5, buckets) == 0.5
    assert quantile(0.99, buckets) == 1.0
    assert quantile(0.5, [(0.1, 0.0), (math.inf, 0.0)]) is None


@settings(deadline=None)
@given(st.lists(st.floats(0, 40), min_size=1, max_size=60))
def test_a_quantile_lies_in_the_bucket_of_the_value(values: list[float]) -> None:
    metrics = OwnMetrics()
    for value in values:
        metrics.observe(RULE_EVALUATION, value)
    bounds = [0.0, *BY_NAME[RULE_EVALUATION].buckets]
    (found,) = [one for one in metrics.durations() if one.name == RULE_EVALUATION]
    assert found.count == len(values)
    exact = sorted(values)[max(0, math.ceil(0.5 * len(values)) - 1)]
    lower = max(bound for bound in bounds if bound < exact or bound == 0)
    upper = next((bound for bound in bounds[1:] if bound >= exact), bounds[-1])
    assert found.p50 is not None
    assert lower <= found.p50 <= upper


def test_requests_are_counted_by_pattern_and_status() -> None:
    metrics = OwnMetrics()
    for code in (200, 200, 404):
        metrics.request("main", "page", "/incidents/{incident}", "GET", code, 0.01)
    text = metrics.exposition("", {})[1].decode()
    assert (
        'eldonia_ops_http_requests_total{api="page",code="200",listener="main",method="GET",'
        'route="/incidents/{incident}"} 2.0' in text
    )
    assert {one.name for one in metrics.durations() if one.count} == {REQUEST}
