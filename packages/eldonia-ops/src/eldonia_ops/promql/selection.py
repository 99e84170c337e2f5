"""Selectors: from fetched blocks to frames, and range functions over them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import SeriesBlock, is_stale
from eldonia_ops.promql.ast import Expr, MatrixSelector, Subquery, VectorSelector
from eldonia_ops.promql.errors import LimitError, UnsupportedError
from eldonia_ops.promql.frame import Floats, Frame, Ints, concatenate, empty, of_cells, without_name
from eldonia_ops.promql.histogram_ranges import MixedReducer
from eldonia_ops.promql.mixed_series import MixedSeries, Value, Window, latest, split, split_frame
from eldonia_ops.promql.plan import Plan
from eldonia_ops.promql.rates import Reducer
from eldonia_ops.promql.windows import (
    CHUNK_CELLS,
    Dense,
    Proceed,
    Windows,
    dense_blocks,
    split_by_mask,
    windows_over,
)


class VectorEvaluator(Protocol):
    """Evaluates the inside of a subquery."""

    @property
    def proceed(self) -> Proceed:
        """Is called between chunks of work."""
        ...

    def vector(self, expr: Expr, times: Ints) -> Frame:
        """An instant vector expression at every step."""
        ...


@dataclass(slots=True, eq=False)
class Ranges:
    """The samples of a range vector with the windows of every step.

    ``dense`` are blocks of floats, ``mixed`` series with histograms; ``renamed`` maps series whose name falls (inside a
    subquery) to their labels without it.
    """

    dense: Iterator[tuple[Dense, Windows]]
    mixed: list[tuple[MixedSeries, Windows]]
    renamed: dict[Labels, Labels]


class Selection:
    """The data of one plan, as selectors see it. ``samples`` counts those that were looked at, step by step."""

    def __init__(self, plan: Plan, data: Sequence[Sequence[SeriesBlock]], evaluator: VectorEvaluator) -> None:
        self._plan = plan
        self._data = data
        self._mixed = [any(block.histograms for block in blocks) for blocks in data]
        self._evaluator = evaluator
        self.samples = 0

    def blocks(self, node: object) -> Sequence[SeriesBlock]:
        """The blocks fetched for a node."""
        return self._data[self._plan.sources[id(node)]]

    def _split(self, node: object, *, keep_stale: bool) -> tuple[Sequence[SeriesBlock], list[MixedSeries]]:
        """The blocks fetched for a node, those of floats apart from the series with histograms."""
        blocks = self.blocks(node)
        return split(blocks, keep_stale=keep_stale) if self._mixed[self._plan.sources[id(node)]] else (blocks, [])

    def effective(self, node: VectorSelector | Subquery, times: Ints) -> Ints:
        """The instants that a selector looks at: ``@`` and offset applied."""
        if node.at is not None:
            times = np.full(len(times), self._plan.at(node.at), dtype=np.int64)
        return times - self._plan.duration(node.offset, node.start)

    def _check(self, series: int, steps: int, node: VectorSelector | Subquery) -> None:
        if series * steps > self._plan.limits.cells:
            message = (
                f"query would compute {series:,} series at {steps:,} steps, more than "
                f"{self._plan.limits.cells:,} values; select fewer series or use a larger step"
            )
            raise LimitError(message, node.start)

    def instant(self, node: VectorSelector, times: Ints, *, timestamps: bool = False) -> Frame:
        """The latest sample within the lookback at every step; with ``timestamps`` its Unix seconds instead."""
        at = self.effective(node, times)
        lookback = self._plan.lookback_ms
        smooth = node.modifier == "smoothed"
        until = int(at.max()) + (lookback if smooth else 0)
        blocks, mixed = self._split(node, keep_stale=True)
        denses = dense_blocks(blocks, int(at.min()) - lookback, until, keep_stale=True)
        self._check(len(mixed) + sum(len(dense.labels) for dense in denses), len(times), node)
        found: list[tuple[Dense, Ints, np.ndarray]] = []
        for dense in denses:
            rows = np.searchsorted(dense.timestamps, at, side="right") - 1
            recent = (rows >= 0) & (dense.timestamps[rows] > at - lookback)
            if recent.any():
                found.append((dense, np.maximum(rows, 0), recent))
        frame = _allocate([dense.labels for dense, _, _ in found], len(times))
        column = 0
        stale = False
        for dense, rows, recent in found:
            place = slice(column, column + len(dense.labels))
            values = dense.values.take(rows, axis=0)
            frame.mask[:, place] = recent[:, None]
            if np.isnan(values).any():
                ended = is_stale(values)
                stale |= bool(ended.any())
                frame.mask[:, place] &= ~ended
            if timestamps:
                values = np.broadcast_to((dense.timestamps[rows] / 1000)[:, None], values.shape)
            elif smooth:
                values = _interpolated(dense, rows, at, values)
            frame.values[:, place] = values
            column = place.stop
        if mixed:
            if smooth:
                raise UnsupportedError("smoothed native histograms are not supported", node.start)
            seen = latest(mixed, at, lookback, timestamps=timestamps)
            other = of_cells([one.labels for one in mixed], len(times), seen).present()
            frame = concatenate([frame, other], len(times))
        self.samples += int(np.count_nonzero(frame.mask))
        return frame.present() if stale else frame

    def raw(self, node: MatrixSelector | Subquery, times: Ints, params: tuple[Floats, ...] = ()) -> "Ranges":
        """The samples of a range vector with the windows of every step."""
        renamed: dict[Labels, Labels] = {}
        if isinstance(node, Subquery):
            at = self.effective(node, times)
            length = self._plan.duration(node.range, node.start, positive=True)
            start, end, step = self._plan.grid(node, int(at.min()), int(at.max()))
            if end < start:
                return Ranges(iter(()), [], renamed)
            grid = np.arange(start, end + 1, step, dtype=np.int64)
            before = self.samples
            frame = self._evaluator.vector(node.expr, grid)
            self.samples = before  # Prometheus counts the points of a subquery, and not what they were made of
            for labels, nameless in zip(frame.labels, frame.nameless, strict=True):
                if nameless:
                    renamed[labels] = without_name(labels)
            mixed: list[MixedSeries] = []
            if frame.histograms is not None:
                frame, mixed = split_frame(frame, grid)
            denses = split_by_mask(frame.labels, grid, frame.values, frame.mask)
            extra = 0
        else:
            selector = node.selector
            at = self.effective(selector, times)
            length = self._plan.duration(node.range, node.start, positive=True)
            extra = self._plan.lookback_ms if selector.modifier else 0
            after = int(at.min()) - length - extra
            until = int(at.max()) + (extra if selector.modifier == "smoothed" else 0)
            blocks, mixed = self._split(selector, keep_stale=False)
            denses = dense_blocks(blocks, after, until)
            if mixed and selector.modifier:
                message = f"{selector.modifier} ranges of native histograms are not supported"
                raise UnsupportedError(message, selector.start)
        self._check(len(mixed) + sum(len(dense.labels) for dense in denses), len(times), _owner(node))

        def over(timestamps: Ints, series: int) -> Windows:
            windows = windows_over(timestamps, at - length, at, times, params, self._evaluator.proceed)
            self.samples += int(windows.counts.sum()) * series
            return windows

        return Ranges(
            ((dense, over(dense.timestamps, len(dense.labels))) for dense in denses),
            [(one, over(one.times, 1)) for one in mixed],
            renamed,
        )

    def over(
        self,
        node: MatrixSelector | Subquery,
        times: Ints,
        reducer: Callable[[Dense], Reducer],
        params: tuple[Floats, ...] = (),
        *,
        keep_name: bool = False,
        mixed: Callable[[Sequence[Floats]], MixedReducer],
    ) -> Frame:
        """Apply a range function at every step. ``reducer`` prepares one dense block, ``mixed`` is given the parameters
        at a step and works on one window of a series with histograms."""
        ranges = self.raw(node, times, params)
        found = list(ranges.dense)
        nameless = ranges.renamed.keys()
        frame = _allocate([dense.labels for dense, _ in found], len(times))
        used = np.zeros(frame.width, bool)
        column = 0
        for dense, windows in found:
            place = slice(column, column + len(dense.labels))
            column = place.stop
            reduce = reducer(dense)
            rows = max(1, CHUNK_CELLS // len(dense.labels))
            for begin in range(0, len(times), rows):
                windows.proceed()
                steps = slice(begin, min(begin + rows, len(times)))
                values, present = reduce(windows.chunk(steps.start, steps.stop))
                frame.values[steps, place] = values
                frame.mask[steps, place] = present[:, None]
                if present.any():
                    used[place] = True
        frame = frame if used.all() else frame.take(np.flatnonzero(used))
        if ranges.mixed:
            reduced = _reduced(ranges.mixed, mixed)
            other = of_cells([one.labels for one, _ in ranges.mixed], len(times), reduced).present()
            frame = concatenate([frame, other], len(times))
        if not keep_name:
            frame.nameless[:] = True
        elif nameless:
            frame.nameless[:] = [labels in nameless for labels in frame.labels]
        return frame


def _reduced(
    series: Sequence[tuple[MixedSeries, Windows]], reducer: Callable[[Sequence[Floats]], MixedReducer]
) -> Iterator[tuple[int, int, Value]]:
    for column, (one, windows) in enumerate(series):
        windows.proceed()
        for step, (low, high) in enumerate(zip(windows.lo.tolist(), windows.hi.tolist(), strict=True)):
            if low == high:
                continue
            part = windows.chunk(step, step + 1)
            borders = int(part.start_ms[0]), int(part.end_ms[0]), int(part.times[0])
            value = reducer(part.params)(Window(one, low, high, *borders))
            if value is not None:
                yield step, column, value


def _owner(node: MatrixSelector | Subquery) -> VectorSelector | Subquery:
    return node.selector if isinstance(node, MatrixSelector) else node


def _allocate(labels: Sequence[Sequence[Labels]], steps: int) -> Frame:
    together = [item for part in labels for item in part]
    if not together:
        return empty(steps)
    shape = (steps, len(together))
    return Frame(together, np.empty(shape), np.zeros(shape, bool), np.zeros(len(together), bool))


def _interpolated(dense: Dense, rows: Ints, at: Ints, values: Floats) -> Floats:
    """Values on the line between the sample at or before an instant and the next one, where there is one."""
    following = np.minimum(rows + 1, len(dense.timestamps) - 1)
    stamps = dense.timestamps
    newer = dense.values.take(following, axis=0)
    with np.errstate(all="ignore"):
        fraction = np.where(following > rows, (at - stamps[rows]) / (stamps[following] - stamps[rows]), 0.0)
        line = values + (newer - values) * fraction[:, None]
    return np.where((fraction == 0)[:, None] | is_stale(newer), values, line)
