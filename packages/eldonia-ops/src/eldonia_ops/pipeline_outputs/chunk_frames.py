"""The bytes of a chunk's file: a head, then frames with length and checksum.

A frame is ``length (u32) | events (u32) | CRC-32 of both and the payload (u32) | payload``, little-endian. The first
frame is the head, which has 0 events: JSON with the format's version, id, key and time of the chunk. Each other payload
is MessagePack: ``[tag, [[time in ns, record], …]]``, with ``[tag, key]`` for the tag where the events have a key.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

import msgpack
import msgspec

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.chunk_keys import key_document, key_of_document
from eldonia_ops.pipeline.event import Batch, Event

VERSION: Final = 1
MOST_FRAME: Final = 1 << 30
_MOST_TAG: Final = 1 << 20
_MOST_LOOKS: Final = 200_000
_MOST_HEAD: Final = 64 << 10
_HEAD: Final = struct.Struct("<III")
_SIZES: Final = struct.Struct("<II")
_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=str)
_DECODER: Final = msgspec.msgpack.Decoder()


class BrokenChunkError(ValueError):
    """A chunk's file that cannot be read from its beginning."""


class TornChunkError(BrokenChunkError):
    """A chunk's file whose head was not written to its end: nothing in it was acknowledged."""


@dataclass(frozen=True, slots=True)
class FoundChunk:
    """What a file holds. ``good_end`` is where the frames end that can be read, ``broken`` how many were passed over
    that are followed by good ones, ``payloads`` the good ones. ``chunk.size`` counts frames."""

    chunk: Chunk
    payloads: tuple[bytes, ...]
    counts: tuple[int, ...]
    good_end: int
    broken: int


def frame(payload: bytes, events: int) -> bytes:
    """A payload with what precedes it."""
    sizes = _SIZES.pack(len(payload), events)
    return sizes + (zlib.crc32(payload, zlib.crc32(sizes)) & 0xFFFFFFFF).to_bytes(4, "little") + payload


def head_frame(chunk: Chunk) -> bytes:
    """The first frame of a chunk's file."""
    document = {"version": VERSION, "id": chunk.id, "key": key_document(chunk.key), "created": chunk.created_ms}
    return frame(msgspec.json.encode(document), 0)


def read_frames(data: bytes) -> FoundChunk:
    """A chunk's file. What is torn at its end was never acknowledged and is left out.

    Raises:
        TornChunkError: the head was not written to its end.
        BrokenChunkError: the head cannot be read.
    """
    frames: list[tuple[bytes, int]] = []
    at = good_end = broken = 0
    while at + _HEAD.size <= len(data):
        length, events, checksum = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        payload = data[at + _HEAD.size : end]
        good = 0 < length <= MOST_FRAME and end <= len(data)
        if good and zlib.crc32(payload, zlib.crc32(data[at : at + 8])) & 0xFFFFFFFF == checksum:
            frames.append((payload, events))
            at = good_end = end
            continue
        # Torn at the end, or broken: then good frames follow somewhere, and its length cannot be trusted.
        at = _next_frame(data, at) if frames else -1
        if at < 0:
            break
        broken += 1
    if not frames and _is_torn(data):
        raise TornChunkError("its head was not written to its end")
    if not frames or frames[0][1]:
        raise BrokenChunkError("its head cannot be read")
    chunk = _head(frames[0][0])
    payloads = tuple(payload for payload, _ in frames[1:])
    counted = Chunk(
        chunk.id,
        chunk.key,
        chunk.created_ms,
        sum(map(len, payloads)) + _HEAD.size * len(payloads),
        sum(events for _, events in frames[1:]),
    )
    return FoundChunk(counted, payloads, tuple(events for _, events in frames[1:]), good_end, broken)


def _is_torn(data: bytes) -> bool:
    if len(data) < _HEAD.size or not any(data):
        return True
    length, events, _ = _HEAD.unpack_from(data)
    return not events and 0 < length <= _MOST_HEAD and _HEAD.size + length > len(data) and _next_frame(data, 0) < 0


