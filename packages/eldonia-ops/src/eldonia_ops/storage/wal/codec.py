"""Records of a write-ahead log as bytes, and back. Pure.

A record is a header and a payload. The header, little-endian: 4 bytes :data:`MARK`, CRC-32 of the rest of the header
(u32), CRC-32 of the payload (u32), length of the payload (u32), sequence number (u64), kind (u8). Sequence numbers grow
from record to record. A record is whole when its mark and both checksums are right; anything else is damage. The mark
is no UTF-8, so that it cannot appear in a text; the header has a checksum of its own, so that looking for the next
record behind damage reads every byte once.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

MARK: Final = b"\xff\xfeWL"
MAX_PAYLOAD: Final = 256 << 20
"""Bytes of one payload. A larger length in a header is damage."""

_START: Final = struct.Struct("<4sI")
_REST: Final = struct.Struct("<IIQB")
HEADER_BYTES: Final = _START.size + _REST.size


@dataclass(frozen=True, slots=True)
class Record:
    """One whole record."""

    sequence: int
    kind: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """What is in a segment. ``end`` is the byte behind the last whole record.

    ``gaps`` counts damaged places that whole records follow. What follows the last whole record is no gap: a record
    that was being written when the process or the machine went down, which was never acknowledged.
    """

    records: list[Record]
    end: int
    gaps: int


def header(sequence: int, kind: int, payload: bytes) -> bytes:
    """The bytes that go before a payload.

    Raises:
        ValueError: the payload is longer than :data:`MAX_PAYLOAD`.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a record of {len(payload)} bytes; {MAX_PAYLOAD} are allowed")
    rest = _REST.pack(zlib.crc32(payload), len(payload), sequence, kind)
    return _START.pack(MARK, zlib.crc32(rest)) + rest


def scan(data: bytes) -> Scan:
    """All whole records of a segment, in their order.

    Behind damage the next whole record is looked for: one bad sector must not take its neighbours with it.
    """
    records: list[Record] = []
    at = end = gaps = 0
    last = -1
    while at + HEADER_BYTES <= len(data):
        record = _record_at(data, at, last)
        if record is None:
            at = data.find(MARK, at + 1)
            if at < 0:
                break
            continue
        gaps += at != end
        records.append(record)
        last = record.sequence
        at = end = at + HEADER_BYTES + len(record.payload)
    return Scan(records, end, gaps)


def _record_at(data: bytes, at: int, last: int) -> Record | None:
    mark, checksum = _START.unpack_from(data, at)
    start = at + HEADER_BYTES
    rest = data[at + _START.size : start]
    if mark != MARK or zlib.crc32(rest) != checksum:
        return None
    payload_checksum, length, sequence, kind = _REST.unpack(rest)
    if start + length > len(data) or sequence <= last:
        return None
    payload = data[start : start + length]
    return Record(sequence, kind, payload) if zlib.crc32(payload) == payload_checksum else None
