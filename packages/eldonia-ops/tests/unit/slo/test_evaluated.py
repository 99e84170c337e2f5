"""The generated expressions, run by the PromQL engine over made-up histories."""

import pytest

from eldonia_ops.promql.parser import parse
from eldonia_ops.promql.testing import Outcome, run_file
from eldonia_ops.slo.generate import bad_events, error_ratio, generate, selector
from eldonia_ops.slo.objectives import Objective
from eldonia_ops.template.rule_template import rule_template

REQUESTS = Objective(
    "checkout",
    "shop",
    good='sum(rate(requests_total{code!~"5.."}[$window]))',
    total="sum(rate(requests_total[$window]))",
)
PROBE = Objective("gateway", "payment", probe='probe_success{job="gateway"}')
HOUR = 3_600_000


def check(script):
    results = run_file(script).cases
    assert results
    for result in results:
        assert result.outcome is Outcome.PASSED, result


def history(*series):
    return "load 1m\n" + "".join(f"  {line}\n" for line in series) + "\n"


def instant(expression, *expected):
    return f"eval instant at 2h {expression}\n" + "".join(f"  {line}\n" for line in expected) + "\n"


@pytest.mark.parametrize("objective", [REQUESTS, PROBE])
def test_every_expression_parses(objective):
    rules = generate(objective)
    for rule in (*rules.recording, *rules.alerting):
        parse(rule.expr)
    for rule in rules.alerting:
        for text in rule.annotations.values():
            rule_template(text)


def test_error_ratio_of_requests():
    ratio = error_ratio(REQUESTS, HOUR)
    check(
        history('requests_total{code="200"} 0+98x130', 'requests_total{code="503"} 0+2x130') + instant(ratio, "{} 0.02")
    )


def test_everything_fails_and_no_good_series_exists():
    check(history('requests_total{code="503"} 0+2x130') + instant(error_ratio(REQUESTS, HOUR), "{} 1"))


def test_no_traffic_is_no_ratio():
    check(history('requests_total{code="200"} 5+0x130') + instant(error_ratio(REQUESTS, HOUR)))
    check(history("unrelated 1x130") + instant(error_ratio(REQUESTS, HOUR)))


def test_error_ratio_of_a_probe():
    script = history('probe_success{job="gateway"} 1x74 0x14 1x60')
    check(script + instant(error_ratio(PROBE, HOUR), "{} 0.25"))


def recorded(bad=5, **ratios):
    labels = '{objective="checkout",service="shop"}'
    counts = [f"slo:bad_events:increase{window}{labels} {bad}x130" for window in ("1h", "6h")]
    return history(*(f"slo:error_ratio:rate{window}{labels} {value}x130" for window, value in ratios.items()), *counts)


def alerts():
    return {rule.labels["severity"]: rule.expr for rule in generate(REQUESTS).alerting}


FIRING = '{objective="checkout",service="shop"}'


def test_fast_burn_needs_both_windows():
    page = alerts()["critical"]
    calm = {"30m": "0", "6h": "0"}
    check(recorded(**{"5m": "0.02", "1h": "0.015", **calm}) + instant(page, f"{FIRING} 0.015"))
    check(recorded(**{"5m": "0", "1h": "0.015", **calm}) + instant(page))  # over already
    check(recorded(**{"5m": "0.5", "1h": "0.014", **calm}) + instant(page))  # a blip
    check(recorded(**{"5m": "0", "1h": "0", "30m": "0.007", "6h": "0.0065"}) + instant(page, f"{FIRING} 0.0065"))


def test_a_few_bad_events_say_nothing_whatever_their_share():
    """Of three requests in an hour one failed."""
    for severity, ratios in (("critical", {"5m": "1", "1h": "0.33"}), ("warning", {"2h": "1", "1d": "0.33"})):
        rest = dict.fromkeys(("30m", "6h", "3d"), "0")
        check(recorded(4, **{**rest, **ratios}) + instant(alerts()[severity]))
        check(recorded(5, **{**rest, **ratios}) + instant(alerts()[severity], f"{FIRING} 0.33"))


def test_what_people_know_of_raises_no_alert():
    """While another critical alert of the service fires, and as long as the short window holds what was bad then."""
    page = alerts()["critical"]
    known = 'ALERTS{alertname="Down",alertstate="firing",severity="critical",service="shop"}'
    ratios = {"5m": "0.02", "1h": "0.015", "30m": "0", "6h": "0"}
    for values, expected in (("1x130", ()), ("1x95", ()), ("1x80", (f"{FIRING} 0.015",))):
        check(recorded(**ratios).rstrip() + f"\n  {known} {values}\n\n" + instant(page, *expected))
    other = known.replace("critical", "warning")
    check(recorded(**ratios).rstrip() + f"\n  {other} 1x130\n\n" + instant(page, f"{FIRING} 0.015"))


@pytest.mark.parametrize("function", ["rate", "increase"])
def test_bad_events_are_counted_whatever_function_counts_them(function):
    objective = Objective(
        "o",
        "s",
        good=f'sum({function}(requests_total{{code!~"5.."}}[$window]))',
        total=f"sum({function}(requests_total[$window]))",
    )
    some = history('requests_total{code="200"} 0+98x130', 'requests_total{code="503"} 0+2x130')
    check(some + instant(f"round({bad_events(objective, HOUR)})", "{} 120"))
    check(history('requests_total{code="503"} 0+2x130') + instant(f"round({bad_events(objective, HOUR)})", "{} 120"))


def test_failed_probes_are_counted():
    script = history('probe_success{job="gateway"} 1x110 0x2 1x60')
    check(script + instant(bad_events(PROBE, HOUR), "{} 3"))


def test_the_alert_of_a_cause_comes_first():
    """Those of probes and targets wait for a minute, the shipped rules about requests for two."""
    assert {rule.for_ms for rule in generate(REQUESTS).alerting} == {180_000}
    assert {rule.for_ms for rule in generate(REQUESTS, speed=60).alerting} == {3_000}


def test_the_alert_names_the_probe_that_it_is_measured_with():
    by_name = Objective("o", "s", probe='probe_success{probe="front \\"x\\""}')
    assert {rule.labels.get("probe") for rule in generate(by_name).alerting} == {'front "x"'}
    assert {rule.labels.get("probe") for rule in generate(PROBE).alerting} == {None}


@pytest.mark.parametrize("language", ["en", "ja"])
def test_texts_are_words_and_no_expressions(language):
    for rule in generate(REQUESTS, language=language).alerting:
        text = " ".join(rule.annotations.values())
        assert "shop" in text
        assert "99.9 %" in text
        assert not set("[]>") & set(text)


def test_slow_burn_is_a_ticket():
    ticket = alerts()["warning"]
    check(recorded(**{"2h": "0.004", "1d": "0.0031", "6h": "0", "3d": "0"}) + instant(ticket, f"{FIRING} 0.0031"))
    check(recorded(**{"2h": "0", "1d": "0", "6h": "0.0009", "3d": "0.0009"}) + instant(ticket))


def test_long_windows_average_the_recorded_short_one():
    long = next(rule for rule in generate(REQUESTS).recording if rule.name == "slo:error_ratio:rate1d")
    assert selector(REQUESTS, 300_000) in long.expr
    check(history(f"{selector(REQUESTS, 300_000)} 0x60 0.1x60") + instant(long.expr, "{} 0.0495867768595"))
