"""What is wrong with a request, in words of ours: those of the library that validates are not for people."""

from collections.abc import Mapping
from typing import Any, Final

from eldonia_ops.model.errors import nearest

_MOST: Final = 10
_SHOWN: Final = 60
_BOUNDS: Final = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_KINDS: Final = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dataclass_type": "an object",
}


def faults_in_words(faults: list[Any]) -> str:
    """Every fault with its place: ``role is one of ingest, viewer, not 'foo'; name is missing``."""
    return "; ".join(_fault(fault) for fault in faults[:_MOST])


def _fault(fault: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in fault["loc"][1:]) or "the body"
    kind, context = str(fault["type"]), fault.get("ctx") or {}
    if kind == "missing":
        return f"{place} is missing"
    if kind == "extra_forbidden":
        return f"{place} is not known here"
    if kind == "json_invalid":
        return "the body is no JSON"
    if kind in ("enum", "literal_error"):
        words = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
        hint = nearest(str(fault.get("input", "")), words.split(", "))
        return f"{place} is one of {words}, not {_shown(fault.get('input'))}" + (f" ({hint})" if hint else "")
    if kind in ("string_too_short", "too_short"):
        least = context.get("min_length", 1)
        what = "characters" if kind.startswith("string") else "items"
        return f"{place} is empty" if least == 1 else f"{place} has fewer than {least} {what}"
    if kind in ("string_too_long", "too_long"):
        what = "characters" if kind.startswith("string") else "items"
        return f"{place} has more than {context.get('max_length')} {what}"
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"{place} must be {words} {context.get(name)}"
    if kind in _KINDS:
        return f"{place} must be {_KINDS[kind]}"
    if kind == "value_error" and "error" in context:
        return f"{place}: {context['error']}"  # raised by a check of ours
    return f"{place} has a value that is not taken here"


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | int | float | bool | None) else type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
