"""Histograms as bytes: whatever can be a sample comes back as it was."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram, ResetHint
from eldonia_ops.storage.clickhouse.metrics.histogram_codec import (
    PackedHistograms,
    decode_histogram,
    encode_histogram,
    split_histograms,
)

COUNTS = st.one_of(st.integers(0, 2**53).map(float), st.floats(allow_nan=False))
BUCKETS = st.dictionaries(st.integers(-(2**31) + 1, 2**31 - 1), COUNTS, max_size=20).map(
    lambda found: tuple(sorted(found.items()))
)
STANDARD = st.builds(
    NativeHistogram,
    st.integers(-4, 8),
    COUNTS,
    st.floats(allow_nan=False),
    st.floats(0, 1),
    COUNTS,
    BUCKETS,
    BUCKETS,
    st.just(()),
    st.sampled_from(ResetHint),
)
CUSTOM = (
    st.lists(st.floats(allow_nan=False), unique=True, max_size=10)
    .map(sorted)
    .flatmap(
        lambda bounds: st.builds(
            NativeHistogram,
            st.just(CUSTOM_SCHEMA),
            COUNTS,
            st.floats(allow_nan=False),
            positive=st.just(tuple((index, float(index)) for index in range(len(bounds) + 1))),
            custom_bounds=st.just(tuple(bounds)),
        )
    )
)


@given(st.one_of(STANDARD, CUSTOM))
def test_what_was_encoded_comes_back(histogram: NativeHistogram) -> None:
    assert decode_histogram(encode_histogram(histogram)) == histogram


@given(st.lists(st.tuples(st.binary(min_size=3, max_size=3), STANDARD), max_size=5))
def test_rows_are_told_apart(given: list[tuple[bytes, NativeHistogram]]) -> None:
    body = b"".join(header + encode_histogram(histogram) for header, histogram in given)
    assert [(header, decode_histogram(packed)) for header, packed in split_histograms(body, 3)] == given


def test_counts_that_are_whole_take_a_byte_or_two() -> None:
    buckets = tuple((index, float(100 + index)) for index in range(40))
    encoded = encode_histogram(NativeHistogram(3, 4780.0, 12.5, 1e-128, 0.0, buckets))
    assert len(encoded) < 16 + 2 * 40 + 20


def test_not_a_number_comes_back() -> None:
    found = decode_histogram(encode_histogram(NativeHistogram(0, 1.0, math.nan, positive=((0, math.nan),))))
    assert math.isnan(found.sum)
    assert math.isnan(found.positive[0][1])


@given(st.binary(max_size=60))
def test_other_bytes_are_refused_or_read(data: bytes) -> None:
    try:
        decode_histogram(data)
    except ValueError:
        return


def test_places_move_with_their_columns() -> None:
    packed = PackedHistograms({(0, 1): encode_histogram(NativeHistogram(0, 1, 1)), (2, 3): b"x"})
    assert len(packed) == 2
    assert packed[0, 1] == NativeHistogram(0, 1, 1)
    assert set(PackedHistograms(packed.moved(10, {1: 0}))) == {(10, 0)}


def test_a_layout_that_lies_about_its_length_is_refused() -> None:
    encoded = encode_histogram(NativeHistogram(0, 1, 1, positive=((0, 1.0),)))
    with pytest.raises(ValueError, match=r"not a histogram|do not fit"):
        decode_histogram(encoded[:-1])
