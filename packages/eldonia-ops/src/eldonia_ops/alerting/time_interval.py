"""Times of the week and year at which routes are muted or active.

Source: https://prometheus.io/docs/alerting/latest/configuration/#time_interval
"""

import calendar
import datetime
import zoneinfo
from dataclasses import dataclass
from typing import Final

WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

Range = tuple[int, int]
"""First and last value, both included (except minutes of the day: the end is not)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One condition; every field that is not empty must hold. An empty one always holds.

    ``times`` are minutes of the day, ``weekdays`` count from Sunday 0, ``months`` from 1, negative
    ``days_of_month`` from the month's end. ``location`` is an IANA zone.
    """

    times: tuple[Range, ...] = ()
    weekdays: tuple[Range, ...] = ()
    days_of_month: tuple[Range, ...] = ()
    months: tuple[Range, ...] = ()
    years: tuple[Range, ...] = ()
    location: str = "UTC"

    def contains(self, now: int) -> bool:
        """Whether an instant (Unix ms) lies within."""
        local = (_EPOCH + datetime.timedelta(milliseconds=now)).astimezone(zoneinfo.ZoneInfo(self.location))
        minute = local.hour * 60 + local.minute
        if self.times and not any(start <= minute < end for start, end in self.times):
            return False
        if self.days_of_month and not any(_day_within(local, first, last) for first, last in self.days_of_month):
            return False
        return (
            _within(self.months, local.month)
            and _within(self.weekdays, local.isoweekday() % 7)
            and _within(self.years, local.year)
        )


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """A named set of intervals; it holds while one of them does."""

    name: str
    intervals: tuple[Interval, ...]

    def contains(self, now: int) -> bool:
        """Whether an instant (Unix ms) lies within one of the intervals."""
        return any(interval.contains(now) for interval in self.intervals)


def _within(ranges: tuple[Range, ...], value: int) -> bool:
    return not ranges or any(first <= value <= last for first, last in ranges)


def _day_within(local: datetime.datetime, first: int, last: int) -> bool:
    length = calendar.monthrange(local.year, local.month)[1]
    begin = length + first + 1 if first < 0 else first
    end = length + last + 1 if last < 0 else last
    # A range that lies wholly beyond a short month's end does not touch it.
    if begin > length or end < 1:
        return False
    return max(begin, 1) <= local.day <= min(end, length)


def _number(text: str, names: tuple[str, ...], offset: int) -> int:
    word = text.strip().lower()
    if word in names:
        return names.index(word) + offset
    try:
        return int(word)
    except ValueError:
        hint = f" (one of {', '.join(names)})" if names else ""
        raise ValueError(f"{text.strip()!r} is not valid here{hint}") from None


def parse_range(text: str, kind: str) -> Range:
    """A range such as ``monday:friday``, ``1:5``, ``-3:-1``, ``january:march``, ``2026``.

    ``kind`` is ``weekdays``, ``days_of_month``, ``months`` or ``years``.

    Raises:
        ValueError: it is malformed, out of bounds, or runs backwards.
    """
    names, offset, low, high = {
        "weekdays": (WEEKDAYS, 0, 0, 6),
        "days_of_month": ((), 0, -31, 31),
        "months": (MONTHS, 1, 1, 12),
        "years": ((), 0, 1, 9999),
    }[kind]
    first_text, colon, last_text = text.partition(":")
    first = _number(first_text, names, offset)
    last = _number(last_text, names, offset) if colon else first
    for value in (first, last):
        if not low <= value <= high or (kind == "days_of_month" and value == 0):
            raise ValueError(f"{text!r} is out of bounds: {low} to {high}")
    if kind == "days_of_month" and first < 0 < last:
        raise ValueError(f"{text!r}: a range that starts from the month's end must end from it too")
    if first > last and not (kind == "days_of_month" and last < 0 < first):
        raise ValueError(f"{text!r} runs backwards")
    return first, last


def parse_minute(text: str) -> int:
    """``HH:MM`` (00:00 to 24:00) as the minute of the day.

    Raises:
        ValueError: it is malformed.
    """
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == 2 and len(minutes) == 2 and (hours + minutes).isdecimal()):
        raise ValueError(f"{text!r} is not a time: write HH:MM")
    value = int(hours) * 60 + int(minutes)
    if value > 24 * 60 or int(minutes) > 59:
        raise ValueError(f"{text!r} is not a time of the day")
    return value
