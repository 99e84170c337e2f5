"""What all parsers have in common: times, types, empty values; and what is said about a section that is wrong."""

import pytest
from pipeline_sections import parser, read_parser, section

from eldonia_ops.pipeline.parsers import PARSER_TYPES, ParseError

NS = 1_000_000_000


def test_an_unknown_type_is_named_with_the_nearest() -> None:
    found, problems = read_parser("jsno")
    assert found is None
    assert [str(problem) for problem in problems] == [
        "fluent.conf:2: error: there is no parser of type 'jsno' (did you mean 'json'?)"
    ]


def test_parameters_that_mean_nothing_are_named() -> None:
    found, problems = read_parser("json", time_keys="x")
    assert found is not None
    assert "time_keys" in problems[0].message
    assert problems[0].line == 3


@pytest.mark.parametrize(
    "type", [name for name in PARSER_TYPES if name not in ("regexp", "csv", "tsv", "multiline", "multi_format", "grok")]
)
def test_every_parser_can_be_made_without_parameters(type: str) -> None:
    assert parser(type).type == type


def test_types() -> None:
    read = parser("json", types="a:integer,b:float,c:bool,d:array,e:string,g:array:|,h:time:%Y-%m-%d %z")
    text = '{"a":"12abc","b":"1.5x","c":"Yes","d":"1,2,,","e":5,"g":"x|y","h":"1970-01-02 +0000"}'
    assert read.parse(text) == [
        (None, {"a": 12, "b": 1.5, "c": True, "d": ["1", "2"], "e": "5", "g": ["x", "y"], "h": 86_400})
    ]


def test_a_type_that_is_not_known_is_a_problem() -> None:
    found, problems = read_parser("json", types="a:intger")
    assert found is None
    assert "did you mean 'integer'?" in str(problems[0])


def test_null_values() -> None:
    read = parser("ltsv", null_value_pattern="^(-|null)$", null_empty_string="true")
    assert read.parse("a:-\tb:\tc:x-\td:null") == [(None, {"a": None, "b": None, "c": "x-", "d": None})]


@pytest.mark.parametrize(
    ("values", "stated", "expected"),
    [
        ({"time_type": "unixtime"}, 1_362_020_400.9, 1_362_020_400 * NS),
        ({"time_type": "float"}, "1362020400.123456789", 1_362_020_400 * NS + 123_456_789),
        (
            {"time_format": "%Y-%m-%dT%H:%M:%S.%LZ", "utc": "true"},
            "2026-11-28T00:00:00.008Z",
            1_795_824_000_008_000_000,
        ),
        ({"time_format": "%Y-%m-%d", "timezone": "+09:00"}, "1970-01-02", (86_400 - 9 * 3_600) * NS),
        ({"time_format": "%Y-%m-%d", "timezone": "Asia/Tokyo"}, "1970-01-02", (86_400 - 9 * 3_600) * NS),
        ({}, "2026-11-28T00:00:00Z", 1_795_824_000 * NS),
        ({"time_type": "mixed", "time_format_fallbacks": "%iso8601,unixtime"}, "12", 12 * NS),
        ({"time_type": "mixed", "time_format_fallbacks": "%iso8601,unixtime"}, "1970-01-01T00:00:12Z", 12 * NS),
    ],
)
def test_times(values: dict[str, str], stated: object, expected: int) -> None:
    import json

    assert parser("json", **values).parse(json.dumps({"time": stated, "m": 1})) == [(expected, {"m": 1})]


def test_a_time_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ParseError, match="time cannot be read as a time: month must be in"):
        parser("json", time_format="%Y-%m-%d").parse('{"time":"2026-13-01"}')


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"time_format": "%Y-%E"}, "%E"),
        ({"timezone": "Asia/Tokio"}, "Asia/Tokio"),
        ({"time_type": "epoch"}, "time_type"),
        ({"time_type": "mixed"}, "time_format_fallbacks"),
        ({"null_value_pattern": "("}, "null_value_pattern"),
    ],
)
def test_parameters_of_times_that_cannot_be_used_are_problems(values: dict[str, str], word: str) -> None:
    found, problems = read_parser("json", **values)
    assert found is None
    assert word in str(problems[0])
    assert problems[0].line == 3


def test_cri_hands_its_message_to_the_parser_inside() -> None:
    inner = section("parse", {"@type": "json", "time_key": "ts"})
    read = parser("cri", inner)
    assert read.parse('1970-01-01T00:00:01.5Z stderr F {"m":1}') == [
        (1_500_000_000, {"stream": "stderr", "logtag": "F", "m": 1})
    ]
    with pytest.raises(ParseError, match="no JSON"):
        read.parse("1970-01-01T00:00:01.5Z stderr F text")
