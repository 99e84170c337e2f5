"""Steps of time in which records are counted: a width, or a unit of the calendar, by the clock of a zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

_SECOND: Final = 10**9


class TimeUnit(StrEnum):
    """A step of the calendar. Weeks begin on Monday."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


FIXED: Final = {TimeUnit.MINUTE: 60 * _SECOND, TimeUnit.HOUR: 3_600 * _SECOND}
"""Nanoseconds of the units that are always as long."""

_MONTHS: Final = {TimeUnit.MONTH: 1, TimeUnit.QUARTER: 3, TimeUnit.YEAR: 12}


@dataclass(frozen=True, slots=True)
class ByTime:
    """Groups by the time of the record. The key is where the step begins, in Unix nanoseconds.

    ``width`` is nanoseconds, or a unit of the calendar. Steps of nanoseconds begin at multiples of their width on the
    clock of ``zone`` (a name of the time zone database), plus ``offset_ns``; so do those of the calendar.
    """

    width: int | TimeUnit
    zone: str = "UTC"
    offset_ns: int = 0

    @property
    def width_ns(self) -> int | None:
        """The width in nanoseconds, None for a unit that is not always as long."""
        return FIXED.get(self.width) if isinstance(self.width, TimeUnit) else self.width


def start_of(step: ByTime, ns: int) -> int:
    """Where the step begins in which an instant lies; both are Unix nanoseconds."""
    shifted = ns - step.offset_ns
    local = _local(step, shifted)
    width = step.width_ns
    if width is not None:
        ahead = int((local.utcoffset() or timedelta()).total_seconds()) * _SECOND
        return (shifted + ahead) // width * width - ahead + step.offset_ns
    day = local.replace(hour=0, minute=0, second=0, fold=0)
    match step.width:
        case TimeUnit.WEEK:
            day -= timedelta(days=day.weekday())
        case TimeUnit.MONTH:
            day = day.replace(day=1)
        case TimeUnit.QUARTER:
            day = day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)
        case TimeUnit.YEAR:
            day = day.replace(day=1, month=1)
        case _:
            pass
    return int(day.timestamp()) * _SECOND + step.offset_ns


def next_start(step: ByTime, start: int) -> int:
    """Where the step after the one that begins at ``start`` begins; both are Unix nanoseconds."""
    width = step.width_ns
    if width is not None:
        if step.zone == "UTC":
            return start + width
        # Where clocks are set back, the same multiple of the width comes twice.
        found = start_of(step, start + width)
        return found if found > start else start_of(step, start + 2 * width)
    local = _local(step, start - step.offset_ns)
    match step.width:
        case TimeUnit.DAY:
            after = local + timedelta(days=1)
        case TimeUnit.WEEK:
            after = local + timedelta(days=7)
        case unit:
            month = local.month - 1 + _MONTHS[TimeUnit(unit)]
            after = local.replace(year=local.year + month // 12, month=month % 12 + 1)
    return int(after.timestamp()) * _SECOND + step.offset_ns


def _local(step: ByTime, ns: int) -> datetime:
    zone = UTC if step.zone == "UTC" else ZoneInfo(step.zone)
    return datetime.fromtimestamp(ns // _SECOND, UTC).astimezone(zone)
