"""Conditions on the attributes of log records and spans, and what they mean.

A condition compares one field with one value. What a field holds decides how:

* a number with a number, whether it came as ``500`` or ``500.0``;
* a text with a text; a value that was written without quotes is compared with the text of numbers and booleans, too;
* a list only exists: nothing else holds for it but the negations. An object does not exist itself, its fields do.

A field that is missing, or null, satisfies no condition but the negations (``!=``, ``!~`` and ``!exists``).
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import re2

MAX_CONDITIONS: Final = 20
"""How many conditions one question may have."""

MAX_VALUE: Final = 1_000
"""Characters of a value, and of a pattern."""

MAX_FIELD: Final = 512
"""Characters of a field's name."""

MAX_SEGMENTS: Final = 16
"""How deep a field may lie."""

LARGEST_EXACT: Final = 2**53
"""Whole numbers up to here are the same as floats; larger ones are compared by their digits."""

_PATTERN_MEMORY: Final = 1 << 20
NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A number as JSON writes it: ``007`` is a text."""


class ConditionOp(StrEnum):
    """How a field is compared, as it is written."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"
    CONTAINS = "*="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    EXISTS = "exists"
    NOT_EXISTS = "!exists"


ORDERINGS: Final = frozenset(
    {ConditionOp.GREATER, ConditionOp.GREATER_OR_EQUAL, ConditionOp.LESS, ConditionOp.LESS_OR_EQUAL}
)
PRESENCE: Final = frozenset({ConditionOp.EXISTS, ConditionOp.NOT_EXISTS})
PATTERNS: Final = frozenset({ConditionOp.MATCHES, ConditionOp.NOT_MATCHES})
NEGATIONS: Final = {
    ConditionOp.NOT_EQUAL: ConditionOp.EQUAL,
    ConditionOp.NOT_MATCHES: ConditionOp.MATCHES,
    ConditionOp.NOT_EXISTS: ConditionOp.EXISTS,
}
"""An operator that holds where the other does not."""


@dataclass(frozen=True, slots=True)
class FieldName:
    """Which field is meant: one name, or exact steps.

    Of one name (``user.id``) the dots may be part of the key, or steps into objects; where a record has both, the key
    with the dots counts. With ``exact`` the segments are the steps, whatever is in them, and always into attributes.
    With ``column`` the name is one of attributes, too, and a record without such an attribute is compared by its own
    text field of that name: what a document called so may have become a field of the record.
    """

    segments: tuple[str, ...]
    exact: bool = False
    column: str = ""

    @property
    def name(self) -> str:
        """The segments with dots between them."""
        return ".".join(self.segments)

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """Where the field may lie: the first path at which a record holds something counts."""
        if self.exact or len(self.segments) == 1:
            return (self.segments,)
        return ((self.name,), self.segments)


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. ``number`` is the value as a number, None for a text; ``quoted`` means that only texts are meant.

    Raises:
        ValueError: the value does not fit to the operator, or the pattern is no RE2; the message says which.
    """

    name: FieldName
    op: ConditionOp
    value: str = ""
    quoted: bool = False
    number: float | None = field(init=False, compare=False)
    _pattern: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", None if self.quoted or self.op in PRESENCE else _number(self.value))
        if self.op in ORDERINGS and self.number is None:
            raise ValueError(f"{self.op.value} compares numbers, and {self.value!r} is none")
        if self.op in PATTERNS:
            object.__setattr__(self, "_pattern", _compiled(self.value))

    def holds(self, value: Any) -> bool:
        """Whether what a field holds (None when it is missing) satisfies the condition."""
        return self.holds_for_any((value,))

    def holds_for_any(self, values: Iterable[Any]) -> bool:
        """The same for a field that is there several times: one value is enough, and for a negation one too many."""
        positive = NEGATIONS.get(self.op)
        if positive is not None:
            return not any(self._positive(positive, value) for value in values)
        return any(self._positive(self.op, value) for value in values)

    def _positive(self, op: ConditionOp, value: Any) -> bool:
        if value is None or isinstance(value, dict):
            return False
        if op is ConditionOp.EXISTS:
            return True
        if isinstance(value, list | tuple):
            return False
        text = text_of(value)
        match op:
            case ConditionOp.MATCHES:
                return self._pattern.search(text) is not None
            case ConditionOp.CONTAINS:
                return self.value in text
            case ConditionOp.EQUAL:
                if self.quoted:
                    return isinstance(value, str) and value == self.value
                return text == self.value or (
                    self.number is not None
                    and abs(self.number) <= LARGEST_EXACT
                    and is_number(value)
                    and float(value) == self.number
                )
            case _:
                return is_number(value) and self.number is not None and _ordered(op, float(value), self.number)


def is_number(value: Any) -> bool:
    """Whether a value of a JSON document is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text_of(value: Any) -> str:
    """A scalar as it is compared with texts: numbers in decimal digits, whole ones without a fraction."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_EXACT:
        return str(int(value))
    return str(value)


def value_at(document: Mapping[str, Any], name: FieldName) -> Any:
    """What a document holds for a field, or None: the first of its paths that leads to something."""
    for path in name.paths:
        value: Any = document
        for segment in path:
            value = value.get(segment) if isinstance(value, Mapping) else None
        if value is not None and not isinstance(value, Mapping):
            return value
    return None


def _ordered(op: ConditionOp, value: float, bound: float) -> bool:
    match op:
        case ConditionOp.GREATER:
            return value > bound
        case ConditionOp.GREATER_OR_EQUAL:
            return value >= bound
        case ConditionOp.LESS:
            return value < bound
        case _:
            return value <= bound


def _number(text: str) -> float | None:
    found = float(text) if NUMBER.fullmatch(text) else math.inf
    return found if math.isfinite(found) else None


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True  # as ClickHouse compiles it
    options.max_mem = _PATTERN_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        detail = error.args[0] if error.args else error
        text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise ValueError(f"not a regular expression of RE2: {text}") from None
