"""Reads values out of the JSON of a request; what does not fit is named as Elasticsearch names it."""

import math
from collections.abc import Mapping
from typing import Any

from eldonia_ops.protocols.elasticsearch.query.errors import illegal, parsing


def object_of(value: Any, place: str) -> dict[str, Any]:
    """An object.

    Raises:
        DslError: it is something else.
    """
    if not isinstance(value, dict):
        raise parsing(f"[{place}] query malformed, no start_object after query name", place)
    return value


def one_field(value: Any, place: str) -> tuple[str, Any]:
    """The only field of an object such as ``{"match": {"message": …}}``, with what it holds.

    Raises:
        DslError: it is no object, or has not one field.
    """
    fields = {key: one for key, one in object_of(value, place).items() if key not in ("boost", "_name")}
    if not fields:
        raise illegal(f"[{place}] requires a field name")
    if len(fields) > 1:
        first, second = list(fields)[:2]
        raise parsing(f"[{place}] query doesn't support multiple fields, found [{first}] and [{second}]", place)
    return next(iter(fields.items()))


def known_keys(given: Mapping[str, Any], place: str, known: frozenset[str]) -> None:
    """Nothing, unless an object has a key that it may not have.

    Raises:
        DslError: it has.
    """
    for key in given:
        if key not in known and key not in ("boost", "_name"):
            raise parsing(f"[{place}] query does not support [{key}]", key)


def text_value(value: Any, place: str) -> str:
    """A scalar as its text: ``true``, ``500``, ``abc``.

    Raises:
        DslError: it is a list, an object, or null.
    """
    if value is None or isinstance(value, dict | list):
        raise illegal(f"value cannot be null or an object in [{place}]")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def number(value: Any, name: str, *, low: float = -math.inf, high: float = math.inf) -> float:
    """A number, also one that is written as a text.

    Raises:
        DslError: it is none, or out of bounds.
    """
    try:
        if isinstance(value, bool) or value is None:
            raise ValueError
        found = float(value)
    except (TypeError, ValueError):
        raise illegal(f"failed to parse value [{value}] for [{name}]: not a number") from None
    if not low <= found <= high or math.isnan(found):
        raise illegal(f"[{name}] must be between [{low:g}] and [{high:g}], found [{value}]")
    return found


def whole(value: Any, name: str, *, low: int = 0, high: int = 2**31 - 1) -> int:
    """A whole number.

    Raises:
        DslError: it is none, or out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | float) or not str(value).lstrip("-").isdigit():
        raise illegal(f"Failed to parse int parameter [{name}] with value [{value}]")
    found = int(value)
    if found < low:
        raise illegal(
            f"[{name}] parameter cannot be negative, found [{found}]"
            if low == 0
            else f"[{name}] must be at least {low}, found [{found}]"
        )
    if found > high:
        raise illegal(f"[{name}] must be at most {high}, found [{found}]")
    return found


def flag(value: Any, name: str) -> bool:
    """True or false, also as a text.

    Raises:
        DslError: it is neither.
    """
    if value in (True, "true", ""):
        return True
    if value in (False, "false"):
        return False
    raise illegal(f"Failed to parse value [{value}] as only [true] or [false] are allowed for [{name}].")


def boost_of(given: Any) -> float:
    """The boost of a query.

    Raises:
        DslError: it is no number, or negative.
    """
    return number(given.get("boost", 1.0), "boost", low=0.0) if isinstance(given, dict) else 1.0


def listed(value: Any) -> list[Any]:
    """A list, also of one thing that was written without it."""
    return value if isinstance(value, list) else [value]
