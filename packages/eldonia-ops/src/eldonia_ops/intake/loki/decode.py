"""The body of a push to streams of entries, in JSON or in protobuf; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from google.protobuf.message import DecodeError

from eldonia_ops.intake import IntakeError, TooMuchError
from eldonia_ops.intake.loki.labels import MOST, read_labels
from eldonia_ops.intake.loki.messages import PushRequest
from eldonia_ops.model.foreign import decode_json, nesting
from eldonia_ops.model.timestamps import NS, parse_timestamp
from eldonia_ops.protocols.protobuf_count import holds_more_than

MAX_PARTS: Final = 500_000
"""How many messages (streams, entries, pairs) one request may hold together."""

_MAX_DEPTH: Final = 8
_MAX_NS: Final = 2**63 - 1
_SHAPE: Final = 'send {"streams": [{"stream": {"label": "value"}, "values": [["<unix ns>", "<line>"], …]}]}'


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: Unix nanoseconds, its text, and the metadata of its own."""

    time_ns: int
    line: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stream:
    """Lines with the same labels."""

    labels: Mapping[str, str]
    entries: Sequence[Entry]


class _OldEntry(msgspec.Struct):
    ts: str
    line: str


class _JsonStream(msgspec.Struct):
    """``stream`` and ``values``; of the older address ``labels`` and ``entries``."""

    stream: dict[str, Any] = {}
    values: list[list[Any]] = []
    labels: str = ""
    entries: list[_OldEntry] = []


class _Push(msgspec.Struct):
    streams: list[_JsonStream] = []


_json: Final = msgspec.json.Decoder(_Push)
_NOTHING: Final[Mapping[str, str]] = {}


def decode_push_json(body: bytes) -> list[Stream]:
    """The streams of a body in JSON.

    Raises:
        IntakeError: it is no push.
    """
    text = body.decode("utf-8", "replace").encode()
    if nesting(text) > _MAX_DEPTH:
        raise IntakeError(f"the body is nested deeper than a push is; {_SHAPE}")
    try:
        push = decode_json(_json.decode, text)
    except msgspec.MsgspecError as error:
        raise IntakeError(f"the body is no push: {error}; {_SHAPE}") from None
    return [_from_json(one) for one in push.streams]


def _from_json(stream: _JsonStream) -> Stream:
    if stream.labels:
        entries = [Entry(_instant(one.ts), one.line, _NOTHING) for one in stream.entries]
        return Stream(read_labels(stream.labels), entries)
    if len(stream.stream) > MOST:
        raise IntakeError(f"a stream has more than {MOST} labels")
    labels = {name: value if isinstance(value, str) else str(value) for name, value in stream.stream.items()}
    return Stream(labels, [_value(one) for one in stream.values])


def _value(value: list[Any]) -> Entry:
    if not 2 <= len(value) <= 3 or not isinstance(value[1], str):
        raise IntakeError('a value is not ["<unix ns>", "<line>"]')
    metadata = value[2] if len(value) == 3 else {}
    if not isinstance(metadata, dict) or len(metadata) > MOST:
        raise IntakeError(f"the structured metadata of a line is no object with at most {MOST} texts")
    return Entry(_nanoseconds(value[0]), value[1], {name: str(one) for name, one in metadata.items()})


def _nanoseconds(stated: Any) -> int:
    try:
        found = (
            int(stated)
            if isinstance(stated, str | int) and not isinstance(stated, bool) and len(str(stated)) < 21
            else -1
        )
    except ValueError:
        found = -1
    if not 0 <= found <= _MAX_NS:
        raise IntakeError("the time of a line is no text of Unix nanoseconds")
    return found


def _instant(stated: str) -> int:
    try:
        return parse_timestamp(stated)
    except ValueError:
        raise IntakeError("the time of a line is none of RFC 3339") from None


def decode_push_protobuf(body: bytes) -> list[Stream]:
    """The streams of a body in protobuf.

    Raises:
        IntakeError: it is no push.
        TooMuchError: it holds too much.
    """
    # Two bytes make an object of a hundred in memory: count before decoding.
    if holds_more_than(body, PushRequest.DESCRIPTOR, MAX_PARTS):
        raise TooMuchError(f"the body has more than {MAX_PARTS:,} messages inside; send less at once")
    try:
        push = PushRequest.FromString(body)
    except DecodeError:
        raise IntakeError("the body is no valid logproto.PushRequest") from None
    return [Stream(read_labels(_text(one.labels)), list(_entries(one.entries))) for one in push.streams]


def _entries(entries: Iterable[Any]) -> Iterable[Entry]:
    for one in entries:
        at = one.timestamp.seconds * NS + one.timestamp.nanos
        pairs = one.structured_metadata
        if len(pairs) > MOST:
            raise IntakeError(f"the structured metadata of a line has more than {MOST} texts")
        metadata = {_text(pair.name): _text(pair.value) for pair in pairs} if pairs else _NOTHING
        yield Entry(max(0, min(at, _MAX_NS)), _text(one.line), metadata)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
