"""What requests of one method, route and status have in common: their metrics, and most of their access record.

Between other code, every step is two or three times as slow as in a loop of its own. So a request only
leaves its duration here; counters and histograms take them many at a time, and before anyone looks.
"""

import os
import threading
from typing import Final

from eldonia_telemetry import lines, metrics, redact, values
from eldonia_telemetry.metrics.registry import MAX_SERIES
from eldonia_telemetry.performance import ending

_GATHERED: Final = 64
"""Requests of one kind that are put into the metrics together."""


class Outcome:
    """Requests of one method, route and status."""

    __slots__ = ("_begin", "_counter", "_durations", "_end", "_histogram", "_pending", "_together", "operation")

    def __init__(self, method: str, handler: str, status: int, *, together: int = _GATHERED) -> None:
        self._together = together
        self.operation = f"{method} {handler}"
        self._counter = metrics.standard.requests.labels(method, handler, str(status))
        self._histogram = metrics.standard.duration.labels(method, handler)
        self._pending: list[tuple[float, str | None, float]] = []
        self._durations: list[float] = []
        metadata = lines.encode({"method": method, "path": "", "handler": values.encodable(handler), "status": status})
        before, path, after = metadata.replace(b"%", b"%%").partition(b'"path":')
        self._begin = f',"message":"{method} '.encode()
        self._end = b'ms","metadata":%b%b%%b%b,"performance":{"duration":%%.3f}' % (before, path, after[2:])

    def count(self, seconds: float, trace_id: str | None, at: float, *, plain: bool) -> None:
        """Count a request that took ``seconds``, ended at ``at`` (Unix seconds) and belongs to a trace, or to none.

        ``plain``: it is an operation of :mod:`eldonia_telemetry.performance` in which nothing was to be counted.
        """
        self._pending.append((seconds, trace_id, at))
        if plain:
            self._durations.append(seconds * 1000)
        if len(self._pending) >= self._together:
            self.settle()

    def settle(self) -> None:
        """Put what is pending into the metrics. Others may add meanwhile."""
        with _lock:
            number = len(self._pending)
            if number:
                self._counter.inc(number)
                self._histogram.observe_all(self._pending[:number])
                del self._pending[:number]
            durations = self._durations[:]
            del self._durations[: len(durations)]
        if durations:
            ending.record_plain(self.operation, durations)

    def content(self, path: str, status: int, milliseconds: float) -> bytes | None:
        """Message, metadata and performance of a record; None where ``path`` calls for more care."""
        try:
            told = lines.encode(path)
        except UnicodeEncodeError:
            return None
        if len(told) > values.MAX_TEXT or redact.may_hide(told, 0):
            return None
        return b"%b%b %d %.1f" % (self._begin, told[1:-1], status, milliseconds) + self._end % (told, milliseconds)


_lock = threading.Lock()
_known: Final[dict[tuple[str, str, int], Outcome]] = {}


def outcome(method: str, handler: str, status: int) -> Outcome:
    """What such requests have in common; nothing is kept past ``MAX_SERIES`` kinds of them."""
    key = (method, handler, status)
    known = _known.get(key)
    if known is not None:
        return known
    if len(_known) >= MAX_SERIES:
        return Outcome(method, handler, status, together=1)
    return _known.setdefault(key, Outcome(method, handler, status))


def settle() -> None:
    """Put everything that is pending into the metrics."""
    for known in list(_known.values()):
        known.settle()


def _after_fork() -> None:
    """What waits, and who waits for an answer, is the parent's; another thread may have held the lock."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    metrics.standard.being_answered.clear()


metrics.registry.settle_before(settle)
ending.statistics.settle_before(settle)
os.register_at_fork(after_in_child=_after_fork)
