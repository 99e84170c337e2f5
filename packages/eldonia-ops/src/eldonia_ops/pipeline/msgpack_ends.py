"""Where values of MessagePack end that lie one behind the other.

https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from collections.abc import Iterator
from typing import Final

# First byte → (bytes of the length that follows, bytes beside it).
_SIZED: Final = {
    0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4,
}  # fmt: skip
_FIXED: Final = {
    0xC0: 0, 0xC2: 0, 0xC3: 0, 0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8,
    0xD4: 2, 0xD5: 3, 0xD6: 5, 0xD7: 9, 0xD8: 17,
}  # fmt: skip
_MANY: Final = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def values(data: bytes) -> Iterator[bytes]:
    """The bytes of each value.

    Raises:
        ValueError: the last one does not end, or a byte begins no value.
    """
    start = 0
    while start < len(data):
        end = _end(data, start)
        yield data[start:end]
        start = end


def _end(data: bytes, at: int) -> int:
    waiting = 1
    while waiting:
        if at >= len(data):
            raise ValueError("it ends within a value")
        first = data[at]
        at += 1
        waiting -= 1
        if first <= 0x7F or first >= 0xE0:
            continue
        if first <= 0x8F:
            waiting += 2 * (first & 0x0F)
        elif first <= 0x9F:
            waiting += first & 0x0F
        elif first <= 0xBF:
            at += first & 0x1F
        elif first in _FIXED:
            at += _FIXED[first]
        elif first in _SIZED:
            width = _SIZED[first]
            at += width + int.from_bytes(data[at : at + width], "big") + (0xC7 <= first <= 0xC9)
        elif first in _MANY:
            width, each = _MANY[first]
            waiting += each * int.from_bytes(data[at : at + width], "big")
            at += width
        else:
            raise ValueError(f"0x{first:02x} begins no value")
    if at > len(data):
        raise ValueError("it ends within a value")
    return at
