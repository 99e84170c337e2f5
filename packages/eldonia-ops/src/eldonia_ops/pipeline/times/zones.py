"""Zones by which times without one are read and written: an offset, a name, or that of this machine."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_OFFSET: Final = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")
_NAME: Final = re.compile(r"[A-Za-z]+(?:/[A-Za-z0-9_+-]+){0,3}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=256)
def zone_of(text: str) -> tzinfo | None:
    """The zone of ``+09:00``, ``+0900``, ``Asia/Tokyo`` or ``UTC``; None for '', which means that of this machine.

    Raises:
        ValueError: there is no such zone.
    """
    if not text:
        return None
    if match := _OFFSET.fullmatch(text):
        away = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(-away if match[1] == "-" else away)
    if _NAME.fullmatch(text):
        try:
            return ZoneInfo(text)
        except (ZoneInfoNotFoundError, OSError, ValueError):
            pass
    raise ValueError(f"there is no zone {text!r}: write an offset such as +09:00, or a name such as Asia/Tokyo")


def local_second(at: datetime, zone: tzinfo | None) -> int:
    """Unix seconds of a clock time without a zone, read in a zone (None: that of this machine)."""
    moment = at.replace(tzinfo=zone) if zone is not None else at.astimezone()
    return (moment - _EPOCH) // timedelta(seconds=1)


def local_time(second: int, zone: tzinfo | None) -> datetime:
    """The clock time of Unix seconds in a zone (None: that of this machine); it carries its offset."""
    moment = _EPOCH + timedelta(seconds=second)
    return moment.astimezone(zone)
