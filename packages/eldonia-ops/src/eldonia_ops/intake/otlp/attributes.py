"""OTLP's attribute values as plain Python values, within limits."""

import base64
import itertools
import math
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from eldonia_ops.intake.otlp.json_messages import ArrayValue, Int64, Json, KeyValueList
from eldonia_ops.intake.otlp.messages import OtlpError
from eldonia_ops.model.foreign import MAX_ATTRIBUTES, MAX_DEPTH, MAX_STRING_BYTES, bounded_text

MAX_STRING: Final = MAX_STRING_BYTES
_KINDS: Final[dict[str, Any]] = {
    "stringValue": str,
    "boolValue": bool,
    "intValue": Int64,
    "doubleValue": float,
    "arrayValue": ArrayValue,
    "kvlistValue": KeyValueList,
    "bytesValue": str,
}


def attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    """``KeyValue`` messages as a dict of str, bool, int, float, None, list and dict; bytes as base64 text.

    The first 256 pairs count, whether or not their keys differ; strings are cut at 32 KiB.
    """
    return {pair.key: any_value(pair.value) for pair in itertools.islice(pairs, MAX_ATTRIBUTES)}


def any_value(value: Any, depth: int = 0) -> Any:
    """One ``AnyValue``, in JSON a dictionary. Floats that JSON cannot write (NaN, infinities) become their names.

    Raises:
        OtlpError: the dictionary is no such value.
    """
    if isinstance(value, dict):
        return _json_value(value, depth)
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return cut(value.string_value)
    if kind == "double_value":
        return _finite(value.double_value)
    if kind in ("int_value", "bool_value"):
        return getattr(value, kind)
    if kind == "bytes_value":
        return cut(base64.b64encode(value.bytes_value).decode())
    if kind not in ("array_value", "kvlist_value"):  # nothing, or a kind that JSON does not have
        return None
    if depth >= MAX_DEPTH:
        return "…"
    if kind == "array_value":
        return [any_value(item, depth + 1) for item in value.array_value.values[:MAX_ATTRIBUTES]]
    return {pair.key: any_value(pair.value, depth + 1) for pair in value.kvlist_value.values[:MAX_ATTRIBUTES]}


def _finite(number: float) -> float | str:
    return number if math.isfinite(number) else repr(number)


def _json_value(value: Json, depth: int) -> Any:
    if len(value) == 1 and isinstance(text := value.get("stringValue"), str):
        return cut(text)
    kinds = [kind for kind in _KINDS if value.get(kind) is not None]
    if not kinds:
        return None
    if len(kinds) > 1:
        raise OtlpError(f"a value is both {kinds[0]} and {kinds[1]}")
    [kind] = kinds
    if kind == "bytesValue":
        return cut(_base64(value[kind]))
    try:
        found = msgspec.convert(value[kind], _KINDS[kind], strict=kind in ("stringValue", "boolValue"))
    except msgspec.ValidationError as error:
        raise OtlpError(f"the body is not valid OTLP JSON: {error} in {kind}") from None
    if isinstance(found, ArrayValue | KeyValueList):
        if depth >= MAX_DEPTH:
            return "…"
        if isinstance(found, ArrayValue):
            return [any_value(item, depth + 1) for item in found.values[:MAX_ATTRIBUTES]]
        return {pair.key: any_value(pair.value, depth + 1) for pair in found.values[:MAX_ATTRIBUTES]}
    if isinstance(found, float):
        return _finite(found)
    return cut(found) if isinstance(found, str) else found


def _base64(text: Any) -> str:
    """Bytes in their usual spelling: JSON may write them with the URL's alphabet, and without padding."""
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except (ValueError, AttributeError):
        raise OtlpError("the body is not valid OTLP JSON: bytesValue is not base64") from None
    return base64.b64encode(raw).decode()


def cut(text: str) -> str:
    """The text, clean, or its first 32 KiB with a mark."""
    return bounded_text(text, MAX_STRING)


def as_text(value: Any) -> str:
    """An attribute value as a label or a field of a record."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
