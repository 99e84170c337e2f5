"""The values of a body are counted as a decoder would find them, without one."""

from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.msgpack_count import holds_more_values_than

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(width=32)
    | st.text(max_size=40)
    | st.binary(max_size=300)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=20)),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=3), inner, max_size=20),
    max_leaves=60,
)


def count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(count(key) + count(one) for key, one in value.items())
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


@given(VALUES, st.booleans())
def test_each_value_and_each_key_counts_once(value: Any, single: bool) -> None:
    body = bytes(msgpack.packb(value, use_single_float=single) or b"")
    n = count(value)
    assert not holds_more_values_than(body, n)
    assert holds_more_values_than(body, n - 1)


@given(st.binary(max_size=200), st.integers(0, 50))
def test_it_ends_whatever_the_bytes_are(body: bytes, limit: int) -> None:
    holds_more_values_than(body, limit)


@pytest.mark.parametrize("head", [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"])
def test_what_is_announced_and_not_there_is_left_to_the_decoder(head: bytes) -> None:
    assert not holds_more_values_than(head, 10)
    assert holds_more_values_than(head + b"\x80" * 20, 10)
