"""Free-form attributes on their way into the database and back.

ClickHouse's JSON type forgets what JSON cannot tell apart (``1.0`` and ``1``), drops nulls and empty
objects, and refuses a batch for one bad surrogate. So the document itself is kept as text, and
the JSON column beside it serves conditions only.
"""

import math
from typing import Any, Final

import msgspec

_encoder: Final = msgspec.json.Encoder(enc_hook=str)
EMPTY_DOCUMENT: Final = msgspec.Raw(b"{}")

# What goes into the JSON column is bounded: hostile depth or size costs search by attribute, never the record.
_MAX_INDEXED_BYTES: Final = 64 << 10
_MAX_INDEXED_DEPTH: Final = 16


def encoded(value: Any) -> bytes:
    """JSON bytes of a value, lone surrogates replaced; what JSON lacks becomes its ``str``."""
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, TypeError, ValueError, RecursionError):
        return _encoder.encode(_mended(value))


def indexed(attributes: dict[str, Any]) -> msgspec.Raw:
    """The same attributes for the JSON column, or an empty object when they are out of bounds."""
    if not attributes or _depth(attributes, _MAX_INDEXED_DEPTH) > _MAX_INDEXED_DEPTH:
        return EMPTY_DOCUMENT
    document = encoded(attributes)
    return msgspec.Raw(document) if len(document) <= _MAX_INDEXED_BYTES else EMPTY_DOCUMENT


def clean(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot express."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _depth(value: Any, limit: int) -> int:
    if limit < 0 or not isinstance(value, dict | list | tuple):
        return 0
    children = value.values() if isinstance(value, dict) else value
    return 1 + max((_depth(child, limit - 1) for child in children), default=0)


def _mended(value: Any, depth: int = 0) -> Any:
    if depth > 100:
        return str(type(value).__name__)
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
    if value is None or isinstance(value, bool | int):
        return value
    return clean(str(value))
