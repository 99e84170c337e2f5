"""When a certificate is fetched. Pure."""

from dataclasses import dataclass
from typing import Final

_FIRST_RETRY: Final = 60_000
_LONGEST_RETRY: Final = 6 * 3_600_000
_MOST_DOUBLINGS: Final = 16


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a certificate holds, Unix ms."""

    begins: int
    ends: int


def next_fetch(held: Validity | None, failures: int, failed_at: int) -> int:
    """When to fetch one (Unix ms; 0: at once): when two thirds of the time of the one that is held are over, and after
    a failure later and later, from a minute to six hours."""
    due = 0 if held is None else held.begins + (held.ends - held.begins) * 2 // 3
    if not failures:
        return due
    pause = min(_LONGEST_RETRY, _FIRST_RETRY << min(failures - 1, _MOST_DOUBLINGS))
    return max(due, failed_at + pause)
