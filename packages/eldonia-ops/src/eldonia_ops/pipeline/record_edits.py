"""Changed copies of records, and values as text."""

from collections.abc import Sequence
from typing import Any

from eldonia_ops.pipeline.formatters.json import json_bytes
from eldonia_ops.pipeline.record_fields import steps_of


def without_field(record: dict[str, Any], name: str) -> dict[str, Any]:
    """The record without a field, whose name may be a path such as ``$.a.b``; itself when it has none."""
    return _without(record, steps_of(name))


def _without(value: Any, steps: Sequence[str | int]) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        if step not in value:
            return value
        if not rest:
            return {key: item for key, item in value.items() if key != step}
        inside = _without(value[step], rest)
        return value if inside is value[step] else {**value, step: inside}
    if isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
        changed = list(value)
        if rest:
            changed[step] = _without(value[step], rest)
        else:
            del changed[step]
        return changed
    return value


def with_field(record: dict[str, Any], name: str, new: Any) -> dict[str, Any]:
    """The record with another value of a field that it has; itself when it has none."""
    return _with(record, steps_of(name), new)


def _with(value: Any, steps: Sequence[str | int], new: Any) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict) and step in value:
        return {**value, step: _with(value[step], rest, new) if rest else new}
    if isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
        changed = list(value)
        changed[step] = _with(value[step], rest, new) if rest else new
        return changed
    return value


def as_text(value: Any) -> str:
    """A value as it is put into a text: nothing for None, JSON for what has parts."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return json_bytes(value).decode()
