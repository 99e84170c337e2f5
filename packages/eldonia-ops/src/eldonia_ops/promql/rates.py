"""rate, increase, delta and their kin, over dense blocks.

Extrapolation follows Prometheus' promql/functions.go (``extrapolatedRate``), the ``anchored`` and
``smoothed`` forms its ``extendedRate``. Counter resets are counted where they happen; values are never
prefix-summed, since differences of large sums would lose the small ones.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from eldonia_ops.promql.frame import Bools, Floats, Ints
from eldonia_ops.promql.windows import Dense, Windows

Reducer: TypeAlias = Callable[[Windows], tuple[Floats, Bools]]
"""Windows of n steps to ``(values[n, S], present[n])``."""


class Resets:
    """Where the series of a block fall: the rows whose value lies below the one before."""

    def __init__(self, values: Floats) -> None:
        self._values = values
        rows, columns = np.nonzero(values[1:] < values[:-1])
        self._rows, begins = np.unique(rows + 1, return_index=True)
        self._columns = np.split(columns, begins[1:]) if rows.size else []

    def add_lost(self, result: Floats, first: Ints, last: Ints) -> None:
        """Add to ``result[n, S]`` the value before each reset at a row in ``(first[n], last[n]]``.

        ``first`` and ``last`` must not fall from step to step.
        """
        if not self._rows.size or not first.size:
            return
        low = np.searchsorted(self._rows, first[0], side="right")
        high = np.searchsorted(self._rows, last[-1], side="right")
        for place in range(low, high):
            row = self._rows[place]
            begin = np.searchsorted(last, row, side="left")
            end = np.searchsorted(first, row, side="left")
            if begin < end:
                columns = self._columns[place]
                result[begin:end, columns] += self._values[row - 1, columns]


def extrapolated(dense: Dense, *, counter: bool, per_second: bool) -> Reducer:
    """``rate``, ``increase`` (counter) and ``delta``."""
    values, stamps = dense.values, dense.timestamps
    resets = Resets(values) if counter else None

    def reduce(windows: Windows) -> tuple[Floats, Bools]:
        counts = windows.counts
        present = counts >= 2
        first = np.minimum(windows.lo, len(stamps) - 1)
        last = np.maximum(windows.hi - 1, 0)
        start_values = values.take(first, axis=0)
        result = values.take(last, axis=0)
        result -= start_values
        if resets is not None:
            resets.add_lost(result, first, last)
        with np.errstate(all="ignore"):
            sampled = (stamps[last] - stamps[first]) / 1000
            average = sampled / (counts - 1)
            to_start = (stamps[first] - windows.start_ms) / 1000
            to_end = (windows.end_ms - stamps[last]) / 1000
            threshold = average * 1.1
            to_start = np.where(to_start >= threshold, average / 2, to_start)
            to_end = np.where(to_end >= threshold, average / 2, to_end)
            scale = 1 / sampled
            seconds = (windows.end_ms - windows.start_ms) / 1000
            if not counter:
                factor = (sampled + to_start + to_end) / sampled
                result *= (factor / seconds if per_second else factor)[:, None]
                return result, present
            # A counter cannot have been below zero: stop extrapolating to the left where it would be.
            to_zero = start_values / result
            to_zero *= sampled[:, None]
            usable = (result > 0) & (start_values >= 0) & (to_zero < to_start[:, None])
            reach = np.where(usable, to_zero, to_start[:, None])
            reach += (sampled + to_end)[:, None]
            reach *= scale[:, None]
            if per_second:
                reach /= seconds[:, None]
            result *= reach
        return result, present

    return reduce


def last_two(dense: Dense, *, counter: bool) -> Reducer:
    """``irate`` (counter, per second) and ``idelta``."""
    values, stamps = dense.values, dense.timestamps

    def reduce(windows: Windows) -> tuple[Floats, Bools]:
        present = windows.counts >= 2
        last = np.maximum(windows.hi - 1, 0)
        previous = np.maximum(windows.hi - 2, 0)
        newer, older = values[last], values[previous]
        with np.errstate(all="ignore"):
            result = newer - older
            if counter:
                result = np.where(newer < older, newer, result)
                result /= ((stamps[last] - stamps[previous]) / 1000)[:, None]
        return result, present

    return reduce


def counted(dense: Dense, happened: Bools, first_of: Callable[[Windows], tuple[Ints, Bools]]) -> Reducer:
    """How often something happened between neighbours; ``happened[T - 1, S]`` is about rows 1 and on.

    ``first_of`` gives the first row of each window and whether the window has a result.
    """
    series = happened.shape[1]
    sums = np.concatenate([np.zeros((1, series), np.int32), np.cumsum(happened, axis=0, dtype=np.int32)])

    def reduce(windows: Windows) -> tuple[Floats, Bools]:
        first, present = first_of(windows)
        last = np.maximum(windows.hi - 1, 0)
        return (sums[last] - sums[np.minimum(first, last)]).astype(np.float64), present

    return reduce


def differs(values: Floats) -> Bools:
    """Where a sample differs from the one before; NaN equals NaN."""
    before, after = values[:-1], values[1:]
    return (before != after) & ~(np.isnan(before) & np.isnan(after))


def anchor(dense: Dense, windows: Windows, lookback_ms: int) -> Ints:
    """The row of the last sample at or before each window's start, within the lookback, else its first row."""
    earliest = np.searchsorted(dense.timestamps, windows.start_ms - lookback_ms, side="right")
    return np.maximum(windows.lo - 1, np.minimum(earliest, windows.lo))


def extended(dense: Dense, lookback_ms: int, *, counter: bool, per_second: bool, smooth: bool) -> Reducer:
    """``rate``, ``increase`` and ``delta`` over ``anchored`` or ``smoothed`` windows: no extrapolation."""
    values, stamps = dense.values, dense.timestamps
    resets = Resets(values) if counter else None

    def between(rows: Ints, at_ms: Ints) -> Floats:
        """The value at an instant between a row and the next, on the line that joins them."""
        following = np.minimum(rows + 1, len(stamps) - 1)
        older, newer = values[rows], values[following]
        if counter:
            older = np.where(newer < older, 0.0, older)
        with np.errstate(all="ignore"):
            fraction = (at_ms - stamps[rows]) / (stamps[following] - stamps[rows])
        return older + (newer - older) * fraction[:, None]

    def reduce(windows: Windows) -> tuple[Floats, Bools]:
        first = np.minimum(anchor(dense, windows, lookback_ms), len(stamps) - 1)
        last = np.maximum(windows.hi - 1, 0)
        left_between = np.zeros(len(first), bool)
        if smooth:
            following = np.minimum(np.searchsorted(stamps, windows.end_ms, side="left"), len(stamps) - 1)
            known = (stamps[following] >= windows.end_ms) & (stamps[following] <= windows.end_ms + lookback_ms)
            last = np.where(known, following, last)
            left_between = (stamps[first] < windows.start_ms) & (first < last)
        present = (stamps[last] > windows.start_ms) & (stamps[first] <= windows.end_ms) & (first <= last)
        if not smooth:
            present &= windows.hi > windows.lo
        left, right = values[first], values[last]
        if smooth:
            left = np.where(left_between[:, None], between(first, windows.start_ms), left)
            beyond = (stamps[last] > windows.end_ms) & (last > first)
            before = np.maximum(last - 1, 0)
            right = np.where(beyond[:, None], between(before, windows.end_ms), right)
        result = right - left
        if resets is not None:
            resets.add_lost(result, first + left_between, last)
        if per_second:
            result /= ((windows.end_ms - windows.start_ms) / 1000)[:, None]
        return result, present

    return reduce
