"""Instants as logs spell them, to Unix nanoseconds.

RFC 3339 with any number of fraction digits (nine count) and the ISO 8601 variants that loggers write: a
blank for the ``T``, a comma for the point, an offset without colon, or none at all (taken as UTC).
"""

import calendar
import re
from functools import lru_cache
from typing import Final

_TEXT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,18}))?\s?(Z|z|UTC|[+-]\d{2}(?::?\d{2})?)?"
)
_EPOCH = re.compile(r"[+-]?\d{1,19}(?:\.\d+)?")
_SHORT = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\.(\d{3})Z")

NS: Final = 1_000_000_000
LATEST_NS: Final = 2**63 - 1


def parse_timestamp(text: str) -> int:
    """Unix nanoseconds of a date and time, or of a number of seconds, ms, µs or ns since 1970 (by size).

    Raises:
        ValueError: the text is neither, or lies outside 1970..2262.
    """
    short = _SHORT.fullmatch(text)
    if short is not None:
        return _checked(_seconds(short[1]) * NS + int(short[2]) * 1_000_000, text)
    match = _TEXT.fullmatch(text)
    if match is None:
        if _EPOCH.fullmatch(text) is not None:
            return epoch_ns(float(text) if "." in text else int(text))
        raise ValueError(f"not a timestamp: {text[:60]!r}")
    time = match[2] if len(match[2]) == 8 else f"{match[2]}:00"
    fraction = int((match[3] or "0")[:9].ljust(9, "0"))
    return _checked((_seconds(f"{match[1]}T{time}") - _offset(match[4])) * NS + fraction, text)


def epoch_ns(number: float) -> int:
    """Unix nanoseconds of a number since 1970, whose unit shows in its size: s, ms, µs or ns.

    Raises:
        ValueError: the number is negative, not finite or lies beyond 2262.
    """
    if not 0 <= number <= LATEST_NS:
        raise ValueError(f"not a timestamp: {number!r}")
    unit = NS if number < 1e11 else 1_000_000 if number < 1e14 else 1_000 if number < 1e17 else 1
    if isinstance(number, int):
        return number * unit
    # A double has no digits to spare for nanoseconds: microseconds are what seconds since 1970 can hold.
    return round(number * unit / 1_000) * 1_000 if unit > 1_000 else round(number * unit)


@lru_cache(maxsize=4_096)
def _seconds(text: str) -> int:
    """Unix seconds of ``YYYY-MM-DDTHH:MM:SS``; remembered, since neighbours share their second."""
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
    leap = second == 60
    if not (1 <= month <= 12 and 1 <= day <= calendar.monthrange(max(year, 1), month)[1]):
        raise ValueError(f"no such day: {text!r}")
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(f"no such time: {text!r}")
    return calendar.timegm((year, month, day, hour, minute, 59 if leap else second))


def _offset(text: str | None) -> int:
    if text is None or text in ("Z", "z", "UTC"):
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:
        raise ValueError(f"no such offset: {text!r}")
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def _checked(ns: int, text: str) -> int:
    if not 0 <= ns <= LATEST_NS:
        raise ValueError(f"a timestamp outside 1970..2262: {text[:60]!r}")
    return ns
