"""The parts below and above a number make up a histogram again."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram
from eldonia_ops.promql import PromQLError, parse
from eldonia_ops.promql.ast import Binary
from eldonia_ops.promql.histogram_trimming import trimmed

COUNTS = st.integers(1, 1_000).map(float)
BUCKETS = st.dictionaries(st.integers(-30, 30), COUNTS, max_size=8).map(lambda found: tuple(sorted(found.items())))


def made(schema: int, zeros: float, positive: tuple, negative: tuple) -> NativeHistogram:
    count = zeros + sum(number for _, number in positive) + sum(number for _, number in negative)
    return NativeHistogram(schema, count, 1.0, 1e-6, zeros, positive, negative)


@given(st.integers(0, 8), st.sampled_from([0.0, 7.0]), BUCKETS, BUCKETS, st.floats(-50, 50))
def test_both_parts_are_the_whole(schema: int, zeros: float, positive: tuple, negative: tuple, at: float) -> None:
    whole = made(schema, zeros, positive, negative)
    below, above = trimmed(whole, at, upper=True), trimmed(whole, at, upper=False)
    assert below.count + above.count == pytest.approx(whole.count, rel=1e-9)
    assert all(count > 0 for part in (below, above) for _, count in (*part.positive, *part.negative))


@given(st.integers(0, 8), BUCKETS, BUCKETS)
def test_nothing_is_cut_off_at_the_far_end_and_all_at_the_other(schema: int, positive: tuple, negative: tuple) -> None:
    whole = made(schema, 2.0, positive, negative)
    assert trimmed(whole, math.inf, upper=True) is whole
    assert trimmed(whole, -math.inf, upper=False) is whole
    assert trimmed(whole, -math.inf, upper=True).count == trimmed(whole, math.inf, upper=False).count == 0


def test_the_last_bucket_of_custom_bounds_has_no_middle() -> None:
    whole = NativeHistogram(CUSTOM_SCHEMA, 3.0, 99.0, positive=((0, 1.0), (1, 2.0)), custom_bounds=(5.0,))
    assert (trimmed(whole, 10.0, upper=False).count, trimmed(whole, 10.0, upper=False).sum) == (2.0, 20.0)
    assert (trimmed(whole, 10.0, upper=True).count, trimmed(whole, 10.0, upper=True).sum) == (1.0, 2.5)


def test_the_operator_is_one_word() -> None:
    node = parse("h </ 2")
    assert isinstance(node, Binary)
    assert node.op == "</"
    with pytest.raises(PromQLError):
        parse("h < / 2")
