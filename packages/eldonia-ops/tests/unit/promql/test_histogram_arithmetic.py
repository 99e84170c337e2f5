"""Arithmetic of native histograms: what holds whatever the buckets are."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram, ResetHint, reduced
from eldonia_ops.promql.histogram_arithmetic import (
    MixedSchemasError,
    added,
    divided,
    equal,
    scaled,
    subtracted,
    total,
    was_reset,
    widened,
)

COUNTS = st.integers(1, 1_000).map(float)
BUCKETS = st.dictionaries(st.integers(-40, 40), COUNTS, max_size=8).map(lambda found: tuple(sorted(found.items())))


def made(schema: int, threshold: float, zeros: float, positive: tuple, negative: tuple) -> NativeHistogram:
    beyond = NativeHistogram(schema, 0, 0).upper_bound
    positive, negative = (
        tuple((index, count) for index, count in buckets if beyond(index - 1) >= threshold)
        for buckets in (positive, negative)
    )
    count = zeros + sum(number for _, number in positive) + sum(number for _, number in negative)
    return NativeHistogram(schema, count, 2.0 * count, threshold, zeros, positive, negative)


HISTOGRAMS = st.builds(
    made, st.integers(-2, 4), st.sampled_from([0.0, 0.001, 0.3]), st.integers(0, 9).map(float), BUCKETS, BUCKETS
)


def inside(histogram: NativeHistogram) -> float:
    return histogram.zero_count + sum(count for _, count in (*histogram.positive, *histogram.negative))


@given(HISTOGRAMS, HISTOGRAMS)
def test_a_sum_holds_all_observations_whichever_comes_first(left: NativeHistogram, right: NativeHistogram) -> None:
    found = added(left, right).value
    assert found == added(right, left).value == total([left, right]).value
    assert inside(found) == found.count == left.count + right.count
    assert found.schema == min(left.schema, right.schema)
    assert found.zero_threshold >= max(left.zero_threshold, right.zero_threshold)


@given(HISTOGRAMS, HISTOGRAMS)
def test_a_counter_that_only_grows_was_not_reset_and_its_increase_is_what_came(
    first: NativeHistogram, more: NativeHistogram
) -> None:
    more = replace(more, schema=first.schema, zero_threshold=first.zero_threshold)
    more = made(more.schema, more.zero_threshold, more.zero_count, more.positive, more.negative)
    grown = added(first, more).value
    assert not was_reset(grown, first)
    assert equal(subtracted(grown, first).value, more)
    assert was_reset(first, grown) == (more.count > 0)


@given(HISTOGRAMS, st.integers(-4, 4))
def test_a_coarser_schema_and_a_wider_zero_bucket_lose_no_observation(one: NativeHistogram, schema: int) -> None:
    coarse = reduced(one, schema)
    assert inside(coarse) == one.count
    assert coarse.schema == min(schema, one.schema)
    wide = widened(one, 1.5)
    assert inside(wide) == one.count
    assert wide.zero_threshold >= 1.5


@given(HISTOGRAMS)
def test_a_factor_below_zero_makes_a_gauge_and_zero_takes_the_buckets(one: NativeHistogram) -> None:
    assert scaled(one, -1.0).reset_hint is ResetHint.GAUGE
    assert equal(scaled(scaled(one, -1.0), -1.0), one)
    assert equal(divided(scaled(one, 4.0), 4.0), one)
    assert (divided(one, 0.0).positive, scaled(one, 0.0).positive) == ((), ())


def test_bounds_of_its_own_are_reduced_to_those_that_both_have() -> None:
    left = NativeHistogram(CUSTOM_SCHEMA, 3, 3, positive=((0, 1.0), (2, 2.0)), custom_bounds=(1.0, 5.0))
    right = NativeHistogram(CUSTOM_SCHEMA, 2, 2, positive=((1, 2.0),), custom_bounds=(2.0, 5.0))
    found = added(left, right)
    assert found.reconciled
    assert (found.value.custom_bounds, found.value.positive) == ((5.0,), ((0, 3.0), (1, 2.0)))
    with pytest.raises(MixedSchemasError):
        added(left, NativeHistogram(0, 1, 1))


def test_what_the_sender_knows_of_a_reset_counts() -> None:
    one = NativeHistogram(0, 1, 1, positive=((0, 1.0),))
    assert was_reset(replace(one, reset_hint=ResetHint.RESET), one)
    assert not was_reset(replace(one, count=0.0, reset_hint=ResetHint.NO_RESET), one)
    opposite = [replace(one, reset_hint=hint) for hint in (ResetHint.RESET, ResetHint.NO_RESET)]
    assert (total(opposite).collision, total(opposite).value.reset_hint) == (True, ResetHint.UNKNOWN)
