"""Counting security events in sliding windows: one window, one finding, one alert.

Windows are kept per type and source. When the events of one fall within the threshold's window, a finding opens
and one alert is raised; further events extend the finding. When no event has come for the
threshold's quiet time the alert ends (the finding stays for people to judge), and a new crossing makes a
new finding. People may end the alert sooner: by ``resolved``, after which a new crossing alerts
again, or by ``false_positive``, after which this source stays quiet about this type until it has been
silent for the quiet time.

An attack that comes from a thousand addresses must not become a thousand pages: when many sources of one
type alert at once, the crossings of further ones are gathered in one more finding, from :data:`MANY_SOURCES`.

Crossings are judged by the events' own times, so a backlog read after a pause is judged like live
events; events may arrive late by up to one window. Quiet is judged by the platform's clock.
"""

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.security import Finding, FindingStatus, SecurityEvent, SecurityEventType, SecuritySeverity
from eldonia_ops.security.findings import alert_of, finding_id, kept_evidence, plain
from eldonia_ops.security.severity import ALERT_SEVERITY, gravest
from eldonia_ops.security.thresholds import DEFAULTS, Threshold

MANY_SOURCES: Final = "many sources"


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """Bounds on memory: at most ``tracked`` windows, each with ``kept_ids`` event ids (never fewer than
    its threshold needs), and ``evidence`` events per finding. At most ``apart`` sources of one type have
    findings of their own at a time."""

    tracked: int = 2_000
    kept_ids: int = 128
    evidence: int = 12
    apart: int = 20


DEFAULT_LIMITS: Final = WindowLimits()


@dataclass(frozen=True, slots=True)
class Window:
    """What is remembered about one type from one source.

    ``times`` are event times (Unix ms, ascending) that may still be part of a crossing, ``ids`` the latest event
    ids, ``seen_at`` when an event was last taken in. While ``finding`` is set the window is past its
    threshold; ``alerting`` is the severity label of the alert that is up, empty for none.
    """

    type: SecurityEventType
    source: str
    times: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()
    seen_at: int = 0
    severity: SecuritySeverity = SecuritySeverity.LOW
    evidence: tuple[dict[str, Any], ...] = ()
    finding: Finding | None = None
    alerting: str = ""


@dataclass(frozen=True, slots=True)
class WindowState:
    """All windows by key, the least recently used first."""

    windows: dict[str, Window] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judge:
    """A person sets a finding's status. ``finding`` is the stored one: its window may be gone already."""

    finding: Finding
    status: FindingStatus
    actor: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class WindowTick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """Store a new finding."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class UpdateFinding:
    """Store a finding's new state."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class RaiseSecurityAlert:
    """Put up an alert."""

    alert: Alert
    finding_id: str


@dataclass(frozen=True, slots=True)
class ResolveAlert:
    """Take the alert with these labels down; its ``ends_at`` is set."""

    alert: Alert
    finding_id: str


Event = SecurityEvent | Judge | WindowTick
Effect = OpenFinding | UpdateFinding | RaiseSecurityAlert | ResolveAlert


def step(
    state: WindowState,
    event: Event,
    now: int,
    thresholds: Mapping[SecurityEventType, Threshold] = DEFAULTS,
    limits: WindowLimits = DEFAULT_LIMITS,
) -> tuple[WindowState, tuple[Effect, ...]]:
    """The state after one event (``now`` in Unix ms) and what has to be done. An event whose type has no
    threshold, and an event already counted, change nothing."""
    return step_all(state, (event,), now, thresholds, limits)


def step_all(
    state: WindowState,
    events: Iterable[Event],
    now: int,
    thresholds: Mapping[SecurityEventType, Threshold] = DEFAULTS,
    limits: WindowLimits = DEFAULT_LIMITS,
) -> tuple[WindowState, tuple[Effect, ...]]:
    """The same for a batch that is taken in at one instant; of several updates of a finding only the last is kept."""
    windows = {key: _on_the_clock_of(window, now) for key, window in state.windows.items()}
    effects: list[Effect] = []
    for event in events:
        match event:
            case SecurityEvent():
                _take(windows, event, now, (thresholds, limits), effects)
            case Judge():
                _judge(windows, event, now, effects)
            case WindowTick():
                for key in list(windows):
                    _expire(windows, key, now, thresholds, effects)
    return WindowState(windows), _coalesced(effects)


