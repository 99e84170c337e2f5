"""Instants and durations as people and programs write them in requests."""

import math
from datetime import UTC, datetime

from eldonia_ops.model.durations import parse_duration
from eldonia_ops.web.bad_request import BadRequestError, reading_request

_LARGEST_MS = 253_402_300_799_000  # the end of the year 9999


@reading_request()
def parse_instant(text: str, now: int) -> int:
    """Unix milliseconds from ``1763900000000``, ``2026-11-23T20:00:00Z``, ``-15m``, ``now-15m`` or ``now``.

    Raises:
        BadRequestError: the text is none of these.
    """
    if text == "now":
        return now
    relative = text.removeprefix("now")
    if relative.startswith("-"):
        return max(0, now - parse_duration(relative[1:]))
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


def rfc3339(ms: int) -> str:
    """An instant with milliseconds in UTC, as ``2026-11-23T20:00:00.000Z``."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _iso_seconds(text: str) -> float:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequestError(f"cannot parse {text!r} to a valid timestamp") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
