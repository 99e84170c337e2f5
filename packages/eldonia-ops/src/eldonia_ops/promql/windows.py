"""From stored blocks to dense ones, and the windows of every step over them.

Series of one block share their timestamps, so the bounds of a window are found once for all of them.
A block with holes is split by the pattern of its holes into blocks without any.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import SeriesBlock, is_absent, is_stale
from eldonia_ops.promql.frame import Bools, Floats, Ints

CHUNK_CELLS = 131_072
"""How many cells are computed at once: temporaries of 1 MiB stay in cache and need no fresh pages."""


Proceed = Callable[[], None]
"""Is called every few thousand values; raises when the caller no longer waits for the result."""


def without_check() -> None:
    """Go on."""


@dataclass(slots=True, eq=False)
class Dense:
    """S series with a sample at each of T timestamps: ``timestamps[T]``, ``values[T, S]``."""

    labels: Sequence[Labels]
    timestamps: Ints
    values: Floats


@dataclass(slots=True, eq=False)
class Windows:
    """For each of N steps, the rows ``lo <= row < hi`` of a dense block that lie in its window.

    ``start_ms`` and ``end_ms`` are the window's borders (left-open), ``times`` the evaluation times, all
    of shape ``[N]`` in Unix milliseconds; ``params`` are the scalar arguments of the function, each ``[N]``.
    ``proceed`` is called between chunks of work.
    """

    lo: Ints
    hi: Ints
    start_ms: Ints
    end_ms: Ints
    times: Ints
    params: tuple[Floats, ...] = ()
    proceed: Proceed = without_check

    @property
    def counts(self) -> Ints:
        """How many samples lie in each window."""
        return self.hi - self.lo

    def chunk(self, begin: int, end: int) -> "Windows":
        """The steps ``begin <= step < end``."""
        part = slice(begin, end)
        return Windows(
            self.lo[part],
            self.hi[part],
            self.start_ms[part],
            self.end_ms[part],
            self.times[part],
            tuple(item[part] for item in self.params),
            self.proceed,
        )


def windows_over(
    timestamps: Ints,
    start_ms: Ints,
    end_ms: Ints,
    times: Ints,
    params: tuple[Floats, ...] = (),
    proceed: Proceed = without_check,
) -> Windows:
    """Find the window bounds over ascending timestamps."""
    lo = np.searchsorted(timestamps, start_ms, side="right")
    hi = np.searchsorted(timestamps, end_ms, side="right")
    return Windows(lo, np.maximum(lo, hi), start_ms, end_ms, times, params, proceed)


def dense_blocks(
    blocks: Sequence[SeriesBlock], after_ms: int, until_ms: int, *, keep_stale: bool = False
) -> list[Dense]:
    """The samples with ``after_ms < timestamp <= until_ms`` as blocks without holes.

    Staleness markers are dropped, or kept as values when ``keep_stale``.
    """
    found: list[Dense] = []
    for block in _joined(blocks):
        low, high = np.searchsorted(block.timestamps, (after_ms, until_ms), side="right").tolist()
        if low >= high or not block.labels:
            continue
        timestamps, values = block.timestamps[low:high], block.values[low:high]
        with np.errstate(all="ignore"):
            finite = bool(np.isfinite(values.sum()))
        if finite:
            found.append(Dense(block.labels, timestamps, values))
            continue
        valid = ~is_absent(values)
        if not keep_stale:
            valid &= ~is_stale(values)
        found.extend(_split(block.labels, timestamps, values, valid))
    return found


def split_by_mask(labels: Sequence[Labels], timestamps: Ints, values: Floats, mask: Bools) -> list[Dense]:
    """A matrix with a presence mask as blocks without holes."""
    return list(_split(labels, timestamps, values, mask))


def _joined(blocks: Sequence[SeriesBlock]) -> Sequence[SeriesBlock]:
    """Join blocks whose timestamps are the same: single series of one source often are."""
    if len(blocks) < 8:
        return blocks
    together: dict[bytes, list[SeriesBlock]] = {}
    for block in blocks:
        together.setdefault(block.timestamps.tobytes(), []).append(block)
    if len(together) == len(blocks):
        return blocks
    return [
        group[0]
        if len(group) == 1
        else SeriesBlock(
            tuple(labels for block in group for labels in block.labels),
            group[0].timestamps,
            np.concatenate([block.values for block in group], axis=1),
        )
        for group in together.values()
    ]


def _split(labels: Sequence[Labels], timestamps: Ints, values: Floats, valid: Bools) -> Iterator[Dense]:
    if not len(labels):
        return
    full = valid.all(axis=0)
    if full.all():
        yield Dense(labels, timestamps, values)
        return
    if full.any():
        columns = np.flatnonzero(full)
        yield Dense([labels[column] for column in columns.tolist()], timestamps, values[:, columns])
    patterns: dict[bytes, list[int]] = {}
    holed = np.flatnonzero(~full)
    packed = np.packbits(valid[:, holed], axis=0).T
    for place, column in enumerate(holed.tolist()):
        patterns.setdefault(packed[place].tobytes(), []).append(column)
    for columns in patterns.values():
        rows = np.flatnonzero(valid[:, columns[0]])
        if rows.size:
            yield Dense([labels[column] for column in columns], timestamps[rows], values[rows[:, None], columns])


def column_parts(dense: Dense, windows: Windows) -> Iterator[tuple[slice, Dense]]:
    """Some of the series at a time, few enough that a :func:`cube` over the widest window stays small."""
    widest = max(1, int(windows.counts.max(initial=0)))
    width = max(1, 16 * CHUNK_CELLS // widest)
    for begin in range(0, len(dense.labels), width):
        part = slice(begin, begin + width)
        yield part, Dense(dense.labels[part], dense.timestamps, dense.values[:, part])


def cube(dense: Dense, windows: Windows) -> Iterator[tuple[slice, Floats, Bools, Ints]]:
    """The samples of each window side by side, in chunks of steps.

    Yields ``(steps, values[n, w, S], inside[n, w], timestamps[n, w])``, where ``inside`` says which of the w
    places hold a sample; the others repeat one that exists, or are zero.
    """
    series = max(1, len(dense.labels))
    widest = int(windows.counts.max(initial=0))
    if widest == 0:
        return
    chunk = max(1, 2 * CHUNK_CELLS // (widest * series))
    for begin in range(0, len(windows.lo), chunk):
        windows.proceed()
        part = slice(begin, min(begin + chunk, len(windows.lo)))
        width = int(windows.counts[part].max(initial=0))
        if width == 0:
            continue
        index = windows.lo[part, None] + np.arange(width)
        inside = index < windows.hi[part, None]
        index = np.minimum(index, len(dense.timestamps) - 1)
        yield part, dense.values[index], inside, dense.timestamps[index]
