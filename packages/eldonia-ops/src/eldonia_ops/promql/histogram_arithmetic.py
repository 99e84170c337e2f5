"""Arithmetic of native histograms: sums, differences, factors, and whether a counter was reset.

The rules are those of Prometheus' model/histogram/float_histogram.go: the coarser schema wins, zero buckets grow until
both are as wide and no populated bucket is cut, bounds of their own are reduced to those that both have.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eldonia_ops.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram, ResetHint, reduced

Buckets = tuple[tuple[int, float], ...]
EMPTY_HISTOGRAM: Final = NativeHistogram(0, 0.0, 0.0)


class MixedSchemasError(ValueError):
    """Histograms with exponential buckets and with bounds of their own cannot be combined."""


@dataclass(frozen=True, slots=True)
class Combined:
    """A sum or a difference.

    ``collision`` says that counter resets contradict each other, ``reconciled`` that bounds of their own differed.
    """

    value: NativeHistogram
    collision: bool = False
    reconciled: bool = False


def is_custom(histogram: NativeHistogram) -> bool:
    """Whether it has bounds of its own."""
    return histogram.schema == CUSTOM_SCHEMA


def scaled(histogram: NativeHistogram, factor: float) -> NativeHistogram:
    """All counts and the sum, times a factor; a factor below zero makes a gauge of it."""
    return _mapped(histogram, lambda count: count * factor, gauge=factor < 0)


def divided(histogram: NativeHistogram, by: float) -> NativeHistogram:
    """All counts and the sum, divided; a division by zero leaves no buckets."""
    if by == 0:
        histogram = replace(histogram, positive=(), negative=())
    return _mapped(histogram, lambda count: _quotient(count, by), gauge=by < 0)


def _quotient(number: float, by: float) -> float:
    if by:
        return number / by
    if number == 0 or math.isnan(number) or math.isnan(by):
        return math.nan
    return math.copysign(math.inf, number) * math.copysign(1.0, by)


def _mapped(histogram: NativeHistogram, change: Callable[[float], float], *, gauge: bool) -> NativeHistogram:
    return replace(
        histogram,
        count=change(histogram.count),
        sum=change(histogram.sum),
        zero_count=change(histogram.zero_count),
        positive=tuple((index, changed) for index, count in histogram.positive if (changed := change(count))),
        negative=tuple((index, changed) for index, count in histogram.negative if (changed := change(count))),
        reset_hint=ResetHint.GAUGE if gauge else histogram.reset_hint,
    )


def added(left: NativeHistogram, right: NativeHistogram) -> Combined:
    """The sum of two.

    Raises:
        MixedSchemasError: one has bounds of its own and one has not.
    """
    return _combined([left, right], _plus)


def subtracted(left: NativeHistogram, right: NativeHistogram) -> Combined:
    """The difference of two.

    Raises:
        MixedSchemasError: one has bounds of its own and one has not.
    """
    return _combined([left, right], lambda numbers: numbers[0] - numbers[1])


def total(histograms: Sequence[NativeHistogram]) -> Combined:
    """The sum of some, at least one; each number is rounded once.

    Raises:
        MixedSchemasError: some have bounds of their own and some have not.
    """
    return _combined(histograms, _exact)


def mean(histograms: Sequence[NativeHistogram]) -> Combined:
    """The mean of some, at least one, also where their sum is beyond the largest float.

    Raises:
        MixedSchemasError: some have bounds of their own and some have not.
    """
    many = len(histograms)

    def average(numbers: Sequence[float]) -> float:
        result = _exact(numbers) / many
        return _exact([number / many for number in numbers]) if math.isinf(result) else result

    return _combined(histograms, average)


def _plus(numbers: Sequence[float]) -> float:
    return numbers[0] + numbers[1]


def _exact(numbers: Sequence[float]) -> float:
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):
        return sum(numbers)


def _combined(histograms: Sequence[NativeHistogram], join: Callable[[Sequence[float]], float]) -> Combined:
    custom = is_custom(histograms[0])
    if any(is_custom(one) != custom for one in histograms):
        raise MixedSchemasError
    hint, collision = _joint_hint([one.reset_hint for one in histograms])
    reconciled = False
    if custom:
        bounds = histograms[0].custom_bounds
        reconciled = any(one.custom_bounds != bounds for one in histograms)
        if reconciled:
            shared = set(bounds).intersection(*(one.custom_bounds for one in histograms))
            bounds = tuple(bound for bound in bounds if bound in shared)
            histograms = [with_bounds(one, bounds) for one in histograms]
    else:
        schema = min(one.schema for one in histograms)
        histograms = _with_equal_zeros([reduced(one, schema) for one in histograms])
    first = histograms[0]
    return Combined(
        NativeHistogram(
            first.schema,
            join([one.count for one in histograms]),
            join([one.sum for one in histograms]),
            first.zero_threshold,
            join([one.zero_count for one in histograms]),
            _joined([one.positive for one in histograms], join),
            _joined([one.negative for one in histograms], join),
            first.custom_bounds,
            hint,
        ),
        collision,
        reconciled,
    )


def _joined(parts: Sequence[Buckets], join: Callable[[Sequence[float]], float]) -> Buckets:
    counts: dict[int, list[float]] = {}
    for place, buckets in enumerate(parts):
        for index, count in buckets:
            known = counts.get(index)
            if known is None:
                known = counts[index] = [0.0] * len(parts)
            known[place] = count
    return tuple((index, count) for index in sorted(counts) if (count := join(counts[index])))


def _joint_hint(hints: Iterable[ResetHint]) -> tuple[ResetHint, bool]:
    """What is known of a reset before a combination, and whether what is known contradicts itself."""
    collision = False
    found: ResetHint | None = None
    seen: set[ResetHint] = set()
    for hint in hints:
        seen.add(hint)
        if found is None or found is hint:
            found = hint
        elif ResetHint.GAUGE in (found, hint):
            found = ResetHint.GAUGE
        else:
            found = ResetHint.UNKNOWN
    collision = {ResetHint.RESET, ResetHint.NO_RESET} <= seen
    return found or ResetHint.UNKNOWN, collision


def with_bounds(histogram: NativeHistogram, bounds: tuple[float, ...]) -> NativeHistogram:
    """The histogram with fewer bounds of its own: each bucket goes to the first of ``bounds`` that holds it."""
    if bounds == histogram.custom_bounds:
        return histogram
    targets: list[int] = []
    place = 0
    for bound in histogram.custom_bounds:
        while place < len(bounds) and bounds[place] < bound:
            place += 1
        targets.append(place)
    targets.append(len(bounds))
    found: dict[int, float] = {}
    for index, count in histogram.positive:
        found[targets[index]] = found.get(targets[index], 0.0) + count
    return replace(histogram, positive=tuple(found.items()), custom_bounds=bounds)


def _with_equal_zeros(histograms: list[NativeHistogram]) -> list[NativeHistogram]:
    while len({one.zero_threshold for one in histograms}) > 1:
        widest = max(one.zero_threshold for one in histograms)
        histograms = [widened(one, widest) for one in histograms]
    return histograms


def widened(histogram: NativeHistogram, threshold: float) -> NativeHistogram:
    """The histogram with a wider zero bucket: as wide as asked, and further where a populated bucket would be cut."""
    if threshold <= histogram.zero_threshold:
        return histogram
    while True:
        inside = 0.0
        cut = threshold
        for buckets in (histogram.positive, histogram.negative):
            for index, count in buckets:
                if histogram.upper_bound(index - 1) >= threshold:
                    break
                inside += count
                if count:
                    cut = max(cut, histogram.upper_bound(index))
        if cut == threshold:
            break
        threshold = cut
    return replace(
        histogram,
        zero_threshold=threshold,
        zero_count=histogram.zero_count + inside,
        positive=_beyond(histogram, histogram.positive, threshold),
        negative=_beyond(histogram, histogram.negative, threshold),
    )


def _beyond(histogram: NativeHistogram, buckets: Buckets, threshold: float) -> Buckets:
    return tuple((index, count) for index, count in buckets if histogram.upper_bound(index - 1) >= threshold)


def was_reset(current: NativeHistogram, previous: NativeHistogram) -> bool:
    """Whether a counter was reset between two samples: marked by the sender, or seen in a count that fell."""
    if current.reset_hint is ResetHint.RESET:
        return True
    if current.reset_hint is ResetHint.NO_RESET:
        return False
    if is_custom(current) != is_custom(previous) or current.count < previous.count:
        return True
    if is_custom(current):
        if current.custom_bounds != previous.custom_bounds:
            shared = set(current.custom_bounds).intersection(previous.custom_bounds)
            bounds = tuple(bound for bound in current.custom_bounds if bound in shared)
            current, previous = with_bounds(current, bounds), with_bounds(previous, bounds)
        return _fell(current.positive, previous.positive)
    if current.schema > previous.schema or current.zero_threshold < previous.zero_threshold:
        return True
    previous = reduced(previous, current.schema)
    previous = widened(previous, current.zero_threshold)
    return (
        previous.zero_threshold != current.zero_threshold
        or current.zero_count < previous.zero_count
        or _fell(current.positive, previous.positive)
        or _fell(current.negative, previous.negative)
    )


def _fell(current: Buckets, previous: Buckets) -> bool:
    counts = dict(current)
    return any(counts.get(index, 0.0) < count for index, count in previous)


def equal(left: NativeHistogram, right: NativeHistogram) -> bool:
    """Whether two are the same sample, whatever is known of resets; empty buckets do not count, and NaN equals NaN."""
    return _comparable(left) == _comparable(right)


def _comparable(one: NativeHistogram) -> tuple[object, ...]:
    numbers = tuple("nan" if math.isnan(number) else number for number in (one.count, one.sum, one.zero_count))
    populated = [tuple(item for item in buckets if item[1]) for buckets in (one.positive, one.negative)]
    return (one.schema, one.zero_threshold, numbers, *populated, one.custom_bounds)
