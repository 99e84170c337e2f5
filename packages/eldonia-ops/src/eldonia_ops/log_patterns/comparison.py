"""What is different between two ranges of time: patterns that are new, gone, much more frequent, or rarer.

Counts of a pattern are taken for Poisson counts. Whether two of them belong to different rates is decided after
M. D. Huffman, "An Improved Approximate Two-Sample Poisson Test", Applied Statistics 33 (1984): with ``x`` records in
``t`` seconds, ``y`` in ``u``, and ``d = t / u``, the value ``2 (√(x + 3/8) − √(d (y + 3/8))) / √(1 + d)`` is nearly
standard normal when the rates are equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Final

MIN_SCORE: Final = 3.0
"""So far from equal: about one in 370 patterns that did not change is beyond it, in either direction."""

MIN_RATIO: Final = 2.0
"""The rate has to be so many times the other."""

MIN_COUNT: Final = 5
"""One of the ranges has to have so many records; one is enough for a pattern that is new."""


class Difference(StrEnum):
    """How the rate of a pattern differs."""

    NEW = "new"
    """None in the range before. With few records there that may be chance: the score says so."""
    MORE = "more"
    RARER = "rarer"
    GONE = "gone"


ORDER: Final = (Difference.NEW, Difference.MORE, Difference.RARER, Difference.GONE)


@dataclass(frozen=True, slots=True)
class RateChange:
    """A pattern that differs.

    ``count`` and ``count_before`` are records; ``ratio`` is the rate over the rate before, with half a record added to
    both counts, so that it is finite; ``score`` is above 0 for more and below for fewer.
    """

    pattern: str
    difference: Difference
    count: int
    count_before: int
    ratio: float
    score: float


def score_of(count: int, seconds: float, count_before: int, seconds_before: float) -> float:
    """How far two rates are from being equal, in standard deviations."""
    d = seconds / seconds_before
    return 2 * (sqrt(count + 0.375) - sqrt(d * (count_before + 0.375))) / sqrt(1 + d)


def ratio_of(count: int, seconds: float, count_before: int, seconds_before: float) -> float:
    """A rate over another, with half a record added to both counts."""
    return (count + 0.5) / seconds / ((count_before + 0.5) / seconds_before)


def rate_changes(
    counts: Mapping[str, int], seconds: float, before: Mapping[str, int], seconds_before: float
) -> list[RateChange]:
    """The patterns that differ: new ones first, then by how sure it is.

    Raises:
        ValueError: a range is empty.
    """
    if seconds <= 0 or seconds_before <= 0:
        raise ValueError("a range to compare has to be longer than nothing")
    found: list[RateChange] = []
    for pattern in {**counts, **before}:
        count, other = counts.get(pattern, 0), before.get(pattern, 0)
        score = score_of(count, seconds, other, seconds_before)
        ratio = ratio_of(count, seconds, other, seconds_before)
        difference = _difference(count, other, ratio, score)
        if difference is not None:
            found.append(RateChange(pattern, difference, count, other, ratio, score))
    return sorted(found, key=lambda one: (ORDER.index(one.difference), -abs(one.score), one.pattern))


def _difference(count: int, before: int, ratio: float, score: float) -> Difference | None:
    if count and not before:
        return Difference.NEW
    if max(count, before) < MIN_COUNT or abs(score) < MIN_SCORE:
        return None
    if not count:
        return Difference.GONE
    if ratio >= MIN_RATIO:
        return Difference.MORE
    return Difference.RARER if ratio <= 1 / MIN_RATIO else None