def next_deadline(state: WindowState, thresholds: Mapping[SecurityEventType, Threshold] = DEFAULTS) -> int | None:
    """When :class:`WindowTick` next ends an alert, Unix ms, or None."""
    return min(
        (window.seen_at + _quiet(window, thresholds) for window in state.windows.values() if window.finding),
        default=None,
    )


def key_of(type_: SecurityEventType, source: str) -> str:
    """The key of a window, for storing windows as documents of their own."""
    return f"{type_.value}|{source}"


def changes(before: WindowState, after: WindowState) -> tuple[dict[str, Window], tuple[str, ...]]:
    """Windows to save and keys to delete so that what is stored follows from ``before`` to ``after``."""
    saved = {key: window for key, window in after.windows.items() if before.windows.get(key) is not window}
    return saved, tuple(key for key in before.windows if key not in after.windows)


def restore(windows: Mapping[str, Window]) -> WindowState:
    """The state from stored windows, in whatever order they come."""
    return WindowState(dict(sorted(windows.items(), key=lambda item: (item[1].seen_at, item[0]))))


def _on_the_clock_of(window: Window, now: int) -> Window:
    """The window as it can be at ``now``: if the clock was set back since it saw an event, all of them happened that
    much earlier. Otherwise it would take new ones for old until the clock had caught up."""
    ahead = window.seen_at - now
    if ahead <= 0:
        return window
    return replace(window, seen_at=now, times=tuple(at - ahead for at in window.times))


def _quiet(window: Window, thresholds: Mapping[SecurityEventType, Threshold]) -> int:
    threshold = thresholds.get(window.type)
    return threshold.quiet_ms if threshold else 0


class Recount:
    """Gathers, newest first, events that may have been counted before a restart or not: those to count again.

    What is older than its type's window was judged long ago, and may be forgotten by now: to count it again would
    page people for a finding that they have settled. For the same reason no more events of one window are taken
    than the half of the ids that it remembers: older ones were pushed out of its memory by those that followed, and
    so many are enough to cross its threshold.
    """

    def __init__(
        self,
        now: int,
        thresholds: Mapping[SecurityEventType, Threshold] = DEFAULTS,
        limits: WindowLimits = DEFAULT_LIMITS,
        most: int = 100_000,
    ) -> None:
        self._now = now
        self._thresholds = thresholds
        self._limits = limits
        self._most = most
        self._taken: Counter[str] = Counter()
        self._events: list[SecurityEvent] = []

    @property
    def full(self) -> bool:
        """Whether nothing further is taken, for want of memory."""
        return len(self._events) >= self._most

    def add(self, event: SecurityEvent) -> None:
        """Take the next older event, if it counts."""
        threshold = self._thresholds.get(event.type)
        key = key_of(event.type, event.source)
        if threshold is None or self.full or self._now - event.at >= threshold.window_ms:
            return
        if self._taken[key] < _ids_kept(threshold, self._limits) // 2:
            self._taken[key] += 1
            self._events.append(event)

    def events(self) -> list[SecurityEvent]:
        """What was taken, oldest first."""
        return self._events[::-1]


def _ids_kept(threshold: Threshold, limits: WindowLimits) -> int:
    return max(limits.kept_ids, 2 * threshold.count)


# --- events ----------------------------------------------------------------------------------


