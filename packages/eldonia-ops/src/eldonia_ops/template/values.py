"""How a template sees values: kinds, truth, fields, and Go's way of printing them.

Python values represent Go's: ``str`` string, ``bool`` bool, ``int`` int, ``float`` float64, ``None``
nil, mappings maps, lists and tuples slices. A class that declares ``go_names`` (Go name → Python
attribute) offers just those fields and methods; nothing else of an object is ever reachable.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final


class Struct:
    """A value with named fields and methods. ``go_names`` maps a Go name to a Python attribute."""

    go_names: ClassVar[Mapping[str, str]] = {}

    def go_string(self) -> str:
        """How it prints: its fields in braces, unless the class knows better."""
        fields = (getattr(self, attribute) for attribute in self.go_names.values())
        return "{" + " ".join(format_value(item) for item in fields if not callable(item)) + "}"

    def truthy(self) -> bool:
        """Go: a struct is always true."""
        return True


class NoValue:
    """What a missing key yields: prints ``<no value>``, is false, and has no fields of its own."""

    def __repr__(self) -> str:
        return "<no value>"


NO_VALUE: Final = NoValue()


class StringMap(dict[str, str]):
    """Go's ``map[string]string``; a missing key reads as the empty string under ``missingkey=zero``."""


def is_sequence(value: Any) -> bool:
    """Whether a value is a Go slice."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def kind(value: Any) -> str:
    """The Go name of a value's kind, for messages and for ``%T``."""
    if value is None or value is NO_VALUE:
        return "nil"
    for types, name in ((bool, "bool"), (int, "int"), (float, "float64"), (str, "string")):
        if isinstance(value, types):
            return name
    if isinstance(value, Struct):
        return type(value).__name__
    if isinstance(value, Mapping):
        return "map"
    return "slice" if is_sequence(value) else type(value).__name__


def truth(value: Any) -> bool:
    """Whether ``if`` takes its branch: not false, zero, nil or empty."""
    if isinstance(value, Struct):
        return value.truthy()
    if value is NO_VALUE:
        return False
    if isinstance(value, float):
        return value != 0  # NaN is true, as in Go
    return bool(value)


def format_float(value: float, verb: str = "g", precision: int = -1) -> str:
    """A float as Go's strconv.FormatFloat writes it; precision -1 is the shortest that reads back."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    lower = verb.lower()
    if precision >= 0:
        text = _general(value, precision) if lower == "g" else f"{value:.{precision}{lower}}"
        return text.upper() if verb.isupper() else text
    shortest = repr(abs(value))
    mantissa, _, exponent = shortest.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    point = len(whole) - leading + int(exponent or 0)  # decimal point position within digits
    digits = digits.rstrip("0")
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if not digits:
        return sign + ("0e+00" if lower == "e" else "0")
    scale = point - 1
    if lower == "e" or (lower == "g" and (scale < -4 or scale >= _EXPONENT_FROM)):
        body = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
        text = f"{body}e{'-' if scale < 0 else '+'}{abs(scale):02d}"
    elif point <= 0:
        text = "0." + "0" * -point + digits
    elif point >= len(digits):
        text = digits + "0" * (point - len(digits))
    else:
        text = f"{digits[:point]}.{digits[point:]}"
    return sign + (text.upper() if verb.isupper() else text)


_EXPONENT_FROM: Final = 6
"""The decimal exponent from which Go's %v and shortest %g change to scientific notation (strconv/ftoa.go)."""


def _general(value: float, precision: int) -> str:
    """Go's ``%.<n>g``: C's, in which trailing zeros are dropped too; precision 0 counts as 1."""
    return f"{value:.{precision or 1}g}"


def format_value(value: Any) -> str:
    """A value as Go's ``%v`` prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return format_float(value)
    printed = getattr(value, "go_string", None)
    if printed is not None:
        return printed()
    if isinstance(value, Mapping):
        pairs = sorted(((format_value(key), item) for key, item in value.items()), key=lambda pair: pair[0])
        return "map[" + " ".join(f"{key}:{format_value(item)}" for key, item in pairs) + "]"
    if is_sequence(value):
        return "[" + " ".join(format_value(item) for item in value) + "]"
    return str(value)
