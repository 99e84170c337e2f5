"""Automatic recovery of one service: ``step(state, event, now, policy) -> (state, effects)``.

::

    unknown ──ok──▶ healthy ──failures──▶ restarting ──result──▶ verifying ──successes──▶ healthy
                                              ▲                      │ failed
                                              └── waiting ◀──────────┤ attempts left
                                                                     └▶ exhausted (none left) ──successes or reset──▶

A restart is counted in the state that is committed before it is performed. When the platform dies in between,
it is not known whether it happened: after :class:`Resumed` the service's health is verified first, and a
verdict of 'still down' uses the next attempt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.recovery.policy import RecoveryPolicy

MAX_DETAIL: Final = 500


class RecoveryPhase(StrEnum):
    """The phase of a recovery."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    WAITING = "waiting"
    RESTARTING = "restarting"
    VERIFYING = "verifying"
    EXHAUSTED = "exhausted"
    WATCHING = "watching"
    """Down, and not ours to restart (``max_attempts`` 0)."""


DOWN: Final = (
    RecoveryPhase.WAITING,
    RecoveryPhase.RESTARTING,
    RecoveryPhase.VERIFYING,
    RecoveryPhase.EXHAUSTED,
    RecoveryPhase.WATCHING,
)


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """What is remembered of one service; instants are Unix ms, 0 for 'not'.

    ``failures`` and ``successes`` count probes in a row. ``attempts`` counts restarts since the service was last
    stable. ``deadline_at`` belongs to the phase. ``failing_since`` is the first failed probe of the present
    row, ``down_at`` when the service was found down, ``attempt_at`` and ``attempt_key`` belong to the latest restart.
    """

    service: str
    phase: RecoveryPhase = RecoveryPhase.UNKNOWN
    failures: int = 0
    successes: int = 0
    attempts: int = 0
    failing_since: int = 0
    down_at: int = 0
    attempt_at: int = 0
    attempt_key: str = ""
    deadline_at: int = 0
    changed_at: int = 0
    detail: str = ""
    maintenance: bool = False

    @property
    def healthy(self) -> bool | None:
        """True or False as last established, None while unknown."""
        return None if self.phase is RecoveryPhase.UNKNOWN else self.phase is RecoveryPhase.HEALTHY


@dataclass(frozen=True, slots=True)
class ProbeOk:
    """The health check passed."""


@dataclass(frozen=True, slots=True)
class ProbeFailed:
    """The health check failed."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class RestartSucceeded:
    """The actuator did what the :class:`Restart` of that ``key`` asked for."""

    key: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RestartFailed:
    """The actuator could not; ``key`` as above."""

    key: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RecoveryTick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The platform has started: whatever was under way has an unknown outcome."""


@dataclass(frozen=True, slots=True)
class MaintenanceOn:
    """A person works on the service: no restarts, no alerts."""

    actor: str


@dataclass(frozen=True, slots=True)
class MaintenanceOff:
    """The work is done; detection starts afresh."""

    actor: str


@dataclass(frozen=True, slots=True)
class HumanReset:
    """A person gives the attempts back; recovery that had stopped goes on at once."""

    actor: str


Event = (
    ProbeOk
    | ProbeFailed
    | RestartSucceeded
    | RestartFailed
    | RecoveryTick
    | Resumed
    | MaintenanceOn
    | MaintenanceOff
    | HumanReset
)


@dataclass(frozen=True, slots=True)
class Restart:
    """Restart the service; report back with the same ``key``, which also makes a repetition recognisable."""

    service: str
    attempt: int
    key: str


@dataclass(frozen=True, slots=True)
class RaiseRecoveryAlert:
    """Put up an alert. ``started_at`` is the first failed probe."""

    alert: Alert
    started_at: int


@dataclass(frozen=True, slots=True)
class ResolveAlert:
    """Take the alert with these labels down; its ``ends_at`` is set. Harmless when it is not up."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class Timeline:
    """Something for the incident's timeline; ``kind`` is ``recovery.*``."""

    kind: str
    at: int
    data: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    actor: str = "system"


Effect = Restart | RaiseRecoveryAlert | ResolveAlert | Timeline
Result = tuple[RecoveryState, tuple[Effect, ...]]


def next_deadline(state: RecoveryState) -> int | None:
    """When :class:`RecoveryTick` is next of consequence, Unix ms, or None."""
    return state.deadline_at or None


