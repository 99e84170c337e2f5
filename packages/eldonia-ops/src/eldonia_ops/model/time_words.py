"""Times as people say them: ``yesterday``, ``last tuesday``, ``7d``, ``2026-11-24 09:30``, ``昨日``.

What is said means a stretch of time on the clock of the speaker: ``yesterday`` is a whole day, ``09:30`` an instant. Of
the start of a search its beginning is meant, of the end its end.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from eldonia_ops.model.durations import parse_duration

Stretch: TypeAlias = tuple[datetime, datetime]

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_KANJI: Final = "月火水木金土日"
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_WEEKDAY: Final = re.compile(r"(?:(last|this)\s+)?([a-z]{3,9})")
_WEEKDAY_JA: Final = re.compile(r"(先週の?|今週の?|前の)?([月火水木金土日])曜日?")
_AGO: Final = re.compile(r"(\d{1,4})\s*+(minute|hour|day|week)s?\s+ago")
_AGO_JA: Final = re.compile(r"(\d{1,4})\s*+(分|時間|日|週間)前")
_UNITS: Final = {
    **{
        "minute": timedelta(minutes=1),
        "hour": timedelta(hours=1),
        "day": timedelta(days=1),
        "week": timedelta(weeks=1),
    },
    **{"分": timedelta(minutes=1), "時間": timedelta(hours=1), "日": timedelta(days=1), "週間": timedelta(weeks=1)},
}
_DAY: Final = timedelta(days=1)
_MOST: Final = 60


def stretch_of(text: str, now: datetime) -> Stretch | None:
    """The stretch of time that a text means at ``now``, as times of its clock; None for a text that means none.

    ``now`` has no zone, and neither have the answers: the caller knows whose clock it is. A weekday is the last one:
    today for ``tuesday`` said on a Tuesday, a week before for ``last tuesday``. Weeks begin on Mondays.
    """
    words = text.strip().lower()
    if not words or len(words) > _MOST:
        return None
    try:
        return _stretch(words, now)
    except (ValueError, OverflowError):  # such as the 31st of a month that has none
        return None


def _stretch(words: str, now: datetime) -> Stretch | None:
    if words in ("now", "今"):
        return now, now
    for read in (_ago, _day, _period, _date):
        if (found := read(words, now)) is not None:
            return found
    if clock := _CLOCK.fullmatch(words):
        return _at(_midnight(now), clock)
    day, _, rest = words.rpartition(" ")
    if day and (clock := _CLOCK.fullmatch(rest)) and (found := _day(day, now) or _date(day, now)):
        return _at(found[0], clock)
    return None


def _at(midnight: datetime, clock: re.Match[str]) -> Stretch:
    instant = midnight + timedelta(hours=int(clock[1]), minutes=int(clock[2]), seconds=int(clock[3] or 0))
    return instant, instant


def _ago(words: str, now: datetime) -> Stretch | None:
    if found := _AGO.fullmatch(words) or _AGO_JA.fullmatch(words):
        instant = now - int(found[1]) * _UNITS[found[2]]
        return instant, instant
    if not words[:1].isascii() or not (words[:1].isdigit() or words[:1] == "-"):
        return None
    try:
        instant = now - timedelta(milliseconds=parse_duration(words.removeprefix("-")))
    except ValueError:
        return None
    return (instant, instant) if words != "0" else None


def _day(words: str, now: datetime) -> Stretch | None:
    today = _midnight(now)
    days = {"today": 0, "今日": 0, "本日": 0, "yesterday": 1, "昨日": 1, "一昨日": 2, "おととい": 2}
    if words in days:
        return _whole_day(today - days[words] * _DAY)
    if found := _WEEKDAY.fullmatch(words):
        wanted = next((place for place, name in enumerate(_WEEKDAYS) if name == found[2] or name[:3] == found[2]), None)
        if wanted is None:
            return None
        back = (today.weekday() - wanted) % 7
        return _whole_day(today - timedelta(days=7 if found[1] == "last" and not back else back))
    if found := _WEEKDAY_JA.fullmatch(words):
        wanted = _KANJI.index(found[2])
        if (found[1] or "").startswith("先週"):
            return _whole_day(today - timedelta(days=today.weekday() + 7 - wanted))
        back = (today.weekday() - wanted) % 7
        return _whole_day(today - timedelta(days=7 if found[1] == "前の" and not back else back))
    return None


def _period(words: str, now: datetime) -> Stretch | None:
    today = _midnight(now)
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    before = (first - _DAY).replace(day=1)
    periods: dict[str, Callable[[], Stretch]] = {
        "this week": lambda: (monday, monday + 7 * _DAY),
        "last week": lambda: (monday - 7 * _DAY, monday),
        "this month": lambda: (first, (first + 31 * _DAY).replace(day=1)),
        "last month": lambda: (before, first),
    }
    japanese = {"今週": "this week", "先週": "last week", "今月": "this month", "先月": "last month"}
    found = periods.get(japanese.get(words, words))
    return found() if found else None


def _date(words: str, now: datetime) -> Stretch | None:
    del now
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        return None
    if found.tzinfo is not None:
        return None
    return _whole_day(found) if len(words) <= len("2026-11-24") else (found, found)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _whole_day(midnight: datetime) -> Stretch:
    return midnight, midnight + _DAY
