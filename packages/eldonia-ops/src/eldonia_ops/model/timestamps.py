"""Instants as logs spell them, to Unix nanoseconds.

RFC 3339 with any number of fraction digits (nine count) and the ISO 8601 variants that loggers write: a
blank for the ``T``, a comma for the point, slashes for the dashes, the basic form without either, an offset without
colon, a zone by its usual letters, or none at all (taken as UTC). Besides: the common log format of web servers,
RFC 5322 (``Sun, 29 Nov 2026 01:53:44 GMT``), what ``ctime`` and ``date`` print, and the number of seconds,
milliseconds, microseconds or nanoseconds since 1970.
"""

import calendar
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

# Letters that mean one offset to most who write them; where two countries share them, the larger use counts.
ZONE_OFFSETS: Final = {
    name: round(hours * 3_600)
    for hours, names in {
        0: "Z z UTC UT GMT WET",
        1: "CET BST WEST MEZ",
        2: "CEST EET SAST MESZ",
        3: "EEST MSK",
        5.5: "IST",
        7: "ICT WIB",
        8: "HKT SGT AWST",
        9: "JST KST",
        9.5: "ACST",
        10: "AEST",
        11: "AEDT",
        12: "NZST",
        13: "NZDT",
        -3: "BRT ART",
        -4: "EDT AST",
        -5: "EST CDT",
        -6: "CST MDT",
        -7: "MST PDT",
        -8: "PST AKDT",
        -9: "AKST",
        -10: "HST",
    }.items()
    for name in names.split()
}
_NAMES = "|".join(sorted(ZONE_OFFSETS, key=len, reverse=True))
_ZONE = (
    rf"(?:\ ?(?P<zone>[+-]\d{{2}}(?::?\d{{2}})?(?::\d{{2}})?|(?:{_NAMES})(?![A-Za-z])))?"
    r"(?:\[(?:UTC|GMT|Z|[A-Za-z]{2,20}/[A-Za-z0-9_+/-]{1,40})\])?"
)
_CLOCK = r"(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)(?:[.,](?P<fraction>\d{1,18}))?"
_MONTHS: Final = dict(
    zip(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], range(1, 13), strict=True)
)
_MONTH = r"(?P<name>[A-Z][a-z]{2})[a-z]{0,6}\.?"
_WEEKDAY = r"(?:[A-Z][a-z]{2,8},?\ )?"
_FORMS: Final = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})[T t_:]{_CLOCK}{_ZONE}",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})[T ](?P<clock>\d{6})(?:[.,](?P<fraction>\d{1,18}))?" + _ZONE,
        rf"(?P<day>\d{{1,2}})[/ -](?P<name>[A-Z][a-z]{{2}})[/ -](?P<year>\d{{4}})[: ]{_CLOCK}{_ZONE}",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}})\ {_MONTH}\ (?P<year>\d{{4}})\ {_CLOCK}{_ZONE}",
        rf"{_WEEKDAY}{_MONTH}\ {{1,2}}(?P<day>\d{{1,2}})\ {_CLOCK}{_ZONE}\ (?P<year>\d{{4}})",
        rf"{_MONTH}\ (?P<day>\d{{1,2}}),?\ (?P<year>\d{{4}}),?\ {_CLOCK}\ ?(?P<half>[AP]M)?{_ZONE}",
    )
)
_YEARLESS = re.compile(rf"{_MONTH}\ {{1,2}}(?P<day>\d{{1,2}})\ {_CLOCK}", re.ASCII)
_EPOCH = re.compile(r"([+-]?\d{1,19})(?:[.,](\d{1,18}))?(?:[eE]\+?(\d{1,2}))?", re.ASCII)
# What nearly all write. It is one of the forms above, without what makes them slow.
_USUAL = re.compile(r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?(?:Z|([+-]\d{2}:\d{2}))?", re.ASCII)
_TENTHS: Final = tuple(10 ** (9 - digits) for digits in range(10))
_LONGEST = 100
_ZERO, _POINT, _Z = b"0.Z"
# What a digit behind the point counts, in nanoseconds.
_PLACES: Final = 10 ** np.arange(8, -1, -1, dtype=np.int64)

NS: Final = 1_000_000_000
LATEST_NS: Final = 2**63 - 1


def parse_timestamp(text: str) -> int:
    """Unix nanoseconds of a date and time, or of a number of seconds, ms, µs or ns since 1970 (by size).

    Raises:
        ValueError: the text is neither, or lies outside 1970..2262.
    """
    usual = _USUAL.fullmatch(text)
    if usual is not None:
        whole, fraction, offset = usual.groups()
        ns = _seconds(whole) * NS
        if fraction is not None:
            ns += int(fraction) * _TENTHS[len(fraction)]
        if offset is not None:
            ns -= _offset(offset) * NS
        return ns if 0 <= ns <= LATEST_NS else _checked(ns, text)
    if len(text) <= _LONGEST:
        text = text.strip()
        for form in _FORMS:
            if (match := form.fullmatch(text)) is not None:
                return _checked(_instant(match), text)
        if (match := _EPOCH.fullmatch(text)) is not None:
            return _epoch_text(match)
    raise ValueError(f"not a timestamp: {text[:60]!r}")


def parse_timestamps(texts: Sequence[str]) -> list[int]:
    """:func:`parse_timestamp` of each text; 0 for one that is no timestamp.

    Those that one logger writes in UTC, all of one length, are read together.
    """
    usual = _same_form(texts)
    if usual is not None:
        return usual
    found: list[int] = []
    for text in texts:
        try:
            found.append(parse_timestamp(text))
        except ValueError:
            found.append(0)
    return found


def _same_form(texts: Sequence[str]) -> list[int] | None:
    """Unix nanoseconds of texts of the form ``2026-11-28T00:00:00.008062Z`` with as many digits each, else None."""
    endings = [text[19:] for text in texts]
    width = len(endings[0]) if endings else 0
    digits = width - 2
    if not 1 <= digits <= 9:
        return None
    joined = "".join(endings)
    if len(joined) != width * len(texts) or not joined.isascii() or set(map(len, endings)) != {width}:
        return None
    cells = np.frombuffer(joined.encode(), np.uint8).reshape(-1, width)
    numbers = cells[:, 1:-1] - np.uint8(_ZERO)
    if not ((cells[:, 0] == _POINT).all() and (cells[:, -1] == _Z).all() and (numbers <= 9).all()):
        return None
    beginnings = [text[:19] for text in texts]
    seconds: dict[str, int] = {}
    for text in set(beginnings):
        if (match := _USUAL.fullmatch(text)) is None or match[2] is not None or match[3] is not None:
            return None
        try:
            seconds[text] = _seconds(text)
        except ValueError:
            return None
    if not 0 < min(seconds.values()) <= max(seconds.values()) < LATEST_NS // NS:
        return None
    whole = np.array(list(map(seconds.__getitem__, beginnings)), np.int64) * NS
    return (whole + numbers.astype(np.int64) @ _PLACES[:digits]).tolist()


def leading_timestamp(text: str, now_ns: int) -> tuple[int, int] | None:
    """``(Unix nanoseconds, where it ends)`` of the instant at the beginning of a line, None when there is none.

    A bracket around it counts as part of it. ``now_ns`` gives syslog's form (``Nov 29 01:53:44``) its year: the
    one that brings it closest to now from below, allowing a day.
    """
    start = 1 if text[:1] in ("[", "(") else 0
    if not text[start : start + 1].isalnum():
        return None
    head = text[start : start + _LONGEST]
    for form in (*_FORMS, _YEARLESS):
        match = form.match(head)
        if match is None or head[match.end() : match.end() + 1].isalnum():
            continue
        try:
            instant = _instant(match) if form is not _YEARLESS else _this_year(match, now_ns)
            end = start + match.end()
            return _checked(instant, head), end + 1 if start and text[end : end + 1] in ("]", ")") else end
        except ValueError:
            return None
    return None


def epoch_ns(number: float) -> int:
    """Unix nanoseconds of a number since 1970, whose unit shows in its size: s, ms, µs or ns.

    Raises:
        ValueError: the number is negative, not finite or lies beyond 2262.
    """
    if not 0 <= number <= LATEST_NS:
        shown = repr(number) if isinstance(number, float) or number.bit_length() < 256 else "a number of many digits"
        raise ValueError(f"not a timestamp: {shown}")
    unit = _unit(number)
    if isinstance(number, int):
        return _within(number * unit, number)
    # A double has no digits to spare for nanoseconds: microseconds are what seconds since 1970 can hold.
    return _within(round(number * unit / 1_000) * 1_000 if unit > 1_000 else round(number * unit), number)


def _within(ns: int, number: float) -> int:
    if ns > LATEST_NS:
        raise ValueError(f"a timestamp beyond 2262: {number!r}")
    return ns


def _unit(number: float) -> int:
    return NS if number < 1e11 else 1_000_000 if number < 1e14 else 1_000 if number < 1e17 else 1


def _epoch_text(match: re.Match[str]) -> int:
    whole, fraction, exponent = match[1], match[2] or "", int(match[3] or 0)
    if exponent > 18:
        raise ValueError(f"not a timestamp: {match[0][:60]!r}")
    # Digits are moved over the point as text: a double would lose the last of them.
    digits = fraction.ljust(exponent, "0")
    number, fraction = int(whole + digits[:exponent]), digits[exponent:]
    instant = epoch_ns(number)
    return _checked(instant + int(fraction[:18] or 0) * _unit(number) // 10 ** len(fraction[:18]), match[0])


def _instant(match: re.Match[str]) -> int:
    found = match.groupdict()
    month = int(found["month"]) if found.get("month") else _MONTHS.get(found["name"].lower(), 0)
    clock = found["clock"]
    if ":" not in clock:
        clock = f"{clock[:2]}:{clock[2:4]}:{clock[4:]}"
    hour, _, rest = clock.partition(":")
    if half := found.get("half"):
        hour = str(int(hour) % 12 + (12 if half == "PM" else 0))
    rest = rest if len(rest) > 2 else f"{rest}:00"
    seconds = _seconds(f"{int(found['year']):04d}-{month:02d}-{int(found['day']):02d}T{int(hour):02d}:{rest}")
    fraction = int((found["fraction"] or "0")[:9].ljust(9, "0"))
    return (seconds - _offset(found.get("zone"))) * NS + fraction


def _this_year(match: re.Match[str], now_ns: int) -> int:
    latest = now_ns + 86_400 * NS
    year = 1970 + now_ns // (31_556_952 * NS)
    for candidate in (year + 1, year, year - 1):
        text = f"{match['name']} {match['day']}, {candidate} {match['clock']}"
        full = _FORMS[-1].fullmatch(text)
        try:
            instant = _instant(full) if full is not None else None
        except ValueError:
            continue
        if instant is not None and instant <= latest:
            return instant
    raise ValueError("no such day")


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
    if text is None:
        return 0
    if text[0] not in "+-":
        return ZONE_OFFSETS[text]
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:4])
    if hours > 23 or minutes > 59:
        raise ValueError(f"no such offset: {text!r}")
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def _checked(ns: int, text: str) -> int:
    if not 0 <= ns <= LATEST_NS:
        raise ValueError(f"a timestamp outside 1970..2262: {text[:60]!r}")
    return ns
