"""Entries of a journal come out of a stream however it is cut."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.journal_export import (
    LONGEST_FIELD,
    MOST_FIELDS,
    JournalEntries,
    JournalEntry,
    JournalError,
    encode_entry,
)

names = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
values = texts | st.lists(texts, min_size=2, max_size=3)
entries = st.dictionaries(names, values, min_size=1, max_size=6)
CUTS = st.lists(st.integers(1, 30), min_size=1, max_size=50)


def fed(stream: bytes, sizes: list[int], longest: int = LONGEST_FIELD) -> list[JournalEntry]:
    reader, found = JournalEntries(longest), list[JournalEntry]()
    at = turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += reader.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    last = reader.end()
    return [*found, last] if last else found


@given(st.lists(entries, max_size=6), CUTS)
def test_entries_come_out_however_the_stream_is_cut(some: list[JournalEntry], sizes: list[int]) -> None:
    assert fed(b"".join(map(encode_entry, some)), sizes) == some


@given(st.binary(max_size=300), CUTS)
def test_any_bytes_are_entries_or_an_error(garbage: bytes, sizes: list[int]) -> None:
    with contextlib.suppress(JournalError):
        fed(garbage, sizes)


@given(st.lists(entries, min_size=1, max_size=3), st.integers(1, 60))
def test_an_entry_that_is_cut_off_is_left_out(some: list[JournalEntry], less: int) -> None:
    stream = b"".join(map(encode_entry, some))
    found = fed(stream[: max(0, len(stream) - less)], [7])
    assert found[: len(some) - 1] == some[: len(found[: len(some) - 1])]


def test_the_last_entry_may_lack_its_empty_line() -> None:
    stream = encode_entry({"A": "1"}) + encode_entry({"B": "2"})
    assert fed(stream[:-1], [5]) == [{"A": "1"}, {"B": "2"}]


@pytest.mark.parametrize("value", ["x" * 1_000, "\n" + "x" * 1_000])
def test_a_long_field_is_cut_and_the_next_ones_are_read(value: str) -> None:
    stream = encode_entry({"MESSAGE": value, "B": "2"}) * 2
    for size in (3, 100, 5_000):
        found = fed(stream, [size], longest=100)
        assert [one["B"] for one in found] == ["2", "2"]
        assert {len(one["MESSAGE"]) for one in found} <= set(range(91, 101))


def test_a_core_dump_is_not_kept() -> None:
    head = b"COREDUMP\n" + (64 << 20).to_bytes(8, "little")
    reader = JournalEntries()
    found = list(reader.feed(head))
    for _ in range(64):
        found += reader.feed(b"\0" * (1 << 20))
    found += reader.feed(b"\nMESSAGE=crashed\n\n")
    assert [one["MESSAGE"] for one in found] == ["crashed"]
    assert len(found[0]["COREDUMP"]) == LONGEST_FIELD


def test_so_many_fields_and_no_more() -> None:
    (found,) = fed(b"".join(b"F%d=x\n" % n for n in range(5_000)) + b"\n", [1 << 16])
    assert len(found) == MOST_FIELDS


@pytest.mark.parametrize(
    "stream",
    [
        b"=x\n",
        b"a b=c\n",
        b"\xff=c\n",
        b"A" * 400 + b"=\n",
        b"A\n" + b"\xff" * 8,
        b"A\n\x01" + b"\0" * 7 + b"xy",
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_what_is_no_entry_is_an_error(stream: bytes) -> None:
    with pytest.raises(JournalError):
        fed(stream, [4])


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert fed(b"A\n\x02" + b"\0" * 7 + b"\xff\x00\n\n", [3]) == [{"A": "\ufffd\0"}]


def test_a_name_that_is_none_is_not_written() -> None:
    with pytest.raises(ValueError, match="no name"):
        encode_entry({"a b": "c"})
