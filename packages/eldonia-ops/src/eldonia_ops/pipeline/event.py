"""What flows through a pipeline."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its time in Unix nanoseconds, and its record. A record is never changed in place: several outputs
    may hold the same one."""

    time_ns: int
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Events with one tag, in the order in which they came. ``source`` names where they came from, for people."""

    tag: str
    events: tuple[Event, ...]
    source: str = ""
