"""When a collector's turn comes: on a grid of its own, so that targets spread over the interval."""

import hashlib
from typing import Final

_SET_BACK_MS: Final = 1_000
"""A timer may be early by less than this; what is more was done to the clock."""


class Ticks:
    """The instants ``k * interval + offset``; the offset follows from ``key`` and stays over restarts.

    Milliseconds throughout.
    """

    def __init__(self, key: str, interval_ms: int) -> None:
        if interval_ms <= 0:
            raise ValueError("an interval must be longer than nothing")
        digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
        self.interval_ms = interval_ms
        self.offset_ms = int.from_bytes(digest, "big") % interval_ms

    def after(self, now: int) -> int:
        """The first tick later than ``now``."""
        return now + self.interval_ms - (now - self.offset_ms) % self.interval_ms

    def following(self, tick: int, now: int) -> int:
        """The turn after that of ``tick``, which ended at ``now``.

        A clock that was set back meanwhile makes ``tick`` a turn of the far future, and counts from ``now`` on.
        """
        return self.after(now if now < tick - _SET_BACK_MS else max(tick, now))

    def missed(self, tick: int, now: int) -> int:
        """How many whole ticks passed after ``tick`` and before ``now``: turns that had to be left out."""
        return max(0, (now - tick) // self.interval_ms)

    def stamp(self, tick: int, now: int) -> int:
        """The timestamp for a turn begun at ``now``: the tick itself when it is hardly late.

        Equal distances compress best; Prometheus allows itself the same (2 ms, or 1 % of the interval).
        """
        return tick if 0 <= now - tick <= max(2, self.interval_ms // 100) else now
