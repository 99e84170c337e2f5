import contextlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.foreign import clean_text
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.protocols.prometheus import text as prometheus_text
from eldonia_ops.protocols.prometheus.text import ExpositionError, ExpositionLimits, ScrapeParser


def read(body, *, openmetrics=False, parser=None):
    parser = parser or ScrapeParser()
    found = parser.parse(body.encode() if isinstance(body, str) else body, openmetrics=openmetrics)
    plain = [(parser.series[slot], value) for slot, value in zip(found.slots, found.values.tolist(), strict=True)]
    stamped = [(parser.series[slot], at, value) for slot, at, value in found.timestamped]
    return plain, stamped, found.metadata


EXAMPLE = """\
# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.01",} 3102
rpc_duration_seconds_sum 1.7560473e+07
"""


def test_reads_the_example_of_the_specification():
    plain, stamped, metadata = read(EXAMPLE)
    path = "C:\\DIR\\FILE.TXT"
    assert plain == [
        (
            Labels(
                {
                    "__name__": "msdos_file_access_time_seconds",
                    "path": path,
                    "error": 'Cannot find file:\n"FILE.TXT"',
                }
            ),
            1.458255915e9,
        ),
        (Labels({"__name__": "metric_without_timestamp_and_labels"}), 12.47),
        (Labels({"__name__": "rpc_duration_seconds", "quantile": "0.01"}), 3102.0),
        (Labels({"__name__": "rpc_duration_seconds_sum"}), 1.7560473e7),
    ]
    assert [(labels["__name__"], at, value) for labels, at, value in stamped] == [
        ("http_requests_total", 1395066363000, 1027.0),
        ("http_requests_total", 1395066363000, 3.0),
        ("something_weird", -3982045, math.inf),
    ]
    assert metadata == [
        MetricMetadata("http_requests_total", MetricType.COUNTER, "The total number of HTTP requests."),
        MetricMetadata("rpc_duration_seconds", MetricType.SUMMARY),
    ]


def test_a_second_body_gives_the_same_as_the_first_and_no_metadata_again():
    parser = ScrapeParser()
    first = read(EXAMPLE, parser=parser)
    second = read(EXAMPLE, parser=parser)
    assert second[:2] == first[:2]
    assert second[2] == []
    changed = read(EXAMPLE.replace("summary", "histogram"), parser=parser)
    assert changed[2] == [MetricMetadata("rpc_duration_seconds", MetricType.HISTOGRAM)]


def test_spellings_of_one_series_share_a_slot():
    parser = ScrapeParser()
    found = parser.parse(b'a{b="1",c="2"} 1\na{c="2",b="1",} 2\na { b = "1" , c = "2" } 3\n\ta{b="1",c="2"}\t4\n')
    assert found.slots.tolist() == [0, 0, 0, 0]
    assert found.values.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a 1_0", "not a number: '1_0'"),
        ("a 1\r", "not a number"),
        ("a 0x10", "not a number"),
        ("a one", "not a number"),
        ("a", "expected a value"),
        ("a 1 2 3", "expected a value"),
        ("a 1 1.5", "not a timestamp"),
        ('a 1 # {x="y"} 1', "expected a value"),
        ('a{b="1" 1', "expected name"),
        ("a{b=1} 1", "expected name"),
        ('a{b="1",,} 1', "expected name"),
        ('a{b="1" c="2"} 1', "expected name"),
        ('a{b="1",b="2"} 1', "given twice"),
        ('{b="1"} 1', "expected a metric name"),
        ("9a 1", "expected a metric name"),
        ("# TYPE a thing", "unknown metric type 'thing'"),
    ],
)
def test_faults_name_their_line(line, message, warm):
    parser = ScrapeParser()
    if warm:
        parser.parse(b'a 1\na{b="1"} 1\n')
    with pytest.raises(ExpositionError, match=message) as caught:
        parser.parse(b"# a comment\nok 1\n" + line.encode() + b"\nok2 1\n")
    assert caught.value.line == 3
    assert str(caught.value).startswith("line 3: ")


def test_invalid_utf8_in_a_label_is_refused():
    with pytest.raises(ExpositionError, match="line 1: a label is not valid UTF-8"):
        ScrapeParser().parse(b'a{b="\xff"} 1\n')


def test_an_unknown_escape_stands_for_itself():
    assert read('a{b="\\d+"} 1')[0] == [(Labels({"__name__": "a", "b": "\\d+"}), 1.0)]


def test_quoted_names():
    assert read('{"http.requests", "a.b"="x"} 1')[0] == [(Labels({"__name__": "http.requests", "a.b": "x"}), 1.0)]


def test_special_values():
    plain, _, _ = read("a NaN\nb -Inf\nc +Inf\nd 1e-3\ne -0\n")
    values = [value for _, value in plain]
    assert math.isnan(values[0])
    assert values[1:4] == [-math.inf, math.inf, 0.001]
    assert math.copysign(1, values[4]) == -1


