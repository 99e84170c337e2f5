"""A record as its line: the seed's LogEntry as JSON, joined from pieces that are JSON already.

A record has most of what it says in common with others: its logger, its request, its process. Such
pieces are encoded once and kept. What is new in it, message and metadata, goes through one encoder
in C, and is asked once, as bytes, whether it could hold a secret (:func:`.redact.may_hide`). Only
where it could, or where a value is of no plain kind, is it taken apart value by value (:mod:`.values`).
:class:`.records.LogEntry` reads a line back.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from eldonia_telemetry import redact, values
from eldonia_telemetry.records import LEVEL_NAMES, ErrorDetail, Performance

MAX_LINE: Final = 256 * 1024
"""Bytes of one line; a larger one loses its metadata and is marked."""
MAX_PIECES: Final = 1024
"""Origins that are kept, of ``MAX_PIECE`` bytes at the most."""
MAX_PIECE: Final = 512

_SHORT: Final = 2 * values.MAX_ITEMS
"""Bytes of metadata in which no bound on entries or characters can be passed: a value takes two at least."""
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_MILLISECONDS: Final = tuple(b'%03dZ"' % number for number in range(1000))

encode: Final = msgspec.json.Encoder().encode

_last: tuple[int, int, bytes, bytes] = (-1, -1, b"", b"")
"""The millisecond and the second written last with their pieces, replaced as one so that threads need no lock."""


def opening(at_ns: int) -> bytes:
    """The brace and the time stamp (RFC 3339 in UTC with milliseconds and ``Z``) of Unix nanoseconds."""
    global _last  # noqa: PLW0603
    millisecond = at_ns // 1_000_000
    last, second, begin, piece = _last
    if millisecond == last:
        return piece
    if millisecond // 1000 != second:
        second = millisecond // 1000
        begin = time.strftime('{"timestamp":"%Y-%m-%dT%H:%M:%S.', time.gmtime(second)).encode()
    piece = begin + _MILLISECONDS[millisecond % 1000]
    _last = (millisecond, second, begin, piece)
    return piece


class Origins:
    """Level, service, component and operation: the same for many records."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, str, str], bytes] = {}

    def __call__(self, level: int, service: str, component: str, operation: str) -> bytes:
        """The piece for them."""
        key = (level, service, component, operation)
        try:
            return self._known[key]
        except (KeyError, TypeError):
            pass
        piece = b',"level":"%b","service":%b,"component":%b,"operation":%b' % (
            LEVEL_NAMES[level].encode(),
            text(service),
            text(component),
            text(operation),
        )
        if len(self._known) < MAX_PIECES and len(piece) < MAX_PIECE and type(operation) is str:
            self._known[key] = piece
        return piece


def who(
    user_id: object, session_id: object, request_id: object, ip_address: object, user_agent: object, *, hide: bool
) -> bytes:
    """Whom the record is about; None is left out."""
    pieces = (
        b',"userId":' + text(user_id, hide) if user_id is not None else b"",
        b',"sessionId":' + text(session_id, hide) if session_id is not None else b"",
        b',"requestId":' + text(request_id, hide) if request_id is not None else b"",
        b',"ipAddress":' + text(ip_address, hide) if ip_address is not None else b"",
        b',"userAgent":' + text(user_agent, hide) if user_agent is not None else b"",
    )
    return b"".join(pieces)


def content(message: object, metadata: Mapping[str, Any] | None, hide: bool) -> bytes:
    """Message and metadata: what callers fill with anything. Bounded, and without secrets if ``hide``."""
    if type(message) is str and len(message) <= values.MAX_TEXT:
        try:
            if not metadata:
                piece, names = b',"message":' + encode(message), 1
            elif type(metadata) is dict and _is_plain(metadata) and len(emitted := encode(metadata)) <= _SHORT:
                piece, names = b',"message":%b,"metadata":%b' % (encode(message), emitted), 2 + len(metadata)
            else:
                return _careful(message, metadata, hide)
            if not redact.may_hide(piece, names):  # asked in any case: it also finds integers of 64 bits and more
                return piece
        except (OverflowError, UnicodeEncodeError):  # an integer of any size, lone surrogates
            pass
    return _careful(message, metadata, hide)


def _is_plain(metadata: dict[Any, Any]) -> bool:
    """Whether the encoder may have it as it is: text, numbers, flat lists of them, under names that hide nothing."""
    if redact.hides_a_name(tuple(metadata)):
        return False
    for value in metadata.values():
        kind = type(value)
        if kind not in _PLAIN and not (kind is list and _PLAIN.issuperset(map(type, value))):
            return False
    return True


def _careful(message: object, metadata: Mapping[str, Any] | None, hide: bool) -> bytes:
    piece = b',"message":' + text(message, hide)
    if not metadata:
        return piece
    fit = values.fields(metadata, redact=hide)
    try:
        return piece + b',"metadata":' + encode(fit)
    except UnicodeEncodeError:
        return piece + b',"metadata":' + encode(values.encodable(fit))


def error(detail: ErrorDetail) -> bytes:
    """An exception."""
    try:
        return b',"error":' + encode(detail)
    except UnicodeEncodeError:
        return b',"error":' + encode(values.encodable(msgspec.to_builtins(detail)))


def performance(measured: Performance) -> bytes:
    """Measurements."""
    return b',"performance":' + encode(measured)


def trace(trace_id: str, span_id: str) -> bytes:
    """The trace and the span, both of hexadecimal digits alone."""
    return f',"traceId":"{trace_id}","spanId":"{span_id}"'.encode()


def closing(environment: str) -> bytes:
    """What every line of a process ends in: its environment, if it has one, the brace and the newline."""
    return (b',"environment":' + text(environment) if environment else b"") + b"}\n"


def truncated(message: object, size: int, hide: bool) -> bytes:
    """In place of :func:`content`, for a line of ``size`` bytes that is too long."""
    return b',"message":%b,"metadata":{"truncated":true,"originalBytes":%d}' % (text(message, hide), size)


def text(value: object, hide: bool = False) -> bytes:
    """Anything as a text in JSON; bounded, and without secrets if ``hide``."""
    if type(value) is not str or hide or len(value) > values.MAX_TEXT:
        value = values.text(value, redact=hide)
    try:
        return encode(value)
    except UnicodeEncodeError:
        return encode(values.encodable(value))
