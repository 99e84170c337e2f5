"""What flows through a pipeline."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its time in Unix nanoseconds, and its record. A record is never changed in place: several outputs
    may hold the same one."""

    time_ns: int
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Events with one tag, in the order in which they came. ``source`` names where they came from, for people.

    ``key``: events that come again, after a crash or since an output did not take them, come in a batch with the same
    key, and an output that has taken it before takes it for done. '' for those that are never known again.
    """

    tag: str
    events: tuple[Event, ...]
    source: str = ""
    key: str = ""

    def under(self, key: str) -> "Batch":
        """The same events under another key."""
        return self if key == self.key else replace(self, key=key)
