"""Instants as dashboards and Grafana write them, and the step of a query."""

import re
from datetime import datetime, timedelta, tzinfo
from typing import Final

from eldonia_ops.model.durations import parse_duration

_RELATIVE: Final = re.compile(r"(?:now)?(?:-(?P<count>\d{1,6})(?P<unit>ms|[smhdwMy]))?(?:/(?P<round>[smhdwMQy]))?")
MOST_POINTS: Final = 11_000
"""Points of one series, as Prometheus has it."""

_ROUND: Final = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000), (3_500, 2_000),
    (7_500, 5_000), (12_500, 10_000), (17_500, 15_000), (25_000, 20_000), (45_000, 30_000), (90_000, 60_000),
    (210_000, 120_000), (450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000),
    (2_700_000, 1_800_000), (5_400_000, 3_600_000), (9_000_000, 7_200_000), (16_200_000, 10_800_000),
    (32_400_000, 21_600_000), (86_400_000, 43_200_000), (604_800_000, 86_400_000), (1_814_400_000, 604_800_000),
    (3_628_800_000, 2_592_000_000),
)  # fmt: skip
"""Below the first, the second: round intervals in ms, those of Grafana."""


def instant_of(text: str, now: int, zone: tzinfo, *, end: bool = False) -> int | None:
    """Unix ms of ``now``, ``-6h``, ``now-1d/d`` (rounded to the beginning, with ``end`` to the end, of a day in
    ``zone``) or of digits; None when the text is none of these."""
    if text.isdecimal():
        return int(text) if len(text) <= 15 else None
    match = _RELATIVE.fullmatch(text)
    if match is None or not text:
        return None
    clock = datetime.fromtimestamp(now / 1000, zone)
    if match["count"]:
        count, unit = int(match["count"]), match["unit"]
        if unit in "My" and unit != "m":
            clock = _months_back(clock, count * (12 if unit == "y" else 1))
        else:
            now = max(0, now - parse_duration(f"{count}{unit}"))
            clock = datetime.fromtimestamp(now / 1000, zone)
        if not match["round"]:
            return max(0, now if unit not in "My" else round(clock.timestamp() * 1000))
    if not match["round"]:
        return now
    start = _floor(clock, match["round"])
    if end:
        return round(_next(start, match["round"]).timestamp() * 1000) - 1
    return max(0, round(start.timestamp() * 1000))


def _months_back(clock: datetime, months: int) -> datetime:
    index = clock.year * 12 + clock.month - 1 - months
    year, month = max(index // 12, 1970), index % 12 + 1
    for day in (clock.day, 30, 29, 28):
        try:
            return clock.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    return clock


def _floor(clock: datetime, unit: str) -> datetime:
    clock = clock.replace(microsecond=0)
    if unit == "s":
        return clock
    clock = clock.replace(second=0)
    if unit == "m":
        return clock
    clock = clock.replace(minute=0)
    if unit == "h":
        return clock
    clock = clock.replace(hour=0)
    match unit:
        case "w":
            return clock - timedelta(days=clock.weekday())
        case "M":
            return clock.replace(day=1)
        case "Q":
            return clock.replace(day=1, month=(clock.month - 1) // 3 * 3 + 1)
        case "y":
            return clock.replace(day=1, month=1)
    return clock


def _next(start: datetime, unit: str) -> datetime:
    match unit:
        case "s" | "m" | "h" | "d" | "w":
            names = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
            return start + timedelta(**{names[unit]: 1})
        case "M" | "Q":
            index = start.month - 1 + (1 if unit == "M" else 3)
            return start.replace(year=start.year + index // 12, month=index % 12 + 1)
    return start.replace(year=start.year + 1)


def round_interval(ms: float) -> int:
    """The round interval near a length of time."""
    return next((interval for below, interval in _ROUND if ms < below), 31_536_000_000)


def step_for(range_ms: int, points: int, least_ms: int = 0) -> int:
    """The step of a query in ms: round, about ``points`` in the range, not below ``least_ms``, and never more than
    :data:`MOST_POINTS` points."""
    wanted = max(round_interval(range_ms / max(1, points)), least_ms, 1)
    while range_ms / wanted > MOST_POINTS - 1:
        wanted = max(round_interval(range_ms / (MOST_POINTS - 1)), wanted * 2)
    return wanted


def aligned(start: int, end: int, step: int) -> tuple[int, int]:
    """Both ends moved back to multiples of the step, so that points stay where they are when a chart is refreshed."""
    return start - start % step, end - end % step
