"""How a document spelled its time: as a short name, by which the text can be made again from the record's time.

``3Z`` is ``2026-11-29T10:00:00.123Z``: three digits, then a Z. Behind the digits may also be nothing (``6``) or an
offset (``6+09:00``). ``ms`` is a whole number of milliseconds. Other spellings have no name: their text is kept.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_NAME: Final = re.compile(r"([0-9])(Z|([+-])([0-9]{2}):([0-9]{2}))?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NS: Final = 1_000_000_000
MILLISECONDS: Final = "ms"


def spelling_of(value: Any, timestamp_ns: int) -> str:
    """The name of a spelling that gives exactly ``value`` for the time; "" when there is none."""
    if type(value) is int:
        return MILLISECONDS if value * 1_000_000 == timestamp_ns else ""
    if type(value) is not str or (match := _ISO.fullmatch(value)) is None:
        return ""
    name = f"{len(match[1] or '')}{match[2] or ''}"
    return name if spelled(timestamp_ns, name) == value else ""


def spelling_of_all(values: Sequence[Any], timestamps_ns: Sequence[int]) -> str:
    """The same for many, all of which must be spelled alike.

    What was read as an instant in the usual form is that form's only text for it, but for a leap second.
    """
    name = spelling_of(values[0], timestamps_ns[0])
    if not name or name == MILLISECONDS:
        alike = name and all(spelling_of(value, ns) == name for value, ns in zip(values, timestamps_ns, strict=True))
        return name if alike else ""
    text: str = values[0]
    width = len(text)
    joined = "".join(values)
    if len(joined) != width * len(values) or set(map(len, values)) != {width} or ":60" in joined:
        return ""
    places = [place for place, letter in enumerate(text) if place in (4, 7, 10, 13, 16, 19) or place >= 20]
    if name.endswith("Z") or len(name) == 1:
        places = [place for place in places if place < 20 or not _is_digit(text[place])]
    else:
        places = [place for place in places if place < 20 or place >= width - 6]
    same = all(joined[place::width] == text[place] * len(values) for place in places)
    return name if same else ""


def _is_digit(letter: str) -> bool:
    """Whether a letter is an ASCII digit."""
    return "0" <= letter <= "9"


def spelled(timestamp_ns: int, name: str) -> str | int:
    """The time in a spelling.

    Raises:
        ValueError: there is no spelling of this name.
    """
    if name == MILLISECONDS:
        return timestamp_ns // 1_000_000
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"no spelling of times is called {name[:40]!r}")
    digits, ending = int(match[1]), match[2] or ""
    shift = (int(match[4]) * 3600 + int(match[5]) * 60) * (-1 if match[3] == "-" else 1) if match[3] else 0
    seconds, rest = divmod(timestamp_ns, _NS)
    fraction = f".{rest:09d}"[: digits + 1] if digits else ""
    return f"{_text_of(seconds + shift)}{fraction}{ending}"


def _text_of(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    day = datetime.fromordinal(_EPOCH.toordinal() + days)
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
