"""What a rule looks at."""

import pytest

from eldonia_ops.incidents.signal import (
    MAX_SIGNALS,
    Reading,
    concerns,
    expression_in,
    reading_of,
    says_down,
    signals_of,
)
from eldonia_ops.model.incidents import TimelineEntry


@pytest.mark.parametrize(
    ("expression", "reading"),
    [
        ("up == 0", Reading("up", "==", 0.0, metric="up")),
        ("0.05 < (errors)", Reading("errors", ">", 0.05, metric="errors")),
        ("a > -(2 * 3)", Reading("a", ">", -6.0, metric="a")),
        ("(a / b) > 0.1 and b > 5", Reading("a / b", ">", 0.1, metric="a")),
        ("on_call and a > 3", Reading("a", ">", 3.0, metric="a")),
        ("a > 1 unless b", Reading("a", ">", 1.0, metric="a")),
        ("a > 1 or b > 2", Reading("a", ">", 1.0, metric="a")),
        ("rate(a[5m]) > scalar(b)", Reading("rate(a[5m])", ">", None, "scalar(b)", "a")),
        ("a > on (job) b", Reading("a", ">", None, "b", "a")),
        ("absent(up{job='x'})", Reading('up{job="x"}', metric="up")),
        ("a > bool 3", Reading("a > bool 3", metric="a")),
        ("sum(a)", Reading("sum(a)", metric="a")),
        ("a > 1 / 0", Reading("a", ">", None, "1 / 0", "a")),
    ],
)
def test_the_signal_is_apart_from_what_it_is_compared_with(expression: str, reading: Reading) -> None:
    assert reading_of(expression) == reading


@pytest.mark.parametrize("expression", ["", "a >", "3", "'text'", "a[5m]"])
def test_what_yields_no_series_has_no_signal(expression: str) -> None:
    assert reading_of(expression) is None


def entry(kind, at, name, expression, labels):
    data = {"fingerprint": name, "alertname": name, "expression": expression, "labels": labels, "summary": f"{name}!"}
    return TimelineEntry(0, "i", at, kind, data=data)


def test_alerts_of_one_rule_share_a_chart() -> None:
    one, two = {"alertname": "Down", "instance": "a"}, {"alertname": "Down", "instance": "b"}
    timeline = [
        entry("alert.pending", 1, "Down", "up == 0", one),
        entry("alert.firing", 3, "Down", "up == 0", one),
        TimelineEntry(0, "i", 3, "incident.opened"),
        entry("alert.firing", 4, "Down", "up == 0", two),
        entry("alert.firing", 5, "Odd", "up ==", one),
        entry("alert.resolved", 9, "Down", "up == 0", one),
    ]
    [signal] = signals_of(timeline)
    assert signal.series == (one, two)
    assert signal.moments == ((1, "pending"), (3, "firing"), (4, "firing"), (9, "resolved"))
    assert (signal.alertname, signal.summary) == ("Down", "Down!")


def test_the_chart_of_the_cause_comes_first_and_what_was_pending_for_long_does_not() -> None:
    timeline = [
        entry("alert.pending", 1, "Busy", "cpu > 80", {}),
        entry("alert.pending", 5, "Down", "up == 0", {}),
        entry("alert.pending", 5, "Failed", "probe_success == 0", {}),
        entry("alert.firing", 6, "Failed", "probe_success == 0", {}),
        entry("alert.firing", 7, "Down", "up == 0", {}),
        entry("alert.firing", 16, "Busy", "cpu > 80", {}),
    ]
    assert [one.alertname for one in signals_of(timeline)] == ["Failed", "Down", "Busy"]
    assert [one.alertname for one in signals_of(timeline, "Down")] == ["Down", "Failed", "Busy"]
    assert signals_of(timeline)[2].moments == ((1, "pending"), (16, "firing"))
    late = [entry("alert.firing", at, f"A{at}", f"a{at} > 1", {}) for at in range(20)]
    assert signals_of(late, "A19")[0].alertname == "A19", "it is among the charts, however late it came"


def test_that_one_of_several_servers_is_down_is_said_as_of_one() -> None:
    several = '{__name__=~"(pg|redis)_up"} == 0 unless on (job, instance) up == 0'
    assert reading_of(several) == Reading('{__name__=~"(pg|redis)_up"}', "==", 0, metric="(pg|redis)_up")
    assert [says_down(one) for one in (several, "up == 0", '{job="a"} == 0', "rate(redis_up[1m]) == 0")] == [
        True,
        True,
        False,
        False,
    ]


def test_there_is_an_end_to_the_charts_and_rules_of_others_are_known_by_their_address() -> None:
    many = [entry("alert.firing", at, f"A{at}", f"a{at} > 1", {}) for at in range(20)]
    assert [one.alertname for one in signals_of(many)] == [f"A{at}" for at in range(MAX_SIGNALS)]
    url = "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1"
    assert expression_in(url) == "up == 0"
    assert expression_in("http://[broken") == ""
    assert expression_in("") == ""
    foreign = TimelineEntry(0, "i", 1, "alert.firing", data={"alertname": "A", "generator_url": url, "labels": {}})
    assert signals_of([foreign])[0].reading.query == "up"


def test_a_series_is_known_by_the_labels_that_its_alert_kept() -> None:
    alert = {"alertname": "Down", "instance": "a", "service": "renamed", "severity": "critical"}
    assert concerns({"__name__": "up", "instance": "a", "job": "x"}, [alert])
    assert not concerns({"__name__": "up", "instance": "b"}, [alert])
    assert not concerns({"instance": "a", "service": "own"}, [alert])
    assert concerns({}, [alert])
    assert not concerns({"instance": "a"}, [])