def _take(
    windows: dict[str, Window],
    event: SecurityEvent,
    now: int,
    rules: tuple[Mapping[SecurityEventType, Threshold], WindowLimits],
    effects: list[Effect],
) -> None:
    thresholds, limits = rules
    threshold = thresholds.get(event.type)
    if threshold is None:
        return
    key = key_of(event.type, event.source)
    _expire(windows, key, now, thresholds, effects)
    window = windows.get(key) or Window(event.type, event.source)
    if event.id in window.ids:
        return
    at = min(event.at, now)  # a source whose clock runs ahead must not keep its window open
    window = replace(
        window,
        ids=(*window.ids, event.id)[-_ids_kept(threshold, limits) :],
        seen_at=now,
        severity=gravest(window.severity, event.severity) if window.times or window.finding else event.severity,
        evidence=kept_evidence((*window.evidence, plain(event)), limits.evidence),
    )
    if window.finding is not None:
        window = _extend(window, window.finding, at, now, effects)
    else:
        window, count = _counted(window, at, threshold)
        if count >= threshold.count or event.severity is SecuritySeverity.CRITICAL:
            if _crowded(windows, event.type, limits.apart):
                _gather(windows, event, window, count, now, (thresholds, limits), effects)
                window = _emptied(window)
            else:
                window = _open(window, event, count, now, threshold, effects)
    windows.pop(key, None)
    windows[key] = window
    _evict(windows, limits.tracked, now, effects)


def _crowded(windows: Mapping[str, Window], type_: SecurityEventType, apart: int) -> bool:
    """Whether as many sources of a type have findings of their own as may have."""
    open_ones = (window for window in windows.values() if window.finding is not None and window.type is type_)
    return sum(1 for _ in islice(open_ones, apart)) >= apart


def _gather(
    windows: dict[str, Window],
    event: SecurityEvent,
    own: Window,
    count: int,
    now: int,
    rules: tuple[Mapping[SecurityEventType, Threshold], WindowLimits],
    effects: list[Effect],
) -> None:
    """Add the crossing of one source, ``count`` events, to the finding of many."""
    thresholds, limits = rules
    threshold = thresholds[event.type]
    key = key_of(event.type, MANY_SOURCES)
    _expire(windows, key, now, thresholds, effects)
    window = windows.pop(key, None) or Window(event.type, MANY_SOURCES)
    at = min(event.at, now)
    window = replace(
        window,
        ids=(*window.ids, event.id)[-limits.kept_ids :],
        times=window.times or (at,),
        seen_at=now,
        severity=gravest(window.severity, own.severity),
        evidence=kept_evidence((*window.evidence, plain(event)), limits.evidence),
    )
    if window.finding is None:
        window = _open(window, replace(event, source=MANY_SOURCES), count, now, threshold, effects)
    else:
        window = _extend(window, window.finding, at, now, effects, by=count)
    windows[key] = window


def _counted(window: Window, at: int, threshold: Threshold) -> tuple[Window, int]:
    """The window with one more event, and the most events within the threshold's time."""
    times = list(window.times)
    insort(times, at)
    # One window more than needed is kept, so that an event that arrives late can still complete a crossing.
    times = [time for time in times if times[-1] - time < 2 * threshold.window_ms][-max(64, 2 * threshold.count) :]
    return replace(window, times=tuple(times)), _densest(times, threshold.window_ms)


def _open(
    window: Window, event: SecurityEvent, count: int, now: int, threshold: Threshold, effects: list[Effect]
) -> Window:
    at, times = min(event.at, now), window.times
    severity = gravest(window.severity, threshold.floor)
    finding = Finding(
        id=finding_id(event),
        type=event.type,
        severity=severity,
        source=event.source,
        service=event.service,
        status=FindingStatus.OPEN,
        opened_at=at,
        last_event_at=times[-1],
        count=count,
        threshold=threshold.count,
        window_ms=threshold.window_ms,
        evidence=window.evidence,
        updated_at=now,
    )
    window = replace(window, finding=finding, severity=severity, alerting=ALERT_SEVERITY[severity])
    effects += [
        OpenFinding(finding),
        RaiseSecurityAlert(alert_of(finding, window.alerting, now, started_at=times[0]), finding.id),
    ]
    return window


def _densest(times: list[int], window_ms: int) -> int:
    """The most events that any one window of that length holds; ``times`` ascend."""
    most = start = 0
    for end, time in enumerate(times):
        while time - times[start] >= window_ms:
            start += 1
        most = max(most, end - start + 1)
    return most


