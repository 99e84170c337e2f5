"""Whether another server can be written to, from the times of its heartbeats.

The measure is that of N. Hayashibara, X. Defago, R. Yared, T. Katayama, "The phi accrual failure detector" (2004), with
intervals taken as exponentially distributed: phi = log10(e) * silence / mean interval.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

_WINDOW: Final = 1_000
_LOG10_E: Final = math.log10(math.e)


@dataclass(frozen=True, slots=True)
class HeartbeatSettings:
    """How servers are watched. Times in milliseconds. ``kind`` is ``transport`` (a connection is opened), ``udp`` (a
    datagram is answered) or ``none``. A server is unavailable after ``hard_timeout_ms`` of silence, or when phi exceeds
    ``phi_threshold`` (0: phi is not asked); it is available again after ``recover_wait_ms`` of heartbeats."""

    kind: str = "transport"
    interval_ms: int = 1_000
    hard_timeout_ms: int = 60_000
    phi_threshold: float = 16.0
    recover_wait_ms: int = 10_000


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """What is known of one server: Unix ms of its last heartbeat, the mean interval of the last 1,000, and since when
    it has been heard again after it was unavailable (0: it was not heard since)."""

    last_ms: int
    mean_ms: float
    beats: int = 0
    available: bool = True
    recovering_since_ms: int = 0


def watched_from(settings: HeartbeatSettings, now_ms: int) -> ServerHealth:
    """A server that was not heard yet: it counts as available until it is silent for too long."""
    return ServerHealth(now_ms, float(settings.interval_ms))


def heard(health: ServerHealth, settings: HeartbeatSettings, now_ms: int) -> ServerHealth:
    """After a heartbeat, or anything else that shows that the server works."""
    known = min(health.beats, _WINDOW)
    # A silence is no interval: it would make the next one be noticed later.
    usual = min(max(now_ms - health.last_ms, 0), 2 * settings.interval_ms)
    mean = (health.mean_ms * known + usual) / (known + 1)
    found = replace(health, last_ms=now_ms, mean_ms=max(mean, settings.interval_ms / 10), beats=known + 1)
    if health.available:
        return found
    since = health.recovering_since_ms or now_ms
    if now_ms - since >= settings.recover_wait_ms:
        return replace(found, available=True, recovering_since_ms=0)
    return replace(found, recovering_since_ms=since)


def looked_at(health: ServerHealth, settings: HeartbeatSettings, now_ms: int) -> ServerHealth:
    """After some time without a heartbeat. A clock that was set back makes nothing silent."""
    silence = now_ms - health.last_ms
    silent = silence > settings.hard_timeout_ms or (
        settings.phi_threshold > 0 and phi(health, now_ms) > settings.phi_threshold
    )
    if not silent:
        return health
    return replace(health, available=False, recovering_since_ms=0)


def phi(health: ServerHealth, now_ms: int) -> float:
    """How unlikely it is that the server is silent by chance, as a negative power of ten."""
    return _LOG10_E * max(now_ms - health.last_ms, 0) / health.mean_ms