def _next_frame(data: bytes, at: int) -> int:
    """Where the next good frame of events begins behind a broken one, -1 for nowhere.

    A payload begins with the byte of an array of two, so few places have to be looked at.
    """
    place = at + _HEAD.size
    for _ in range(_MOST_LOOKS):
        place = data.find(b"\x92", place + 1)
        if place < 0:
            return -1
        start = place - _HEAD.size
        length, events, checksum = _HEAD.unpack_from(data, start)
        end = place + length
        if not 0 < length <= MOST_FRAME or not events or end > len(data):
            continue
        if zlib.crc32(memoryview(data)[place:end], zlib.crc32(data[start : start + 8])) & 0xFFFFFFFF == checksum:
            return start
    return -1


def _head(payload: bytes) -> Chunk:
    try:
        document = msgspec.json.decode(payload)
        if document["version"] != VERSION:
            raise BrokenChunkError(f"it has version {document['version']}, and {VERSION} is read")
        id = document["id"]
        if not isinstance(id, str) or len(id) != 32 or not id.isalnum():
            raise BrokenChunkError("its id is none")
        return Chunk(id, key_of_document(document["key"]), int(document["created"]))
    except BrokenChunkError:
        raise
    except (ValueError, TypeError, KeyError) as error:
        raise BrokenChunkError(f"its head cannot be read: {error}") from None


def encode_events(events: Sequence[Event]) -> list[bytes]:
    """Each event as it is in a payload."""
    encode = _ENCODER.encode
    found: list[bytes] = []
    for event in events:
        try:
            found.append(encode((event.time_ns, event.record)))
        except (TypeError, ValueError, OverflowError, RecursionError):
            found.append(encode((event.time_ns, plain(event.record, 64))))
    return found


def payload_of(tag: str, events: Sequence[bytes], key: bytes = b"") -> bytes:
    """The payload of encoded events with one tag; ``key`` says which they are."""
    head = _ENCODER.encode((tag, key)) if key else _ENCODER.encode(tag)
    return b"".join((b"\x92", head, _array(len(events)), *events))


def key_of(payload: bytes) -> bytes:
    """The key of a payload, b"" for none.

    Raises:
        ValueError: it is no payload.
    """
    if payload[1:2] != b"\x92":
        return b""
    unpacker = msgpack.Unpacker(max_buffer_size=_MOST_TAG)
    unpacker.feed(memoryview(payload)[:_MOST_TAG])
    try:
        unpacker.read_array_header()
        key = unpacker.unpack()[1]
    except (msgpack.OutOfData, IndexError, TypeError) as error:
        raise ValueError("a payload without tag and key") from error
    return key if isinstance(key, bytes) else b""


def events_of(payload: bytes) -> Batch:
    """The events of a payload.

    Raises:
        ValueError: it is none.
    """
    tag, events = _DECODER.decode(payload)
    if isinstance(tag, list):
        tag = tag[0]
    return Batch(tag, tuple(Event(time_ns, record) for time_ns, record in events))


class ReadBatches(Sequence[Batch]):
    """The events of payloads, made when they are asked for: of a large chunk only the batch at hand is in memory as
    events. What is asked for is not a payload: ValueError."""

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self._payloads = payloads

    def __len__(self) -> int:
        """How many payloads there are."""
        return len(self._payloads)

    @overload
    def __getitem__(self, place: int) -> Batch: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Batch]: ...

    def __getitem__(self, place: int | slice) -> Batch | Sequence[Batch]:
        """The events of one payload, or of some."""
        if isinstance(place, slice):
            return ReadBatches(self._payloads[place])
        return events_of(self._payloads[place])


def plain(value: Any, depth: int) -> Any:
    """A value as MessagePack can hold it: texts without half surrogate pairs, numbers of 64 bits, bounded depth."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, bool) or value is None or isinstance(value, float | bytes):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if not depth:
        return "…"
    if isinstance(value, dict):
        return {plain(str(key), 1): plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, depth - 1) for item in value]
    return str(value)


def _array(count: int) -> bytes:
    if count < 16:
        return bytes((0x90 | count,))
    return b"\xdc" + count.to_bytes(2, "big") if count < 1 << 16 else b"\xdd" + count.to_bytes(4, "big")