OPENMETRICS = """\
# TYPE foo_seconds counter
# UNIT foo_seconds seconds
# HELP foo_seconds Text with "quotes".
foo_seconds_total{a="b # {c"} 17.0 1520879607.789 # {trace_id="oHg5"} 0.67 1520879607.1
foo_seconds_total{a="x"} 5 # {trace_id="z"} 3
foo_seconds_created{a="x"} 1520430000.123
# EOF
"""


def test_openmetrics_basics():
    parser = ScrapeParser()
    for turn in range(2):
        plain, stamped, metadata = read(OPENMETRICS, openmetrics=True, parser=parser)
        assert plain == [
            (Labels({"__name__": "foo_seconds_total", "a": "x"}), 5.0),
            (Labels({"__name__": "foo_seconds_created", "a": "x"}), 1520430000.123),
        ]
        assert stamped == [(Labels({"__name__": "foo_seconds_total", "a": "b # {c"}), 1520879607789, 17.0)]
        expected = [MetricMetadata("foo_seconds", MetricType.COUNTER, 'Text with "quotes".', "seconds")]
        assert metadata == (expected if turn == 0 else [])


@pytest.mark.parametrize(
    ("body", "message"), [("a 1\n", "cut off"), ("a 1\n# EOF\nb 1\n", "line 3: text after # EOF"), ("", "cut off")]
)
def test_openmetrics_must_end_with_eof(body, message):
    with pytest.raises(ExpositionError, match=message):
        ScrapeParser().parse(body.encode(), openmetrics=True)


def test_limits():
    limits = ExpositionLimits(body_bytes=400, samples=3, labels=2, label_name_length=5, label_value_length=6)
    for body, message in [
        (b"a 1\n" * 101, "longer than 400 bytes"),
        (b"a 1\nb 1\nc 1\nd 1\n", "more than 3 samples"),
        (b'a{b="1",c="2",d="3"} 1', "more than 2 labels"),
        (b'a{bbbbbb="1"} 1', "label name is longer than 5"),
        (b'a{b="1234567"} 1', "label 'b' is longer than 6"),
    ]:
        with pytest.raises(ExpositionError, match=message):
            ScrapeParser(limits=limits).parse(body)
    assert ScrapeParser(limits=limits).parse(b'a{b="1",c="2"} 1\na 2\nb 3').count == 3


LONG = b"x" * 1_000_000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'a{b="' + LONG + b'"} 1', "value of label 'b' is longer than 6 characters"),
        (b'a{b="' + b"\\\\" * 500_000 + b'"} 1', "value of label 'b' is longer than 6 characters"),
        (b'a{"b\xc3\xa4"="' + LONG + b'"} 1', "value of label 'bä' is longer than 6 characters"),
        (b"a{" + LONG + b'="1"} 1', "expected name="),
        (b'a{"' + LONG + b'"="1"} 1', "expected name="),
        (b"a{" + b"x" * 30 + b'="1"} 1', "a label name is longer than 5 characters"),
        (b'{"' + b"x" * 30 + b'"} 1', "'__name__' is longer than 6"),
        (LONG + b" 1", "the metric name is longer than 6 characters"),
        (b"# HELP " + LONG + b" text", "a metric name is longer than 6 characters"),
        (b'a{b="1"' + b" " * 1_000_000 + b'c="2"} 1', "expected name="),
    ],
)
def test_lengths_are_looked_at_before_patterns_and_decoding(body, message, monkeypatch):
    decoded = []
    original = prometheus_text._text

    def text(raw):
        decoded.append(len(raw))
        return original(raw)

    monkeypatch.setattr(prometheus_text, "_text", text)
    limits = ExpositionLimits(label_name_length=5, label_value_length=6)
    with pytest.raises(ExpositionError, match=message) as caught:
        ScrapeParser(limits=limits).parse(body)
    assert len(str(caught.value)) < 400
    assert max(decoded, default=0) <= limits.pair_bytes


@pytest.mark.parametrize("character", ["x", "é", "漢", "\U0001f600", '"', "\\", "\n"])
def test_a_value_may_be_as_long_as_its_limit_in_every_script(character):
    limits = ExpositionLimits(label_name_length=5, label_value_length=50)
    written = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}.get(character, character)
    body = f'a{{b="{written * 50}",c="{written * 50}"}} 1\n'.encode()
    parser = ScrapeParser(limits=limits)
    assert parser.parse(body).count == 1
    assert parser.series[0]["b"] == parser.series[0]["c"] == character * 50
    with pytest.raises(ExpositionError, match="label 'b' is longer than 50"):
        ScrapeParser(limits=limits).parse(f'a{{b="{written * 51}"}} 1\n'.encode())


