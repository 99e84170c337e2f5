"""How many messages a protobuf body holds, found without building any of them.

An empty attribute takes two bytes on the wire and some fifty in memory, so a small body could fill it. Source:
https://protobuf.dev/programming-guides/encoding/.
"""

from typing import Any

_TYPE_MESSAGE = 11
_Table = dict[int, Any]


def holds_more_than(body: bytes, descriptor: Any, limit: int) -> bool:
    """Whether a body of the message that ``descriptor`` describes holds more than ``limit`` messages inside.

    It takes time in proportion to ``limit`` at most. A body that is malformed is left to the decoder to refuse.
    """
    if len(body) < 2 * limit:
        return False
    count = 0
    waiting: list[tuple[int, int, _Table]] = [(0, len(body), _table(descriptor.full_name, descriptor))]
    while waiting:
        at, end, table = waiting.pop()
        fields = 0
        while at < end:
            tag, at = _varint(body, at)
            kind = tag & 7
            fields += 1
            if fields > 8 * limit:
                return True
            if kind == 2:
                size, at = _varint(body, at)
                inner = table.get(tag >> 3)
                if at < 0 or at + size > end:
                    return False
                if inner is not None:
                    count += 1
                    if count > limit:
                        return True
                    if size:
                        waiting.append((at, at + size, _table(inner.full_name, inner)))
                at += size
            elif kind == 0:
                _, at = _varint(body, at)
            elif kind == 1:
                at += 8
            elif kind == 5:
                at += 4
            else:
                return False
            if at < 0:
                return False
    return False


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """A number and where it ends; -1 for the end when there is none."""
    value = 0
    for shift in range(0, 70, 7):
        if not 0 <= at < len(body):
            return 0, -1
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return 0, -1


_tables: dict[str, _Table] = {}


def _table(name: str, descriptor: Any) -> _Table:
    """Field numbers that hold messages, with what those are."""
    table = _tables.get(name)
    if table is None:
        table = {field.number: field.message_type for field in descriptor.fields if field.type == _TYPE_MESSAGE}
        _tables[name] = table
    return table
