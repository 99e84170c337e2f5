"""Expositions: the text formats of Prometheus, rows of a scrape, names out of OTLP."""

import re

import numpy as np

from eldonia_ops.intake.otlp.metric_names import label_name, metric_name, unit_words
from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.prometheus.scrape_rows import ScrapeRows
from eldonia_ops.protocols.prometheus.text import ExpositionError, ScrapeParser
from fuzz.target import target
from fuzz.targets.given import bounded, file_text, halves

WORDS = (
    *(
        "# HELP a b\n",
        "# TYPE a counter\n",
        "# TYPE a histogram\n",
        "# UNIT a s\n",
        "# EOF\n",
        "# EOF",
        "\n",
        " ",
        "\t",
    ),
    *('{a="b"}', '{"a.b",c="d"}', "{", "}", ",", "=", '"', "\\n", '\\"', "\\\\", "_total", "_bucket", '{le="+Inf"}'),
    *(
        " 1",
        " NaN",
        " +Inf",
        " -Inf",
        " 1e9",
        " 1 1700000000000",
        " 1 1700000000.5",
        ' 1 # {a="b"} 1 2',
        "0x1p3",
        "1_0",
    ),
)


@target(*WORDS)
def prometheus_text(data: bytes) -> None:
    """Any body is read or refused; what is known from the last scrape is read as at the first."""
    openmetrics, body = data[:1] == b"o", data[1:]
    parser = ScrapeParser()
    try:
        first = parser.parse(body, openmetrics=openmetrics)
    except ExpositionError as error:
        assert len(str(error)) < 1_000
        return
    second = parser.parse(body, openmetrics=openmetrics)
    assert first.slots.tolist() == second.slots.tolist()
    assert np.array_equal(first.values.view(np.uint64), second.values.view(np.uint64))
    assert repr(first.timestamped) == repr(second.timestamped)
    assert len(first.slots) == len(first.values)
    bounded(len(parser.series), body, times=1, plus=0)
    for labels in parser.series:
        assert labels, "a series without labels"
        bounded(sum(len(name) + len(value) for name, value in labels.items()), body, times=3, plus=8)


@target(*WORDS, b"\x1e")
def scrape_rows(data: bytes) -> None:
    """Two scrapes and a failure: every row has a value for each label set, and no series twice."""
    rows = ScrapeRows("job/instance", Labels({"job": "job", "instance": "instance"}))
    for at, body in enumerate((*halves(data), None), start=1):
        try:
            found = rows.failed(at, 0.1) if body is None else rows.scraped(body, at, 0.1)
        except ExpositionError:
            found = rows.failed(at, 0.1)
        assert len(found.row.labels) == len(found.row.values)
        assert len(set(found.row.labels)) == len(found.row.labels), "a series twice in one row"


@target("By", "s", "{call}", "/s", "%", "1", "__", ".", "KiBy", b"\x1e")
def otlp_names(data: bytes) -> None:
    """Names of OTLP metrics and attributes become names that PromQL can write."""
    name, unit = (file_text(part) for part in halves(data))
    for monotonic, gauge in ((False, False), (True, False), (False, True)):
        made = metric_name(name, unit, monotonic=monotonic, gauge=gauge)
        assert re.fullmatch(r"(?:[A-Za-z_:][A-Za-z0-9_:]*)?", made), made
        bounded(len(made), data, times=3, plus=60)
    label = label_name(name)
    assert re.fullmatch(r"(?:[A-Za-z_][A-Za-z0-9_]*)?", label), label
    bounded(sum(map(len, unit_words(unit))), data, times=12, plus=60)
