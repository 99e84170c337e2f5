import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.storage.clickhouse.engines.leb128 import read_varint, varint


@given(st.integers(0, 2**70), st.binary(max_size=4), st.binary(max_size=4))
def test_a_number_comes_back_and_says_where_it_ends(number: int, before: bytes, after: bytes) -> None:
    packed = varint(number)
    assert read_varint(before + packed + after, len(before)) == (number, len(before) + len(packed))


def test_known_forms() -> None:
    # https://protobuf.dev/programming-guides/encoding/
    assert [varint(number) for number in (0, 1, 127, 128, 150)] == [b"\0", b"\x01", b"\x7f", b"\x80\x01", b"\x96\x01"]


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff\xff"])
def test_a_number_that_is_cut_off(data: bytes) -> None:
    with pytest.raises(IndexError):
        read_varint(data, 0)
