"""Reads a value in MessagePack whatever is in it: invalid UTF-8 is replaced, keys become texts, and what is nested too
deep is left out. Slow, and asked only for what the decoder in C refuses."""

import struct
from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import MAX_DEPTH
from eldonia_ops.protocols.fluent_forward.heads import Kind, head_of

_CUT: Final = "…"
_NUMBERS: Final = {
    0xCA: ">f",
    0xCB: ">d",
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
_CONSTANTS: Final = {0xC0: None, 0xC2: False, 0xC3: True}
_FIXED_EXTENSIONS: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}
_EXTENSIONS: Final = {0xC7: 1, 0xC8: 2, 0xC9: 4}


def read_value(data: bytes, *, raw: bool = False) -> Any:
    """The value that ``data`` begins with: str, bytes, int, float, bool, None, Ext, and lists and dicts of them.

    It may be of any depth. ``raw``: texts are given as their bytes, but for keys.

    Raises:
        IndexError, struct.error: it is cut short.
    """
    return _Reader(data, raw).value(0)


class _Reader:
    def __init__(self, data: bytes, raw: bool) -> None:
        self._data = data
        self._raw = raw
        self._at = 0

    def value(self, depth: int) -> Any:
        head = head_of(self._data, self._at)
        if head is None:
            raise IndexError("a value is cut short")
        if head.has_body:
            self._at = head.end + head.value
            body = self._data[head.end : self._at]
            return body if self._raw or head.kind is Kind.BINARY else body.decode("utf-8", "replace")
        if head.kind is Kind.OTHER:
            return self._scalar()
        if depth > MAX_DEPTH + 2:  # what a record may have, the record itself and the event around it
            self._pass_over()
            return _CUT
        self._at = head.end
        if head.kind is Kind.ARRAY:
            return [self.value(depth + 1) for _ in range(head.value)]
        found: dict[str, Any] = {}
        for _ in range(head.value):
            key = self.value(MAX_DEPTH + 3)
            name = key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
            found[name] = self.value(depth + 1)
        return found

    def _pass_over(self) -> None:
        """Go behind a value, without recursion."""
        left = 1
        while left:
            left -= 1
            head = head_of(self._data, self._at)
            if head is None:
                raise IndexError("a value is cut short")
            if head.kind is Kind.OTHER:
                self._scalar()
                continue
            self._at = head.end + head.value if head.has_body else head.end
            left += head.value if head.kind is Kind.ARRAY else 2 * head.value if head.kind is Kind.MAP else 0

    def _scalar(self) -> Any:
        first = self._data[self._at]
        self._at += 1
        if first < 0x80:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first in _CONSTANTS:
            return _CONSTANTS[first]
        if first in _NUMBERS:
            form = _NUMBERS[first]
            (number,) = struct.unpack_from(form, self._data, self._at)
            self._at += struct.calcsize(form)
            return number
        if first in _FIXED_EXTENSIONS:
            size = _FIXED_EXTENSIONS[first]
        else:
            width = _EXTENSIONS.get(first, 0)
            size = int.from_bytes(self._data[self._at : self._at + width], "big")
            self._at += width
        (code,) = struct.unpack_from(">b", self._data, self._at)
        self._at += 1 + size
        return msgspec.msgpack.Ext(code, self._data[self._at - size : self._at])
