"""Messages, events and receipts as bytes."""

import zlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import cramjam
import msgspec

NS: Final = 1_000_000_000
_encode: Final = msgspec.msgpack.Encoder().encode
_encode_json: Final = msgspec.json.Encoder().encode


class Compression(StrEnum):
    """How the events of a packed message are compressed; ``text`` is Fluentd's word for not at all."""

    NONE = "text"
    GZIP = "gzip"
    ZSTD = "zstd"


def event_time(ns: int) -> msgspec.msgpack.Ext:
    """Fluentd's EventTime of Unix nanoseconds; it ends in 2106."""
    seconds, nanoseconds = divmod(min(max(ns, 0), (2**32 - 1) * NS), NS)
    return msgspec.msgpack.Ext(0, (seconds << 32 | nanoseconds).to_bytes(8, "big"))


def encode_event(time_ns: int, record: Mapping[str, Any], *, whole_seconds: bool = False) -> bytes:
    """One event, ``[time, record]``: what the events of a packed message are, one behind another.

    ``whole_seconds``: for receivers that do not know EventTime.

    Raises:
        TypeError, UnicodeEncodeError, OverflowError: the record holds what MessagePack cannot.
    """
    return _encode((time_ns // NS if whole_seconds else event_time(time_ns), record))


def encode_packed(
    tag: str, events: bytes, *, count: int, chunk: str = "", compression: Compression = Compression.NONE
) -> bytes:
    """A message in packed forward mode. ``events`` are events one behind another, ``count`` of them; ``chunk`` is what
    the receiver is to answer with."""
    option: dict[str, Any] = {"size": count}
    if chunk:
        option["chunk"] = chunk
    match compression:
        case Compression.GZIP:
            packer = zlib.compressobj(level=6, wbits=16 + zlib.MAX_WBITS)
            events = packer.compress(events) + packer.flush()
        case Compression.ZSTD:
            events = bytes(cramjam.zstd.compress(events))
        case Compression.NONE:
            pass
    if compression is not Compression.NONE:
        option["compressed"] = compression.value
    return _encode((tag, events, option))


def encode_forward(tag: str, events: Iterable[tuple[int, Mapping[str, Any]]], *, chunk: str = "") -> bytes:
    """A message in forward mode, of Unix nanoseconds and records."""
    entries = [(event_time(ns), record) for ns, record in events]
    return _encode((tag, entries, _option(len(entries), chunk)))


def encode_message(tag: str, time_ns: int, record: Mapping[str, Any], *, chunk: str = "") -> bytes:
    """One event in message mode."""
    return _encode((tag, event_time(time_ns), record, _option(None, chunk)))


def encode_ack(chunk: str, *, text: bool = False) -> bytes:
    """What is answered once the events of a chunk are stored; ``text``: in JSON."""
    return _encode_json({"ack": chunk}) if text else _encode({"ack": chunk})


def _option(size: int | None, chunk: str) -> dict[str, Any]:
    option: dict[str, Any] = {} if size is None else {"size": size}
    return {**option, "chunk": chunk} if chunk else option
