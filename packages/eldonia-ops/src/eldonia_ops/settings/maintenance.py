"""Weekly times at which automatic recovery keeps its hands off, such as ``Sun 02:00-04:00`` (UTC)."""

import re
from dataclasses import dataclass
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FORM: Final = re.compile(
    r"(?:(?P<first>[A-Z][a-z]{2})(?:-(?P<last>[A-Z][a-z]{2}))?\s+)?"
    r"(?P<h1>\d\d):(?P<m1>\d\d)-(?P<h2>\d\d):(?P<m2>\d\d)"
)
_MINUTE_MS: Final = 60_000
_DAY_MINUTES: Final = 24 * 60
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday
HINT: Final = "write Sun 02:00-04:00, Mon-Fri 22:00-24:00 or 02:00-04:00, in UTC"


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Minutes ``start`` (inclusive) to ``end`` (exclusive) of some days; Monday is day 0.

    An ``end`` at or before ``start`` lies on the following day.
    """

    days: tuple[int, ...]
    start: int
    end: int

    def covers(self, at: int) -> bool:
        """Whether an instant (Unix ms) lies in the window."""
        day, minute = divmod(at // _MINUTE_MS, _DAY_MINUTES)
        weekday = (day + _EPOCH_WEEKDAY) % 7
        if self.start < self.end:
            return weekday in self.days and self.start <= minute < self.end
        yesterday = (weekday - 1) % 7
        return (weekday in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)


def parse_maintenance(text: str) -> MaintenanceWindow:
    """Read ``[Day[-Day] ]HH:MM-HH:MM``; without a day it is every day.

    Raises:
        ValueError: it is not of that form.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(HINT)
    start, end = int(match["h1"]) * 60 + int(match["m1"]), int(match["h2"]) * 60 + int(match["m2"])
    if max(int(match["m1"]), int(match["m2"])) > 59 or start >= _DAY_MINUTES or end > _DAY_MINUTES:
        raise ValueError("hours go from 00 to 24 and minutes from 00 to 59")
    if not match["first"]:
        return MaintenanceWindow(tuple(range(7)), start, end)
    for name in (match["first"], match["last"] or match["first"]):
        if name not in _DAYS:
            raise ValueError(f"{name} is not one of {', '.join(_DAYS)}")
    first, last = _DAYS.index(match["first"]), _DAYS.index(match["last"] or match["first"])
    days = tuple((first + offset) % 7 for offset in range((last - first) % 7 + 1))
    return MaintenanceWindow(days, start, end)


def written(window: MaintenanceWindow) -> list[str]:
    """The texts that name a window: one, or one for each of its days where these do not follow each other."""
    times = "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in (window.start, window.end))
    if len(window.days) == len(_DAYS):
        return [times]
    first, last = window.days[0], window.days[-1]
    if window.days != tuple((first + offset) % 7 for offset in range(len(window.days))):
        return [f"{_DAYS[day]} {times}" for day in window.days]
    return [f"{_DAYS[first]} {times}" if first == last else f"{_DAYS[first]}-{_DAYS[last]} {times}"]
