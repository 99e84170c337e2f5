"""Statistics of numbers, as aggregates of pipes and buckets of Elasticsearch's API have them in common."""

import math
from collections.abc import Sequence


def mean(numbers: Sequence[float]) -> float:
    """The average of at least one number."""
    return math.fsum(numbers) / len(numbers)


def sum_of_squares(numbers: Sequence[float]) -> float:
    """The sum of the squares."""
    return math.fsum(number * number for number in numbers)


def quantile(numbers: Sequence[float], level: float) -> float:
    """The quantile of at least one number, between two neighbours in proportion; ``level`` is between 0 and 1."""
    ordered = sorted(numbers)
    place = (len(ordered) - 1) * level
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
