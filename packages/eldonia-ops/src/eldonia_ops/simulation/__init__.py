"""A platform that is fast-forwarded: its own modules, on a clock that does not wait.

Tests use it; replaying history and rehearsing an outage can use it too.
"""

from eldonia_ops.simulation.world import (
    GONE,
    HOUR,
    MINUTE,
    SECOND,
    InlineThreads,
    Receivers,
    SteppedClock,
    World,
    alert,
    on_this_thread,
    open_world,
    security_record,
    unavailable,
)

__all__ = [
    "GONE",
    "HOUR",
    "MINUTE",
    "SECOND",
    "InlineThreads",
    "Receivers",
    "SteppedClock",
    "World",
    "alert",
    "on_this_thread",
    "open_world",
    "security_record",
    "unavailable",
]
