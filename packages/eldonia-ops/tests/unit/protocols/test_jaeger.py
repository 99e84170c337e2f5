"""Durations and conditions in Jaeger's spelling."""

import pytest

from eldonia_ops.model.spans import Span, SpanLink
from eldonia_ops.protocols.jaeger import parse_duration_ns, parse_tags, trace


@pytest.mark.parametrize(
    ("text", "ns"),
    [("1.2s", 1_200_000_000), ("100ms", 100_000_000), ("1h30m", 5_400 * 10**9), ("5us", 5_000), ("5µs", 5_000)],
)
def test_durations(text: str, ns: int) -> None:
    assert parse_duration_ns(text) == ns


@pytest.mark.parametrize("text", ["", "1", "s", "1x", "1s2", " 1s", "99999999999999h"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration_ns(text)


def test_tags() -> None:
    assert parse_tags(["a:b:c"], ['{"d": "e"}']) == {"a": "b:c", "d": "e"}
    for single, document in ((["a"], []), ([":b"], []), ([], ["[]"]), ([], ['{"a": 1}'])):
        with pytest.raises(ValueError, match="malformed"):
            parse_tags(single, document)


def test_attributes_keep_their_types_and_links_follow() -> None:
    span = Span(
        trace_id="a" * 32, span_id="b" * 16, start_ns=5_000, end_ns=4_000, service="s",
        attributes={"b": True, "i": 1, "f": 0.5, "l": ["x"]}, links=[SpanLink(trace_id="c" * 32, span_id="d" * 16)],
    )  # fmt: skip
    shown = trace([span])["spans"][0]
    kinds = {tag["key"]: (tag["type"], tag["value"]) for tag in shown["tags"]}
    assert kinds["b"] == ("bool", True)
    assert kinds["i"] == ("int64", 1)
    assert kinds["f"] == ("float64", 0.5)
    assert kinds["l"] == ("string", '["x"]')
    assert shown["duration"] == 0
    assert shown["references"][0]["refType"] == "FOLLOWS_FROM"
