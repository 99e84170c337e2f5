"""The ids of documents.

A document that came without an id has none of its own, which costs no byte: its id is made of the record's ``offset``,
which numbers the documents of :data:`SOURCE`. The id of a record that came by other ways is made of its time and
its number in the store.
"""

import re
from dataclasses import dataclass
from typing import Final

SOURCE: Final = "elasticsearch"
"""What the ``source`` of a record that came as a document is."""

NUMBERS_A_MILLISECOND: Final = 1 << 12
"""Numbers of documents are Unix milliseconds times this, and on from there: below 2**53 until the year 2039, so that a
client in JavaScript reads them exactly."""

MAX_ID_BYTES: Final = 512
_NUMBERED: Final = re.compile(r"e([0-9a-f]{14})")
_LENGTHS: Final = (15, 33)
_OTHER: Final = re.compile(r"r([0-9a-f]{16})([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the record of an id is: the ``number`` of a document without an id of its own (else -1), or the time and
    the id in the store of a record that came by other ways (else -1)."""

    number: int = -1
    timestamp_ns: int = -1
    record_id: int = -1


def numbered_id(number: int) -> str:
    """The id of a document that came without one."""
    return f"e{number:014x}"


def record_id(timestamp_ns: int, id: int) -> str:
    """The id of a record that came by other ways."""
    return f"r{timestamp_ns:016x}{id:016x}"


def place_of(id: str) -> Place | None:
    """Where a record with this id is, if it has none of its own; None for an id that we do not make."""
    if len(id) not in _LENGTHS:
        return None
    if match := _NUMBERED.fullmatch(id):
        return Place(number=int(match[1], 16))
    if match := _OTHER.fullmatch(id):
        return Place(timestamp_ns=int(match[1], 16), record_id=int(match[2], 16))
    return None
