"""Elasticsearch's times: ``now-1d/d``, ``2026-12-01||+1M/d``, ISO 8601, and Unix time in milliseconds or seconds.

Source: Elasticsearch's reference, "Date math".
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.java_patterns import pattern_parts

_NS: Final = 1_000_000_000
_ISO: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ](?:([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?)?"
    r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?)?)?"
)
_STEP: Final = re.compile(r"([+-])([0-9]*)([yMwdhHms])|/([yMwdhHms])")
_OFFSET: Final = re.compile(r"([+-])([0-9]{1,2})(?::?([0-9]{2}))?")
_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "H": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of time that a text means: ``low`` is its first nanosecond, ``high`` its last."""

    low: int
    high: int


def zone_of(text: str) -> tzinfo:
    """A time zone: a name of the IANA database, or an offset such as ``+09:00``.

    Raises:
        DslError: there is none.
    """
    if text in ("Z", "UTC", "utc"):
        return UTC
    if found := _OFFSET.fullmatch(text):
        minutes = int(found[2]) * 60 + int(found[3] or 0)
        if minutes <= 18 * 60:
            return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        reason = f"Unknown time-zone ID: {text}"
        raise DslError("illegal_argument_exception", reason) from None


def moment(value: Any, now_ns: int, zone: tzinfo = UTC, format: str = "") -> Moment:
    """What a value means as a time.

    Of a time that is rounded (``/d``) or written in part (``2026-12``), the stretch is all that it may mean.

    Raises:
        DslError: it is no time.
    """
    text = str(value).strip()
    if isinstance(value, bool) or value is None or not text:
        raise _fault(value, format)
    try:
        if text.startswith("now"):
            return _moved(text[3:], Moment(now_ns, now_ns), zone, text)
        base, marks, steps = text.partition("||")
        return _moved(steps, _absolute(base, zone, format), zone, text) if marks else _absolute(text, zone, format)
    except (OverflowError, ValueError) as error:
        if isinstance(error, DslError):
            raise
        raise _fault(value, format) from None


def iso(ns: int, zone: tzinfo = UTC, *, nanoseconds: bool = False) -> str:
    """ISO 8601 with milliseconds, or with nanoseconds: ``2026-12-01T00:00:00.000Z``."""
    at = datetime.fromtimestamp(ns // _NS, UTC).astimezone(zone)
    fraction = f"{ns % _NS:09d}"
    offset = at.strftime("%z")
    ending = "Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}"
    return f"{at:%Y-%m-%dT%H:%M:%S}.{fraction if nanoseconds else fraction[:3]}{ending}"


def _absolute(text: str, zone: tzinfo, format: str) -> Moment:
    formats = format.split("||") if format else []
    if text.lstrip("-").isdigit():
        whole = int(text)
        if "epoch_second" in formats:
            return Moment(whole * _NS, whole * _NS + _NS - 1)
        year = len(text) == 4 and (not formats or any("year" in one or "date" in one for one in formats))
        if not year:
            return Moment(whole * 1_000_000, whole * 1_000_000 + 999_999)
    elif re.fullmatch(r"[0-9]+\.[0-9]+", text):
        seconds, _, fraction = text.partition(".")
        if "epoch_second" in formats:
            at = int(seconds) * _NS + int(f"{fraction:0<9}"[:9])
        else:
            at = int(seconds) * 1_000_000 + int(f"{fraction:0<6}"[:6])
        return Moment(at, at)
    found = _ISO.fullmatch(text)
    if not found:
        if own := _of_pattern(text, formats, zone):
            return own
        raise _fault(text, format)
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    place = zone_of(offset) if offset else zone
    at = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=place
    )
    low = _ns(at) + int(f"{fraction or '':0<9}")
    if fraction:
        return Moment(low, low if len(fraction) > 3 else low + 999_999)
    unit = "s" if second else "m" if minute else "h" if hour else "d" if day else "M" if month else "y"
    return Moment(low, _ns(_next(at, unit)) - 1)


_JAVA: Final = {
    "yyyy": "%Y", "uuuu": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "SSS": "%f", "XXX": "%z",
    "Z": "%z", "MMM": "%b",
}  # fmt: skip


def _of_pattern(text: str, formats: list[str], zone: tzinfo) -> Moment | None:
    """A time in a pattern as Java has them (``yyyy/MM/dd HH:mm:ss``)."""
    for pattern in formats:
        parts = [_JAVA.get(run, "\0") if run else text.replace("%", "%%") for run, text in pattern_parts(pattern)]
        python = "".join(parts)
        if "\0" in python or "%Y" not in python:
            continue
        try:
            at = datetime.strptime(text, python)
        except ValueError:
            continue
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        unit = (
            "s"
            if "%S" in python
            else "m"
            if "%M" in python
            else "h"
            if "%H" in python
            else "d"
            if "%d" in python
            else "M"
        )
        return Moment(_ns(at), _ns(_next(at, unit)) - 1)
    return None


def _moved(steps: str, start: Moment, zone: tzinfo, text: str) -> Moment:
    low, high = start.low, start.high
    place = 0
    while place < len(steps):
        step = _STEP.match(steps, place)
        if not step:
            raise DslError("parse_exception", f"operator not supported for date math [{steps[place:]}]", of_phase=True)
        place = step.end()
        fraction = low % _NS
        at = datetime.fromtimestamp(low // _NS, UTC).astimezone(zone)
        if unit := step[4]:
            begin = _begin(at, unit)
            low, high = _ns(begin), _ns(_next(begin, unit)) - 1
            continue
        count = int(step[2] or 1) * (-1 if step[1] == "-" else 1)
        low = _ns(_plus(at, step[3], count)) + fraction
        high = low
    return Moment(low, high)


def _plus(at: datetime, unit: str, count: int) -> datetime:
    if unit in _SECONDS and unit not in ("w", "d"):
        return (at.astimezone(UTC) + timedelta(seconds=_SECONDS[unit] * count)).astimezone(at.tzinfo)
    if unit in ("w", "d"):
        return at + timedelta(days=count * (7 if unit == "w" else 1))
    months = at.year * 12 + at.month - 1 + count * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    last = (datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC) - timedelta(days=1)).day
    return at.replace(year=year, month=month + 1, day=min(at.day, last))


def _begin(at: datetime, unit: str) -> datetime:
    at = at.replace(microsecond=0)
    match unit:
        case "s":
            return at
        case "m":
            return at.replace(second=0)
        case "h" | "H":
            return at.replace(second=0, minute=0)
        case _:
            day = at.replace(hour=0, minute=0, second=0, fold=0)
            if unit == "w":
                return day - timedelta(days=day.weekday())
            return day if unit == "d" else day.replace(day=1) if unit == "M" else day.replace(day=1, month=1)


def _next(begin: datetime, unit: str) -> datetime:
    return _plus(begin, unit, 1)


def _ns(at: datetime) -> int:
    return int(at.replace(microsecond=0).timestamp()) * _NS + at.microsecond * 1000


def _fault(value: Any, format: str) -> DslError:
    form = format or "strict_date_optional_time||epoch_millis"
    return DslError("parse_exception", f"failed to parse date field [{value}] with format [{form}]", of_phase=True)
