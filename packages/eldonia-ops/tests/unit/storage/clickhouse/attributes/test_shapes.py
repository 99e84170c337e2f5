"""Attributes come back from their shape and what the JSON column gives of them."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.storage.clickhouse.attributes.documents import encoded
from eldonia_ops.storage.clickhouse.attributes.shapes import MAX_KEYS, longest, restored, shape_of, shapes_of

keys = st.text("aZ9_@/. -é注%,:", min_size=1, max_size=6)
values = (
    st.text(max_size=8)
    | st.integers(-(2**65), 2**65)
    | st.floats()
    | st.sampled_from([0.0, -0.0, 1.0, 1e22])
    | st.booleans()
    | st.none()
)


def as_column(metadata: dict[str, Any]) -> dict[str, Any]:
    """As the JSON column gives it: by paths in another order, without nulls, whole floats as integers."""
    found: dict[str, Any] = {}
    for key in sorted(metadata, reverse=True):
        value = metadata[key]
        if type(value) is float and value.is_integer():
            value = int(value)
        if value is not None:
            found[key.replace(".", "%2E")] = value
    return found


@given(st.dictionaries(keys, values, max_size=5))
def test_attributes_with_a_shape_come_back_as_they_were(metadata: dict[str, Any]) -> None:
    if shape := shape_of(metadata):
        found = restored(shape, as_column(metadata))
        assert msgspec.json.encode(found) == msgspec.json.encode(metadata)
        assert msgspec.json.encode(restored(shape, metadata)) == msgspec.json.encode(metadata)


def test_a_shape_says_keys_in_order_and_kinds() -> None:
    metadata = {"z": "x", "a.b": 1, "status": 2.0, "ok": True, "user": None}
    assert shape_of(metadata) == "z:s,a.b:i,status:f,ok:b,user:n"
    assert json.dumps(restored(shape_of(metadata), as_column(metadata))) == json.dumps(metadata)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"a": {"b": 1}},
        {"a": [1]},
        {"a": -0.0},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 2**64},
        {"a": -(2**63) - 1},
        {"": 1},
        {"50%": 1},
        {"a,b": 1},
        {"a:b": 1},
        {"k" * 101: 1},
        {f"k{n}": n for n in range(MAX_KEYS + 1)},
        {f"{n:060}": n for n in range(40)},
    ],
)
def test_what_the_column_would_change_has_none(metadata: dict[str, Any]) -> None:
    assert shape_of({"first": "x", **metadata} if metadata else metadata) == ""


@given(st.lists(st.fixed_dictionaries({"a": values, "b.c": values}), min_size=1, max_size=4))
def test_columns_have_the_shapes_of_their_rows(rows: list[dict[str, Any]]) -> None:
    rows = [{key: row[key] for key in rows[0]} for row in rows]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    assert list(shapes_of(columns, len(rows))) == [shape_of(row) for row in rows]
    for row, shape in zip(rows, shapes_of(columns, len(rows)), strict=True):
        assert not shape or len(encoded(row)) <= longest(columns)
