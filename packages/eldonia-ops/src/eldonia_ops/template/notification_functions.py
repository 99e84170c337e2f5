"""Functions of Alertmanager's notification templates.

Source: https://prometheus.io/docs/alerting/latest/notifications/#functions
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_plus

import msgspec

from eldonia_ops.template.functions import Function
from eldonia_ops.template.instant import GoDuration, Instant
from eldonia_ops.template.rule_functions import humanize_duration
from eldonia_ops.template.text_functions import TEXT_FUNCTIONS, join
from eldonia_ops.template.values import NO_VALUE, is_sequence


def _instant(value: Any) -> Instant:
    if not isinstance(value, Instant):
        raise ValueError("a time is expected, such as .StartsAt")
    return value


def _date(layout: str, instant: Any) -> str:
    return _instant(instant).format(layout)


def _plain(value: Any) -> Any:
    if value is NO_VALUE:
        return None
    if isinstance(value, Instant):
        return value.rfc3339()
    if isinstance(value, GoDuration):
        return value.nanoseconds
    if hasattr(value, "go_json"):
        return value.go_json()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if is_sequence(value) else value


def to_json(value: Any) -> str:
    """A value as compact JSON, keys in order."""
    return msgspec.json.encode(_plain(value), order="sorted").decode()


_WORD = re.compile(r"\w+(?:['’.:]\w+)*")


def title(text: str) -> str:
    """Each word with a capital first letter and the rest in small letters, as Alertmanager has it.

    (The function of the same name in Prometheus' rules leaves the rest alone.)
    """
    return _WORD.sub(lambda match: match.group()[:1].title() + match.group()[1:].lower(), text)


def notification_functions(now: int | None = None) -> dict[str, Function]:
    """The functions of notification templates; ``now`` (Unix ms) serves ``since`` and ``now``."""

    def since(instant: Any) -> GoDuration:
        return _current().sub(_instant(instant))

    def _current() -> Instant:
        if now is None:
            raise ValueError("the present time is not known here")
        return Instant(now)

    return {
        **TEXT_FUNCTIONS,
        "title": Function(title, ("string",)),
        "trimSpace": Function(str.strip, ("string",)),
        "join": Function(join, ("string", "list")),
        "safeUrl": Function(lambda text: text, ("string",)),
        "urlUnescape": Function(unquote_plus, ("string",)),
        "urlPathEscape": Function(lambda text: quote(text, safe="$&+:=@~"), ("string",)),
        "stringSlice": Function(lambda *texts: list(texts), ("string",), variadic=True),
        "list": Function(lambda *values: list(values), ("any",), variadic=True),
        "append": Function(lambda items, *values: [*items, *values], ("list", "any"), variadic=True),
        "dict": Function(_dict, ("any",), variadic=True),
        "date": Function(_date, ("string", "any")),
        "tz": Function(lambda zone, instant: _instant(instant).in_zone(zone), ("string", "any")),
        "since": Function(since, ("any",)),
        "now": Function(_current),
        "humanizeDuration": Function(humanize_duration, ("any",)),
        "toJson": Function(to_json, ("any",)),
    }


def _dict(*values: Any) -> dict[str, Any]:
    if len(values) % 2:
        raise ValueError("dict takes pairs of a key and a value")
    found: dict[str, Any] = {}
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, str):
            raise ValueError("the keys of dict are texts")
        found[key] = value
    return found
