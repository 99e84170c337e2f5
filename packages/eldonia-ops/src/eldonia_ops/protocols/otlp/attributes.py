"""OTLP's attribute values as plain Python values, within limits."""

import base64
import math
from collections.abc import Iterable
from typing import Any, Final

MAX_ATTRIBUTES: Final = 256
MAX_STRING: Final = 32_768
_MAX_DEPTH = 16


def attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    """``KeyValue`` messages as a dict of str, bool, int, float, None, list and dict; bytes as base64 text.

    The first 256 keys count; strings are cut at 32,768 characters.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        if len(found) >= MAX_ATTRIBUTES:
            break
        found[pair.key] = any_value(pair.value)
    return found


def any_value(value: Any, depth: int = 0) -> Any:
    """One ``AnyValue``. Floats that JSON cannot write (NaN, infinities) become their names."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return cut(value.string_value)
    if kind == "double_value":
        number = value.double_value
        return number if math.isfinite(number) else repr(number)
    if kind in ("int_value", "bool_value"):
        return getattr(value, kind)
    if kind == "bytes_value":
        return cut(base64.b64encode(value.bytes_value).decode())
    if kind is None:
        return None
    if depth >= _MAX_DEPTH:
        return "…"
    if kind == "array_value":
        return [any_value(item, depth + 1) for item in value.array_value.values[:MAX_ATTRIBUTES]]
    return {pair.key: any_value(pair.value, depth + 1) for pair in value.kvlist_value.values[:MAX_ATTRIBUTES]}


def cut(text: str) -> str:
    """The text, or its first 32,768 characters with a mark."""
    return text if len(text) <= MAX_STRING else f"{text[:MAX_STRING]}… [{len(text) - MAX_STRING} characters cut off]"


def as_text(value: Any) -> str:
    """An attribute value as a label or a field of a record."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
