"""The first bytes of a value in MessagePack: what it is, and how much follows.

Specification: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from enum import StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """What a value is, as far as its first byte says it."""

    ARRAY = "array"
    MAP = "map"
    TEXT = "text"
    BINARY = "binary"
    OTHER = "other"


class Head(NamedTuple):
    """``value`` is how many items, pairs or bytes a value has; they begin at ``end``."""

    kind: Kind
    value: int
    end: int

    @property
    def has_body(self) -> bool:
        """Whether ``value`` counts bytes."""
        return self.kind is Kind.TEXT or self.kind is Kind.BINARY


_LONG: Final = {
    0xC4: (Kind.BINARY, 1),
    0xC5: (Kind.BINARY, 2),
    0xC6: (Kind.BINARY, 4),
    0xD9: (Kind.TEXT, 1),
    0xDA: (Kind.TEXT, 2),
    0xDB: (Kind.TEXT, 4),
    0xDC: (Kind.ARRAY, 2),
    0xDD: (Kind.ARRAY, 4),
    0xDE: (Kind.MAP, 2),
    0xDF: (Kind.MAP, 4),
}


def head_of(data: bytes | bytearray | memoryview, at: int) -> Head | None:
    """The head of the value at a place; None when its bytes are not all there. Of scalars only the kind is known."""
    if at >= len(data):
        return None
    first = data[at]
    if first >= 0xC0 and first < 0xE0:
        if first not in _LONG:
            return Head(Kind.OTHER, 0, at + 1)
        kind, width = _LONG[first]
        end = at + 1 + width
        return Head(kind, int.from_bytes(data[at + 1 : end], "big"), end) if end <= len(data) else None
    if 0xA0 <= first < 0xC0:
        return Head(Kind.TEXT, first & 0x1F, at + 1)
    if 0x90 <= first < 0xA0:
        return Head(Kind.ARRAY, first & 0x0F, at + 1)
    if 0x80 <= first < 0x90:
        return Head(Kind.MAP, first & 0x0F, at + 1)
    return Head(Kind.OTHER, 0, at + 1)
