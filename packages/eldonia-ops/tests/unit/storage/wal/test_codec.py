"""Damage never makes a record that was not written, and takes none that is whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.storage.wal.codec import HEADER_BYTES, MARK, MAX_PAYLOAD, Record, header, scan


class _Long(bytes):
    def __len__(self) -> int:
        return MAX_PAYLOAD + 1


payloads = st.binary(max_size=40) | st.just(MARK) | st.binary(max_size=20).map(lambda data: header(9, 1, data) + data)
written = st.lists(st.tuples(st.integers(0, 255), payloads), max_size=6)


def segment(given: list[tuple[int, bytes]], first: int = 5) -> tuple[bytes, list[Record], list[int]]:
    """The bytes, their records, and where each record begins."""
    data, records, starts = b"", [], []
    for sequence, (kind, payload) in enumerate(given, first):
        starts.append(len(data))
        data += header(sequence, kind, payload) + payload
        records.append(Record(sequence, kind, payload))
    return data, records, [*starts, len(data)]


@given(written)
def test_what_was_written_is_read(given: list[tuple[int, bytes]]) -> None:
    data, records, _ = segment(given)
    found = scan(data)
    assert (found.records, found.end, found.gaps) == (records, len(data), 0)


@given(written, st.data())
def test_a_segment_that_was_cut_ends_with_its_last_whole_record(given: list[tuple[int, bytes]], draw) -> None:
    data, records, starts = segment(given)
    end = draw.draw(st.integers(0, len(data)))
    found = scan(data[:end])
    whole = sum(1 for start in starts[1:] if start <= end)
    assert found.records == records[:whole]
    assert (found.end, found.gaps) == (starts[whole], 0)


@given(written.filter(bool), st.data())
def test_flipped_bits_never_make_a_wrong_record_and_leave_the_others(given: list[tuple[int, bytes]], draw) -> None:
    data, records, starts = segment(given)
    at = draw.draw(st.integers(0, len(data) - 1))
    changed = bytearray(data)
    changed[at] ^= draw.draw(st.integers(1, 255))
    hurt = sum(1 for start in starts[1:] if start <= at)
    found = scan(bytes(changed))
    # A payload may hold a whole record: it is found when the record around it is damaged, and only there.
    others = [record for record in found.records if record not in records]
    assert all(header(r.sequence, r.kind, r.payload) + r.payload in records[hurt].payload for r in others)
    left = [record for index, record in enumerate(records) if index != hurt]
    if not others:
        assert found.records == left
    assert found.gaps <= 2


@given(st.binary(max_size=400))
def test_noise_is_no_record(noise: bytes) -> None:
    found = scan(noise)
    assert found.records == []
    assert found.end == 0


def test_a_record_with_a_number_that_was_used_is_left_out() -> None:
    twice = header(3, 1, b"a") + b"a"
    assert [record.sequence for record in scan(twice + twice).records] == [3]


def test_a_payload_has_a_bound() -> None:
    with pytest.raises(ValueError, match="are allowed"):
        header(1, 1, _Long())
    assert len(header(1, 1, b"")) == HEADER_BYTES
