"""Prometheus durations (``5m``, ``1h30m``, ``200ms``) to and from milliseconds.

Format: https://prometheus.io/docs/prometheus/latest/querying/basics/#time-durations
"""

import re

_UNITS_MS = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
_DURATION = re.compile(
    r"(?:(?P<y>\d+)y)?(?:(?P<w>\d+)w)?(?:(?P<d>\d+)d)?"
    r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)s)?(?:(?P<ms>\d+)ms)?"
)
_LONGEST_MS = 2**63 // 1_000_000  # what Go's time.Duration (nanoseconds) can hold


def parse_duration(text: str) -> int:
    """Return the milliseconds that a Prometheus duration names; ``"0"`` is zero.

    Units are in falling order and each at most once, as Prometheus demands.

    Raises:
        ValueError: the text is empty, malformed or longer than about 292 years.
    """
    if text == "0":
        return 0
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"not a duration: {text!r} (write it like 30s, 5m or 1h30m)")
    total = sum(int(count) * _UNITS_MS[unit] for unit, count in match.groupdict().items() if count)
    if total > _LONGEST_MS:
        raise ValueError(f"duration out of range: {text!r}")
    return total


def format_duration(ms: int) -> str:
    """Return the shortest Prometheus spelling of a non-negative duration in milliseconds.

    Years and weeks are used only where nothing is left over, as Prometheus prints them.

    Raises:
        ValueError: ``ms`` is negative.
    """
    if ms < 0:
        raise ValueError("a duration cannot be negative")
    if ms == 0:
        return "0s"
    parts: list[str] = []
    for unit in ("y", "w", "d", "h", "m", "s", "ms"):
        size = _UNITS_MS[unit]
        if unit in "yw" and ms % size:
            continue
        count, ms = divmod(ms, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)
