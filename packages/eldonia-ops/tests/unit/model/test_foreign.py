import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.foreign import (
    MAX_ATTRIBUTES_BYTES,
    _Bounds,
    bounded_attributes,
    decode_json,
    nesting,
    too_many_values,
)

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


attribute_texts = st.text(max_size=8) | st.sampled_from(["x" * 600, "long key" * 20, "\ud800", "a\x00b", "注文"])
attribute_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | attribute_texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(attribute_texts, inner, max_size=5),
    max_leaves=60,
)


@given(st.dictionaries(attribute_texts, attribute_values, max_size=40))
def test_a_document_that_is_passed_at_a_glance_is_one_that_the_bounds_leave_as_it_is(document):
    found = bounded_attributes(document)
    assert json.dumps(found) == json.dumps(_Bounds(MAX_ATTRIBUTES_BYTES, False).of_dict(document, 1))


def test_nested_documents_of_the_usual_size_are_not_made_anew():
    pod = {"kubernetes": {"pod": "shop-1", "labels": {"app": "shop"}}, "http": {"status": 200, "tags": ["a", "b"]}}
    assert bounded_attributes(pod) is pod
    deeper = {"a": {"b": {"c": {"d": 1}}}}
    assert bounded_attributes(deeper) == deeper
    assert bounded_attributes({"a": {"b": "x\x00"}}) == {"a": {"b": "x\ufffd"}}
