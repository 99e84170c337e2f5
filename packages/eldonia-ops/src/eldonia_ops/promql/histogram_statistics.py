"""What a native histogram says about the observations in it: mean, spread, quantiles, fractions.

Source: Prometheus' promql/quantile.go and promql/functions.go. Inside an exponential bucket observations are assumed to
be spread exponentially, in the zero bucket and in buckets with bounds of their own evenly.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.promql.histogram_arithmetic import is_custom


class Bucket(NamedTuple):
    """One populated bucket between two bounds, with the observations in it."""

    lower: float
    upper: float
    inside: float


def buckets(histogram: NativeHistogram) -> list[Bucket]:
    """The buckets that are not empty, ascending."""
    if is_custom(histogram):
        bounds = (-math.inf, *histogram.custom_bounds, math.inf)
        return [Bucket(bounds[index], bounds[index + 1], count) for index, count in histogram.positive if count]
    found = [
        Bucket(-histogram.upper_bound(index), -histogram.upper_bound(index - 1), count)
        for index, count in reversed(histogram.negative)
        if count
    ]
    if histogram.zero_count:
        found.append(Bucket(-histogram.zero_threshold, histogram.zero_threshold, histogram.zero_count))
    found += [
        Bucket(histogram.upper_bound(index - 1), histogram.upper_bound(index), count)
        for index, count in histogram.positive
        if count
    ]
    return found


def average(histogram: NativeHistogram) -> float:
    """The mean of the observations; NaN when there are none."""
    return _ratio(histogram.sum, histogram.count)


def variance(histogram: NativeHistogram) -> float:
    """The estimated population variance; each bucket counts at its middle, an exponential one at its geometric mean."""
    mean = average(histogram)
    spread: list[float] = []
    for lower, upper, count in buckets(histogram):
        if is_custom(histogram):
            value = (upper + lower) / 2
        elif lower <= 0 <= upper:
            value = 0.0
        else:
            value = math.copysign(math.sqrt(upper * lower), upper)
        delta = value - mean
        spread.append(count * delta * delta)
    return _ratio(_sum(spread), histogram.count)


def deviation(histogram: NativeHistogram) -> float:
    """The estimated population standard deviation."""
    found = variance(histogram)
    return math.sqrt(found) if found >= 0 else math.nan


def quantile(histogram: NativeHistogram, phi: float) -> float:
    """The phi-quantile."""
    if math.isnan(phi) or (0 <= phi <= 1 and histogram.count == 0):
        return math.nan
    if phi < 0 or phi > 1:
        return math.copysign(math.inf, phi)
    populated = buckets(histogram)
    upward = math.isnan(histogram.sum) or phi < 0.5
    rank = (phi if upward else 1 - phi) * histogram.count
    seen = 0.0
    bucket = Bucket(0.0, 0.0, 0.0)
    for bucket in populated if upward else reversed(populated):
        seen += bucket.inside
        if seen >= rank:
            break
    bounds = _bounded(histogram, bucket)
    if bounds is None:
        return bucket.upper if math.isinf(bucket.lower) else bucket.lower
    lower, upper = bounds
    seen = min(seen, histogram.count)
    if seen < rank:
        return math.nan if math.isnan(histogram.sum) or not populated else upper
    share = _ratio(rank - (seen - bucket.inside) if upward else seen - rank, bucket.inside)
    if is_custom(histogram) or lower <= 0 <= upper:
        return lower + (upper - lower) * share
    low, high = math.log2(abs(lower)), math.log2(abs(upper))
    if lower > 0:
        return 2.0 ** (low + (high - low) * share)
    return -(2.0 ** (high + (low - high) * (1 - share)))


def _bounded(histogram: NativeHistogram, bucket: Bucket) -> tuple[float, float] | None:
    """The bounds between which observations are looked for; none when the bucket has no end to look towards."""
    lower, upper, _ = bucket
    if is_custom(histogram):
        if math.isinf(lower):
            return None if upper <= 0 else (0.0, upper)
        return None if math.isinf(upper) else (lower, upper)
    return zero_side(histogram, lower, upper)


def zero_side(histogram: NativeHistogram, lower: float, upper: float) -> tuple[float, float]:
    """Of a zero bucket the half on whose side there are other buckets, if there are on one side alone."""
    if lower <= 0 <= upper and not is_custom(histogram):
        if histogram.positive and not histogram.negative:
            return 0.0, upper
        if histogram.negative and not histogram.positive:
            return lower, 0.0
    return lower, upper


def has_nan_observations(histogram: NativeHistogram) -> bool:
    """Whether NaN was observed: the sum is NaN, and such observations are in no bucket."""
    return math.isnan(histogram.sum)


def quantile_of_nan(histogram: NativeHistogram, phi: float) -> bool:
    """Whether a quantile lies among the observations of NaN."""
    return phi * histogram.count > sum(bucket.inside for bucket in buckets(histogram))


def fraction(histogram: NativeHistogram, lower: float, upper: float) -> float:
    """The estimated share of observations between two values."""
    if histogram.count == 0 or math.isnan(lower) or math.isnan(upper):
        return math.nan
    if lower >= upper:
        return 0.0
    populated = buckets(histogram)
    count = histogram.count
    if math.isnan(histogram.sum):
        count = _sum([bucket.inside for bucket in populated])
    ranks = list(_ranks(histogram, populated, (lower, upper), count))
    return (ranks[1] - ranks[0]) / histogram.count


def _ranks(
    histogram: NativeHistogram, populated: Sequence[Bucket], values: Sequence[float], count: float
) -> Iterator[float]:
    """How many observations lie below each of some values."""
    for value in values:
        rank = 0.0
        for bucket in populated:
            start, end = zero_side(histogram, bucket.lower, bucket.upper)
            zero = bucket.lower <= 0 <= bucket.upper
            if is_custom(histogram) and math.isinf(start) and end > 0:
                start = 0.0
            if start >= value:
                break
            if end > value:
                rank = _inside(Bucket(start, end, bucket.inside), value, rank, even=zero or is_custom(histogram))
                break
            rank += bucket.inside
        else:
            rank = count
        yield min(rank, count)


def _inside(bucket: Bucket, value: float, below: float, *, even: bool) -> float:
    lower, upper, count = bucket
    if even:
        if math.isinf(lower):
            return count
        return below if math.isinf(upper) else below + count * (value - lower) / (upper - lower)
    low, high, at = (math.log2(abs(number)) for number in (lower, upper, value))
    share = (at - low) / (high - low) if value > 0 else 1 - (at - high) / (low - high)
    return below + count * share


def _ratio(number: float, by: float) -> float:
    if by == 0:
        return math.nan if number == 0 or math.isnan(number) else math.copysign(math.inf, number)
    return number / by


def _sum(numbers: Sequence[float]) -> float:
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):
        return sum(numbers)
