"""The shape of a record's attributes: what must be known to make them again from the JSON column. Pure.

That column forgets the order of the keys, ``1.0`` beside ``1``, and nulls. All of that is the same in thousands of
records, so it is one text, ``method:s,status:i,latency_ms:f,user:n``, in a column of few values; the attributes
themselves are stored once. Flat objects have a shape. Others are kept as text beside the column, as all once were.
"""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

MAX_KEYS: Final = 64
MAX_SHAPE: Final = 2_000
"""Characters of a shape. Longer ones would be many, and each part of a table holds those of its rows."""

_KEY: Final = re.compile(r"[\w@/. \-]{1,100}")
_KINDS: Final[Mapping[type, str]] = {str: "s", int: "i", float: "f", bool: "b", type(None): "n"}
_LARGEST: Final = 2**64
_SMALLEST: Final = -(2**63)
_BYTES_OF_CHARACTER: Final = 6
"""At the most, in JSON: an escape of a control character."""

_BYTES_OF_NUMBER: Final = 26


def shape_of(metadata: Mapping[str, Any]) -> str:
    """The shape of attributes; empty when they have none: not flat, or of values that the JSON column changes."""
    if len(metadata) > MAX_KEYS:
        return ""
    types = tuple(map(type, metadata.values()))
    if not all(map(_kept, types, zip(metadata.values()))):
        return ""
    return _shape(tuple(metadata), types)


def shapes_of(columns: Mapping[str, Sequence[Any]], rows: int) -> Sequence[str]:
    """The shape of each row's attributes, which are columns by their keys."""
    types = [set(map(type, values)) for values in columns.values()]
    if len(columns) <= MAX_KEYS and all(len(some) == 1 for some in types):
        kinds = tuple(kind for some in types for kind in some)
        if all(map(_kept, kinds, columns.values())):
            return [_shape(tuple(columns), kinds)] * rows
    return [shape_of(dict(zip(columns, values, strict=True))) for values in zip(*columns.values(), strict=True)]


def longest(columns: Mapping[str, Sequence[Any]]) -> int:
    """Bytes that no row's attributes exceed as JSON."""
    found = 2
    for key, values in columns.items():
        texts = [len(value) for value in values if type(value) is str]
        found += _BYTES_OF_CHARACTER * len(key) + 4 + max(_BYTES_OF_NUMBER, _BYTES_OF_CHARACTER * max(texts, default=0))
    return found


def restored(shape: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a shape. ``values`` are what the JSON column gives, by its paths, or the attributes by their
    keys, in any order."""
    found: dict[str, Any] = {}
    for key, path, real in _fields(shape):
        value = values[path] if path in values else values.get(key)
        found[key] = float(value) if real and value is not None else value
    return found


def _kept(kind: type, values: Sequence[Any]) -> bool:
    """Whether the JSON column gives values of a type back as they are."""
    if kind is float:
        negative_zero = 0.0 in values and any(not value and math.copysign(1.0, value) < 0 for value in values)
        return not negative_zero and all(map(math.isfinite, values))
    return kind is not int or (min(values) >= _SMALLEST and max(values) < _LARGEST)


@lru_cache(maxsize=4_096)
def _shape(keys: tuple[str, ...], types: tuple[type, ...]) -> str:
    kinds = list(map(_KINDS.get, types))
    if None in kinds or not all(map(_KEY.fullmatch, keys)):
        return ""
    shape = ",".join(map("{}:{}".format, keys, kinds))
    return shape if len(shape) <= MAX_SHAPE else ""


@lru_cache(maxsize=4_096)
def _fields(shape: str) -> tuple[tuple[str, str, bool], ...]:
    """Of each key its path in the JSON column, and whether its value is a float."""
    parts = [part.rpartition(":") for part in shape.split(",")]
    return tuple((key, key.replace(".", "%2E"), kind == "f") for key, _, kind in parts)
