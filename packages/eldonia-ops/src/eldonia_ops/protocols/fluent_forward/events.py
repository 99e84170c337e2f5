"""The events of a message: times and records, many with one call, and past those that cannot be read.

Events are cut into pieces first, which only passes over them, so that what is built of a large chunk is built, and
given away, piece by piece. A piece whose bytes are all as they should be takes one call; in any other piece each event
is read alone, and one that is no pair, has invalid UTF-8 or is nested too deep is read by :mod:`lenient`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgpack
import msgspec
import numpy as np

from eldonia_ops.protocols.fluent_forward.lenient import read_value
from eldonia_ops.protocols.msgpack_count import holds_more_values_than
from eldonia_ops.protocols.plain_values import NS, event_time_ns

_MAX_SECONDS: Final = 2**63 // NS
_ARRAY: Final = b"\xdd"
_PIECE_BYTES: Final = 2 << 20
"""A piece ends with the event that makes it so large: what is built of one piece is in memory at once."""

MOST_VALUES: Final = 100_000
"""In one event, with keys. Of a record much less is kept, and one in which each byte is a value would fill memory."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Successive events of one message. ``broken``: what follows them cannot be read; it is the last piece then."""

    events: bytes
    count: int
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Events:
    """``times_ns`` (Unix nanoseconds, 0 for one that is none) and ``records`` have one item for each event.

    A record is what MessagePack holds: values may be of type bytes, and :class:`msgspec.msgpack.Ext`; its keys are
    texts. ``refused`` counts the events that are no pair of a time and a map, or have more than :data:`MOST_VALUES`.
    """

    times_ns: Sequence[int]
    records: Sequence[dict[str, Any]]
    refused: int = 0


class _Event(msgspec.Struct, array_like=True, gc=False):
    time: Any
    record: dict[str, Any]


_events: Final = msgspec.msgpack.Decoder(list[_Event])
_event: Final = msgspec.msgpack.Decoder(_Event)
_slices: Final = msgspec.msgpack.Decoder(list[msgspec.Raw])


def pieces(events: bytes, most: int) -> Iterator[Piece]:
    """The events in pieces of ``most``, or fewer that are large; equal bytes make equal pieces."""
    scanner = msgpack.Unpacker(max_buffer_size=2**31 - 1)
    scanner.feed(events)
    begin = end = count = 0
    skip, tell = scanner.skip, scanner.tell
    broken = False
    while True:
        try:
            skip()
        except msgpack.OutOfData:
            broken = end != len(events)
            break
        except ValueError:
            broken = True
            break
        count, end = count + 1, tell()
        if count == most or end - begin >= _PIECE_BYTES:
            yield Piece(events[begin:end], count)
            begin, count = end, 0
    if count or broken:
        yield Piece(events[begin:end], count, broken)


def decode_events(piece: Piece) -> Events:
    """The times and the records of a piece."""
    head = _ARRAY + piece.count.to_bytes(4, "big")
    try:
        if len(piece.events) > MOST_VALUES and _has_large_event(head + piece.events):
            return _one_by_one(head + piece.events)
        found = _events.decode(head + piece.events)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _one_by_one(head + piece.events)
    return Events(_times([event.time for event in found]), [event.record for event in found])


def _has_large_event(body: bytes) -> bool:
    return max(len(memoryview(raw)) for raw in _slices.decode(body)) > MOST_VALUES


def _one_by_one(body: bytes) -> Events:
    found: list[_Event] = []
    refused = 0
    for raw in _each(body):
        if holds_more_values_than(raw, MOST_VALUES):
            refused += 1
            continue
        try:
            event = _event.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            event = _leniently(raw)
        if event is None:
            refused += 1
        else:
            found.append(event)
    return Events(_times([event.time for event in found]), [event.record for event in found], refused)


def _each(body: bytes) -> Iterator[bytes]:
    try:
        yield from map(bytes, _slices.decode(body))
    except RecursionError:
        # One of them is nested so deep that not even its end is found like this.
        scanner = msgpack.Unpacker(max_buffer_size=2**31 - 1)
        scanner.feed(memoryview(body)[5:])
        begin = 0
        for _ in range(int.from_bytes(body[1:5], "big")):
            scanner.skip()
            end = int(scanner.tell())
            yield body[5 + begin : 5 + end]
            begin = end


def _leniently(raw: bytes) -> _Event | None:
    value = read_value(raw)
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[1], dict):
        return None
    return _Event(value[0], value[1])


def _times(stated: Sequence[Any]) -> Sequence[int]:
    kinds = set(map(type, stated))
    if kinds == {msgspec.msgpack.Ext}:
        data = b"".join([time.data for time in stated])
        if len(data) == 8 * len(stated) and not any(time.code for time in stated):
            parts = np.frombuffer(data, ">u4").astype(np.int64).reshape(-1, 2)
            return (parts[:, 0] * NS + parts[:, 1]).tolist()
    return [time_ns(time) for time in stated]


def time_ns(stated: Any) -> int:
    """Unix nanoseconds of the time of an event; 0 for what is none.

    Taken are EventTime (extension 0: seconds and nanoseconds), seconds as integer or float, MessagePack's own time
    stamps, and ``[time, metadata]`` as Fluent Bit writes it.
    """
    if isinstance(stated, msgspec.msgpack.Ext):
        return event_time_ns(stated)
    if isinstance(stated, list) and stated and not isinstance(stated[0], list):
        return time_ns(stated[0])
    if isinstance(stated, bool):
        return 0
    if isinstance(stated, int):
        return stated * NS if 0 <= stated < _MAX_SECONDS else 0
    if isinstance(stated, float):
        return int(stated * 1e6) * 1_000 if 0 <= stated < _MAX_SECONDS else 0
    if isinstance(stated, datetime):
        return int(stated.timestamp() * 1e6) * 1_000
    return 0
