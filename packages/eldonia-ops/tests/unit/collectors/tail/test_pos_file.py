"""Fluentd's pos_file."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.collectors.tail.pos_file import (
    FilePosition,
    format_pos_file,
    parse_pos_file,
    read_pos_file,
    write_pos_file,
)


def test_its_form():
    text = "/var/log/a.log\t000000000000001f\t00000000000a00b2\n"
    assert parse_pos_file(text) == {"/var/log/a.log": FilePosition(31, 0xA00B2)}
    assert format_pos_file(parse_pos_file(text)) == text


def test_a_path_may_hold_what_unicode_calls_the_end_of_a_line():
    odd = {"/var/log/a\u2028b\x85c\x0bd.log": FilePosition(31, 7)}
    assert parse_pos_file(format_pos_file(odd)) == odd


def test_lines_of_another_form_and_files_that_are_not_followed():
    text = (
        "/a\t0000000000000001\t0000000000000002\n"
        "/b\tffffffffffffffff\t0000000000000002\n"
        "broken\n\t1\t2\n/c\tx\t1\n"
        "/a\t0000000000000005\t0000000000000003\n"
    )
    assert parse_pos_file(text) == {"/a": FilePosition(5, 3)}


_PATHS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
_NUMBERS = st.integers(0, 2**63)


@given(st.dictionaries(_PATHS, st.builds(FilePosition, _NUMBERS, _NUMBERS), max_size=5))
def test_what_is_written_is_read(positions: dict[str, FilePosition]):
    assert parse_pos_file(format_pos_file(positions)) == positions


@given(st.text(max_size=100))
def test_any_text_is_read(text: str):
    parse_pos_file(text)


def test_files(tmp_path: Path):
    path = tmp_path / "deep" / "app.pos"
    assert read_pos_file(path) == {}
    write_pos_file(path, {"/a": FilePosition(1, 2)})
    write_pos_file(path, {"/a": FilePosition(3, 2)})
    assert read_pos_file(path) == {"/a": FilePosition(3, 2)}
    assert [one.name for one in path.parent.iterdir()] == ["app.pos"]
