"""Writing times by a format of Ruby's ``strftime``, with fractions of a second; each second is computed once.

https://docs.ruby-lang.org/en/3.4/strftime_formatting_rdoc.html
"""

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

from eldonia_ops.pipeline.times.zones import local_time

NS: Final = 1_000_000_000
_REMEMBERED: Final = 1_024
DIRECTIVE: Final = re.compile(r"%[-0^#_:]{0,4}[0-9]{0,3}[A-Za-z]")
"""A part of a format that stands for a part of the time."""

_DIRECTIVE: Final = re.compile(r"%([-0^#_:]{0,4})([0-9]{0,3})([A-Za-z%+])")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_COMPOSED: Final = {
    "D": "%m/%d/%y", "x": "%m/%d/%y", "F": "%Y-%m-%d", "T": "%H:%M:%S", "X": "%H:%M:%S", "R": "%H:%M",
    "r": "%I:%M:%S %p", "c": "%a %b %e %H:%M:%S %Y", "v": "%e-%^b-%Y", "+": "%a %b %e %H:%M:%S %Z %Y",
}  # fmt: skip
_FRACTION: Final = "\x00"


class Strftime:
    """One format. ``zone`` None is that of the machine; ``format`` '' is ISO 8601 with an offset, as Fluentd has it.

    Raises:
        ValueError: the format has something that it may not have.
    """

    def __init__(self, format: str, zone: tzinfo | None) -> None:
        self._zone = zone
        self._format = _composed(format or ("%Y-%m-%dT%H:%M:%SZ" if _is_utc(zone) else "%Y-%m-%dT%H:%M:%S%:z"))
        self._digits: list[int] = []
        local_part(self._format, datetime(2000, 1, 1).astimezone(zone), self._digits)
        self._known: dict[int, str] = {}

    def format(self, time_ns: int) -> str:
        """The text of an instant in Unix nanoseconds."""
        second, fraction = divmod(time_ns, NS)
        text = self._known.get(second)
        if text is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            text = self._known[second] = local_part(self._format, local_time(second, self._zone), [])
        if not self._digits:
            return text
        written = f"{fraction:09d}"
        parts = text.split(_FRACTION)
        shown = [part + written[:digits].ljust(digits, "0") for part, digits in zip(parts, self._digits, strict=False)]
        return "".join(shown) + parts[-1]


def local_part(format: str, at: datetime, digits: list[int]) -> str:
    """Everything but the fractions, whose places are marked and whose digits are added to ``digits``."""

    def written(match: re.Match[str]) -> str:
        flags, width, letter = match[1], match[2], match[3]
        if letter in "LN":
            digits.append(int(width) if width else 3 if letter == "L" else 9)
            return _FRACTION
        return _padded(letter, _value(letter, flags, at), flags, width)

    return _DIRECTIVE.sub(written, format)


_WIDTHS: Final = {"Y": 4, "C": 2, "y": 2, "m": 2, "d": 2, "e": 2, "j": 3, "H": 2, "k": 2, "I": 2, "l": 2, "M": 2,
                  "S": 2, "U": 2, "W": 2, "V": 2, "G": 4, "g": 2}  # fmt: skip
_BLANK: Final = frozenset("ekl")


def _padded(letter: str, value: str, flags: str, width: str) -> str:
    if "^" in flags:
        value = value.upper()
    if "#" in flags:
        value = value.swapcase()
    wanted = int(width) if width else _WIDTHS.get(letter, 0)
    if "-" in flags:
        return value
    numeric = letter in _WIDTHS or letter == "s"
    blank = "_" in flags or ("0" not in flags and (letter in _BLANK or not numeric))
    return value.rjust(wanted, " " if blank else "0")


def _value(letter: str, flags: str, at: datetime) -> str:
    hour12 = at.hour % 12 or 12
    plain = {
        "Y": at.year, "C": at.year // 100, "y": at.year % 100, "m": at.month, "d": at.day, "e": at.day,
        "H": at.hour, "k": at.hour, "I": hour12, "l": hour12, "M": at.minute, "S": at.second,
        "j": at.timetuple().tm_yday, "u": at.isoweekday(), "w": at.isoweekday() % 7, "G": at.isocalendar()[0],
        "g": at.isocalendar()[0] % 100, "V": at.isocalendar()[1], "U": int(at.strftime("%U")),
        "W": int(at.strftime("%W")),
    }.get(letter)  # fmt: skip
    if plain is not None:
        return str(plain)
    match letter:
        case "B":
            return _MONTHS[at.month - 1]
        case "b" | "h":
            return _MONTHS[at.month - 1][:3]
        case "A":
            return _DAYS[at.weekday()]
        case "a":
            return _DAYS[at.weekday()][:3]
        case "p" | "P":
            half = "AM" if at.hour < 12 else "PM"
            return half if letter == "p" else half.lower()
        case "z":
            return _offset(at, flags.count(":"))
        case "Z":
            return at.tzname() or ""
        case "s":
            return str(int(at.timestamp()))
        case "%":
            return "%"
        case "n":
            return "\n"
        case "t":
            return "\t"
    raise ValueError(f"a time format has no %{letter}")


def _offset(at: datetime, colons: int) -> str:
    away = at.utcoffset() or timedelta()
    minutes = abs(away) // timedelta(minutes=1)
    sign = "-" if away < timedelta() else "+"
    colon = ":" if colons else ""
    return f"{sign}{minutes // 60:02d}{colon}{minutes % 60:02d}" + (":00" if colons == 2 else "")


def _is_utc(zone: tzinfo | None) -> bool:
    return zone is not None and zone.utcoffset(None) == timedelta() and str(zone) == "UTC"


def _composed(format: str) -> str:
    return _DIRECTIVE.sub(lambda match: _COMPOSED.get(match[3], match[0]) if not match[2] else match[0], format)
