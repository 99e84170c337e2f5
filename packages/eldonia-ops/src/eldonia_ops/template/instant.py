"""Go's time.Time and time.Duration as templates use them (https://pkg.go.dev/time).

``{{ .StartsAt.Format "15:04:05" }}`` describes the wanted shape by Go's reference time,
Mon Jan 2 15:04:05 MST 2006.
"""

import datetime
import re
import zoneinfo
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final

from eldonia_ops.template.values import Struct

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_ZERO_SECONDS: Final = -62_135_596_800  # 1 January of the year 1
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_LAYOUT = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|Z07:00:00|Z070000|Z07:00|Z0700|Z07|-07:00:00|-070000|-07:00|-0700|-07"
    r"|[.,]0+(?!\d)|[.,]9+(?!\d)|__2|002|_2006|_2|01|02|03|04|05|06|15|PM|pm|1|2|3|4|5"
)
DEFAULT_LAYOUT: Final = "2006-01-02 15:04:05.999999999 -0700 MST"


class GoDuration(Struct):
    """A length of time in nanoseconds."""

    go_names: ClassVar[Mapping[str, str]] = {
        "Seconds": "seconds",
        "Minutes": "minutes",
        "Hours": "hours",
        "Milliseconds": "milliseconds",
        "Nanoseconds": "whole_nanoseconds",
        "String": "go_string",
        "Round": "round",
        "Truncate": "truncate",
    }

    def __init__(self, nanoseconds: int) -> None:
        self.nanoseconds = nanoseconds

    def truthy(self) -> bool:
        """Go: zero is false (a Duration is a number)."""
        return self.nanoseconds != 0

    def seconds(self) -> float:
        """As seconds."""
        return self.nanoseconds / 1e9

    def minutes(self) -> float:
        """As minutes."""
        return self.nanoseconds / 6e10

    def hours(self) -> float:
        """As hours."""
        return self.nanoseconds / 3.6e12

    def milliseconds(self) -> int:
        """Whole milliseconds, toward zero."""
        return int(self.nanoseconds / 1e6)

    def whole_nanoseconds(self) -> int:
        """As nanoseconds."""
        return self.nanoseconds

    def truncate(self, unit: "GoDuration") -> "GoDuration":
        """Toward zero, to a multiple of a unit."""
        size = abs(unit.nanoseconds)
        if not size:
            return self
        sign = -1 if self.nanoseconds < 0 else 1
        return GoDuration(sign * (abs(self.nanoseconds) // size * size))

    def round(self, unit: "GoDuration") -> "GoDuration":
        """To the nearest multiple of a unit, halves away from zero."""
        size = abs(unit.nanoseconds)
        if not size:
            return self
        sign = -1 if self.nanoseconds < 0 else 1
        return GoDuration(sign * ((abs(self.nanoseconds) + size // 2) // size * size))

    def go_string(self) -> str:
        """Such as ``1h2m3.5s``."""
        left = abs(self.nanoseconds)
        sign = "-" if self.nanoseconds < 0 else ""
        if left == 0:
            return "0s"
        for size, unit in ((1_000, "ns"), (1_000_000, "µs"), (1_000_000_000, "ms")):
            if left < size:
                return f"{sign}{_decimal(left, size // 1_000)}{unit}"
        minutes, rest = divmod(left, 60_000_000_000)
        hours, minutes = divmod(minutes, 60)
        text = f"{_decimal(rest, 1_000_000_000)}s"
        if hours:
            text = f"{hours}h{minutes}m{text}"
        elif minutes:
            text = f"{minutes}m{text}"
        return sign + text


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    if not rest:
        return str(whole)
    return f"{whole}." + str(rest).rjust(len(str(unit)) - 1, "0").rstrip("0")


class Instant(Struct):
    """A point in time with a time zone. ``unix_ms`` None is Go's zero time (year 1)."""

    go_names: ClassVar[Mapping[str, str]] = {
        "Format": "format",
        "Unix": "unix",
        "UnixMilli": "unix_milli",
        "UnixNano": "unix_nano",
        "UTC": "utc",
        "Local": "utc",  # a server's local zone says nothing to the reader of a page
        "IsZero": "is_zero",
        "Sub": "sub",
        "Add": "add",
        "Before": "before",
        "After": "after",
        "Equal": "equal",
        "Year": "year",
        "Month": "month",
        "Day": "day",
        "Hour": "hour",
        "Minute": "minute",
        "Second": "second",
        "Weekday": "weekday",
        "YearDay": "year_day",
        "String": "go_string",
    }

    def __init__(self, unix_ms: int | None, zone: str = "UTC") -> None:
        self.milliseconds = _ZERO_SECONDS * 1_000 if unix_ms is None else unix_ms
        self.zone = zone
        try:
            timezone = zoneinfo.ZoneInfo(zone) if zone != "UTC" else None
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"unknown time zone {zone}") from None
        try:
            utc = _EPOCH + datetime.timedelta(milliseconds=self.milliseconds)
            self._local = utc if timezone is None else utc.astimezone(timezone)
        except OverflowError:
            raise ValueError(f"time out of range: {self.milliseconds} ms") from None

    def in_zone(self, zone: str) -> "Instant":
        """The same instant seen from another IANA time zone.

        Raises:
            ValueError: the zone is unknown.
        """
        return Instant(self.milliseconds, zone)

    def utc(self) -> "Instant":
        """The same instant in UTC."""
        return Instant(self.milliseconds)

    def is_zero(self) -> bool:
        """Whether this is Go's zero time."""
        return self.milliseconds == _ZERO_SECONDS * 1_000

    def unix(self) -> int:
        """Whole seconds since 1970."""
        return self.milliseconds // 1_000

    def unix_milli(self) -> int:
        """Milliseconds since 1970."""
        return self.milliseconds

    def unix_nano(self) -> int:
        """Nanoseconds since 1970."""
        return self.milliseconds * 1_000_000

    def sub(self, other: "Instant") -> GoDuration:
        """The time since ``other``."""
        return GoDuration((self.milliseconds - other.milliseconds) * 1_000_000)

    def add(self, duration: GoDuration | int) -> "Instant":
        """A later instant; a plain number counts nanoseconds."""
        nanoseconds = duration.nanoseconds if isinstance(duration, GoDuration) else int(duration)
        return Instant(self.milliseconds + nanoseconds // 1_000_000, self.zone)

    def before(self, other: "Instant") -> bool:
        """Whether this is earlier."""
        return self.milliseconds < other.milliseconds

    def after(self, other: "Instant") -> bool:
        """Whether this is later."""
        return self.milliseconds > other.milliseconds

    def equal(self, other: "Instant") -> bool:
        """Whether both are the same instant."""
        return self.milliseconds == other.milliseconds

    def year(self) -> int:
        """The year."""
        return self._local.year

    def month(self) -> str:
        """The month's English name (Go's Month prints so)."""
        return _MONTHS[self._local.month - 1]

    def day(self) -> int:
        """The day of the month."""
        return self._local.day

    def hour(self) -> int:
        """The hour, 0 to 23."""
        return self._local.hour

    def minute(self) -> int:
        """The minute."""
        return self._local.minute

    def second(self) -> int:
        """The second."""
        return self._local.second

    def weekday(self) -> str:
        """The English name of the day."""
        return _DAYS[self._local.isoweekday() % 7]

    def year_day(self) -> int:
        """The day of the year from 1."""
        return self._local.timetuple().tm_yday

    def go_string(self) -> str:
        """Go's default notation, such as ``2026-01-02 15:04:05 +0000 UTC``."""
        return self.format(DEFAULT_LAYOUT)

    def rfc3339(self) -> str:
        """RFC 3339 with as many decimals as needed, as Go writes times into JSON."""
        if self.zone != "UTC":
            return self.format("2006-01-02T15:04:05.999999999Z07:00")
        return _utc_rfc3339(self._local)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Instant) and self.milliseconds == other.milliseconds

    def __hash__(self) -> int:
        return hash(self.milliseconds)

    def format(self, layout: str) -> str:
        """The time in the shape of a layout that is written as Go's reference time."""
        if not isinstance(layout, str):
            raise ValueError('Format needs a layout such as "2006-01-02 15:04:05"')
        return _LAYOUT.sub(lambda match: self._element(match.group(), match.string, match.start()), layout)

    def _element(self, element: str, layout: str, start: int) -> str:
        local = self._local
        twelve = local.hour % 12 or 12
        if element in ("Jan", "Mon") and layout[start + 3 : start + 4].islower():
            return element  # part of a word such as "Month"
        if element[0] in ".,":
            # A fraction only counts after the seconds.
            if layout[max(0, start - 2) : start] != "05" and layout[max(0, start - 1) : start] != "5":
                return element
            digits = f"{self.milliseconds % 1_000:03d}000000"[: len(element) - 1]
            if element[1] == "9":
                digits = digits.rstrip("0")
                return element[0] + digits if digits else ""
            return element[0] + digits.ljust(len(element) - 1, "0")
        if element[0] in "Z-" and element[1:3] == "07":
            return self._offset(element)
        simple: dict[str, Any] = {
            "2006": f"{local.year:04d}", "06": f"{local.year % 100:02d}", "_2006": f"_{local.year:04d}",
            "January": _MONTHS[local.month - 1], "Jan": _MONTHS[local.month - 1][:3],
            "01": f"{local.month:02d}", "1": local.month,
            "Monday": self.weekday(), "Mon": self.weekday()[:3],
            "02": f"{local.day:02d}", "_2": f"{local.day:2d}", "2": local.day,
            "002": f"{self.year_day():03d}", "__2": f"{self.year_day():3d}",
            "15": f"{local.hour:02d}", "03": f"{twelve:02d}", "3": twelve,
            "04": f"{local.minute:02d}", "4": local.minute,
            "05": f"{local.second:02d}", "5": local.second,
            "PM": "PM" if local.hour >= 12 else "AM", "pm": "pm" if local.hour >= 12 else "am",
            "MST": local.tzname() or "UTC",
        }  # fmt: skip
        return str(simple[element])

    def _offset(self, element: str) -> str:
        offset = self._local.utcoffset() or datetime.timedelta()
        seconds = int(offset.total_seconds())
        if element[0] == "Z" and seconds == 0:
            return "Z"
        sign = "-" if seconds < 0 else "+"
        hours, rest = divmod(abs(seconds), 3_600)
        minutes, second = divmod(rest, 60)
        parts = [f"{hours:02d}", f"{minutes:02d}", f"{second:02d}"]
        wanted = len(element[1:].replace(":", "")) // 2
        return sign + (":" if ":" in element else "").join(parts[:wanted])


@lru_cache(maxsize=1_024)
def _utc_rfc3339(utc: datetime.datetime) -> str:
    """Written directly, and once: each alert of each notification has two of them, and a storm's began together."""
    text = utc.isoformat()[:19]
    rest = utc.microsecond // 1_000
    return f"{text}.{f'{rest:03d}'.rstrip('0')}Z" if rest else f"{text}Z"
