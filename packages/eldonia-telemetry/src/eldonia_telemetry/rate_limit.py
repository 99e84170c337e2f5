"""The first few of the same record a minute pass, then they become one with their count."""

from collections import OrderedDict
from typing import Final, NamedTuple

WINDOW: Final = 60.0
"""Seconds."""
MAX_KEYS: Final = 2048

Key = tuple[int, str, str]
"""Level, component and message."""


class Suppressed(NamedTuple):
    """How many records of one key were held back, and since when (Unix nanoseconds)."""

    key: Key
    number: int
    since_ns: int


class _Window:
    __slots__ = ("ends", "passed", "since_ns", "suppressed")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.passed = 0
        self.suppressed = 0
        self.since_ns = 0


class Repeats:
    """Lets ``limit`` records of a key pass in each window. Remembers a bounded number of keys.

    Threads may share it: at worst a few records more than ``limit`` pass.
    """

    def __init__(self, limit: int, *, window: float = WINDOW, max_keys: int = MAX_KEYS) -> None:
        self._limit = limit
        self._window = window
        self._max_keys = max_keys
        self._windows: OrderedDict[Key, _Window] = OrderedDict()  # by the end of their window
        self.next_end = float("inf")
        """When :meth:`due` has something to do next, on the clock of ``now``."""

    def admits(self, key: Key, now: float, at_ns: int) -> bool:
        """Whether a record passes; ``now`` in seconds of a steady clock, ``at_ns`` in Unix nanoseconds."""
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(now + self._window)
            self.next_end = min(self.next_end, window.ends)
        if window.passed < self._limit:
            window.passed += 1
            return True
        if not window.suppressed:
            window.since_ns = at_ns
        window.suppressed += 1
        return False

    def due(self, now: float) -> list[Suppressed]:
        """What the windows that have ended held back; also of the oldest ones when there are too many."""
        result: list[Suppressed] = []
        while self._windows:
            try:
                key, window = next(iter(self._windows.items()))
            except (RuntimeError, StopIteration):  # another thread has changed it
                break
            if window.ends > now and len(self._windows) <= self._max_keys:
                self.next_end = window.ends
                return result
            if self._windows.pop(key, None) is window and window.suppressed:
                result.append(Suppressed(key, window.suppressed, window.since_ns))
        self.next_end = float("inf")
        return result

    @property
    def crowded(self) -> bool:
        """Whether more keys are remembered than may be."""
        return len(self._windows) > self._max_keys