def step(state: RecoveryState, event: Event, now: int, policy: RecoveryPolicy) -> Result:
    """The state after an event and what has to be done. In the order of the
    effects an alert goes up before anything is said on the timeline (it may open the incident whose timeline that
    is), and comes down after the last entry."""
    state = on_the_clock_of(state, now)
    match event:
        case MaintenanceOn() | MaintenanceOff():
            return _maintenance(state, event, now, policy)
        case HumanReset():
            return _reset(state, event, now, policy)
        case ProbeOk():
            return _ok(state, now, policy)
        case ProbeFailed():
            return _failed(state, event.detail[:MAX_DETAIL], now, policy)
        case RestartSucceeded() | RestartFailed():
            return _reported(state, event, now, policy)
        case Resumed():
            return _resumed(state, now, policy)
        case RecoveryTick():
            return _tick(state, now, policy)


def on_the_clock_of(state: RecoveryState, now: int) -> RecoveryState:
    """The state as it can be at ``now``: if the clock was set back since the last change of the phase, everything
    happened that much earlier, and nothing waits for the clock to catch up."""
    ahead = state.changed_at - now
    if ahead <= 0:
        return state

    def moved(at: int) -> int:
        return max(1, at - ahead) if at else 0

    return replace(
        state,
        changed_at=now,
        deadline_at=moved(state.deadline_at),
        attempt_at=moved(state.attempt_at),
        down_at=moved(state.down_at),
        failing_since=moved(state.failing_since),
    )


# --- probes ----------------------------------------------------------------------------------


def _ok(state: RecoveryState, now: int, policy: RecoveryPolicy) -> Result:
    if state.maintenance or state.phase is RecoveryPhase.RESTARTING:
        # Under maintenance nothing is concluded; during a restart the answer may come from the old process.
        return state, ()
    state = replace(state, failures=0, failing_since=0, successes=min(state.successes + 1, policy.successes))
    if state.phase is RecoveryPhase.UNKNOWN:
        # Attempts used before are not given back by one good probe.
        return _enter(state, RecoveryPhase.HEALTHY, now, _stable_at(state, now, policy)), ()
    if state.phase is RecoveryPhase.HEALTHY:
        state = _give_back(state, now)
        # A single failure in between broke the stable time; it starts again here.
        return (state if state.deadline_at else replace(state, deadline_at=_stable_at(state, now, policy))), ()
    if state.successes < policy.successes:
        return state, ()
    data = _facts(state, policy) | {"successes": policy.successes, "down_for": max(0, now - state.down_at)}
    effects = (_timeline(state, "recovery.verified", now, data), *_all_clear(state, now, policy))
    healthy = replace(state, down_at=0, detail="")
    return _enter(healthy, RecoveryPhase.HEALTHY, now, _stable_at(healthy, now, policy)), effects


def _failed(state: RecoveryState, detail: str, now: int, policy: RecoveryPolicy) -> Result:
    if state.maintenance or state.phase is RecoveryPhase.RESTARTING:
        return state, ()
    state = replace(
        state,
        successes=0,
        failures=min(state.failures + 1, policy.failures),
        failing_since=state.failing_since or now,
        detail=detail,
    )
    if state.phase is RecoveryPhase.VERIFYING and now >= state.deadline_at:
        return _not_recovered(state, detail, now, policy)
    if state.phase in DOWN:
        return state, ()
    if state.phase is RecoveryPhase.HEALTHY:
        # Had it been stable for long enough before this failure, the attempts are back, however late we look.
        state = _give_back(state, state.failing_since)
        state = replace(state, deadline_at=0)
    if state.failures < policy.failures:
        return state, ()
    state = replace(state, down_at=now)
    effects: tuple[Effect, ...] = (
        RaiseRecoveryAlert(_service_down(state, policy, now), state.failing_since),
        _timeline(state, "recovery.detected", now, _facts(state, policy) | {"failures": state.failures}),
    )
    state, more = _attempt_or_stop(state, now, policy)
    return state, (*effects, *more)


# --- attempts --------------------------------------------------------------------------------


