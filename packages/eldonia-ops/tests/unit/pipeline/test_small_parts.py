"""Fields by path, values of MessagePack one behind another."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline import msgpack_ends
from eldonia_ops.pipeline.record_fields import field_of, steps_of

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20),
    max_leaves=30,
)


@given(st.lists(VALUES, max_size=6))
def test_values_end_where_they_end(values: list[Any]) -> None:
    encoded = [msgspec.msgpack.encode(value) for value in values]
    assert list(msgpack_ends.values(b"".join(encoded))) == encoded


@given(VALUES)
def test_a_value_that_is_cut_short_is_refused(value: Any) -> None:
    encoded = msgspec.msgpack.encode(value)
    for end in range(1, len(encoded)):
        with pytest.raises(ValueError, match="ends within"):
            list(msgpack_ends.values(encoded[:end]))


@pytest.mark.parametrize("data", [b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\x91" * 10_000])
def test_bytes_that_are_no_value(data: bytes) -> None:
    with pytest.raises(ValueError, match="value"):
        list(msgpack_ends.values(data))


def test_fields() -> None:
    record = {"a": {"b": [1, {"c": 2}]}, "a.b": 3, "$": 4}
    assert field_of(record, "a.b") == 3
    assert field_of(record, "$.a.b[1].c") == 2
    assert field_of(record, "$['a']['b'][0]") == 1
    assert field_of(record, "$.a.x.y") is None
    assert field_of(record, "$.a.b[9]") is None
    assert steps_of("$.a-b['c d']") == ("a-b", "c d")
    with pytest.raises(ValueError, match="no path"):
        steps_of("$.a[")
