"""Unsigned numbers as LEB128: seven bits a byte, the lowest first.

ClickHouse's Native format has them, and our packing of histograms. What is read was written by us or by the engine;
messages of others are read elsewhere, with bounds.
"""


def varint(number: int) -> bytes:
    """A number that is not negative."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and where the next byte is.

    Raises:
        IndexError: the data ends within the number.
    """
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