def _attempt_or_stop(state: RecoveryState, now: int, policy: RecoveryPolicy) -> Result:
    """The service is down: restart it now, when the pause since the last restart is over, or not at all."""
    if policy.max_attempts == 0:
        return _enter(state, RecoveryPhase.WATCHING, now), ()
    if state.attempts >= policy.max_attempts:
        state = _enter(state, RecoveryPhase.EXHAUSTED, now)
        return state, (
            RaiseRecoveryAlert(_recovery_failed(state, policy, now), state.failing_since or state.down_at),
            _timeline(state, "recovery.failed", now, _facts(state, policy)),
        )
    earliest = state.attempt_at + policy.delay_ms if state.attempt_at else now
    if earliest > now:
        return _enter(state, RecoveryPhase.WAITING, now, earliest), ()
    attempt = state.attempts + 1
    key = f"restart:{state.service}:{state.down_at}:{now}:{attempt}"
    started = replace(state, attempts=attempt, attempt_at=now, attempt_key=key, successes=0)
    state = _enter(started, RecoveryPhase.RESTARTING, now, now + policy.restart_timeout_ms)
    return state, (
        _timeline(state, "recovery.attempt", now, _facts(state, policy)),
        Restart(state.service, attempt, key),
    )


def _reported(
    state: RecoveryState, event: RestartSucceeded | RestartFailed, now: int, policy: RecoveryPolicy
) -> Result:
    # A report that comes too late, after a time-out or a reset, is about something that was given up.
    if state.phase is not RecoveryPhase.RESTARTING or event.key != state.attempt_key:
        return state, ()
    detail = event.detail[:MAX_DETAIL]
    state = replace(state, detail=detail)
    data = _facts(state, policy) | {"detail": detail}
    if isinstance(event, RestartFailed):
        return _not_recovered(state, detail, now, policy)
    verifying = _enter(replace(state, successes=0), RecoveryPhase.VERIFYING, now, now + policy.delay_ms)
    return verifying, (_timeline(state, "recovery.restarted", now, data),)


def _not_recovered(state: RecoveryState, detail: str, now: int, policy: RecoveryPolicy) -> Result:
    failed = _timeline(state, "recovery.unverified", now, _facts(state, policy) | {"detail": detail})
    state, more = _attempt_or_stop(replace(state, successes=0), now, policy)
    return state, (failed, *more)


def _tick(state: RecoveryState, now: int, policy: RecoveryPolicy) -> Result:
    if not state.deadline_at or now < state.deadline_at:
        return state, ()
    match state.phase:
        case RecoveryPhase.HEALTHY:
            return _give_back(state, now), ()
        case RecoveryPhase.WAITING | RecoveryPhase.VERIFYING if state.successes:
            # It has begun to answer: let it finish. Should it fail again, the next deadline finds no success.
            return replace(state, deadline_at=now + policy.delay_ms), ()
        case RecoveryPhase.WAITING:
            return _attempt_or_stop(state, now, policy)
        case RecoveryPhase.RESTARTING:
            return _unknown_outcome(state, now, policy)
        case RecoveryPhase.VERIFYING:
            return _not_recovered(state, state.detail or "no health check passed in time", now, policy)
        case _:
            return replace(state, deadline_at=0), ()


def _unknown_outcome(state: RecoveryState, now: int, policy: RecoveryPolicy) -> Result:
    state = _enter(replace(state, successes=0), RecoveryPhase.VERIFYING, now, now + policy.delay_ms)
    return state, (_timeline(state, "recovery.interrupted", now, _facts(state, policy)),)


def _resumed(state: RecoveryState, now: int, policy: RecoveryPolicy) -> Result:
    match state.phase:
        case RecoveryPhase.RESTARTING:
            return _unknown_outcome(state, now, policy)
        case RecoveryPhase.VERIFYING | RecoveryPhase.WAITING:
            # The time we were away counts neither for nor against the service: look again before acting.
            return replace(state, successes=0, deadline_at=now + policy.delay_ms), ()
        case RecoveryPhase.HEALTHY:
            state = replace(state, failures=0, failing_since=0)
            return replace(state, deadline_at=_stable_at(state, now, policy)), ()
        case _:
            return replace(state, successes=0), ()


def alerts_up(state: RecoveryState, now: int, policy: RecoveryPolicy) -> tuple[RaiseRecoveryAlert, ...]:
    """The alerts that are up in a state. A policy that is new may give them other labels than those stored."""
    since = state.failing_since or state.down_at
    up: list[RaiseRecoveryAlert] = []
    if state.phase in DOWN:
        up.append(RaiseRecoveryAlert(_service_down(state, policy, now), since))
    if state.phase is RecoveryPhase.EXHAUSTED:
        up.append(RaiseRecoveryAlert(_recovery_failed(state, policy, now), since))
    return tuple(up)


# --- people ----------------------------------------------------------------------------------


