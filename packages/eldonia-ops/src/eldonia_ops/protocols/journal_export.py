"""systemd's export format of a journal: a stream of entries to mappings and back, pure.

An entry is a number of fields and an empty line. A field is ``NAME=text`` and a line feed, or, for what is not
printable text, the name, a line feed, the size in 64 bits (little-endian), the bytes and a line feed. A field may come
twice.

Source: https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-export-format
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

JournalEntry: TypeAlias = dict[str, str | list[str]]
"""The fields of an entry; of one that came several times all texts."""

LONGEST_FIELD: Final = 256 * 1024
"""Bytes of a field that are kept; a core dump is a field, too."""

MOST_FIELDS: Final = 1_024
"""Of one entry, as systemd has it. More are left out."""

MOST_BYTES: Final = 4 << 20
"""Of one entry. What is more is left out."""

_LARGEST: Final = 1 << 40
_NAME: Final = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{0,255}")
_PRINTABLE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")


class JournalError(ValueError):
    """What came is not the export format; what is behind it cannot be read."""


class JournalEntries:
    """Takes bytes as they come and gives the entries that are complete."""

    def __init__(self, longest_field: int = LONGEST_FIELD) -> None:
        self._longest = longest_field
        self._rest = bytearray()
        self._looked_at = 0
        self._entry: JournalEntry = {}
        self._size = 0
        self._fields = 0
        self._name = b""  # of a binary field whose size or bytes are still to come
        self._left: int | None = None  # how many of its bytes
        self._value = bytearray()
        self._dropping = False  # the rest of a line that is too long

    def feed(self, data: bytes) -> Iterator[JournalEntry]:
        """The entries that are complete with this; all of them have to be taken before more is fed.

        Raises:
            JournalError: what follows the entries before it is none.
        """
        self._rest += data
        while self._rest:
            if self._name:
                if not self._binary():
                    return
                continue
            end = self._rest.find(b"\n", self._looked_at)
            if end < 0:
                self._wait_for_line_end()
                return
            line = self._take(end + 1)[:-1]
            if self._dropping:
                self._dropping = False
                continue
            if not line:
                if entry := self._ended():
                    yield entry
                continue
            self._line(line)

    def end(self) -> JournalEntry:
        """The entry that the stream ends with, if only its empty line is missing; else an empty one."""
        whole = not self._rest and not self._name and not self._dropping
        entry = self._ended()
        return entry if whole else {}

    def _line(self, line: bytes) -> None:
        name, equals, value = line.partition(b"=")
        if _NAME.fullmatch(name) is None:
            raise JournalError("a field has no name of letters, digits and underscores")
        if equals:
            self._add(name, value)
        else:
            self._name, self._left = name, None

    def _binary(self) -> bool:
        """Read on in a binary field; False while more has to come."""
        if self._left is None:
            if len(self._rest) < 8:
                return False
            size = int.from_bytes(self._take(8), "little")
            if size > _LARGEST:
                raise JournalError("the size of a field is none")
            self._left, self._value = size, bytearray()
        if self._left:
            some = self._take(min(self._left, len(self._rest)))
            self._left -= len(some)
            self._value += some[: max(0, self._longest - len(self._value))]
        if self._left or not self._rest:
            return False
        if self._take(1) != b"\n":
            raise JournalError("a field does not end with its line")
        self._add(self._name, bytes(self._value))
        self._name, self._left, self._value = b"", None, bytearray()
        return True

    def _wait_for_line_end(self) -> None:
        self._looked_at = len(self._rest)
        if self._looked_at <= self._longest + 260:
            return
        if not self._dropping:
            self._line(bytes(memoryview(self._rest)[: self._longest]))
            if self._name:
                raise JournalError("a field has no name of letters, digits and underscores")
            self._dropping = True
        self._rest.clear()
        self._looked_at = 0

    def _add(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        self._size += len(name) + len(value)
        if self._fields > MOST_FIELDS or self._size > MOST_BYTES:
            return
        key, text = name.decode(), value[: self._longest].decode("utf-8", "replace")
        before = self._entry.get(key)
        if before is None:
            self._entry[key] = text
        elif isinstance(before, list):
            before.append(text)
        else:
            self._entry[key] = [before, text]

    def _ended(self) -> JournalEntry:
        entry, self._entry, self._size, self._fields = self._entry, {}, 0, 0
        return entry

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self._rest)[:size])
        del self._rest[:size]
        self._looked_at = 0
        return taken


def size_of(entry: JournalEntry) -> int:
    """Characters of the texts of an entry."""
    return sum(len(value) if isinstance(value, str) else sum(map(len, value)) for value in entry.values())


def encode_entry(entry: Mapping[str, str | Sequence[str]]) -> bytes:
    """An entry as bytes.

    Raises:
        ValueError: the name of a field is none.
    """
    parts: list[bytes] = []
    for name, values in entry.items():
        if _NAME.fullmatch(name.encode()) is None:
            raise ValueError(f"{name!r} is no name of a field")
        for text in [values] if isinstance(values, str) else values:
            value = text.encode("utf-8", "replace")
            if _PRINTABLE.fullmatch(text):
                parts.append(b"%s=%s\n" % (name.encode(), value))
            else:
                parts.append(b"%s\n%s%s\n" % (name.encode(), len(value).to_bytes(8, "little"), value))
    return b"".join([*parts, b"\n"])
