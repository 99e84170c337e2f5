"""How a newly received alert joins what is already known about it.

Source: Alertmanager's api/v2 (what a missing time means) and types.Alert.Merge.
"""

from typing import Final

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.frozen import copier

_copy: Final = copier(Alert)


def merge(existing: Alert | None, incoming: Alert, now: int, resolve_timeout: int) -> Alert:
    """The alert after ``incoming`` has been received at ``now``.

    A missing (0) ``ends_at`` means: firing, and over if nothing is heard for ``resolve_timeout`` ms. A
    missing ``starts_at`` means now, or ``ends_at`` for an alert that is reported as ended. If the span
    of the newcomer overlaps the span already known, it is the same occurrence and keeps the earliest
    start; otherwise it is a new occurrence.
    """
    starts_at, ends_at = incoming.starts_at, incoming.ends_at
    if starts_at == 0:
        starts_at = now if ends_at == 0 else ends_at
    if ends_at == 0:
        ends_at = now + resolve_timeout
    newcomer = _copy(incoming, starts_at=starts_at, ends_at=ends_at, updated_at=now)
    if existing is None or not _overlap(existing, newcomer):
        return newcomer
    starts_at = min(existing.starts_at, newcomer.starts_at)
    if newcomer.resolved(now):
        # Both over: the later end is the better known one.
        if existing.resolved(now):
            ends_at = max(existing.ends_at, newcomer.ends_at)
    elif existing.ends_at > newcomer.ends_at and not _by_timeout(existing, resolve_timeout):
        # An end that the source itself announced outweighs an earlier one.
        ends_at = existing.ends_at
    return _copy(newcomer, starts_at=starts_at, ends_at=ends_at)


def ran_out(alert: Alert, now: int) -> bool:
    """Whether an alert is over at ``now`` only because nothing more was heard of it: its source never said so."""
    return alert.updated_at < alert.ends_at <= now


def was_held(alert: Alert) -> bool:
    """Whether its rule kept an alert firing after its condition had ended (``keep_firing_for``)."""
    return bool(alert.evidence.get("held_until"))


def _by_timeout(alert: Alert, resolve_timeout: int) -> bool:
    return alert.ends_at == alert.updated_at + resolve_timeout


def _overlap(existing: Alert, newcomer: Alert) -> bool:
    return (existing.starts_at < newcomer.ends_at < existing.ends_at) or (
        existing.starts_at <= newcomer.starts_at < existing.ends_at
    )
