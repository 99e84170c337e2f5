import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.slo.budget import burn_rate, over_window, remaining
from eldonia_ops.slo.generate import error_ratio, generate, generate_all, series_name
from eldonia_ops.slo.objectives import Objective

REQUESTS = Objective(
    "checkout",
    "shop",
    good='sum(rate(http_requests_total{code!~"5.."}[$window]))',
    total="sum(rate(http_requests_total[$window]))",
)
PROBE = Objective("gateway", "payment", probe='probe_success{job="gateway"}')


def test_budget_in_numbers():
    assert remaining(0.0005, 0.999) == pytest.approx(0.5)
    assert remaining(0.003, 0.999) == pytest.approx(-2)
    assert burn_rate(0.0144, 0.999) == pytest.approx(14.4)
    for target in (0.0, 1.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            remaining(0.1, target)


def test_rules_cover_every_window_that_alerts_look_at():
    rules = generate(REQUESTS)
    names = {rule.name for rule in rules.recording}
    assert names >= {series_name(ms * 60_000) for ms in (5, 30, 60, 120, 360, 1440, 4320, 43_200)}
    assert "slo:error_ratio:rate5m" in names
    by_severity = {rule.labels["severity"]: rule for rule in rules.alerting}
    assert set(by_severity) == {"critical", "warning"}
    critical = by_severity["critical"].expr
    assert 'slo:error_ratio:rate1h{objective="checkout",service="shop"} > 14.4 * 0.001' in critical
    assert 'slo:error_ratio:rate30m{objective="checkout",service="shop"} > 6 * 0.001' in critical
    assert 'slo:error_ratio:rate3d{objective="checkout",service="shop"} > 1 * 0.001' in by_severity["warning"].expr
    assert {rule.name for rule in rules.alerting} == {"ErrorBudgetBurn"}
    assert by_severity["critical"].labels["service"] == "shop"
    read = " ".join(rule.expr for rule in rules.alerting)
    recorded = {name for name in names if name.startswith("slo:error_ratio")}
    assert all(f"{name}{{" in read for name in recorded - {"slo:error_ratio:rate30d"})


def test_speed_divides_windows():
    rules = generate(REQUESTS, speed=10)
    names = {rule.name for rule in rules.recording}
    assert {"slo:error_ratio:rate30s", "slo:error_ratio:rate6m", "slo:error_ratio:rate3d"} <= names
    assert "rate6m{" in rules.alerting[0].expr
    with pytest.raises(ValueError, match="second"):
        generate(REQUESTS, speed=1000)


def test_missing_good_events_count_as_none():
    assert error_ratio(REQUESTS, 300_000) == (
        '1 - ((sum(rate(http_requests_total{code!~"5.."}[5m]))) or (0 * (sum(rate(http_requests_total[5m])))))'
        " / ((sum(rate(http_requests_total[5m]))) > 0)"
    )
    assert error_ratio(PROBE, 60_000) == '1 - avg(avg_over_time(probe_success{job="gateway"}[1m]))'


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target": 99.9}, "between 0 and 1"),
        ({"good": "x[$window]"}, "good and total"),
        ({"good": "x[5m]", "total": "y[$window]"}, r"\$window"),
        ({"probe": "up", "good": "x[$window]", "total": "y[$window]"}, "either"),
        ({"probe": "up", "window_ms": 1000}, "hour"),
        ({}, "either"),
        ({"name": "{{ .Evil }}", "probe": "up"}, "cannot contain"),
    ],
)
def test_objectives_that_cannot_be_meant(fields, message):
    with pytest.raises(ValueError, match=message):
        Objective(**{"name": "a", "service": "b", **fields})


def test_names_are_unique_and_quoted():
    with pytest.raises(ValueError, match="'gateway'"):
        generate_all([PROBE, PROBE])
    assert len(generate_all([PROBE, REQUESTS])) == 2
    quoted = generate(Objective('a"b', "s", probe="up"))
    assert 'objective="a\\"b"' in quoted.alerting[0].expr


@given(st.floats(0, 1), st.floats(0.5, 0.9999), st.floats(1, 1e10), st.floats(1, 1e10))
def test_the_budget_is_used_up_exactly_when_the_target_is_missed(ratio, target, measured, window):
    whole = over_window(ratio, measured, window)
    assert 0 <= whole <= ratio
    left = remaining(whole, target)
    assert (left < 0) == (1 - whole < target) or abs(1 - whole - target) < 1e-9
