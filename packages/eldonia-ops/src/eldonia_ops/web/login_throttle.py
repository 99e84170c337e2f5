"""Slows down people who guess tokens. A right token is never refused: only what has turned out wrong is counted."""

import hashlib
import ipaddress
from collections import deque
from collections.abc import Callable
from typing import Final

_PREFIX: Final = 12
"""Characters of a presented secret that name its family: the form, the role and a few of the random ones."""


class FailedAttempts:
    """Counts failures in a sliding window, by client address and by the beginning of what was presented.

    An address is one of IPv4, or the /64 of IPv6 that one client has for itself. The second count meets guesses at one
    token from many addresses. At most ``capacity`` keys are remembered; the one that failed longest ago goes first.
    """

    def __init__(self, now: Callable[[], int], limit: int, window_ms: int, capacity: int = 10_000) -> None:
        self._now = now
        self._limit = limit
        self._window_ms = window_ms
        self._capacity = capacity
        self._failures: dict[str, deque[int]] = {}

    def failed(self, address: str, presented: str) -> int:
        """Count one failure; returns how long (ms) the next one should wait, 0 for not at all.

        Failures beyond the limit are not counted: the wait ends even if attempts go on.
        """
        keys = [network_of(address)]
        if len(presented) > _PREFIX:
            keys.append(hashlib.sha256(presented[:_PREFIX].encode("utf-8", "replace")).hexdigest())
        return max(self.begin(key) for key in keys)

    def take_back(self, key: str) -> None:
        """What was counted last under a key was no failure."""
        if failures := self._failures.get(key):
            failures.pop()

    def begin(self, key: str) -> int:
        """Count one under a key, as :meth:`failed`."""
        now = self._now()
        failures = self._failures.pop(key, None) or deque(maxlen=self._limit)
        while failures and not now - self._window_ms < failures[0] <= now:
            failures.popleft()
        wait = failures[0] + self._window_ms - now if len(failures) >= self._limit else 0
        if not wait:
            failures.append(now)
        self._failures[key] = failures
        while len(self._failures) > self._capacity:
            del self._failures[next(iter(self._failures))]
        return wait


def network_of(address: str) -> str:
    """What one client can choose its addresses from: the /64 of an IPv6 address, any other address as it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
