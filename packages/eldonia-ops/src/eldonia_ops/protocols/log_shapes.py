"""The quick way through :mod:`eldonia_ops.protocols.log_fields` for flat objects whose keys were seen before.

A logger writes the same keys line after line. Which of them is the time, the level, the message or another field
follows from the keys alone as long as each holds a usable text or number, and no key is one whose meaning depends on
values. So it is found out once for a tuple of keys. Whatever does not fit is left to the careful way; a test holds
both equal.
"""

from typing import Any, Final

from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.protocols.log_errors import ERROR_KEYS
from eldonia_ops.protocols.log_names import plain_name
from eldonia_ops.protocols.timestamps import epoch_ns, parse_timestamp

MAX_SHAPES: Final = 1_000
"""How many tuples of keys are remembered."""

MAX_KEYS: Final = 32
MAX_KEY: Final = 64
_SHORT: Final = 512
_SHORT_MESSAGE: Final = 8_192
"""Texts of so many characters are within every bound of :mod:`eldonia_ops.model.record_bounds`."""

# Keys whose meaning depends on what else is there.
_SPECIAL: Final = ERROR_KEYS | {
    "log",
    "name",
    "metadata",
    "mt",
    "record",
    "cursor",
    "realtimetimestamp",
    "bootid",
    "date",
}
_OWN: Final = frozenset({"@t", "@l", "@m", "@mt", "M"})
_LEVELS_KEPT: Final = 256


class Shape:
    """What the keys of a flat object mean."""

    __slots__ = ("_fields", "_folded", "_level", "_level_of", "_message", "_metadata", "_time")

    def __init__(
        self, time: str, level: str, level_of: Any, message: str, fields: dict[str, str], metadata: tuple[str, ...]
    ) -> None:
        self._time = time
        self._level = level
        self._level_of = level_of
        self._message = message
        self._fields = tuple(fields.items())
        self._metadata = metadata
        self._folded: dict[tuple[type, Any], LogLevel | None] = {}

    def record(
        self,
        value: dict[str, Any],
        *,
        plain: bool,
        source: str,
        offset: int,
        service: str,
        environment: str,
        hostname: str,
    ) -> LogRecord | None:
        """The record of an object with these keys, or None when it has to be read with care.

        ``plain``: its line is short and of printable ASCII without escapes, so no text in it needs to be looked at.
        ``service``, ``environment`` and ``hostname`` stand in where the object names none.
        """
        message, stated, time = value[self._message], value[self._level], value[self._time]
        if type(message) is not str or not message:
            return None
        level = self._fold(stated)
        if level is None:
            return None
        try:
            timestamp_ns = parse_timestamp(time) if type(time) is str else epoch_ns(_number(time))
        except ValueError:
            return None
        if not timestamp_ns:
            return None
        fields: dict[str, Any] = {"service": service, "environment": environment, "hostname": hostname}
        for name, key in self._fields:
            text = value[key]
            if type(text) is not str:
                return None
            if not plain and (len(text) > _SHORT or not text.isprintable()):
                return None
            if text:
                fields[name] = text
        metadata: dict[str, Any] = {} if stated == level else {"level": stated}
        for key in self._metadata:
            item = value[key]
            kind = type(item)
            if kind is str:
                if not plain and (len(item) > _SHORT or not item.isprintable()):
                    return None
            elif kind is int:
                if not -(2**63) <= item < 2**64:
                    return None
            elif kind is dict or kind is list:
                return None
            metadata[key] = item
        if not plain and (len(message) > _SHORT_MESSAGE or not message.isprintable()):
            return None
        return LogRecord(
            timestamp_ns=timestamp_ns,
            message=message,
            level=level,
            metadata=metadata,
            source=source,
            offset=offset,
            **fields,
        )

    def _fold(self, stated: Any) -> LogLevel | None:
        kind = type(stated)
        if kind is not str and kind is not int:
            return None
        try:
            return self._folded[kind, stated]
        except KeyError:
            if kind is str and (len(stated) > MAX_KEY or not stated.isprintable()):
                return None
            level = self._level_of(stated)
            if len(self._folded) < _LEVELS_KEPT:
                self._folded[kind, stated] = level
            return level


def shape_of(
    keys: tuple[str, ...],
    times: tuple[str, ...],
    levels: dict[str, Any],
    messages: tuple[str, ...],
    fields: dict[str, tuple[str, ...]],
) -> Shape | None:
    """What the keys of an object mean, by the names that are looked for in their order; None for those that cannot be
    recognised by their keys, and for those without a time, a level or a message."""
    if len(keys) > MAX_KEYS or any(len(key) > MAX_KEY or not key.isprintable() or key in _OWN for key in keys):
        return None
    by_name = {plain_name(key): key for key in keys}
    if len(by_name) < len(keys) or "" in by_name or not _SPECIAL.isdisjoint(by_name):
        return None
    # A dot reaches into objects, and there are none in what is read here.
    time = _take(by_name, times)
    level_name = next((name for name in levels if name in by_name), "")
    level = by_name.pop(level_name, "")
    message = _take(by_name, messages)
    if not (time and level and message):
        return None
    taken = {field: key for field, names in fields.items() if (key := _take(by_name, names))}
    left = set(by_name.values())
    return Shape(time, level, levels[level_name], message, taken, tuple(key for key in keys if key in left))


def _take(by_name: dict[str, str], names: tuple[str, ...]) -> str:
    """The key of the first of the names, taken away; empty when there is none."""
    for name in names:
        if name in by_name:
            return by_name.pop(name)
    return ""


def _number(value: Any) -> float:
    if type(value) is int or type(value) is float:
        return value
    raise ValueError("not a number")
