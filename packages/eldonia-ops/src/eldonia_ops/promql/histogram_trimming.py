"""The operators ``</`` and ``>/``: of a native histogram what lies below a number, or above it.

A bucket that the number lies in is cut by interpolation, as for quantiles. The sum is estimated anew from the middles
of what is left: what the observations that were dropped added to it is not known.
"""

import math
from dataclasses import replace

from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.promql.histogram_arithmetic import Buckets, is_custom
from eldonia_ops.promql.histogram_statistics import zero_side

_Kept = tuple[float, float]
"""How many observations of a bucket are kept, and the value at which they count."""


def trimmed(histogram: NativeHistogram, at: float, *, upper: bool) -> NativeHistogram:
    """The part of a histogram below ``at``, or above it when not ``upper``.

    Where nothing is cut off, the histogram is as it was, with its own sum.
    """
    endless = math.inf if upper else -math.inf
    if at == endless:
        return histogram
    if at == -endless:
        return replace(histogram, count=0.0, sum=0.0, zero_count=0.0, positive=(), negative=())
    total = 0.0

    def kept(lower: float, higher: float, count: float, *, even: bool) -> float:
        nonlocal total
        number, middle = _kept(lower, higher, count, at, upper=upper, even=even)
        if number:
            total += number * middle
        return number

    custom = is_custom(histogram)
    bound = histogram.upper_bound
    positive: list[tuple[int, float]] = []
    for index, count in histogram.positive:
        lower = -math.inf if custom and index == 0 else bound(index - 1)
        positive.append((index, kept(lower, bound(index), count, even=custom)))
    negative = [
        (index, kept(-bound(index), -bound(index - 1), count, even=False)) for index, count in histogram.negative
    ]
    width = histogram.zero_threshold
    zeros = histogram.zero_count
    if zeros:
        zeros = kept(*zero_side(histogram, -width, width), zeros, even=True)
    if (
        zeros == histogram.zero_count
        and tuple(positive) == histogram.positive
        and tuple(negative) == histogram.negative
    ):
        return histogram
    return replace(
        histogram,
        count=math.fsum([zeros, *(count for _, count in positive), *(count for _, count in negative)]),
        sum=total,
        zero_count=zeros,
        positive=_populated(positive),
        negative=_populated(negative),
    )


def _populated(buckets: list[tuple[int, float]]) -> Buckets:
    return tuple(item for item in buckets if item[1])


def _kept(lower: float, higher: float, count: float, at: float, *, upper: bool, even: bool) -> _Kept:
    if math.isinf(lower) and math.isinf(higher):
        return 0.0, 0.0
    if math.isinf(lower) and even:
        return _first(higher, count, at, upper=upper)
    if math.isinf(higher) and even:
        # Nothing says how far the last bucket reaches: below a number it counts for nothing, above it as a whole.
        return (0.0, 0.0) if upper else (count, max(lower, at))
    if at <= lower or at >= higher:
        whole = (at >= higher) == upper
        return (count, _middle(lower, higher, even=even)) if whole else (0.0, 0.0)
    share = _share(lower, higher, at, even=even)
    if upper:
        return count * share, _middle(lower, at, even=even)
    return count * (1 - share), _middle(at, higher, even=even)


def _first(higher: float, count: float, at: float, *, upper: bool) -> _Kept:
    """The first bucket of a histogram with bounds of its own: from 0 on, or without an end when it lies below 0."""
    if higher > 0:
        if at < 0:
            return 0.0, 0.0
        return _kept(0.0, higher, count, at, upper=upper, even=True)
    if upper:
        return count, min(higher, at)
    return 0.0, 0.0


def _share(lower: float, higher: float, at: float, *, even: bool) -> float:
    """Which share of a bucket lies below a number in it."""
    if even:
        return (at - lower) / (higher - lower)
    low, high, place = (math.log2(abs(number)) for number in (lower, higher, at))
    return (place - low) / (high - low)


def _middle(lower: float, higher: float, *, even: bool) -> float:
    return (lower + higher) / 2 if even else math.copysign(math.sqrt(lower * higher), higher)
