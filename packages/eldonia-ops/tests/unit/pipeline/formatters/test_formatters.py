"""Each formatter, byte by byte."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_sections import formatter, section

from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.pipeline.formatters import FORMATTER_TYPES, formatter_of
from eldonia_ops.pipeline.section import SectionReader

AT = 1_362_020_400_123_456_789
RECORD = {"a": "x\ty", "b": 1, "c": {"d": None}}


@pytest.mark.parametrize(
    ("type", "values", "expected"),
    [
        ("json", {}, b'{"a":"x\\ty","b":1,"c":{"d":null}}\n'),
        ("json", {"add_newline": "false"}, b'{"a":"x\\ty","b":1,"c":{"d":null}}'),
        ("out_file", {"utc": "true"}, b'2013-02-28T03:00:00Z\tt.a\t{"a":"x\\ty","b":1,"c":{"d":null}}\n'),
        ("out_file", {"output_time": "false", "delimiter": "COMMA"}, b't.a,{"a":"x\\ty","b":1,"c":{"d":null}}\n'),
        (
            "out_file",
            {"time_type": "unixtime", "output_tag": "false", "delimiter": "SPACE"},
            b'1362020400 {"a":"x\\ty","b":1,"c":{"d":null}}\n',
        ),
        (
            "stdout",
            {"timezone": "+09:00"},
            b'2013-02-28 12:00:00.123456789 +0900 t.a: {"a":"x\\ty","b":1,"c":{"d":null}}\n',
        ),
        ("ltsv", {}, b'a:x y\tb:1\tc:{"d":null}\n'),
        ("csv", {"fields": "a,$.c.d,b"}, b'"x\ty","","1"\n'),
        ("csv", {"fields": "b,a", "force_quotes": "false", "delimiter": "TAB"}, b'1\t"x\ty"\n'),
        ("tsv", {"keys": "b,z"}, b"1\t\n"),
        ("single_value", {"message_key": "a"}, b"x\ty\n"),
        ("msgpack", {}, b"\x83\xa1a\xa3x\ty\xa1b\x01\xa1c\x81\xa1d\xc0"),
    ],
)
def test_formats(type: str, values: dict[str, str], expected: bytes) -> None:
    assert formatter(type, **values).format("t.a", AT, RECORD) == expected


def test_an_unknown_type_is_named() -> None:
    problems: list[Diagnostic] = []
    assert formatter_of(SectionReader(section("format", {"@type": "jsn"}), problems)) is None
    assert "did you mean 'json'?" in str(problems[0])


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.sampled_from(FORMATTER_TYPES))
def test_any_record_can_be_written(record: dict[str, Any], type: str) -> None:
    values = {"csv": {"fields": "a,b"}, "tsv": {"keys": "a,b"}}.get(type, {})
    assert isinstance(formatter(type, **values).format("t", AT, record), bytes)


def test_a_record_that_is_nested_too_deep_is_cut() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"a": deep}
    for type in ("json", "msgpack"):
        assert len(formatter(type).format("t", AT, deep)) < 40_000
