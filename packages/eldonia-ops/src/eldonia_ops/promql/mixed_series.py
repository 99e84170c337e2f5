"""Series that hold native histograms, alone or among floats.

They are kept apart from the dense blocks of floats, which nothing here slows down, and are evaluated one by one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram, ResetHint
from eldonia_ops.model.samples import SeriesBlock, is_absent, is_stale
from eldonia_ops.promql.frame import Bools, Floats, Frame, Ints
from eldonia_ops.promql.histogram_arithmetic import was_reset

Value: TypeAlias = float | NativeHistogram
Histograms: TypeAlias = Mapping[tuple[int, int], NativeHistogram]


class MixedSeries:
    """One series: ``times[T]`` (Unix ms, ascending) and a float or a histogram at each.

    Histograms are unpacked when they are first looked at.
    """

    def __init__(
        self, labels: Labels, times: Ints, floats: Floats, stale: Bools, places: Mapping[int, tuple[int, int]],
        histograms: Histograms,
    ) -> None:  # fmt: skip
        self.labels = labels
        self.times = times
        self.floats = floats
        self.stale = stale
        self._places = places
        self._histograms = histograms
        self._seen: dict[int, NativeHistogram] = {}
        self._resets: dict[int, bool] = {}

    def is_histogram(self, row: int) -> bool:
        """Whether a sample is a histogram."""
        return row in self._places

    def value(self, row: int) -> Value:
        """The value of a sample."""
        place = self._places.get(row)
        if place is None:
            return float(self.floats[row])
        found = self._seen.get(row)
        if found is None:
            found = self._seen[row] = self._histograms[place]
        return found

    def values(self, low: int, high: int) -> list[Value]:
        """The values of some samples."""
        return [self.value(row) for row in range(low, high)]

    def was_reset(self, row: int) -> bool:
        """Whether a counter was reset between a sample and the one before, both of which are histograms."""
        known = self._resets.get(row)
        if known is None:
            current, previous = self.value(row), self.value(row - 1)
            assert isinstance(current, NativeHistogram)
            assert isinstance(previous, NativeHistogram)
            known = self._resets[row] = was_reset(current, previous)
        return known


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The samples ``low <= row < high`` of a series, and the borders (ms) of the range that they lie in."""

    series: MixedSeries
    low: int
    high: int
    start_ms: int
    end_ms: int
    time_ms: int

    @property
    def values(self) -> list[Value]:
        """The values in the window."""
        return self.series.values(self.low, self.high)


def split(blocks: Sequence[SeriesBlock], *, keep_stale: bool = False) -> tuple[list[SeriesBlock], list[MixedSeries]]:
    """Blocks without the series that hold histograms, and those series."""
    floats: list[SeriesBlock] = []
    mixed: list[MixedSeries] = []
    for block in blocks:
        if not block.histograms:
            floats.append(block)
            continue
        rows: dict[int, list[int]] = {}
        for row, column in block.histograms:
            rows.setdefault(column, []).append(row)
        others = [column for column in range(len(block.labels)) if column not in rows]
        if others:
            labels = tuple(block.labels[column] for column in others)
            floats.append(SeriesBlock(labels, block.timestamps, np.ascontiguousarray(block.values[:, others])))
        for column, held in rows.items():
            values = np.ascontiguousarray(block.values[:, column])
            stale = is_stale(values)
            present = ~is_absent(values)
            if not keep_stale:
                present &= ~stale
            kept = np.flatnonzero(present)
            number = {row: place for place, row in enumerate(kept.tolist())}
            places = {number[row]: (row, column) for row in held if row in number}
            mixed.append(
                MixedSeries(block.labels[column], block.timestamps[kept], values[kept], stale[kept], places,
                            block.histograms)
            )  # fmt: skip
    return floats, mixed


def split_frame(frame: Frame, times: Ints) -> tuple[Frame, list[MixedSeries]]:
    """A frame without the series that hold histograms, and those series, sampled at the steps."""
    held = frame.held()
    some = held.any(axis=0)
    mixed: list[MixedSeries] = []
    # What is known of resets was about the sample before in the store, which need not be at a step.
    histograms = {(step, column): _unhinted(one) for step, column, one in frame.cells()}
    for column in np.flatnonzero(some).tolist():
        kept = np.flatnonzero(frame.mask[:, column])
        places = {place: (step, column) for place, step in enumerate(kept.tolist()) if held[step, column]}
        stale = np.zeros(len(kept), bool)
        mixed.append(
            MixedSeries(frame.labels[column], times[kept], frame.values[kept, column], stale, places, histograms)
        )
    rest = frame.take(np.flatnonzero(~some))
    return Frame(rest.labels, rest.values, rest.mask, rest.nameless), mixed


def _unhinted(one: NativeHistogram) -> NativeHistogram:
    if one.reset_hint in (ResetHint.UNKNOWN, ResetHint.GAUGE):
        return one
    return replace(one, reset_hint=ResetHint.UNKNOWN)


def latest(series: Iterable[MixedSeries], at: Ints, lookback_ms: int, *, timestamps: bool) -> Iterable[
    tuple[int, int, Value]
]:  # fmt: skip
    """Step, number of the series and value of the latest sample within the lookback of each step."""
    for column, one in enumerate(series):
        rows = np.searchsorted(one.times, at, side="right") - 1
        for step, row in enumerate(rows.tolist()):
            if row >= 0 and one.times[row] > at[step] - lookback_ms and not one.stale[row]:
                yield step, column, float(one.times[row] / 1000) if timestamps else one.value(row)
