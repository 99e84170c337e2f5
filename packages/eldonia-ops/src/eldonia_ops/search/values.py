"""What a record holds for a field, as aggregates and pipes look at it.

A value is a text, a number, a boolean, or a list, and None when it is missing. Each is asked for its text or for its
number; a text that is written as a number counts as one.
"""

import math
from typing import Any, Final

from eldonia_ops.model.condition_fields import log_value
from eldonia_ops.model.conditions import NUMBER, FieldName, is_number, text_of
from eldonia_ops.model.logs import LogRecord

TIMESTAMP: Final = "timestamp"
"""The field that holds the time of a record, in Unix milliseconds. In quotes it is an attribute."""


def field_value(record: LogRecord, name: FieldName) -> Any:
    """What a record holds for a field; None when it is missing."""
    if not name.exact and name.name == TIMESTAMP:
        return record.timestamp_ns // 1_000_000
    return log_value(record, name)


def value_text(value: Any) -> str | None:
    """A value as a text; None for a missing one, a list or an object."""
    if value is None or isinstance(value, list | tuple | dict):
        return None
    return text_of(value)


def value_number(value: Any) -> float | None:
    """A value as a number: a number, or a text that JSON would take for one (``007`` is none); else None."""
    if is_number(value) or (isinstance(value, str) and NUMBER.fullmatch(value)):
        found = float(value)
    else:
        return None
    return found if math.isfinite(found) else None


def value_order(value: Any, *, descending: bool = False) -> tuple[int, float, "_Text"]:
    """Sorts values: numbers by size, then texts by their characters, missing ones last. Descending turns both round."""
    number, text = value_number(value), value_text(value)
    if number is not None:
        return 0, -number if descending else number, _Text(text or "", descending=descending)
    return (2 if text is None else 1), 0.0, _Text(text or "", descending=descending)


class _Text:
    """A text that sorts the other way round if asked."""

    __slots__ = ("_descending", "_text")

    def __init__(self, text: str, *, descending: bool) -> None:
        self._text = text
        self._descending = descending

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Text) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __lt__(self, other: "_Text") -> bool:
        return other._text < self._text if self._descending else self._text < other._text
