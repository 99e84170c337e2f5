"""The value that evaluation passes around: an instant vector at every step at once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.promql.errors import EvaluationError

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]
Histograms: TypeAlias = NDArray[np.object_]
"""A :class:`NativeHistogram` or None in each cell."""

METADATA_LABELS = (METRIC_NAME, "__type__", "__unit__")
"""What counts as a metric's name and falls with it."""


@dataclass(slots=True, eq=False)
class Frame:
    """S series over N steps.

    * ``labels``: S label sets, each at most once;
    * ``values``: float64, shape ``[N, S]``; meaningless where absent;
    * ``mask``: bool, shape ``[N, S]``, whether the series has a value at the step (NaN is a value);
    * ``nameless``: bool, shape ``[S]``: the metric name is still there for label functions but
      falls at the end of the query (Prometheus' delayed name removal);
    * ``histograms``: shape ``[N, S]``, the values that are native histograms; None when none is, which costs floats
      nothing.
    """

    labels: list[Labels]
    values: Floats
    mask: Bools
    nameless: Bools
    histograms: Histograms | None = None

    @property
    def steps(self) -> int:
        """N."""
        return self.values.shape[0]

    @property
    def width(self) -> int:
        """S."""
        return len(self.labels)

    def with_values(self, values: Floats, mask: Bools | None = None, *, drop_name: bool = True) -> "Frame":
        """The same series with other values, all floats."""
        nameless = np.ones(self.width, bool) if drop_name else self.nameless
        return Frame(self.labels, values, self.mask if mask is None else mask, nameless)

    def take(self, columns: NDArray[np.intp] | Sequence[int]) -> "Frame":
        """Some of the series, in the order given."""
        index = np.asarray(columns, dtype=np.intp)
        labels = [self.labels[column] for column in index]
        histograms = None if self.histograms is None else self.histograms[:, index]
        return Frame(labels, self.values[:, index], self.mask[:, index], self.nameless[index], histograms)

    def held(self) -> Bools:
        """Where there is a histogram, ``[N, S]``."""
        if self.histograms is None:
            return np.zeros(self.mask.shape, bool)
        return self.histograms.astype(bool) & self.mask

    def floats(self) -> "Frame":
        """Without the histograms, and without the series that have nothing else."""
        if self.histograms is None:
            return self
        return Frame(self.labels, self.values, self.mask & ~self.held(), self.nameless).present()

    def cells(self) -> Iterator[tuple[int, int, NativeHistogram]]:
        """The histograms with their steps and columns."""
        if self.histograms is not None:
            for step, column in np.argwhere(self.held()).tolist():
                yield step, column, self.histograms[step, column]

    def present(self) -> "Frame":
        """Without the series that have no value at any step."""
        some = self.mask.any(axis=0)
        return self if some.all() else self.take(np.flatnonzero(some))


def empty(steps: int) -> Frame:
    """A vector without series."""
    return Frame([], np.empty((steps, 0)), np.empty((steps, 0), bool), np.empty(0, bool))


def concatenate(frames: Sequence[Frame], steps: int) -> Frame:
    """Side by side; label sets may then occur twice."""
    frames = [frame for frame in frames if frame.width]
    if not frames:
        return empty(steps)
    if len(frames) == 1:
        return frames[0]
    return Frame(
        [item for frame in frames for item in frame.labels],
        np.concatenate([frame.values for frame in frames], axis=1),
        np.concatenate([frame.mask for frame in frames], axis=1),
        np.concatenate([frame.nameless for frame in frames]),
        None
        if all(frame.histograms is None for frame in frames)
        else np.concatenate([grid(frame) for frame in frames], axis=1),
    )


def grid(frame: Frame) -> Histograms:
    """The histograms of a frame, also where it has none."""
    return np.full(frame.mask.shape, None, object) if frame.histograms is None else frame.histograms


def of_cells(labels: list[Labels], steps: int, found: Iterable[tuple[int, int, float | NativeHistogram]]) -> Frame:
    """A frame of single values: step, column and value each; the others are absent."""
    shape = (steps, len(labels))
    values, mask = np.full(shape, np.nan), np.zeros(shape, bool)
    histograms: Histograms | None = None
    for step, column, value in found:
        mask[step, column] = True
        if isinstance(value, NativeHistogram):
            if histograms is None:
                histograms = np.full(shape, None, object)
            histograms[step, column] = value
        else:
            values[step, column] = value
    return Frame(labels, values, mask, np.zeros(len(labels), bool), histograms)


def unite(frame: Frame, message: str = "vector cannot contain metrics with the same labelset") -> Frame:
    """Join series with equal label sets into one.

    Raises:
        EvaluationError: two of them have a value at the same step.
    """
    places: dict[Labels, int] = {}
    groups: list[list[int]] = []
    for column, labels in enumerate(frame.labels):
        place = places.setdefault(labels, len(groups))
        if place == len(groups):
            groups.append([column])
        else:
            groups[place].append(column)
    if len(groups) == frame.width:
        return frame
    result = frame.take([group[0] for group in groups])
    for place, group in enumerate(groups):
        for column in group[1:]:
            if (result.mask[:, place] & frame.mask[:, column]).any():
                raise EvaluationError(message)
            result.values[:, place] = np.where(frame.mask[:, column], frame.values[:, column], result.values[:, place])
            if result.histograms is not None and frame.histograms is not None:
                taken = frame.mask[:, column]
                result.histograms[taken, place] = frame.histograms[taken, column]
            result.mask[:, place] |= frame.mask[:, column]
            result.nameless[place] |= frame.nameless[column]
    return result


def without_name(labels: Labels) -> Labels:
    """A label set without the metric name and its type and unit."""
    return labels.without(METADATA_LABELS) if any(name in labels for name in METADATA_LABELS) else labels


def drop_names(frame: Frame) -> Frame:
    """Let fall the metric names that functions and operators took away.

    Raises:
        EvaluationError: two series become the same.
    """
    if not frame.nameless.any():
        return unite(frame)
    labels = [
        without_name(item) if nameless else item for item, nameless in zip(frame.labels, frame.nameless, strict=True)
    ]
    return unite(Frame(labels, frame.values, frame.mask, np.zeros(frame.width, bool), frame.histograms))
