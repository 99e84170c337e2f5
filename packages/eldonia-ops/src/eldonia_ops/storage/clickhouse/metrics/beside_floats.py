"""What a series in memory has beside its floats: native histograms, and since when its counts count.

Most series have neither; those that have get one of these.
"""

from bisect import bisect_left, bisect_right
from typing import Final

HOUR_MS: Final = 3_600_000
START_KNOWN_MS: Final = 2 * HOUR_MS
"""How far back the start of a sample may have been noted: it is noted anew in each hour."""

_ENTRY_BYTES: Final = 80


class BesideFloats:
    """Histograms by instant (Unix ms, ascending), packed; and starts, noted where they change."""

    __slots__ = ("_packed", "_start_times", "_starts", "_times", "bytes_held")

    def __init__(self) -> None:
        self._times: list[int] = []
        self._packed: list[bytes] = []
        self._start_times: list[int] = []
        self._starts: list[int] = []
        self.bytes_held = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to be kept."""
        return not self._times and not any(self._starts)

    def add(self, at: int, packed: bytes) -> None:
        """Add a histogram that is newer than the newest."""
        self._times.append(at)
        self._packed.append(packed)
        self.bytes_held += len(packed) + _ENTRY_BYTES

    def note_start(self, at: int, start_ms: int) -> bool:
        """Note since when the sample at an instant counts, 0 for unknown; says whether that has to be stored.

        It has when it changed, and in each hour once, so that a reader need not look back further.
        """
        last = self._starts[-1] if self._starts else 0
        if last == start_ms and (not start_ms or self._start_times[-1] // HOUR_MS == at // HOUR_MS):
            return False
        self._start_times.append(at)
        self._starts.append(start_ms)
        self.bytes_held += _ENTRY_BYTES
        return True

    def histogram(self, at: int) -> bytes:
        """The histogram of an instant; empty when there is none."""
        place = bisect_left(self._times, at)
        return self._packed[place] if place < len(self._times) and self._times[place] == at else b""

    def histograms(self, start_ms: int, end_ms: int) -> tuple[list[int], list[bytes]]:
        """Instants and histograms in a closed range."""
        part = slice(bisect_left(self._times, start_ms), bisect_right(self._times, end_ms))
        return self._times[part], self._packed[part]

    def starts(self, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
        """From when on which start counts, for the samples of a closed range."""
        first = max(0, bisect_right(self._start_times, start_ms) - 1)
        last = bisect_right(self._start_times, end_ms)
        return list(zip(self._start_times[first:last], self._starts[first:last], strict=True))

    def drop_before(self, floor_ms: int) -> None:
        """Forget what is about samples older than this."""
        gone = bisect_left(self._times, floor_ms)
        self._drop(slice(0, gone), slice(0, max(0, bisect_right(self._start_times, floor_ms) - 1)))

    def drop_after(self, latest_ms: int) -> None:
        """Forget what is about samples newer than this."""
        self._drop(
            slice(bisect_right(self._times, latest_ms), None), slice(bisect_right(self._start_times, latest_ms), None)
        )

    def _drop(self, histograms: slice, starts: slice) -> None:
        self.bytes_held -= sum(len(packed) + _ENTRY_BYTES for packed in self._packed[histograms])
        self.bytes_held -= _ENTRY_BYTES * len(self._starts[starts])
        del self._times[histograms], self._packed[histograms]
        del self._start_times[starts], self._starts[starts]