def test_metadata_holds_no_control_characters_and_is_bounded():
    limits = ExpositionLimits(help_length=10)
    found = ScrapeParser(limits=limits).parse(
        b"# HELP a\x00b so\x1bme\x00" + LONG + b"\n# UNIT a\x00b sec\x07onds\n# TYPE a\x00b gauge\n"
        b'# HELP "q\x1b" line\\nend \xff\n'
    )
    assert [(item.name, item.help, item.unit) for item in found.metadata] == [
        ("a\ufffdb", "so\ufffdme\ufffdxxxx", "sec\ufffdonds"),
        ("q\ufffd", "line\nend \ufffd", ""),
    ]


def test_empty_lines_are_counted_before_they_are_looked_at():
    limits = ExpositionLimits(samples=3, metadata=1)
    assert ScrapeParser(limits=limits).parse(b"a 1\n" + b"\n" * 9).count == 1
    with pytest.raises(ExpositionError, match="more than 10 lines"):
        ScrapeParser(limits=limits).parse(b"a 1\n" + b"\n" * 10)


def test_long_comments_are_not_kept():
    parser = ScrapeParser()
    for turn in range(3):
        found = parser.parse(b"# HELP a %d%s\n# HELP b short\na 1\n" % (turn, b"x" * 5_000))
        assert {item.name for item in found.metadata} == ({"a", "b"} if turn == 0 else {"a"})
    assert parser._comments == {b"# HELP b short"}


def test_compact_renumbers_what_lives():
    parser = ScrapeParser()
    parser.parse(b"a 1\nb 2\nc 3\n")
    parser.compact(np.array([2, 0]))
    assert [labels.name for labels in parser.series] == ["c", "a"]
    plain, _, _ = read("a 5\nb 6\nc 7\n", parser=parser)
    assert {labels.name: value for labels, value in plain} == {"a": 5.0, "b": 6.0, "c": 7.0}


names = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
label_names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True).filter(lambda name: name != "__name__")
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(['} 1 # {"', "\\n", " 1 2"])
series = st.tuples(
    names, st.dictionaries(label_names, values, max_size=4), st.floats(), st.none() | st.integers(0, 2**45)
)


def write(items, openmetrics):
    """The format as its specification describes it, written for this test."""
    lines = []
    for name, labels, value, at in items:
        escaped = {k: v.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"') for k, v in labels.items()}
        inner = ",".join(f'{k}="{v}"' for k, v in escaped.items())
        stamp = "" if at is None else f" {at / 1000:.3f}" if openmetrics else f" {at}"
        lines.append(f"{name}{{{inner}}} {value!r}{stamp}" if inner else f"{name} {value!r}{stamp}")
    return "\n".join(lines + (["# EOF", ""] if openmetrics else [""]))


@settings(max_examples=150, deadline=None)
@given(st.lists(series, max_size=6), st.booleans())
def test_what_is_written_is_read_back_twice(items, openmetrics):
    parser = ScrapeParser()
    body = write(items, openmetrics)
    for _ in range(2):
        plain, stamped, _ = read(body, openmetrics=openmetrics, parser=parser)
        expected = [
            (Labels({**{key: clean_text(text) for key, text in labels.items()}, "__name__": name}), value, at)
            for name, labels, value, at in items
        ]
        assert [(labels, repr(value)) for labels, value in plain] == [
            (labels, repr(value)) for labels, value, at in expected if at is None
        ]
        assert [(labels, at, repr(value)) for labels, at, value in stamped] == [
            (labels, at, repr(value)) for labels, value, at in expected if at is not None
        ]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.booleans())
def test_no_bytes_make_it_fail_otherwise(body, openmetrics):
    parser = ScrapeParser()
    parser.parse(b"a 1\n")
    text = b"a 1\na{" + body + b"\n# EOF\n" * openmetrics
    with contextlib.suppress(ExpositionError):
        assert parser.parse(text, openmetrics=openmetrics).count >= 1


@pytest.mark.parametrize("line", ["up 1\t2", 'up {a="b"}1', "up\t1", "up 1\t", 'up 1 5\t# {a="b"} 1', "up {} 3"])
def test_unusual_blanks_are_read_the_same_at_every_scrape(line):
    body = f"up 1\n{line}\nup 2\n"
    for openmetrics in (False, True):
        parser = ScrapeParser()
        text = body + "# EOF\n" if openmetrics else body
        try:
            first = read(text, parser=parser, openmetrics=openmetrics)
        except ExpositionError:
            first = None
            read("up 1\n" + "# EOF\n" * openmetrics, parser=parser, openmetrics=openmetrics)
            with pytest.raises(ExpositionError):
                read(text, parser=parser, openmetrics=openmetrics)
            continue
        assert read(text, parser=parser, openmetrics=openmetrics)[:2] == first[:2]


def test_a_line_without_end_is_refused_before_it_is_read():
    with pytest.raises(ExpositionError, match="line 2: the line is longer"):
        ScrapeParser().parse(b'a 1\nb{x="' + b"v" * 60_000_000 + b'"} 1\n')


def test_control_characters_in_labels_are_replaced():
    parser = ScrapeParser()
    parser.parse(b'a{x="v\0w\x1b"} 1\n')
    assert parser.series[0]["x"] == "v\ufffdw\ufffd"
