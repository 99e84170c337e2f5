"""Blocks of :mod:`~eldonia_ops.storage.clickhouse.engines.native`, read back. Pure.

That happens after an end of any kind, and when the engine refuses one.
"""

import sys
from array import array
from collections.abc import Callable
from typing import Any, Final

import msgspec

from eldonia_ops.storage.clickhouse.engines.leb128 import read_varint
from eldonia_ops.storage.clickhouse.engines.native import ADDITIONAL_KEYS, DICTIONARY, FLATTENED, INDEXES, TEXT_FORM

_U64: Final = 8
"""Bytes."""


class NativeReader:
    """Reads what this module writes.

    Raises:
        ValueError: from its methods, when the data are not what they should be.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def columns(self, last: str) -> tuple[int, dict[str, list[Any]]]:
        """The rows of the only block, and the values of its columns before the one named ``last``."""
        count, rows = self._varint(), self._varint()
        found: dict[str, list[Any]] = {}
        for _ in range(count):
            name, type = self._string().decode(), self._string().decode()
            if name == last:
                break
            read = _READERS.get(type.partition("(")[0])
            if read is None:
                raise ValueError(f"column {name} has the type {type}, which is not written here")
            found[name] = read(self, rows)
        return rows, found

    def json_objects(self, rows: int) -> list[dict[str, Any]]:
        """JSON of flat objects, in either form; keys without a value are left out. Read behind :meth:`columns`."""
        form = self._take(_U64)
        if form == TEXT_FORM:
            return [msgspec.json.decode(self._string(), type=dict[str, Any]) for _ in range(rows)]
        if form != FLATTENED:
            raise ValueError("JSON in a form that is not written here")
        keys = [self._string().decode().replace("%2E", ".") for _ in range(self._varint())]
        kinds = [self._kinds() for _ in keys]
        found: list[dict[str, Any]] = [{} for _ in range(rows)]
        for key, some in zip(keys, kinds, strict=True):
            places = self._take(rows)
            counts = [places.count(place) for place in range(len(some))]
            values = [iter(read(self, count)) for read, count in zip(some, counts, strict=True)]
            for row, place in zip(found, places, strict=True):
                if place < len(values):
                    row[key] = next(values[place])
        return found

    def _kinds(self) -> list[Callable[["NativeReader", int], list[Any]]]:
        if self._take(_U64) != FLATTENED:
            raise ValueError("values of a path in a form that is not written here")
        names = [self._string().decode() for _ in range(self._varint())]
        if not _DYNAMIC_READERS.keys() >= set(names):
            raise ValueError(f"values of a path have the types {names}, which are not written here")
        return [_DYNAMIC_READERS[name] for name in names]

    def floats(self, rows: int) -> list[float]:
        """Float64."""
        return self._array("d", rows)

    def flags(self, rows: int) -> list[bool]:
        """Bool."""
        return list(map(bool, self._take(rows)))

    def strings(self, rows: int) -> list[str]:
        """String."""
        return [self._string().decode("utf-8", "replace") for _ in range(rows)]

    def signed(self, rows: int) -> list[int]:
        """Int64, or the count of a DateTime64."""
        return self._array("q", rows)

    def unsigned(self, rows: int) -> list[int]:
        """UInt64."""
        return self._array("Q", rows)

    def low_cardinality(self, rows: int) -> list[str]:
        """LowCardinality(String)."""
        version, kind, count = self._array("Q", 3)
        width = kind ^ ADDITIONAL_KEYS
        if version != DICTIONARY or width >= len(INDEXES):
            raise ValueError("a dictionary of another form")
        keys = self.strings(count)
        if self._array("Q", 1) != [rows]:
            raise ValueError("a dictionary for another number of rows")
        return [keys[place] for place in self._array(INDEXES[width], rows)]

    def _array(self, kind: str, count: int) -> list[Any]:
        found = array(kind)
        found.frombytes(self._take(count * found.itemsize))
        if sys.byteorder == "big":
            found.byteswap()
        return found.tolist()

    def _string(self) -> bytes:
        return self._take(self._varint())

    def _varint(self) -> int:
        try:
            found, self._at = read_varint(self._data, self._at)
        except IndexError:
            raise ValueError("a block ends before its values") from None
        return found

    def _take(self, size: int) -> bytes:
        found = self._data[self._at : self._at + size]
        if len(found) < size:
            raise ValueError("a block ends before its values")
        self._at += size
        return found


_READERS: Final[dict[str, Callable[[NativeReader, int], list[Any]]]] = {
    "String": NativeReader.strings,
    "LowCardinality": NativeReader.low_cardinality,
    "Int64": NativeReader.signed,
    "UInt64": NativeReader.unsigned,
    "DateTime64": NativeReader.signed,
}
_DYNAMIC_READERS: Final[dict[str, Callable[[NativeReader, int], list[Any]]]] = {
    "String": NativeReader.strings,
    "Int64": NativeReader.signed,
    "UInt64": NativeReader.unsigned,
    "Float64": NativeReader.floats,
    "Bool": NativeReader.flags,
}
