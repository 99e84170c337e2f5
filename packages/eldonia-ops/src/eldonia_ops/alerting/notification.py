"""Whether a receiver needs to be notified again, given its last notification.

Source of the rules: Alertmanager's deduplication stage and notification log
(https://prometheus.io/docs/alerting/latest/alertmanager/).
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from eldonia_ops.model.durations import format_duration


@dataclass(frozen=True, slots=True)
class LogEntry:
    """The last notification of one integration about a group: fingerprints, and when."""

    firing: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    at: int = 0


class Cause(StrEnum):
    """Why a notification goes out, or that none does."""

    FIRST = "first"
    NEW_ALERTS = "new_alerts"
    ALL_RESOLVED = "all_resolved"
    SOME_RESOLVED = "some_resolved"
    REPEAT = "repeat"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class NotificationDecision:
    """``cause`` says whether to notify (anything but NONE), ``reason`` explains it in a sentence."""

    cause: Cause
    reason: str

    @property
    def notify(self) -> bool:
        """Whether the log entry changes and a notification is due."""
        return self.cause is not Cause.NONE


def decide(
    entry: LogEntry | None,
    firing: Collection[str],
    resolved: Collection[str],
    *,
    send_resolved: bool,
    repeat_interval: int,
    now: int,
) -> NotificationDecision:
    """Compare the present alerts with the last notification.

    ``firing`` and ``resolved`` are the fingerprints that it may see now.
    """
    if entry is None:
        if firing:
            return NotificationDecision(Cause.FIRST, "the receiver has not been notified of this group yet")
        return NotificationDecision(Cause.NONE, "resolved before the receiver was notified of it")
    fresh = [item for item in firing if item not in entry.firing]
    if fresh:
        if not entry.firing:
            return NotificationDecision(Cause.FIRST, "the group fires again after it had been resolved")
        return NotificationDecision(Cause.NEW_ALERTS, f"{len(fresh)} alert(s) joined the group")
    if not firing:
        if entry.firing:
            return NotificationDecision(Cause.ALL_RESOLVED, "every alert that the receiver knows of is resolved")
        return NotificationDecision(Cause.NONE, "resolved before the receiver was notified of it")
    if send_resolved:
        ended = [item for item in resolved if item not in entry.resolved]
        if ended:
            return NotificationDecision(Cause.SOME_RESOLVED, f"{len(ended)} alert(s) of the group are resolved")
    if entry.at < now - repeat_interval:
        return NotificationDecision(
            Cause.REPEAT, f"still firing, and the repeat interval of {format_duration(repeat_interval)} has passed"
        )
    wait = format_duration(max(0, entry.at + repeat_interval - now) // 1_000 * 1_000)
    return NotificationDecision(Cause.NONE, f"nothing changed since the last notification; due again in {wait}")
