"""Native histograms: the value of a sample that counts observations in many buckets at once.

The form is Prometheus' sparse one with float counts (https://prometheus.io/docs/specs/native_histograms/): of a
standard schema ``n``, bucket ``i`` holds observations up to ``2 ** (i * 2 ** -n)``; schema -53 has bounds of its own.
"""

import math
import sys
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Final

CUSTOM_SCHEMA: Final = -53
LEAST_SCHEMA: Final = -4
LARGEST_SCHEMA: Final = 8
MAX_BUCKETS: Final = 10_000
"""How many populated buckets one histogram may have."""

_LARGEST_INDEX: Final = 2**31 - 1
_LAST_EXPONENT: Final = 1025

# Bounds have to be the same to the last bit wherever they are compared or shown. Those of Prometheus' table are not the
# nearest doubles to ``2 ** (k / 256 - 1)``: each digit says how many steps of a double the k-th is below, plus one.
_STEPS: Final = (
    "1111112111211111112311222222222211211121122211221122102211221122"
    "1111112222332132112111211112111111121011213311221222112121332222"
    "2121223322322122222222323233323311221121223321332233212232332232"
    "2243223233433343333333444455435422322333324422333243223333543344"
)


def _fraction(place: int, steps: int) -> float:
    found = 2.0 ** (place / 256 - 1)
    for _ in range(abs(steps)):
        found = math.nextafter(found, -math.inf if steps > 0 else math.inf)
    return found


_FRACTIONS: Final = tuple(_fraction(place, int(digit) - 1) for place, digit in enumerate(_STEPS))


class ResetHint(StrEnum):
    """What the sender knows about a reset of the counts before this sample."""

    UNKNOWN = "unknown"
    RESET = "reset"
    NO_RESET = "no_reset"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class NativeHistogram:
    """Counts of observations by bucket.

    ``positive`` and ``negative`` hold ``(index, count)`` of the buckets that are not empty, by index; a count is that
    of the bucket alone. ``custom_bounds`` are the upper bounds of a histogram with schema -53, ascending.

    Counts may be below zero: the difference of two gauges has such. :meth:`checked` is for what comes from outside.
    """

    schema: int
    count: float
    sum: float
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: tuple[tuple[int, float], ...] = ()
    negative: tuple[tuple[int, float], ...] = ()
    custom_bounds: tuple[float, ...] = ()
    reset_hint: ResetHint = ResetHint.UNKNOWN

    def checked(self) -> "NativeHistogram":
        """This histogram, if it can be a sample.

        Raises:
            ValueError: its parts do not fit together, or a count is below zero; the message says which.
        """
        self._check()
        return self

    def _check(self) -> None:
        custom = self.schema == CUSTOM_SCHEMA
        if not custom and not LEAST_SCHEMA <= self.schema <= LARGEST_SCHEMA:
            raise ValueError(
                f"schema {self.schema} is neither {CUSTOM_SCHEMA} nor between {LEAST_SCHEMA} and {LARGEST_SCHEMA}"
            )
        if len(self.positive) + len(self.negative) > MAX_BUCKETS:
            raise ValueError(f"more than {MAX_BUCKETS} buckets")
        for name, buckets in (("positive", self.positive), ("negative", self.negative)):
            indexes = [index for index, _ in buckets]
            if indexes != sorted(set(indexes)) or any(abs(index) > _LARGEST_INDEX for index in indexes):
                raise ValueError(f"the {name} buckets are not in the order of their indexes")
            if any(not count >= 0 for _, count in buckets):
                raise ValueError(f"a {name} bucket has a count below zero")
        if not (self.zero_threshold >= 0 and self.zero_count >= 0 and self.count >= 0):
            raise ValueError("a count or the zero threshold is below zero")
        if custom:
            self._check_custom()
        elif self.custom_bounds:
            raise ValueError("only schema -53 has bounds of its own")

    def _check_custom(self) -> None:
        bounds = self.custom_bounds
        if any(not low < high for low, high in pairwise(bounds)):
            raise ValueError("the bounds are not ascending")
        if self.negative or self.zero_count:
            raise ValueError("a histogram with bounds of its own has no negative and no zero bucket")
        if any(not 0 <= index <= len(bounds) for index, _ in self.positive):
            raise ValueError("a bucket has no bounds")

    def upper_bound(self, index: int) -> float:
        """The inclusive upper bound of a positive bucket; the last is infinite for bounds of its own."""
        if self.schema == CUSTOM_SCHEMA:
            return self.custom_bounds[index] if index < len(self.custom_bounds) else math.inf
        if self.schema < 0:
            fraction, exponent = 0.5, (index << -self.schema) + 1
        else:
            fraction = _FRACTIONS[(index & ((1 << self.schema) - 1)) << (LARGEST_SCHEMA - self.schema)]
            exponent = (index >> self.schema) + 1
        if fraction == 0.5 and exponent == _LAST_EXPONENT:
            return sys.float_info.max  # only infinity is beyond the last bucket of numbers
        try:
            return math.ldexp(fraction, exponent)
        except OverflowError:
            return math.inf


def reduced(histogram: NativeHistogram, schema: int, of: int | None = None) -> NativeHistogram:
    """The histogram with a coarser standard schema: buckets are merged, 2 to the power of the difference into one.

    ``of`` is the schema that its buckets have, when it is finer than a histogram can have.
    """
    steps = (histogram.schema if of is None else of) - schema
    if steps <= 0 or histogram.schema == CUSTOM_SCHEMA:
        return histogram
    return replace(
        histogram,
        schema=schema,
        positive=_merged(histogram.positive, steps),
        negative=_merged(histogram.negative, steps),
    )


def _merged(buckets: tuple[tuple[int, float], ...], steps: int) -> tuple[tuple[int, float], ...]:
    found: dict[int, float] = {}
    for index, count in buckets:
        # The upper bound of a bucket is inclusive: index 2**steps still belongs to bucket 1.
        coarse = ((index - 1) >> steps) + 1
        found[coarse] = found.get(coarse, 0.0) + count
    return tuple(found.items())
