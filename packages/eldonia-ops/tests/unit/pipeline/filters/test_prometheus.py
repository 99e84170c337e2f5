"""Metrics as fluent-plugin-prometheus describes them: read from a fluent.conf, and counted of batches."""

import pytest
from fluent_conf import NOW_MS, batch, built, filter_with, made, pipeline, texts

from eldonia_ops.log_metrics import LogCounts
from eldonia_ops.model.errors import Level
from eldonia_ops.model.labels import METRIC_NAME
from eldonia_ops.model.prometheus_conventions import DEFAULT_BUCKETS
from eldonia_ops.pipeline.checks import check_pipeline
from eldonia_ops.pipeline.filters import Counted
from eldonia_ops.pipeline.routing import Router
from eldonia_ops.services.pipeline.metrics import log_metric, record_metrics

# As the plug-in's own README has them.
README = """
@type prometheus
<metric>
  name message_foo_counter
  type counter
  desc The total number of foo in message.
  key foo
  <labels>
    tag ${tag}
    hostname ${hostname}
    path $.request.path
    fixed web
  </labels>
</metric>
<metric>
  name message_gauge
  type gauge
  desc The last foo.
  key $.request.size
</metric>
<metric>
  name message_seconds
  type histogram
  desc How long.
  key took
  buckets 0.1, 1, 5, 10
</metric>
<labels>
  env prod
</labels>
"""


def counted(text: str, *records, tag: str = "app.web") -> tuple[Counted, ...]:
    one = filter_with(text)
    found, _ = one.step(one.start(), batch(*records, tag=tag), NOW_MS)
    assert [event.record for event in found.events] == list(records), "records pass as they are"
    return found.counted


def test_the_example_of_the_plug_in_counts_what_it_says() -> None:
    records = (
        {"foo": 2, "took": 0.5, "request": {"path": "/a", "size": 3}},
        {"foo": "4", "took": 7, "request": {"path": "/a", "size": 9}},
        {"foo": 1, "request": {"path": "/b"}},
        {"foo": "many", "took": True},
        {"foo": -3},
        {},
    )
    assert counted(README, *records) == (
        Counted("message_foo_counter", ("prod", "app.web", "web-1", "/a", "web"), (6.0,)),
        Counted("message_foo_counter", ("prod", "app.web", "web-1", "/b", "web"), (1.0,)),
        Counted("message_gauge", ("prod",), (9.0,)),
        Counted("message_seconds", ("prod",), (0.5, 7.0)),
    )


def test_a_counter_without_a_key_counts_records() -> None:
    text = "@type prometheus\n<metric>\nname lines_total\ntype counter\ndesc x\n</metric>"
    assert counted(text, {"a": 1}, {"b": 2}) == (Counted("lines_total", (), (2.0,)),)


def test_series_are_stored_as_those_of_metrics_of_logs() -> None:
    found = pipeline(
        f"<source>\n@type forward\n</source>\n<filter **>{README}</filter>\n<match **>\n@type null\n</match>"
    )
    counts = LogCounts([log_metric(one) for one in record_metrics(found)])
    routed = Router(found).route({}, batch({"foo": 2, "took": 0.5}, {"foo": 3}), NOW_MS)
    for one in routed.counted:
        counts.feed(one.metric, one.values, one.numbers, NOW_MS)
    (*_, row) = counts.rows(NOW_MS - 1, NOW_MS)
    values = {tuple(labels.pairs): value for labels, value in zip(row.labels, row.values, strict=True)}
    of = {dict(labels)[METRIC_NAME]: value for labels, value in values.items() if "le" not in dict(labels)}
    assert of == {"message_foo_counter": 5.0, "message_seconds_sum": 0.5, "message_seconds_count": 1.0}
    assert sorted(value for labels, value in values.items() if "le" in dict(labels)) == [0.0, 1.0, 1.0, 1.0, 1.0]
    assert {(state.metric.name, state.records) for state in counts.states} == {
        ("message_foo_counter", 1), ("message_gauge", 0), ("message_seconds", 1),
    }  # fmt: skip


