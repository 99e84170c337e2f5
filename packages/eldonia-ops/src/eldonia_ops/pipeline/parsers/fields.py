"""What all parsers do with the fields that they found: the time among them, types, empty values.

https://docs.fluentd.org/configuration/parse-section#parse-parameters
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError
from eldonia_ops.pipeline.parsers.time_of import TIME_TYPES, TimeReader, format_reader, time_reader
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader
from eldonia_ops.pipeline.times.zones import zone_of

_Convert = Callable[[Any], Any]
_TRUTHS: Final = frozenset(("true", "yes", "1"))
_INTEGER: Final = re.compile(r"\s*([+-]?[0-9]{1,4000})(?:_[0-9]+)*", re.ASCII)
_FLOAT: Final = re.compile(r"\s*([+-]?[0-9]{1,400}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,4})?)", re.ASCII)
_KINDS: Final = ("string", "integer", "float", "bool", "time", "array")


class Fields:
    """The parameters that parsers have in common, applied to a record.

    ``time_key`` and ``time_type`` are the parser's own defaults, ``time_format`` that of its times, ``types`` are those
    that it knows of its own fields.
    """

    def __init__(
        self,
        reader: SectionReader,
        *,
        time_key: str = "",
        time_type: str = "string",
        time_format: str = "",
        types: Mapping[str, str] | None = None,
    ) -> None:
        self.time_key = reader.string("time_key", time_key)
        self.keep_time_key = reader.boolean("keep_time_key", False)
        self.estimate = reader.boolean("estimate_current_event", True)
        self.read_time: TimeReader = time_reader(reader, type=time_type, format=time_format)
        reader.ignore("timeout", "json_parser", "parser_type", "parser_engine", "stream_buffer_size")
        self._null_empty = reader.boolean("null_empty_string", False)
        self._null = _pattern(reader, "null_value_pattern")
        self._types = _conversions(reader, {**(types or {}), **reader.mapping("types")})
        self._converts = bool(self._types or self._null_empty or self._null)

    def finish(self, record: dict[str, Any], now_ns: int) -> Parsed:
        """The record with its time taken out and its values converted. It is changed in place.

        Raises:
            ParseError: its time cannot be read.
        """
        time = self.time(record, now_ns) if self.time_key in record else None
        return time, self.convert(record) if self._converts else record

    def time(self, record: dict[str, Any], now_ns: int) -> int | None:
        """The time of a record that has the time key.

        Raises:
            ParseError: it cannot be read.
        """
        value = record[self.time_key] if self.keep_time_key else record.pop(self.time_key)
        try:
            return self.read_time(value, now_ns)
        except (ValueError, OverflowError) as error:
            raise ParseError(f"{self.time_key} cannot be read as a time: {error}") from None

    def convert(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with null values and types."""
        for key, value in record.items():
            if value is None or value is False:
                continue
            if isinstance(value, str) and self._is_null(value):
                record[key] = None
            elif (convert := self._types.get(key)) is not None:
                record[key] = convert(value)
        return record

    def _is_null(self, value: str) -> bool:
        return (self._null_empty and not value) or (self._null is not None and self._null.matches(value))


def _pattern(reader: SectionReader, name: str) -> RubyRegexp | None:
    written = reader.string(name)
    if not written:
        return None
    try:
        return RubyRegexp(written)
    except ValueError as error:
        reader.problem(f"{name} cannot be used: {error}", name)
        return None


def _conversions(reader: SectionReader, types: dict[str, Any]) -> dict[str, _Convert]:
    found: dict[str, _Convert] = {}
    for field, written in types.items():
        kind, _, option = str(written).partition(":")
        try:
            found[field] = _conversion(kind, option)
        except ValueError as error:
            reader.problem(f"types: {field}: {error}", "types", hint=nearest(kind, _KINDS))
    return found


def _conversion(kind: str, option: str) -> _Convert:
    match kind:
        case "string":
            return as_string
        case "integer":
            return as_integer
        case "float":
            return as_float
        case "bool":
            return lambda value: as_string(value).lower() in _TRUTHS
        case "array":
            delimiter = option or ","
            return lambda value: split(as_string(value), delimiter)
        case "time":
            return _time(option)
    raise ValueError(f"there is no type {kind!r}: use {', '.join(_KINDS)}")


def _time(option: str) -> _Convert:
    """``time``, ``time:FORMAT`` or ``time:ZONE:FORMAT``; the result is a number of seconds."""
    zone_name, _, format = option.partition(":")
    try:
        zone = zone_of(zone_name) if format else None
    except ValueError:
        zone, format = None, option
    if not format:
        format = option
    read = format_reader(format if format not in TIME_TYPES or format in ("unixtime", "float") else "", zone)

    def convert(value: Any) -> Any:
        try:
            found = read(value, 0)
        except (ValueError, OverflowError):
            return None
        return None if found is None else found / 1e9 if found % 1_000_000_000 else found // 1_000_000_000

    return convert


def as_string(value: Any) -> str:
    """Text of any value."""
    return value if isinstance(value, str) else "true" if value is True else str(value)


def as_integer(value: Any) -> Any:
    """The whole number at the beginning of a text, 0 without one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else 0
    match = _INTEGER.match(as_string(value))
    return int(match[0].replace("_", "")) if match else 0


def as_float(value: Any) -> Any:
    """The number at the beginning of a text, 0.0 without one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _FLOAT.match(as_string(value))
    return float(match[1]) if match else 0.0


def split(text: str, delimiter: str) -> list[str]:
    """The parts of a text, without empty ones at its end, as Ruby splits."""
    parts = text.split(delimiter) if delimiter != " " else text.split()
    while parts and not parts[-1]:
        parts.pop()
    return parts
