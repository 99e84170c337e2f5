"""Quantiles of a stream in bounded memory.

The sketch is DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", PVLDB 12(12), 2019): values are counted in bins whose bounds grow by a
constant factor, so that a quantile is off by at most ``RELATIVE_ERROR`` of its own value.
"""

import math
from collections.abc import Iterable
from typing import Final

RELATIVE_ERROR: Final = 0.01
MAX_BINS: Final = 1024
"""At 1 % these span eight and a half decades (10 µs to an hour); beyond, the lowest bins are merged."""

_GAMMA: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_PER_LOG: Final = 1 / math.log(_GAMMA)
_SMALLEST: Final = 1e-9


class Sketch:
    """Counts of values that are zero or more. Not thread-safe: the caller holds a lock."""

    __slots__ = ("_bins", "_zeros", "count")

    def __init__(self) -> None:
        self._bins: dict[int, int] = {}
        self._zeros = 0
        self.count = 0

    def add(self, values: Iterable[float]) -> None:
        """Count values; what is below 1e-9 counts as 0, what is not finite is left out."""
        bins = self._bins
        for value in values:
            if not value < math.inf:
                continue
            self.count += 1
            if value < _SMALLEST:
                self._zeros += 1
                continue
            index = math.ceil(math.log(value) * _PER_LOG)
            if index in bins:
                bins[index] += 1
            else:
                bins[index] = 1
                if len(bins) > MAX_BINS:
                    self._merge_lowest()

    def quantile(self, share: float) -> float:
        """The value that ``share`` (0 to 1) of all values do not exceed; NaN when there are none."""
        if not self.count:
            return math.nan
        rank = share * (self.count - 1)
        seen = self._zeros
        if seen > rank:
            return 0.0
        value = 0.0
        for index in sorted(self._bins):
            seen += self._bins[index]
            value = 2 * _GAMMA**index / (_GAMMA + 1)
            if seen > rank:
                break
        return value

    def _merge_lowest(self) -> None:
        lowest, next_lowest = sorted(self._bins)[:2]
        self._bins[next_lowest] += self._bins.pop(lowest)