def _maintenance(
    state: RecoveryState, event: MaintenanceOn | MaintenanceOff, now: int, policy: RecoveryPolicy
) -> Result:
    on = isinstance(event, MaintenanceOn)
    if on == state.maintenance:
        return state, ()
    data = {"service": state.service, "switch": "on" if on else "off"}
    effects: list[Effect] = [_timeline(state, "recovery.maintenance", now, data, actor=event.actor)]
    if on:
        effects += _all_clear(state, now, policy)
    # The person who worked on the service is trusted to have repaired it: the attempts are reset.
    fresh = RecoveryState(state.service, attempt_at=state.attempt_at, maintenance=on)
    return _enter(fresh, RecoveryPhase.UNKNOWN, now), tuple(effects)


def _reset(state: RecoveryState, event: HumanReset, now: int, policy: RecoveryPolicy) -> Result:
    exhausted = state.phase is RecoveryPhase.EXHAUSTED
    if not state.attempts and not exhausted:
        return state, ()
    data = _facts(state, policy)
    effects: list[Effect] = [_timeline(state, "recovery.reset", now, data, actor=event.actor)]
    if state.phase in (RecoveryPhase.RESTARTING, RecoveryPhase.VERIFYING):
        # The attempt under way stays counted: it is happening.
        return replace(state, attempts=1), tuple(effects)
    state = replace(state, attempts=0)
    if state.phase is RecoveryPhase.HEALTHY:
        state = replace(state, deadline_at=0)
    if exhausted:
        effects.append(ResolveAlert(_recovery_failed(state, policy, now, ends_at=now)))
        state, more = _attempt_or_stop(replace(state, attempt_at=0), now, policy)
        effects.extend(more)
    return state, tuple(effects)


# --- parts -----------------------------------------------------------------------------------


def _enter(state: RecoveryState, phase: RecoveryPhase, now: int, deadline_at: int = 0) -> RecoveryState:
    return replace(state, phase=phase, deadline_at=deadline_at, changed_at=now)


def _stable_at(state: RecoveryState, now: int, policy: RecoveryPolicy) -> int:
    return now + policy.stable_ms if state.attempts else 0


def _give_back(state: RecoveryState, at: int) -> RecoveryState:
    """Give the attempts back when the service was stable until ``at``."""
    if state.deadline_at and at >= state.deadline_at:
        return replace(state, attempts=0, deadline_at=0)
    return state


def _facts(state: RecoveryState, policy: RecoveryPolicy) -> dict[str, Any]:
    return {
        "service": state.service,
        "attempt": state.attempts,
        "max_attempts": policy.max_attempts,
        "detail": state.detail,
    }


def _timeline(state: RecoveryState, kind: str, at: int, data: Mapping[str, Any], *, actor: str = "system") -> Timeline:
    return Timeline(kind, at, dict(data), f"{kind}:{state.service}:{at}:{state.attempts}", actor)


def _all_clear(state: RecoveryState, now: int, policy: RecoveryPolicy) -> list[ResolveAlert]:
    """Take down the alerts that the phase says are up."""
    cleared = [ResolveAlert(_service_down(state, policy, now, ends_at=now))] if state.phase in DOWN else []
    if state.phase is RecoveryPhase.EXHAUSTED:
        cleared.append(ResolveAlert(_recovery_failed(state, policy, now, ends_at=now)))
    return cleared


def _alert(state: RecoveryState, policy: RecoveryPolicy, name: str, text: str, *, now: int, ends_at: int) -> Alert:
    return Alert(
        labels=Labels({**policy.labels, "alertname": name, "service": state.service, "severity": "critical"}),
        annotations=Labels({"summary": text, "description": state.detail}),
        starts_at=state.down_at or now,
        ends_at=ends_at,
        updated_at=now,
        source="recovery",
        evidence={
            "failing_since": state.failing_since,
            "attempts": state.attempts,
            "max_attempts": policy.max_attempts,
            "detail": state.detail,
        },
    )


def _service_down(state: RecoveryState, policy: RecoveryPolicy, now: int, ends_at: int = UNTIL_RESOLVED) -> Alert:
    return _alert(
        state, policy, "ServiceDown", f"{state.service} does not answer its health check", now=now, ends_at=ends_at
    )


def _recovery_failed(state: RecoveryState, policy: RecoveryPolicy, now: int, ends_at: int = UNTIL_RESOLVED) -> Alert:
    text = f"Automatic recovery of {state.service} failed after {state.attempts} restarts; people have to act"
    return _alert(state, policy, "RecoveryFailed", text, now=now, ends_at=ends_at)
