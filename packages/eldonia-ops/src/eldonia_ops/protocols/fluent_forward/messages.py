"""One message: its tag, its events as they are packed, its options. All modes end in a :class:`ForwardMessage`."""

from dataclasses import dataclass
from typing import Any, Final

import cramjam
import msgspec

from eldonia_ops.model.foreign import MAX_KEY_BYTES, bounded_text, decode_json, nesting
from eldonia_ops.protocols.fluent_forward.errors import ForwardError, ForwardTooLargeError
from eldonia_ops.protocols.fluent_forward.frames import Frame
from eldonia_ops.protocols.fluent_forward.heads import Kind, head_of
from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError, unpack

_PAIR: Final = b"\x92"
_JSON_DEPTH: Final = 64
_LONGEST_CHUNK: Final = 256
_LONGEST_OPTION: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class ForwardMessage:
    """``events`` are pairs of time and record in MessagePack, one behind another: :mod:`events` reads them.

    ``chunk`` is the id that the sender wants back once they are stored, '' for none. ``size`` is how many events the
    sender says that there are; None when it says nothing. ``text``: it came in JSON, and is acknowledged in JSON.
    ``whole``: no event is cut short, whatever else it may be.
    """

    tag: str
    events: bytes
    chunk: str = ""
    size: int | None = None
    text: bool = False
    whole: bool = False


class _Envelope(msgspec.Struct, array_like=True):
    """What a message consists of, in slices: ``[tag, events, option]`` or ``[tag, time, record, option]``."""

    tag: msgspec.Raw
    second: msgspec.Raw
    third: msgspec.Raw = msgspec.Raw(b"")
    fourth: msgspec.Raw = msgspec.Raw(b"")


_envelope: Final = msgspec.msgpack.Decoder(_Envelope)
_any: Final = msgspec.msgpack.Decoder()
_json: Final = msgspec.json.Decoder()
_encode: Final = msgspec.msgpack.Encoder().encode


def decode_message(frame: Frame, longest: int) -> ForwardMessage:
    """Read a message of any mode: message, forward, packed forward, compressed packed forward (gzip, zstd).

    ``longest`` bounds its events, in bytes when they are unpacked.

    Raises:
        ForwardError: it is no message.
        ForwardTooLargeError: its events unpack to more.
    """
    body = _from_json(frame.body) if frame.text else frame.body
    try:
        envelope = _envelope.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        raise ForwardError("a message is not [tag, events] or [tag, time, record], or nested too deep") from None
    tag, second = _tag(bytes(envelope.tag)), memoryview(envelope.second)
    head = head_of(second, 0)
    assert head is not None
    if head.kind is Kind.ARRAY:
        option = _option(envelope.third)
        events = bytes(second[head.end :])
        return ForwardMessage(tag, events, _chunk(option), _size(option), frame.text, whole=True)
    if head.has_body:
        option = _option(envelope.third)
        events = _unpacked(second[head.end :], option.get("compressed"), longest)
        return ForwardMessage(tag, events, _chunk(option), _size(option), frame.text)
    if not bytes(envelope.third):
        raise ForwardError("a message has a time and no record")
    option = _option(envelope.fourth)
    events = b"".join([_PAIR, second, memoryview(envelope.third)])
    return ForwardMessage(tag, events, _chunk(option), 1, frame.text, whole=True)


def _tag(raw: bytes) -> str:
    head = head_of(raw, 0)
    if head is None or not head.has_body:
        raise ForwardError("the tag of a message is no text")
    return bounded_text(raw[head.end :].decode("utf-8", "replace"), MAX_KEY_BYTES)


def _option(raw: msgspec.Raw) -> dict[str, Any]:
    if not memoryview(raw):
        return {}
    if len(memoryview(raw)) > _LONGEST_OPTION:
        raise ForwardError(f"the option of a message is longer than {_LONGEST_OPTION:,} bytes")
    try:
        found = _any.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ForwardError("the option of a message cannot be read") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ForwardError("the option of a message is no map")
    return found


def _chunk(option: dict[str, Any]) -> str:
    """The id of the chunk. It is text in base64; older clients send its bytes, which are answered as text, too."""
    found = option.get("chunk")
    if isinstance(found, bytes):
        found = found.decode("utf-8", "replace")
    if found is None or found == "":
        return ""
    if not isinstance(found, str) or len(found) > _LONGEST_CHUNK:
        raise ForwardError("the chunk of a message is no short text")
    return found


def _size(option: dict[str, Any]) -> int | None:
    found = option.get("size")
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _unpacked(body: memoryview, compressed: Any, longest: int) -> bytes:
    match compressed:
        case None | "" | "text":
            return bytes(body)
        case "gzip":
            return _gunzip(bytes(body), longest)
        case "zstd":
            try:
                return unpack(bytes(body), "zstd", longest)
            except TooLargeError:
                raise ForwardTooLargeError(longest) from None
            except BadEncodingError:
                raise ForwardError("the events of a message are no zstd data") from None
        case _:
            raise ForwardError("the events of a message are compressed in a way that is not known (gzip, zstd)")


def _gunzip(body: bytes, longest: int) -> bytes:
    """Unpack members of gzip one behind another: a chunk that is compressed as it grows has one for each addition.

    The buffer cannot grow: the decoder fails rather than exceed it.
    """
    room = min(max(64 << 10, 8 * len(body)), longest)
    while True:
        target = bytearray(room)
        try:
            size = cramjam.gzip.decompress_into(body, target)
        except cramjam.DecompressionError as error:
            if "whole buffer" not in str(error):
                raise ForwardError("the events of a message are no gzip data") from None
            if room == longest:
                raise ForwardTooLargeError(longest) from None
            room = min(room * 4, longest)
        else:
            return bytes(memoryview(target)[:size])


def _from_json(body: bytes) -> bytes:
    """The same message in MessagePack.

    Raises:
        ForwardError: it is no JSON, or nested too deep.
    """
    if nesting(body) > _JSON_DEPTH:
        raise ForwardError(f"a message in JSON is nested deeper than {_JSON_DEPTH} levels")
    text = body.decode("utf-8", "replace").encode()  # invalid UTF-8 is replaced, as everywhere
    try:
        return _encode(decode_json(_json.decode, text))
    except (msgspec.MsgspecError, OverflowError, RecursionError):
        raise ForwardError("a message cannot be read as JSON") from None
