import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.foreign import decode_json, nesting, too_many_values

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


@given(st.recursive(st.text(max_size=6), lambda inner: st.lists(inner, max_size=3), max_leaves=6))
def test_halves_of_surrogate_pairs_are_replaced_and_everything_else_is_kept(value):
    text = json.dumps(value).encode()
    assert decode_json(msgspec.json.decode, text) == value
    broken = decode_json(msgspec.json.decode, b'[%b, "a\\ud800\\\\ud800 \\uDC00b \\ud83d\\ude00"]' % text)
    assert broken == [value, "a\ufffd\\ud800 \ufffdb \U0001f600"]


def test_what_is_no_json_stays_refused():
    with pytest.raises(msgspec.DecodeError):
        decode_json(msgspec.json.decode, b'["\\ud800",')


def test_a_document_of_nothing_but_values_is_refused_before_it_is_built():
    bomb = b"[" + b"[]," * 1_000_000 + b"1]"
    assert too_many_values(bomb)
    with pytest.raises(msgspec.DecodeError, match="too many values"):
        decode_json(msgspec.json.decode, bomb)
    assert too_many_values(b"[" + b"1," * 4_000_001 + b"1]")


def test_what_looks_like_values_inside_of_texts_does_not_count():
    text = json.dumps({"log": '[{,\\"' * 1_500_000}).encode()
    assert not too_many_values(text)
    assert decode_json(msgspec.json.decode, text)["log"].startswith("[{,")
