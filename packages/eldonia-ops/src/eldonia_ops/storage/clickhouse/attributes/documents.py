"""Free-form attributes on their way into the database and back.

ClickHouse's JSON type does not keep apart (``1.0`` and ``1``), drops nulls and empty
objects, and refuses a batch for one bad surrogate. So the document itself is kept as text, and
the JSON column beside it serves conditions only.
"""

import math
import re
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

_encoder: Final = msgspec.json.Encoder(enc_hook=str)
EMPTY_DOCUMENT: Final = msgspec.Raw(b"{}")
_MAX_DEPTH: Final = 256
# All but the brackets of a document; those in texts are inside of quotes.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[^"{}\[\]]++', re.DOTALL)
_T = TypeVar("_T")

# What goes into the JSON column is bounded: hostile depth or size costs search by some attributes, never the record.
_MAX_INDEXED_BYTES: Final = 64 << 10
_MAX_INDEXED_DEPTH: Final = 16
_MAX_INDEXED_TEXT: Final = 4 << 10


def encoded(value: Any) -> bytes:
    """JSON bytes of a value, lone surrogates replaced; what JSON lacks becomes its ``str``.

    No document is deeper than :func:`decoded` can read it again: what lies deeper becomes a mark.
    """
    try:
        document = _encoder.encode(value)
    except (UnicodeEncodeError, TypeError, ValueError, RecursionError, OverflowError):
        return _encoder.encode(_mended(value))
    return document if _shallow(document) else _encoder.encode(_mended(value))


def decoded(document: str, decode: Callable[[str], _T]) -> _T | str:
    """What ``decode`` reads in a stored document, or what is wrong with it: one that an older release stored may be
    too deep to be read or to be sent on, and must not hide those beside it."""
    if not _shallow(document.encode()):
        return f"it is nested deeper than {_MAX_DEPTH} levels"
    try:
        return decode(document)
    except (ValueError, RecursionError, OverflowError) as error:
        return str(error)


def _shallow(document: bytes) -> bool:
    """Whether a JSON document is nested no deeper than the bound; most hold too few brackets to be."""
    if document.count(b"{") + document.count(b"[") <= _MAX_DEPTH:
        return True
    depth = 0
    for bracket in _BRACKETS.sub(b"", document):
        depth += 1 if bracket in b"{[" else -1
        if depth > _MAX_DEPTH:
            return False
    return True


def indexed(attributes: dict[str, Any]) -> msgspec.Raw:
    """The same attributes for the JSON column, or as many as are within bounds: those of least depth first, and no
    long texts. A record is found by its index or its user, and deleted with them, whatever else somebody puts into it.
    """
    if not attributes:
        return EMPTY_DOCUMENT
    if _depth(attributes, _MAX_INDEXED_DEPTH) <= _MAX_INDEXED_DEPTH:
        document = encoded(attributes)
        if len(document) <= _MAX_INDEXED_BYTES:
            return msgspec.Raw(document)
    document = encoded(_part_of(attributes))
    return msgspec.Raw(document) if len(document) <= _MAX_INDEXED_BYTES else EMPTY_DOCUMENT


def _part_of(attributes: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    room = _MAX_INDEXED_BYTES // 2  # the rest is for what escapes take
    waiting: deque[tuple[dict[str, Any], dict[str, Any], int]] = deque([(attributes, found, 1)])
    while waiting:
        source, kept, depth = waiting.popleft()
        for key, value in source.items():
            if isinstance(value, dict):
                if depth < _MAX_INDEXED_DEPTH and len(key) + 8 <= room:
                    room -= len(key) + 8
                    kept[key] = inner = {}
                    waiting.append((value, inner, depth + 1))
                continue
            if isinstance(value, list | tuple) and depth + _depth(value, _MAX_INDEXED_DEPTH) > _MAX_INDEXED_DEPTH:
                continue
            size = len(encoded(value))
            if size <= _MAX_INDEXED_TEXT and size + len(key) + 8 <= room:
                room -= size + len(key) + 8
                kept[key] = value
    return found


def clean(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot express."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _depth(value: Any, limit: int) -> int:
    if limit < 0 or not isinstance(value, dict | list | tuple):
        return 0
    children = value.values() if isinstance(value, dict) else value
    return 1 + max((_depth(child, limit - 1) for child in children), default=0)


def _mended(value: Any, depth: int = 0) -> Any:
    if depth > _MAX_DEPTH - 10:
        return "…"
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, msgspec.Struct):
        value = msgspec.to_builtins(value, enc_hook=str, str_keys=True)
    if isinstance(value, dict):
        return {clean(str(key)): _mended(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mended(item, depth + 1) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= 64 else "…" if value.bit_length() > 2**13 else str(value)
    return clean(str(value))
