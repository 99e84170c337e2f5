"""The quick way through :mod:`eldonia_ops.protocols.logs.fields` for flat objects whose keys were seen before.

A logger writes the same keys line after line. Which of them is the time, the level, the message or another field
follows from the keys alone as long as each holds a usable text or number, and no key is one whose meaning depends on
values. So it is found out once for a tuple of keys. Whatever does not fit is left to the careful way; a test holds
both equal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from operator import eq
from typing import Any, Final

from eldonia_ops.model.log_batch import LogBlock, LogPart
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.timestamps import epoch_ns, parse_timestamp, parse_timestamps
from eldonia_ops.protocols.logs.errors import ERROR_KEYS
from eldonia_ops.protocols.logs.names import plain_name

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
    "servicecontext",
    "priority",
    "insertid",
    "logging.googleapis.com/trace",
    "logging.googleapis.com/spanid",
    "exceptionname",
    "errortype",
    "starttime",
}
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_OWN: Final = frozenset({"@t", "@l", "@m", "@mt", "M"})
_LEVELS_KEPT: Final = 256
NOTHING: Final = "-"
"""How access logs write that there is no value: no host, user or service has this name."""


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

    @property
    def columns(self) -> dict[str, str]:
        """The field of the record that each key leads to which is not kept in the metadata."""
        own = {self._time: "timestamp_ns", self._level: "level", self._message: "message"}
        return own | {key: name for name, key in self._fields}

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
        ``service``, ``environment`` and ``hostname`` are used where the object names none.
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
            if type(text) is not str or text == NOTHING:
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

    def parts(
        self,
        values: Sequence[dict[str, Any]],
        places: Sequence[int],
        unusual: Sequence[int] | None,
        offsets: Sequence[int],
        *,
        shared: Mapping[str, str],
        times_ns: Sequence[int] = (),
    ) -> tuple[list[LogPart], list[int]]:
        """What :meth:`record` makes of many objects with these keys, column by column; and the places of those that
        have to be read with care.

        ``places`` and ``offsets`` have one item for each object. ``unusual`` are the rows, ascending, whose lines are
        not short and of printable ASCII without escapes; None: it is found out here. ``shared`` has ``source`` and what
        is used where an object names no service, environment or hostname. ``times_ns`` are the instants of objects
        that have none themselves, 0 for one that has to be read with care.
        """
        columns = dict(zip(values[0], zip(*map(dict.values, values), strict=True), strict=True))
        stated = columns[self._level]
        timestamps = self._timestamps(columns) if self._time else times_ns
        if unusual is None:
            unusual = _unusual(columns)
        levels = self._folded_all(stated)
        bad = self._careful(columns, values, unusual)
        if not all(timestamps):
            bad.update(row for row, instant in enumerate(timestamps) if not instant)
        if not all(levels):
            bad.update(row for row, level in enumerate(levels) if level is None)
        if bad:
            return self._without(bad, values, places, unusual, offsets, shared, times_ns)
        texts: dict[str, Sequence[str]] = {}
        for name, key in self._fields:
            column: Sequence[str] = columns[key]
            if not all(column):
                default = shared.get(name, "")
                column = [text or default for text in column]
            texts[name] = column
        block = LogBlock(
            timestamps_ns=timestamps,
            messages=columns[self._message],
            levels=levels,
            offsets=offsets,
            texts=texts,
            shared={name: text for name, text in shared.items() if text and name not in texts},
            metadata={key: columns[key] for key in self._metadata},
        )
        return self._with_level(LogPart(places, block), stated), []

    def _without(
        self,
        bad: set[int],
        values: Sequence[dict[str, Any]],
        places: Sequence[int],
        unusual: Sequence[int],
        offsets: Sequence[int],
        shared: Mapping[str, str],
        times_ns: Sequence[int],
    ) -> tuple[list[LogPart], list[int]]:
        """:meth:`parts` of all but some rows, which are to be read with care."""
        good = [row for row in range(len(values)) if row not in bad]
        careful = [places[row] for row in sorted(bad)]
        if not good:
            return [], careful
        new_row = {row: index for index, row in enumerate(good)}
        parts, more = self.parts(
            [values[row] for row in good],
            [places[row] for row in good],
            [new_row[row] for row in unusual if row in new_row],
            [offsets[row] for row in good],
            shared=shared,
            times_ns=[times_ns[row] for row in good] if times_ns else (),
        )
        return parts, sorted([*careful, *more])

    def _timestamps(self, columns: Mapping[str, Sequence[Any]]) -> Sequence[int]:
        times = columns[self._time]
        return parse_timestamps(times) if set(map(type, times)) == {str} else list(map(_instant, times))

    def _with_level(self, part: LogPart, stated: Sequence[Any]) -> list[LogPart]:
        """The part, in two where some levels were called as they are here and others, whose names are kept, not."""
        same = list(map(eq, stated, part.block.levels))
        if all(same):
            return [part]
        named = [row for row, equal in enumerate(same) if not equal]
        parts = [part.some(named)] if len(named) < len(same) else [part]
        block = parts[0].block
        levels = {"level": [stated[row] for row in named]}
        found = [LogPart(parts[0].places, replace(block, metadata={**levels, **block.metadata}))]
        if len(named) < len(same):
            found.append(part.some([row for row, equal in enumerate(same) if equal]))
        return found

    def _careful(
        self, columns: Mapping[str, Sequence[Any]], values: Sequence[dict[str, Any]], unusual: Sequence[int]
    ) -> set[int]:
        """The rows of which a value is not what it is taken for, or a text or number may be beyond a bound."""
        found: set[int] = set()
        for key in (self._message, *(key for _, key in self._fields)):
            if set(map(type, columns[key])) != {str}:
                found.update(row for row, value in enumerate(columns[key]) if type(value) is not str)
        for _, key in self._fields:
            if NOTHING in columns[key]:
                found.update(row for row, value in enumerate(columns[key]) if value == NOTHING)
        if not all(columns[self._message]):
            found.update(row for row, value in enumerate(columns[self._message]) if not value)
        for key in self._metadata:
            kinds = set(map(type, columns[key]))
            if not kinds <= _SCALARS:
                found.update(row for row, value in enumerate(columns[key]) if type(value) not in _SCALARS)
            if float in kinds and not (kinds == {float} and isfinite(sum(columns[key]))):
                found.update(row for row, value in enumerate(columns[key]) if type(value) is float and value - value)
            if kinds == {int} and min(columns[key]) >= -(2**63) and max(columns[key]) < 2**64:
                continue
            if int in kinds:
                found.update(
                    row
                    for row, value in enumerate(columns[key])
                    if type(value) is int and not -(2**63) <= value < 2**64
                )
        for row in unusual:
            for key, value in values[row].items():
                if type(value) is str and (
                    len(value) > (_SHORT_MESSAGE if key == self._message else _SHORT) or not value.isprintable()
                ):
                    found.add(row)
                    break
        return found

    def _folded_all(self, stated: Sequence[Any]) -> list[LogLevel]:
        """The level of each; of one that is none, or has to be read with care, None."""
        if set(map(type, stated)) == {str}:
            levels: dict[str, Any] = {value: self._fold(value) for value in set(stated)}
            return list(map(levels.__getitem__, stated))
        return [self._fold(value) for value in stated]  # pyright: ignore[reportReturnType]

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
    *,
    timed: bool = False,
) -> Shape | None:
    """What the keys of an object mean, by the names that are looked for in their order; None for those that cannot be
    recognised by their keys, and for those without a level or a message. ``timed``: the time is known from elsewhere;
    otherwise None for those without one."""
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
    if not ((time or timed) and level and message):
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


def _unusual(columns: Mapping[str, Sequence[Any]]) -> list[int]:
    """The rows in which a text is not short, or not printable."""
    found: set[int] = set()
    for column in columns.values():
        kinds = set(map(type, column))
        if str not in kinds:
            continue
        texts: Sequence[str] = column if len(kinds) == 1 else [text for text in column if type(text) is str]
        if max(map(len, texts)) > _SHORT or not "".join(texts).isprintable():
            found.update(
                row
                for row, text in enumerate(column)
                if type(text) is str and (len(text) > _SHORT or not text.isprintable())
            )
    return sorted(found)


def _instant(value: Any) -> int:
    """Unix nanoseconds of a text or a number; 0 when it is no instant."""
    try:
        return parse_timestamp(value) if type(value) is str else epoch_ns(_number(value))
    except ValueError:
        return 0


def _number(value: Any) -> float:
    if type(value) is int or type(value) is float:
        return value
    raise ValueError("not a number")
