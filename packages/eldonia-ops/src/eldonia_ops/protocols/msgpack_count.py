"""How many values a MessagePack body holds, found without building any of them.

An empty map takes one byte on the wire and some seventy in memory, so a small body could fill it. Source:
https://github.com/msgpack/msgpack/blob/master/spec.md.
"""

from typing import Final

_FIXED: Final = {0xC0: 1, 0xC1: 1, 0xC2: 1, 0xC3: 1, 0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9}
_FIXED_TOO: Final = {0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9, 0xD4: 3, 0xD5: 4, 0xD6: 6, 0xD7: 10, 0xD8: 18}
_BODIES: Final = {0xC4: (1, 0), 0xC5: (2, 0), 0xC6: (4, 0), 0xC7: (1, 1), 0xC8: (2, 1), 0xC9: (4, 1)} | {
    0xD9: (1, 0),
    0xDA: (2, 0),
    0xDB: (4, 0),
}
"""How many bytes say the size of the body, and how many more than that there are."""
_CONTAINERS: Final = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""How many bytes say the number of items, and how many values an item has."""


def _sizes() -> list[int]:
    """The bytes of what begins with a byte, where that byte says it; of a small container its head; else 0."""
    fixed = _FIXED | _FIXED_TOO
    small = [1 + (byte & 0x1F) if 0xA0 <= byte < 0xC0 else 1 for byte in range(256)]
    return [small[byte] if byte < 0xC0 or byte >= 0xE0 else fixed.get(byte, 0) for byte in range(256)]


def _insides() -> list[int]:
    """How many values are in a small container that begins with a byte; 0 for anything else."""
    return [
        2 * (byte & 0x0F) if 0x80 <= byte < 0x90 else byte & 0x0F if 0x90 <= byte < 0xA0 else 0 for byte in range(256)
    ]


_SIZES: Final = _sizes()
_INSIDES: Final = _insides()


def holds_more_values_than(body: bytes, limit: int) -> bool:
    """Whether the value that ``body`` begins with, and what is in it, are more than ``limit`` values; keys count.

    It takes time in proportion to ``limit`` at most. A body that is cut short is left to the decoder to refuse.
    """
    end = len(body)
    if end <= limit:
        return False
    at, left, count = 0, 1, 0
    while left and at < end:
        byte = body[at]
        left -= 1
        count += 1
        size = _SIZES[byte]
        if size:
            at += size
            left += _INSIDES[byte]
        elif byte in _BODIES:
            width, more = _BODIES[byte]
            at += 1 + width + more + int.from_bytes(body[at + 1 : at + 1 + width], "big")
        else:
            width, values = _CONTAINERS[byte]
            left += values * int.from_bytes(body[at + 1 : at + 1 + width], "big")
            at += 1 + width
        # What a container announces counts at once: each value has a byte at least, or the body is cut short.
        if count + min(left, end - at) > limit:
            return True
    return False