def test_a_series_begins_before_its_first_record_where_the_file_says_so() -> None:
    text = (
        "@type prometheus\n<metric>\nname a_total\ntype counter\ndesc x\ninitialized true\n"
        "<labels>\nkind $.kind\n</labels>\n<initlabels>\nkind good\n</initlabels>\n"
        "<initlabels>\nkind bad\n</initlabels>\n</metric>"
    )
    metric = filter_with(text).metrics.metrics[0]  # type: ignore[attr-defined]
    assert metric.initial == (("good",), ("bad",))
    counts = LogCounts([log_metric(metric)])
    for values in metric.initial:
        counts.begin(metric.name, values, NOW_MS)
    row = counts.rows(NOW_MS - 1, NOW_MS)[-1]
    assert sorted(labels["kind"] for labels in row.labels) == ["bad", "good"]


def test_a_summary_becomes_a_histogram_and_that_is_said() -> None:
    found, problems = made("@type prometheus\n<metric>\nname a\ntype summary\ndesc x\nkey took\n</metric>")
    assert found is not None
    metric = found.metrics.metrics[0]  # type: ignore[attr-defined]
    assert (metric.kind, metric.buckets) == ("histogram", DEFAULT_BUCKETS)
    assert [(one.level, one.line) for one in problems] == [(Level.WARNING, 5)]
    assert "histogram_quantile" in problems[0].hint


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("type counter", "<metric> needs name"),
        ("name 1a\ntype counter", "'1a' cannot be a metric's name"),
        ("name a", "the metric a needs a type"),
        ("name a\ntype count", "type must be one of counter, gauge, histogram, summary, not 'count'"),
        ("name a\ntype gauge", "a gauge needs key: the field with its number"),
        ("name a\ntype counter\n<labels>\nle x\n</labels>", "'le' cannot be a label's name"),
        (
            "name a\ntype counter\n<labels>\nx ${1+1}\n</labels>",
            "the label x: the placeholder ${1+1} is not understood",
        ),
        ("name a\ntype histogram\nkey x\nbuckets 5, 1", "buckets are ascending numbers"),
        ("name a\ntype counter\n<labels>\nx $.a[\n</labels>", "the label x: $.a[ is no path of fields: write $.a.b"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(metric: str, message: str) -> None:
    _, problems = made(f"@type prometheus\n<metric>\n{metric}\n</metric>")
    assert any(one.message.startswith(message) for one in problems), texts(problems)
    assert all(one.line for one in problems)


def test_an_output_counts_too_and_two_definitions_of_a_name_are_a_fault() -> None:
    def text(labels: str) -> str:
        metric = f"<metric>\nname a_total\ntype counter\ndesc x\n<labels>\n{labels}\n</labels>\n</metric>\n"
        return (
            "<source>\n@type sample\ntag a\n</source>\n<filter **>\n@type prometheus\n<metric>\nname a_total\n"
            "type counter\ndesc y\n<labels>\nx ${tag}\n</labels>\n</metric>\n</filter>\n"
            f"<match **>\n@type copy\n<store>\n@type prometheus\n{metric}</store>\n<store>\n"
            "@type null\n</store>\n</match>"
        )

    same = pipeline(text("x $.other"))
    assert [one.name for one in record_metrics(same)] == ["a_total", "a_total"]
    assert check_pipeline(same) == []
    assert texts(check_pipeline(pipeline(text("y ${tag}")))) == [
        "16: the metric a_total has another type, other labels or other buckets in line 5"
    ]


def test_sources_of_the_plug_in_are_left_out_with_the_way() -> None:
    for kind in ("prometheus", "prometheus_monitor", "prometheus_output_monitor", "prometheus_tail_monitor"):
        _, problems = built(f"<source>\n@type {kind}\nport 24231\n</source>")
        assert [(one.level, "/metrics" in one.message) for one in problems] == [(Level.WARNING, True)]
