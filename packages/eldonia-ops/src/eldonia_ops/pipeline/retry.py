"""When an output that fails is tried again, and when it is given up.

https://docs.fluentd.org/buffer#how-exponential-backoff-works. One output has one state: while it fails, all of its
chunks wait.
"""

from dataclasses import dataclass
from typing import Final

from eldonia_ops.pipeline.buffer_settings import RetrySettings

_SPREAD: Final = 0.125
_MOST_STEPS: Final = 64


@dataclass(frozen=True, slots=True)
class RetryState:
    """Unix times are in ms. ``times`` counts the failures; ``steps`` those since the secondary output began to be
    tried, else all."""

    started_ms: int
    next_ms: int
    times: int = 1
    steps: int = 1
    secondary: bool = False


def failed(
    state: RetryState | None, settings: RetrySettings, now_ms: int, chance: float, *, has_secondary: bool
) -> RetryState | None:
    """The state after a failure at ``now_ms``; None: it is given up. ``chance`` (0..1) spreads the next attempt."""
    if state is None:
        return RetryState(now_ms, now_ms + _pause(settings, 1, chance))
    times = state.times + 1
    if not settings.forever:
        if 0 <= settings.max_times < times:
            return None
        if now_ms >= state.started_ms + settings.timeout_ms:
            return None
    secondary = state.secondary
    steps = state.steps + 1
    if has_secondary and not secondary and _at_threshold(state, settings, now_ms, times):
        secondary, steps = True, 1
    next_ms = now_ms + _pause(settings, steps, chance)
    if not settings.forever:
        # The last attempt is made when the time is up.
        next_ms = max(now_ms, min(next_ms, state.started_ms + settings.timeout_ms))
    return RetryState(state.started_ms, next_ms, times, steps, secondary)


def _at_threshold(state: RetryState, settings: RetrySettings, now_ms: int, times: int) -> bool:
    share = settings.secondary_threshold
    if settings.max_times >= 0 and times >= settings.max_times * share:
        return True
    return now_ms >= state.started_ms + settings.timeout_ms * share


def _pause(settings: RetrySettings, steps: int, chance: float) -> int:
    pause = float(settings.wait_ms)
    if not settings.periodic:
        try:
            pause *= settings.base ** min(steps - 1, _MOST_STEPS)
        except OverflowError:
            pause = 1e12
        if settings.max_interval_ms:
            pause = min(pause, settings.max_interval_ms)
    if settings.randomize:
        pause += pause * _SPREAD * (2 * chance - 1)
    return int(min(pause, 1e12))
