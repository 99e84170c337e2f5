"""Slows down whoever guesses tokens."""

from collections import deque
from collections.abc import Callable


class FailedAttempts:
    """Counts failures per client address in a sliding window.

    At most ``capacity`` addresses are remembered; the one that failed longest ago is dropped first.
    """

    def __init__(self, now: Callable[[], int], limit: int, window_ms: int, capacity: int = 10_000) -> None:
        self._now = now
        self._limit = limit
        self._window_ms = window_ms
        self._capacity = capacity
        self._failures: dict[str, deque[int]] = {}

    def wait_ms(self, address: str) -> int:
        """How long an address must wait before it may try again; 0 when it may at once."""
        failures = self._failures.get(address)
        if failures is None:
            return 0
        now = self._now()
        while failures and failures[0] <= now - self._window_ms:
            failures.popleft()
        if not failures:
            del self._failures[address]
            return 0
        return failures[0] + self._window_ms - now if len(failures) >= self._limit else 0

    def failed(self, address: str) -> None:
        """Count one failure."""
        failures = self._failures.pop(address, None) or deque(maxlen=self._limit)
        failures.append(self._now())
        self._failures[address] = failures
        while len(self._failures) > self._capacity:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, address: str) -> None:
        """Forget an address that has shown a valid secret."""
        self._failures.pop(address, None)
