"""Date math in names of indices: ``<logs-{now/d}>`` is ``logs-2026.12.01``.

Source: https://www.elastic.co/docs/reference/elasticsearch/rest-apis/api-conventions#api-date-math-index-names
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError

_PART: Final = re.compile(r"\{now([^{}]*)(?:\{([^{}|]+)(?:\|([^{}]+))?\})?\}")
_STEP: Final = re.compile(r"(/|[+-][0-9]{0,6})([yMwdhHms])")
_OFFSET: Final = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")
_FORMAT: Final = "yyyy.MM.dd"
_LETTERS: Final = re.compile(r"yyyy|uuuu|yy|MM|dd|HH|mm|ss|ww|DDD|[A-Za-z]+|'[^']*'|.")
_WRITTEN: Final = {
    **dict.fromkeys(("yyyy", "uuuu"), "%Y"),
    **{"yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "ww": "%V", "DDD": "%j"},
}


def resolved_name(name: str, now_ms: int) -> str:
    """The name with its date math worked out; a name that is not in ``<>`` as it is.

    Raises:
        ElasticsearchError: the math cannot be read.
    """
    if not (name.startswith("<") and name.endswith(">")):
        return name
    inner = name[1:-1]
    found = _PART.sub(lambda match: _written(match, name, now_ms), inner)
    if "{" in found or "}" in found:
        raise _bad(name, "write it as <name-{now/d{yyyy.MM.dd}}>")
    return found


def _written(match: re.Match[str], name: str, now_ms: int) -> str:
    at = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(_zone(match[3] or "", name))
    at = _moved(at, match[1], name)
    found: list[str] = []
    for letters in _LETTERS.findall(match[2] or _FORMAT):
        if letters in _WRITTEN:
            found.append(at.strftime(_WRITTEN[letters]))
        elif letters.isalpha():
            raise _bad(name, f"the date format [{letters}] is not known: use yyyy, MM, dd, HH, mm, ss")
        else:
            found.append(letters.strip("'"))
    return "".join(found)


def _moved(at: datetime, math: str, name: str) -> datetime:
    place = 0
    while place < len(math):
        step = _STEP.match(math, place)
        if step is None:
            raise _bad(name, f"the date math [{math}] cannot be read")
        place = step.end()
        try:
            at = _rounded(at, step[2]) if step[1] == "/" else _added(at, _count(step[1]), step[2])
        except (OverflowError, ValueError):
            raise _bad(name, f"the date math [{math}] leaves the calendar") from None
    return at


def _count(text: str) -> int:
    return int(text) if len(text) > 1 else int(f"{text}1")


def _added(at: datetime, count: int, unit: str) -> datetime:
    if unit in "yM":
        months = at.year * 12 + at.month - 1 + count * (12 if unit == "y" else 1)
        year, month = divmod(months, 12)
        following = datetime(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
        last = (following - timedelta(days=1)).day
        return at.replace(year=year, month=month + 1, day=min(at.day, last))
    names = {"w": "weeks", "d": "days", "h": "hours", "H": "hours", "m": "minutes", "s": "seconds"}
    return at + timedelta(**{names[unit]: count})


def _rounded(at: datetime, unit: str) -> datetime:
    at = at.replace(microsecond=0)
    if unit == "s":
        return at
    at = at.replace(second=0)
    if unit == "m":
        return at
    at = at.replace(minute=0)
    if unit in "hH":
        return at
    at = at.replace(hour=0)
    if unit == "w":
        return at - timedelta(days=at.weekday())
    if unit == "d":
        return at
    return at.replace(day=1) if unit == "M" else at.replace(month=1, day=1)


def _zone(text: str, name: str) -> timezone | ZoneInfo:
    if not text or text in ("UTC", "Z"):
        return UTC
    if match := _OFFSET.fullmatch(text):
        minutes = int(match[2]) * 60 + int(match[3])
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _bad(name, f"the time zone [{text[:40]}] is not known") from None


def _bad(name: str, reason: str) -> ElasticsearchError:
    text = f"invalid dynamic name expression [{name[:100]}]: {reason}"
    return ElasticsearchError(400, "parse_exception", text)
