"""Steps of time: intervals of the calendar and fixed ones, offsets, zones."""

import re
from datetime import UTC, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from eldonia_ops.protocols.elasticsearch.query.aggregations.bucket_options import field_of
from eldonia_ops.protocols.elasticsearch.query.date_math import zone_of
from eldonia_ops.protocols.elasticsearch.query.errors import illegal
from eldonia_ops.protocols.elasticsearch.query.fields import is_time
from eldonia_ops.search.time_steps import ByTime, TimeUnit

_NS: Final = 1_000_000_000
_UNITS: Final = {"ms": 1_000_000, "s": _NS, "m": 60 * _NS, "h": 3_600 * _NS, "d": 86_400 * _NS}
_CALENDAR: Final = {
    **dict.fromkeys(("1m", "minute"), TimeUnit.MINUTE),
    **dict.fromkeys(("1h", "hour"), TimeUnit.HOUR),
    **dict.fromkeys(("1d", "day"), TimeUnit.DAY),
    **dict.fromkeys(("1w", "week"), TimeUnit.WEEK),
    **dict.fromkeys(("1M", "month"), TimeUnit.MONTH),
    **dict.fromkeys(("1q", "quarter"), TimeUnit.QUARTER),
    **dict.fromkeys(("1y", "year"), TimeUnit.YEAR),
}
_DURATION: Final = re.compile(r"([+-]?)([0-9]+)(ms|s|m|h|d)")


def time_group(options: dict[str, Any]) -> tuple[ByTime, tzinfo]:
    """Steps of time, and the zone in whose clock they are."""
    name = field_of(options, "date_histogram")
    if not is_time(name):
        raise illegal(f"[date_histogram] of [{name}] is not supported: it is of [@timestamp]")
    zone = zone_of(str(options["time_zone"])) if options.get("time_zone") else UTC
    calendar, fixed = options.get("calendar_interval"), options.get("fixed_interval")
    legacy = options.get("interval")
    if legacy is not None and calendar is None and fixed is None:
        text = str(legacy)
        calendar, fixed = (text, None) if text in _CALENDAR else (None, f"{text}ms" if text.isdigit() else text)
    offset = _duration(str(options["offset"]), "offset") if options.get("offset") else 0
    if calendar is not None:
        unit = _CALENDAR.get(str(calendar))
        if unit is None:
            raise illegal(f"The supplied interval [{calendar}] could not be parsed as a calendar interval.")
        return ByTime(unit, _zone_name(zone), offset), zone
    if fixed is None:
        raise illegal("Invalid interval specified, must be non-null and non-empty")
    step = _duration(str(fixed), "fixed_interval")
    if step < 1_000_000:
        raise illegal("Zero or negative time interval not supported")
    return ByTime(step, _zone_name(zone), offset % step), zone


def _zone_name(zone: tzinfo) -> str:
    """A zone by a name that both Python and the engine know; an offset of whole hours has one, turned round."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    offset = zone.utcoffset(None)
    minutes = int(offset.total_seconds() // 60) if offset else 0
    if minutes == 0:
        return "UTC"
    if minutes % 60 or not -14 <= minutes // 60 <= 14:
        named = {
            330: "Asia/Kolkata",
            345: "Asia/Kathmandu",
            570: "Australia/Darwin",
            270: "Asia/Kabul",
            210: "Asia/Tehran",
        }
        if minutes in named:
            return named[minutes]
        raise illegal("a [time_zone] of a part of an hour is given by its name, such as [Asia/Kolkata]")
    return f"Etc/GMT{-minutes // 60:+d}"


def _duration(text: str, place: str) -> int:
    found = _DURATION.fullmatch(text)
    if not found:
        raise illegal(
            f"failed to parse setting [{place}] with value [{text}] as a time value: unit is missing or unrecognized"
        )
    return int(found[2]) * _UNITS[found[3]] * (-1 if found[1] == "-" else 1)
