"""Instants as people say them on this machine's clock: ``7d``, ``yesterday``, ``monday 14:00``. Pure."""

import re
from datetime import datetime, timedelta
from typing import Final

_DURATION: Final = re.compile(r"-?(?:\d{1,9}(?:ms|[smhdwy])){1,7}")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EXAMPLES: Final = "write 15m, 7d, yesterday, monday, 14:30, 'yesterday 14:30', 2026-11-23 or 2026-11-23T20:00:00Z"


def spoken_instant(text: str, now: datetime) -> str:
    """What the API takes for an instant as a person writes it. ``now`` has the person's time zone.

    ``15m`` and ``7d`` are so long ago; a day is its midnight, a weekday the last one; a time alone is that of today, or
    of yesterday when it is still to come. Times without a zone are on the person's clock.

    Raises:
        ValueError: it is none of these; the message has examples.
    """
    words = text.strip().lower()
    relative = words.removeprefix("now")
    if words == "now" or (words.isdecimal() and len(words) > 4):
        return words
    if _DURATION.fullmatch(relative):
        return f"-{relative.removeprefix('-')}"
    try:
        return _day_and_time(words.removeprefix("last ").split(), now).isoformat()
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is no instant: {EXAMPLES}") from None
    return (found if found.tzinfo else found.replace(tzinfo=None).astimezone()).isoformat()


def _day_and_time(words: list[str], now: datetime) -> datetime:
    """``yesterday``, ``monday 14:00``, ``14:30``.

    Raises:
        ValueError: it is none of these.
    """
    if not words or len(words) > 2:
        raise ValueError
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    clock = _CLOCK.fullmatch(words[-1])
    if clock is None:
        if len(words) == 2:
            raise ValueError
        return _day(words[0], midnight)
    hour, minute, second = (int(part or 0) for part in clock.groups())
    if len(words) == 2:
        return _day(words[0], midnight).replace(hour=hour, minute=minute, second=second)
    found = midnight.replace(hour=hour, minute=minute, second=second)
    return found if found <= now else found - timedelta(days=1)


def _day(word: str, midnight: datetime) -> datetime:
    if word == "today":
        return midnight
    if word == "yesterday":
        return midnight - timedelta(days=1)
    back = (midnight.weekday() - _DAYS.index(word)) % 7 or 7
    return midnight - timedelta(days=back)