def _extend(window: Window, finding: Finding, at: int, now: int, effects: list[Effect], by: int = 1) -> Window:
    severity = gravest(finding.severity, window.severity)
    finding = replace(
        finding,
        severity=severity,
        count=finding.count + by,
        last_event_at=max(finding.last_event_at, at),
        evidence=window.evidence,
        updated_at=now,
    )
    before = window
    window = replace(window, finding=finding, severity=severity)
    effects.append(UpdateFinding(finding))
    label = ALERT_SEVERITY[severity]
    if before.alerting and label != before.alerting:
        # Severity is part of the alert's identity: the graver alert goes up before the milder comes down,
        # so that the incident they share does not resolve in between.
        window = replace(window, alerting=label)
        effects.append(RaiseSecurityAlert(alert_of(finding, window.alerting, now), finding.id))
        effects.append(_down(before, finding, now))
    return window


def _judge(windows: dict[str, Window], event: Judge, now: int, effects: list[Effect]) -> None:
    key = key_of(event.finding.type, event.finding.source)
    window = windows.get(key)
    live = window is not None and window.finding is not None and window.finding.id == event.finding.id
    current = window.finding if live and window and window.finding else event.finding
    if current.status is event.status and current.note == event.note:
        return
    finding = replace(current, status=event.status, changed_by=event.actor, note=event.note[:2_000], updated_at=now)
    effects.append(UpdateFinding(finding))
    if not live or window is None:
        return
    if event.status is FindingStatus.RESOLVED:
        if window.alerting:
            effects.append(_down(window, finding, now))
        windows[key] = _emptied(window)
    elif event.status is FindingStatus.FALSE_POSITIVE:
        if window.alerting:
            effects.append(_down(window, finding, now))
        windows[key] = replace(window, finding=finding, alerting="")
    else:
        window = replace(window, finding=finding)
        if not window.alerting:  # it was taken for a false positive, and is no longer
            window = replace(window, alerting=ALERT_SEVERITY[finding.severity])
            effects.append(RaiseSecurityAlert(alert_of(finding, window.alerting, now), finding.id))
        windows[key] = window


def _expire(
    windows: dict[str, Window],
    key: str,
    now: int,
    thresholds: Mapping[SecurityEventType, Threshold],
    effects: list[Effect],
) -> None:
    """End what has been quiet for long enough, and forget what has been quiet for longer."""
    window = windows.get(key)
    if window is None:
        return
    threshold = thresholds.get(window.type)
    quiet = _quiet(window, thresholds)
    if window.finding is not None and now >= window.seen_at + quiet:
        if window.alerting:
            effects.append(_down(window, window.finding, now))
        windows[key] = window = _emptied(window)
    keep = max(quiet, 2 * threshold.window_ms) if threshold else 0
    # Ids outlive the finding for as long again: records that are read a second time are still recognised.
    if window.finding is None and now >= window.seen_at + 2 * keep:
        del windows[key]


def _evict(windows: dict[str, Window], tracked: int, now: int, effects: list[Effect]) -> None:
    while len(windows) > tracked:
        victim = next((key for key, window in windows.items() if window.finding is None), next(iter(windows)))
        window = windows.pop(victim)
        if window.finding is not None and window.alerting:
            effects.append(_down(window, window.finding, now))


def _emptied(window: Window) -> Window:
    return replace(window, times=(), evidence=(), finding=None, alerting="", severity=SecuritySeverity.LOW)


def _down(window: Window, finding: Finding, now: int) -> ResolveAlert:
    return ResolveAlert(alert_of(finding, window.alerting, now, ends_at=now), finding.id)


def _coalesced(effects: list[Effect]) -> tuple[Effect, ...]:
    last = {effect.finding.id: index for index, effect in enumerate(effects) if isinstance(effect, UpdateFinding)}
    return tuple(
        effect
        for index, effect in enumerate(effects)
        if not isinstance(effect, UpdateFinding) or last[effect.finding.id] == index
    )
