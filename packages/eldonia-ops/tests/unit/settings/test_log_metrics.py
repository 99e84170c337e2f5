"""Metrics of logs as settings write them, and what is said of those that cannot be."""

from pathlib import Path

import pytest

from eldonia_ops.log_metrics import LogMetric, LogMetricType
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.errors import Level
from eldonia_ops.search import parse_search
from eldonia_ops.settings import examine_settings


def examined(text: str) -> tuple[list[LogMetric], list[tuple[int, int, str, Level]]]:
    settings, found = examine_settings(text, Path("/srv/eldonia-ops.yml"), {"HOME": "/home/hana"})
    faults = [(one.line, one.column, one.message, one.level) for one in found]
    metrics = [] if any(one.level is Level.ERROR for one in found) else [one.metric() for one in settings.log_metrics]
    return metrics, faults


def test_a_counter_and_a_histogram() -> None:
    metrics, faults = examined(
        "log_metrics:\n"
        "  - name: payments_failed_total\n"
        '    search: service:checkout "payment failed"\n'
        "    labels: [service, card.type]\n"
        "  - name: request_seconds\n"
        "    type: histogram\n"
        "    value: performance.duration\n"
        "    unit: ms\n"
        "    labels: {who: user_id}\n"
        "    buckets: [0.1, 1, .inf]\n"
    )
    assert faults == []
    first, second = metrics
    assert first.search == parse_search('service:checkout "payment failed"')
    assert first.labels == (("service", FieldName(("service",))), ("card_type", FieldName(("card", "type"))))
    assert (second.type, second.factor, second.unit) == (LogMetricType.HISTOGRAM, 0.001, "seconds")
    assert (second.buckets, second.labels) == ((0.1, 1.0), (("who", FieldName(("user_id",))),))


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("name: 1x_total", 2, 11, "cannot be a metric's name"),
        ("name: a_total\n    search: level:error (", 3, 26, "search: "),
        ("name: a_total\n    search: a | stats count()", 3, 15, "search: "),
        ("name: a\n    type: histogram", 2, 5, "needs the field"),
        ("name: a_total\n    unit: ms", 3, 11, "a unit is that of the field"),
        ("name: a_total\n    buckets: [1]", 3, 14, "has no buckets"),
        ("name: a\n    type: histogram\n    value: b\n    buckets: [2, 1]", 5, 18, "ascending"),
        ("name: a_total\n    labels: [le]", 3, 14, "belongs to histograms"),
        ("name: a_total\n    labels: {x-y: a}", 3, 14, "cannot be a label's name"),
        ("name: a_total\n    labels: [a.b, a_b]", 3, 19, "two labels"),
        ("name: a_total\n    labels: ['a b']", 3, 14, "not the name of a field"),
        ("name: a_total\n    value: 'a b'", 3, 12, "not the name of a field"),
        ("name: a_total\n    type: summary", 3, 11, "type"),
        ("name: a_total\n  - name: a_total", 3, 11, "two metrics"),
    ],
)
def test_what_cannot_be_has_its_place(text: str, line: int, column: int, message: str) -> None:
    _, faults = examined(f"log_metrics:\n  - {text}\n")
    assert [(one[0], one[1], message in one[2]) for one in faults] == [(line, column, True)], faults


def test_the_name_of_a_counter_is_a_warning() -> None:
    metrics, faults = examined("log_metrics: [{name: failures}]\n")
    assert (len(metrics), faults[0][3]) == (1, Level.WARNING)
