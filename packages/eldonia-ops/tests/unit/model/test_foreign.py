import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.foreign import nesting

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('a"[]{}\\\n漢'), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


def depth(value):
    if isinstance(value, dict | list):
        return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)
    return 0


@given(values, st.booleans())
def test_nesting_is_the_depth_of_the_document(value, ascii_only):
    assert nesting(json.dumps(value, ensure_ascii=ascii_only).encode()) == depth(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", 0),
        (b"[", 1),
        (b"[" * 50_000, 50_000),
        (b"]]][", 0),
        (b'{"a":[{}]}', 3),
        (b'"[[["', 0),
        (b'["\\"[[[\\\\"]', 1),
    ],
)
def test_what_is_no_json_has_some_depth_too(text, expected):
    assert nesting(text) == expected


@given(st.binary(max_size=60))
def test_any_bytes_are_taken(text):
    assert nesting(text) >= 0
