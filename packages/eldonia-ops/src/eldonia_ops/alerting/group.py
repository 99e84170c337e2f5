"""One aggregation group: alerts of one route that share the labels they are grouped by.

A state machine: it waits ``group_wait`` after its first alert, flushes, and from then on flushes
every ``group_interval`` until no alert is left. Source: Alertmanager's dispatcher.

One thing it does that Alertmanager does not: an end that was waited for already (``keep_firing_for``) does not wait for
the next interval as well. The group is flushed as soon as its last message is ``group_interval`` old, so there are
never more messages than one an interval; if then another of its alerts still fires, it goes on as it would have.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from eldonia_ops.alerting.notification import LogEntry
from eldonia_ops.alerting.route import Route
from eldonia_ops.model.frozen import copier


@dataclass(frozen=True, slots=True)
class AlertGroupState:
    """A group as it is persisted.

    ``key`` is unique (route id and labels); ``group_key`` is Alertmanager's spelling, which receivers
    see. ``fingerprints`` are the alerts held. ``flush_at`` is the deadline; ``flushed_at`` 0 means
    never flushed. ``log`` holds the last notification of each integration, by integration key; it lives as
    long as the group, so a group that comes back starts afresh. ``verdicts`` holds the last verdict
    written to the ledger, by fingerprint and integration key, so that it is not repeated at every flush.
    ``urgent`` says whether an urgent alert of it fires, ``cause`` is the name of its first alert: where
    many groups are due, urgent ones go first, and those of different causes take turns.

    A step that is about some alerts may be shown a group that holds no others.
    """

    key: str
    group_key: str
    route: str
    receiver: str
    labels: dict[str, str]
    fingerprints: tuple[str, ...] = ()
    created_at: int = 0
    flush_at: int = 0
    flushed_at: int = 0
    log: dict[str, LogEntry] = field(default_factory=dict)
    verdicts: dict[str, dict[str, str]] = field(default_factory=dict)
    urgent: bool = False
    cause: str = ""


_copy = copier(AlertGroupState)


@dataclass(frozen=True, slots=True)
class Inserted:
    """Alerts of this group were received. ``starts_at`` is when the first of them began to fire. ``over`` says that one
    of them has just ended for certain: it was kept firing for a while to see whether that lasts."""

    fingerprints: tuple[str, ...]
    starts_at: int
    urgent: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """What the notification pipeline made of a flush: ``resolved`` fingerprints leave the group."""

    resolved: tuple[str, ...]
    log: dict[str, LogEntry]
    verdicts: dict[str, dict[str, str]]
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Flush:
    """Effect: send the group's alerts through the notification pipeline."""


@dataclass(frozen=True, slots=True)
class Close:
    """Effect: the group is empty; forget it."""


Event = Inserted | Due | Flushed
Effect = Flush | Close


def step(state: AlertGroupState, event: Event, now: int, route: Route) -> tuple[AlertGroupState, tuple[Effect, ...]]:
    """Advance a group; ``route`` gives its intervals."""
    match event:
        case Inserted(fingerprints=fingerprints, starts_at=starts_at, urgent=urgent, over=over):
            changes: dict[str, Any] = {}
            held = dict.fromkeys((*state.fingerprints, *fingerprints))
            if len(held) > len(state.fingerprints):
                changes["fingerprints"] = tuple(held)
            if urgent and not state.urgent:
                changes["urgent"] = True
            if not state.flush_at:
                changes["flush_at"] = now + route.group_wait
            if not state.flushed_at and starts_at + route.group_wait < now:
                # It has been firing for longer than group_wait.
                changes["flush_at"] = now
            if over and state.log:
                last = max(entry.at for entry in state.log.values())
                changes["flush_at"] = min(state.flush_at, max(now, last + route.group_interval))
            return (_copy(state, **changes) if changes else state), ()
        case Due():
            if not state.flush_at or now < state.flush_at:
                return state, ()
            return _copy(state, flush_at=now + route.group_interval, flushed_at=now), (Flush(),)
        case Flushed(resolved=resolved, log=log, verdicts=verdicts, urgent=urgent):
            left = dict.fromkeys(state.fingerprints)
            for item in resolved:
                left.pop(item, None)
            kept = {fingerprint: said for fingerprint, said in verdicts.items() if fingerprint in left}
            after = _copy(state, fingerprints=tuple(left), log=log, verdicts=kept, urgent=urgent)
            return after, (() if left else (Close(),))


def early(state: AlertGroupState, now: int, route: Route) -> bool:
    """Whether a group is looked at before its usual time, for an end."""
    return bool(state.flushed_at) and now < state.flushed_at + route.group_interval


def put_off(state: AlertGroupState, route: Route) -> AlertGroupState:
    """The group at its usual time again."""
    return _copy(state, flush_at=state.flushed_at + route.group_interval)


def on_the_clock_of(state: AlertGroupState, now: int, route: Route) -> AlertGroupState:
    """The group as it can be at ``now``; one that the clock was set back under is due after its usual wait, and what
    was sent in the future counts as sent now."""
    flush_at = min(state.flush_at, now + (route.group_interval if state.flushed_at else route.group_wait))
    changed = replace(
        state,
        created_at=min(state.created_at, now),
        flush_at=flush_at,
        flushed_at=min(state.flushed_at, now),
        log={key: replace(entry, at=min(entry.at, now)) for key, entry in state.log.items()},
    )
    return state if changed == state else changed


def next_deadline(state: AlertGroupState) -> int | None:
    """When the group wants to flush."""
    return state.flush_at or None
