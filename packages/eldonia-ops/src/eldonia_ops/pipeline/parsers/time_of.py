"""How a parser reads times: ``time_type``, ``time_format``, zones and what is tried next.

https://docs.fluentd.org/configuration/parse-section#time-parameters
"""

import re
from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final, TypeAlias

from eldonia_ops.model.timestamps import parse_timestamp
from eldonia_ops.pipeline.section import SectionReader
from eldonia_ops.pipeline.times.strptime import Strptime
from eldonia_ops.pipeline.times.zones import local_second, local_time, zone_of

NS: Final = 1_000_000_000
LATEST_NS: Final = 2**63 - 1
TIME_TYPES: Final = ("float", "unixtime", "string", "mixed")

TimeReader: TypeAlias = Callable[[Any, int], int | None]
"""A value and now (Unix nanoseconds) to Unix nanoseconds. None: it names no year, and now is 0. Raises ValueError."""

_ZONED: Final = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2}|\b[A-Z]{2,5}(?: [0-9]{4})?)$", re.ASCII)
_NUMBER: Final = re.compile(r"\s*([+-]?[0-9]{1,19})(?:\.([0-9]*))?", re.ASCII)
_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
_FLOAT: Final = re.compile(r"\s*[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\s*", re.ASCII)


def time_reader(reader: SectionReader, *, type: str = "string", format: str = "") -> TimeReader:
    """The reader of times that a section describes. What is wrong with it is noted as a problem."""
    kind = reader.choice("time_type", TIME_TYPES, "string" if reader.value("time_format") is not None else type)
    format = reader.string("time_format", format)
    fallbacks = reader.texts("time_format_fallbacks")
    zone = zone_in(reader)
    try:
        if kind in ("float", "unixtime"):
            return _NUMBERS[kind]
        if kind == "string":
            return format_reader(format, zone)
        formats = [one for one in (format, *fallbacks) if one]
        if not formats:
            reader.problem("time_type mixed needs time_format or time_format_fallbacks", "time_type")
        return _first_of(formats, zone)
    except ValueError as error:
        reader.problem(str(error), "time_format" if reader.value("time_format") else "time_type")
        return _any_form(zone)


def zone_in(reader: SectionReader) -> tzinfo | None:
    """The zone of ``timezone``, ``utc`` and ``localtime``; None is that of the machine."""
    name = reader.string("timezone")
    local = reader.boolean("localtime", True)
    utc = reader.boolean("utc", False)
    if reader.value("localtime") is not None and reader.value("utc") is not None and local == utc:
        reader.problem("utc and localtime contradict each other", "utc")
    try:
        return zone_of(name or ("UTC" if utc or not local else ""))
    except ValueError as error:
        reader.problem(str(error), "timezone")
        return None


def format_reader(format: str, zone: tzinfo | None) -> TimeReader:
    """The reader of one format; '' reads any usual form, ``%iso8601`` that of ISO 8601 alone.

    Raises:
        ValueError: the format has something that it may not have.
    """
    if not format:
        return _any_form(zone)
    if format == "%iso8601":
        return _iso(zone)
    if format in _NUMBERS:
        return _NUMBERS[format]
    parse = Strptime(format, zone).parse

    def read(value: Any, now_ns: int) -> int | None:
        if not isinstance(value, str):
            raise ValueError(f"a time must be text, not {value!r}"[:100])
        return _within(parse(value, now_ns))

    return read


def _any_form(zone: tzinfo | None) -> TimeReader:
    utc = zone is not None and str(zone) == "UTC"

    def read(value: Any, now_ns: int) -> int | None:
        if not isinstance(value, str):
            raise ValueError(f"a time must be text, not {value!r}"[:100])
        found = parse_timestamp(value)
        if utc or _ZONED.search(value.rstrip()) or _FLOAT.fullmatch(value):
            return found
        clock = local_time(found // NS, zone_of("UTC")).replace(tzinfo=None)
        return local_second(clock, zone) * NS + found % NS

    return read


def _iso(zone: tzinfo | None) -> TimeReader:
    any_form = _any_form(zone)

    def read(value: Any, now_ns: int) -> int | None:
        if not isinstance(value, str) or _ISO.fullmatch(value) is None:
            raise ValueError(f"{str(value)[:60]!r} is no time of ISO 8601")
        return any_form(value.upper(), now_ns)

    return read


def _unixtime(value: Any, now_ns: int) -> int | None:
    return _within(_seconds(value, whole=True))


def _float(value: Any, now_ns: int) -> int | None:
    return _within(_seconds(value, whole=False))


def _seconds(value: Any, *, whole: bool) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value * NS
    if isinstance(value, float):
        value = f"{value:.9f}" if abs(value) >= 1e16 or abs(value) < 1e-3 else repr(value)
    match = _NUMBER.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"a time must be a number of seconds, not {str(value)[:60]!r}")
    seconds = int(match[1]) * NS
    return seconds if whole else seconds + int((match[2] or "")[:9].ljust(9, "0"))


_NUMBERS: Final[dict[str, TimeReader]] = {"unixtime": _unixtime, "float": _float}


def _first_of(formats: list[str], zone: tzinfo | None) -> TimeReader:
    readers = [(one in _NUMBERS, format_reader(one, zone)) for one in formats]

    def read(value: Any, now_ns: int) -> int | None:
        for numeric, reader in readers:
            if numeric and isinstance(value, str) and _FLOAT.fullmatch(value) is None:
                continue
            try:
                return reader(value, now_ns)
            except ValueError:
                continue
        raise ValueError(f"{str(value)[:60]!r} has none of the formats {', '.join(formats)}")

    return read


def _within(found: int | None) -> int | None:
    if found is not None and not 0 <= found <= LATEST_NS:
        raise ValueError("a time outside 1970..2262")
    return found
