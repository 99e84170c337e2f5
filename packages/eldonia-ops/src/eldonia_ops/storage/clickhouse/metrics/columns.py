"""Growing arrays of samples in memory: one target's block, and one series on its own."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.samples import ABSENT_NAN, ABSENT_NAN_BITS

NEVER: Final = -(2**62)
"""Before every timestamp."""


class TargetBlock:
    """Series that are sampled together: ``timestamps[T]`` and ``values[T, S]``, time-major.

    Rows are only ever appended and cells only ever filled, so views handed out stay valid; whenever
    the arrays must move or shrink, new ones are made.
    """

    __slots__ = ("_data", "_first", "_times", "count", "last_ms", "series", "start")

    def __init__(self) -> None:
        self.series: list[int] = []  # the number of the series in each column
        self._times: NDArray[np.int64] = np.empty(64, np.int64)
        self._data: NDArray[np.float64] = np.empty((64, 0), np.float64)
        self.start = 0
        self.count = 0
        self.last_ms: NDArray[np.int64] = np.empty(0, np.int64)  # newest sample of each column
        self._first: NDArray[np.int64] = np.empty(0, np.int64)

    @property
    def timestamps(self) -> NDArray[np.int64]:
        """Shape [T]."""
        return self._times[self.start : self.start + self.count]

    @property
    def values(self) -> NDArray[np.float64]:
        """Shape [T, S]."""
        return self._data[self.start : self.start + self.count, : len(self.series)]

    @property
    def newest_ms(self) -> int:
        """The last row's timestamp."""
        return int(self._times[self.start + self.count - 1]) if self.count else NEVER

    @property
    def nbytes(self) -> int:
        """Memory set aside."""
        return self._data.nbytes + self._times.nbytes + self.last_ms.nbytes + self._first.nbytes

    def spans(self, columns: NDArray[np.intp], start_ms: int, end_ms: int) -> NDArray[np.bool_]:
        """Which columns may hold a sample in the range: they began before its end and ended after its start."""
        return (self.last_ms[columns] >= start_ms) & (self._first[columns] <= end_ms)

    def add_columns(self, series: Sequence[int]) -> NDArray[np.intp]:
        """Make room for series; their cells so far are absent. Returns their columns."""
        old = len(self.series)
        self.series.extend(series)
        needed = len(self.series)
        if needed > self._data.shape[1]:
            width = needed if old == 0 else max(needed, old + old // 4 + 8)
            self._move(len(self._times), width)
        if needed > len(self.last_ms):
            room = max(needed, self._data.shape[1]) - len(self.last_ms)
            self.last_ms = np.concatenate([self.last_ms, np.full(room, NEVER, np.int64)])
            self._first = np.concatenate([self._first, np.full(room, -NEVER, np.int64)])
        return np.arange(old, needed)

    def append(self, timestamps: NDArray[np.int64], columns: NDArray[np.intp], values: NDArray[np.float64]) -> None:
        """Append rows newer than the newest: ``values`` has shape [len(timestamps), len(columns)]."""
        rows = len(timestamps)
        end = self.start + self.count
        if end + rows > len(self._times):
            self._move(max(64, (self.count + rows) + (self.count + rows) // 4), self._data.shape[1])
            end = self.count
        self._times[end : end + rows] = timestamps
        self._data[end : end + rows] = ABSENT_NAN
        self._data[end : end + rows, columns] = values
        self.count += rows
        if rows == 1:
            self._note(columns, timestamps[0], values.reshape(-1))
            return
        present = np.ascontiguousarray(values).view(np.uint64) != np.uint64(ABSENT_NAN_BITS)
        some = present.any(axis=0)
        first = timestamps[present.argmax(axis=0)]
        last = timestamps[rows - 1 - present[::-1].argmax(axis=0)]
        self.last_ms[columns[some]] = last[some]
        self._first[columns[some]] = np.minimum(self._first[columns[some]], first[some])

    def fill(self, columns: NDArray[np.intp], values: NDArray[np.float64]) -> None:
        """Set absent cells of the newest row."""
        row = self.start + self.count - 1
        self._data[row, columns] = values
        self._note(columns, self._times[row], values)

    def newest_values(self, columns: NDArray[np.intp]) -> NDArray[np.float64]:
        """The newest row's cells."""
        return self._data[self.start + self.count - 1, columns]

    def drop_before(self, floor_ms: int) -> None:
        """Forget rows older than ``floor_ms``; the memory is given back in larger steps."""
        if self.count and self._times[self.start] >= floor_ms:  # as nearly all of a hundred thousand, twice a minute
            return
        gone = int(np.searchsorted(self.timestamps, floor_ms))
        self.start += gone
        self.count -= gone
        if self.start > max(64, self.count // 4):
            self._move(max(64, self.count + self.count // 4), self._data.shape[1])

    def drop_after(self, latest_ms: int) -> None:
        """Forget rows newer than ``latest_ms``; what was handed out keeps them."""
        kept = int(np.searchsorted(self.timestamps, latest_ms, side="right"))
        if kept == self.count:
            return
        self.count = kept
        self._move(max(64, kept + kept // 4), self._data.shape[1])
        self.last_ms[:] = NEVER
        self._first[:] = -NEVER
        if kept:
            present = np.ascontiguousarray(self.values).view(np.uint64) != np.uint64(ABSENT_NAN_BITS)
            some = np.flatnonzero(present.any(axis=0))
            self._first[some] = self.timestamps[present.argmax(axis=0)][some]
            self.last_ms[some] = self.timestamps[kept - 1 - present[::-1].argmax(axis=0)][some]

    def keep_columns(self, columns: NDArray[np.intp]) -> None:
        """Forget all other columns."""
        self.series = [self.series[column] for column in columns]
        self._move(max(64, self.count + self.count // 4), len(columns), columns)
        self.last_ms = self.last_ms[columns]
        self._first = self._first[columns]

    def _note(self, columns: NDArray[np.intp], timestamp: np.int64, values: NDArray[np.float64]) -> None:
        present = np.ascontiguousarray(values).view(np.uint64) != np.uint64(ABSENT_NAN_BITS)
        if not present.all():
            columns = columns[present]
        self.last_ms[columns] = timestamp
        self._first[columns] = np.minimum(self._first[columns], timestamp)

    def _move(self, height: int, width: int, columns: NDArray[np.intp] | None = None) -> None:
        old = self._data[self.start : self.start + self.count]
        times = np.empty(height, np.int64)
        times[: self.count] = self.timestamps
        data = np.empty((height, width), np.float64)
        if columns is not None:
            data[: self.count] = old[:, columns]
        else:
            data[: self.count, : old.shape[1]] = old[:, :width]
            data[: self.count, old.shape[1] :] = ABSENT_NAN
        self._times, self._data, self.start = times, data, 0


class SingleSeries:
    """One series with timestamps of its own."""

    __slots__ = ("_times", "_values", "count", "start")

    def __init__(self) -> None:
        self._times: NDArray[np.int64] = np.empty(16, np.int64)
        self._values: NDArray[np.float64] = np.empty(16, np.float64)
        self.start = 0
        self.count = 0

    @property
    def timestamps(self) -> NDArray[np.int64]:
        """Shape [T]."""
        return self._times[self.start : self.start + self.count]

    @property
    def values(self) -> NDArray[np.float64]:
        """Shape [T]."""
        return self._values[self.start : self.start + self.count]

    @property
    def newest_ms(self) -> int:
        """The last sample's timestamp."""
        return int(self._times[self.start + self.count - 1]) if self.count else NEVER

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Whether a sample may be in the closed range: its first is not behind it, its last not before it."""
        return bool(
            self.count and self._times[self.start + self.count - 1] >= start_ms and self._times[self.start] <= end_ms
        )

    @property
    def nbytes(self) -> int:
        """Memory set aside."""
        return self._times.nbytes + self._values.nbytes

    def append_one(self, timestamp_ms: int, value: float) -> None:
        """Append a sample newer than the newest."""
        end = self.start + self.count
        if end == len(self._times):
            self._move(max(16, (self.count + 1) * 3 // 2))
            end = self.count
        self._times[end] = timestamp_ms
        self._values[end] = value
        self.count += 1

    def append(self, timestamps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Append samples newer than the newest."""
        end = self.start + self.count
        added = len(timestamps)
        if end + added > len(self._times):
            self._move(max(16, (self.count + added) * 3 // 2))
            end = self.count
        self._times[end : end + added] = timestamps
        self._values[end : end + added] = values
        self.count += added

    def drop_before(self, floor_ms: int) -> None:
        """Forget samples older than ``floor_ms``."""
        gone = int(np.searchsorted(self.timestamps, floor_ms))
        self.start += gone
        self.count -= gone
        if self.start > max(64, self.count):
            self._move(max(16, self.count * 5 // 4))

    def drop_after(self, latest_ms: int) -> None:
        """Forget samples newer than ``latest_ms``; what was handed out keeps them."""
        kept = int(np.searchsorted(self.timestamps, latest_ms, side="right"))
        if kept < self.count:
            self.count = kept
            self._move(max(16, kept * 5 // 4))

    def _move(self, capacity: int) -> None:
        times, values = np.empty(capacity, np.int64), np.empty(capacity, np.float64)
        times[: self.count] = self.timestamps
        values[: self.count] = self.values
        self._times, self._values, self.start = times, values, 0
