"""Instants and durations as people and programs write them in requests."""

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from starlette.requests import Request

from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.time_words import stretch_of
from eldonia_ops.web.bad_request import BadRequestError, reading_request
from eldonia_ops.web.callers import preferences_of

_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):?([0-5]\d)")
_SUCH_AS = "write 15m (ago), 7d, yesterday, 'last tuesday', 2026-11-30, 2026-11-30T08:00:00Z or Unix milliseconds"
_LARGEST_MS = 253_402_300_799_000  # the end of the year 9999


@reading_request()
def parse_instant(text: str, now: int, zone: tzinfo = UTC, *, end: bool = False) -> int:
    """Unix milliseconds from ``1763900000000``, ``2026-11-23T20:00:00Z``, ``-15m``, ``now-15m`` or ``now``.

    Also from times as people say them (:mod:`eldonia_ops.model.time_words`), on the clock of ``zone``; with ``end`` a
    whole day means the instant at which it is over.

    Raises:
        BadRequestError: the text is none of these.
    """
    if text == "now":
        return now
    relative = text.removeprefix("now")
    if relative.startswith("-"):
        return max(0, now - parse_duration(relative[1:]))
    if not text.isdecimal() and (stretch := stretch_of(text, clock_at(now, zone))):
        value = unix_ms(stretch[end], zone)
    else:
        value = int(text) if text.isdecimal() else round(_iso_seconds(text) * 1000)
    if not 0 <= value <= _LARGEST_MS:
        raise BadRequestError(f"not an instant within the years 1970 to 9999: {text!r}")
    return value


@reading_request()
def parse_prometheus_instant(text: str) -> int:
    """Unix milliseconds from Prometheus' spelling: seconds with decimals, or RFC 3339.

    Raises:
        BadRequestError: the text is neither.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = _iso_seconds(text)
    if not math.isfinite(seconds) or abs(seconds * 1000) > _LARGEST_MS:
        raise BadRequestError(f"cannot parse {text!r} to a valid timestamp")
    return round(seconds * 1000)


@reading_request()
def parse_step(text: str) -> int:
    """Milliseconds from ``15s``, ``1m`` or a number of seconds.

    Raises:
        BadRequestError: neither, or not above zero.
    """
    try:
        seconds = float(text)
    except ValueError:
        step = parse_duration(text)
    else:
        if not math.isfinite(seconds) or abs(seconds) > 1e10:
            raise BadRequestError(f"not a duration: {text!r}")
        step = round(seconds * 1000)
    if step <= 0:
        raise BadRequestError("zero or negative query resolution step widths are not accepted. Try a positive integer")
    return step


def zone_of(name: str) -> tzinfo:
    """A reader's time zone by its IANA name or its distance from UTC, as ``+0900``; UTC where it is unknown here."""
    if offset := _OFFSET.fullmatch(name):
        distance = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-distance if offset[1] == "-" else distance)
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, KeyError, OSError):
        return UTC


def reader_zone(request: Request, name: str) -> tzinfo:
    """The zone that a request names, else the one that the caller's account prefers, else UTC."""
    return zone_of(name or preferences_of(request).time_zone)


def clock_at(ms: int, zone: tzinfo) -> datetime:
    """What a clock in a zone shows at an instant, without the zone."""
    return datetime.fromtimestamp(ms / 1000, zone).replace(tzinfo=None)


def unix_ms(clock: datetime, zone: tzinfo) -> int:
    """The instant at which a clock in a zone shows this."""
    return round(clock.replace(tzinfo=zone).timestamp() * 1000)


def rfc3339(ms: int) -> str:
    """An instant with milliseconds in UTC, as ``2026-11-23T20:00:00.000Z``."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _iso_seconds(text: str) -> float:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError(f"cannot parse {text!r} to a valid timestamp: {_SUCH_AS}") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
