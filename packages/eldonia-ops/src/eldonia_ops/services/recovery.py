"""Automatic recovery at work: probes come in, restarts go out, every step is committed before it is taken."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace

from eldonia_ops.incidents.events import RecoveryEvent
from eldonia_ops.ports import Actuator, ActuatorError, Clock, ProbeResult, StateStore, StateTransaction
from eldonia_ops.recovery import machine
from eldonia_ops.recovery.machine import (
    Effect,
    Event,
    HumanReset,
    MaintenanceOff,
    MaintenanceOn,
    ProbeFailed,
    ProbeOk,
    RaiseRecoveryAlert,
    RecoveryState,
    RecoveryTick,
    ResolveAlert,
    Restart,
    RestartFailed,
    RestartSucceeded,
    Resumed,
    Timeline,
)
from eldonia_ops.recovery.policy import RecoveryPolicy
from eldonia_ops.services.alerts.intake import AlertIntake
from eldonia_ops.services.api import NotFoundError, RecoveryView
from eldonia_ops.services.incidents.transactions import AlertChange
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import Wakeup, supervise

log = logging.getLogger("eldonia_ops.services.recovery")

_KIND = "recovery"
_PAUSED_RECHECK_MS = 10_000
_UNSTORED_MS = 5_000


@dataclass(frozen=True, slots=True)
class Recoverable:
    """One service that may be restarted. ``probe`` names the probe that judges its health.

    ``paused`` says whether an instant (Unix ms) lies in a scheduled time at which nothing is done.
    """

    service: str
    probe: str
    policy: RecoveryPolicy
    actuator: Actuator
    paused: Callable[[int], bool] = lambda _: False


class RecoveryService:
    """Implements :class:`~eldonia_ops.services.api.Recovery` and feeds the recovery machines."""

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        intake: AlertIntake,
        services: Mapping[str, Recoverable],
        loops: Loops | None = None,
    ) -> None:
        self._clock = clock
        self._state = state
        self._intake = intake
        self._loops = loops or Loops()
        self._services = dict(services)
        self._by_probe = {item.probe: item for item in services.values()}
        self._states: dict[str, RecoveryState] = {}
        self._locks = {service: asyncio.Lock() for service in services}
        self._starting: dict[str, int] = {}
        self._wakeup = Wakeup()
        self._restarts: set[asyncio.Task[None]] = set()

    async def resume(self) -> None:
        """Load what is known and say that the platform has started: outcomes under way are unknown."""
        stored = await self._state.read(lambda tx: tx.machines.load_all(_KIND, RecoveryState))
        for service in self._services:
            self._states[service] = stored.get(service) or RecoveryState(service)
            await self._apply(service, Resumed())
        now = self._clock.now()
        await self._state.write(lambda tx: self._tidy_up(tx, set(stored) - set(self._services), now, self._services))

    async def reconfigure(self, services: Mapping[str, Recoverable]) -> None:
        """Look after other services. One that stays keeps its attempts; of one that is gone the alerts end.

        A restart that is under way is brought to its end; its outcome counts if the service is still there.

        Raises:
            StateError: nothing has changed.
        """
        before, now = self._services, self._clock.now()
        gone = set(before) - set(services)
        touched = gone | {name for name in services if before.get(name) is not services[name]}
        async with contextlib.AsyncExitStack() as stack:
            for service in sorted(touched):  # a step under way is committed first
                await stack.enter_async_context(self._locks.setdefault(service, asyncio.Lock()))
            await self._state.write(lambda tx: self._tidy_up(tx, gone, now, services, touched))
            self._services = dict(services)
            self._by_probe = {item.probe: item for item in services.values()}
            for service in gone:
                self._states.pop(service, None)
                self._starting.pop(service, None)
                self._loops.forget(self._loops.item(f"recovery of {service}").name)
        for service in services:
            if service not in self._states:
                self._states[service] = RecoveryState(service)
                await self._apply(service, Resumed())
        self._wakeup.wake()
        self._intake.wake()

    def _tidy_up(
        self,
        tx: StateTransaction,
        gone: Set[str],
        now: int,
        services: Mapping[str, Recoverable],
        touched: Set[str] | None = None,
    ) -> None:
        """After a change of settings: end the alerts of services that are gone, since no other part will, and raise
        those whose labels have changed; only those of the services in ``touched``, if they are given."""
        for service in gone:
            tx.machines.delete(_KIND, service)
        up = {
            one.alert.fingerprint: one
            for service, state in self._states.items()
            if service in services and (touched is None or service in touched)
            for one in machine.alerts_up(state, now, services[service].policy)
        }
        known = [
            alert
            for alert in tx.alerts.all()
            if alert.source == "recovery"
            and not alert.resolved(now)
            and (touched is None or alert.labels.get("service", "") in touched)
        ]
        missing = [one for key, one in up.items() if key not in {alert.fingerprint for alert in known}]
        orphans = [replace(alert, ends_at=now) for alert in known if alert.fingerprint not in up]
        self._intake.accept(tx, [AlertChange(one.alert, True, one.started_at) for one in missing], now)
        self._intake.accept(tx, [AlertChange(alert, False) for alert in orphans], now)

    def started(self, service: str) -> None:
        """A service was started just now, not because it failed: like after a restart it has its policy's
        ``delay_ms`` to answer before a failed probe counts."""
        self._starting[service] = self._clock.now() + self._services[service].policy.delay_ms

    async def run(self) -> None:
        """Take the steps that are due, until cancelled."""
        await supervise("recovery", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        now = self._clock.now()
        for service, state in list(self._states.items()):
            deadline = machine.next_deadline(machine.on_the_clock_of(state, now))
            item = self._services.get(service)
            if item is not None and deadline is not None and deadline <= now and not item.paused(now):
                watch = self._loops.item(f"recovery of {service}")
                try:
                    await self._apply(service, RecoveryTick())
                    watch.succeeded()
                except Exception as error:
                    watch.failed(error)
                    log.exception("recovery of %s: will try again", service)
        deadlines = [machine.next_deadline(machine.on_the_clock_of(state, now)) for state in self._states.values()]
        # A deadline that is past and was left alone (hands off) is looked at again after a while.
        upcoming = [at if at > now else now + _PAUSED_RECHECK_MS for at in deadlines if at is not None]
        await self._wakeup.wait(self._clock, min(upcoming, default=None))

    async def on_probe(self, name: str, result: ProbeResult, now: int) -> None:
        """Take in the result of a probe; probes that no service depends on are ignored."""
        item = self._by_probe.get(name)
        if item is None or item.service not in self._states:
            return
        if result.success:
            self._starting.pop(item.service, None)
        elif now < self._starting.get(item.service, 0):
            return
        if not item.paused(now):
            await self._apply(item.service, ProbeOk() if result.success else ProbeFailed(result.detail))

    async def status(self) -> list[RecoveryView]:
        """The recovery state of each service."""
        return [self._view(service) for service in self._services]

    async def set_maintenance(self, service: str, on: bool, actor: str) -> RecoveryView:
        """Keep hands off a service while people work on it, or take it back."""
        self._known(service)
        await self._apply(service, MaintenanceOn(actor) if on else MaintenanceOff(actor))
        self._known(service)
        return self._view(service)

    async def reset(self, service: str, actor: str) -> RecoveryView:
        """Give the attempts back."""
        self._known(service)
        await self._apply(service, HumanReset(actor))
        self._known(service)
        return self._view(service)

    async def close(self) -> None:
        """Wait for restarts under way."""
        for task in list(self._restarts):
            task.cancel()
        await asyncio.gather(*self._restarts, return_exceptions=True)

    def _known(self, service: str) -> None:
        if service not in self._services:
            raise NotFoundError(f"no recovery is configured for {service[:80]!r}")

    async def _apply(self, service: str, event: Event) -> None:
        async with self._locks[service]:
            item, before = self._services.get(service), self._states.get(service)
            if item is None or before is None:
                return  # it was taken out of the settings meanwhile
            now = self._clock.now()
            after, effects = machine.step(before, event, now, item.policy)
            if after == before and not effects:
                return
            # A healthy probe only counts up to the needed successes; such steps need no transaction
            # unless they could be missing after a restart.
            if effects or after.phase is not before.phase or after.attempts != before.attempts:
                await self._state.write(lambda tx: self._commit(tx, after, effects, now))
            self._states[service] = after
        self._wakeup.wake()
        if effects:
            self._intake.wake()
        for effect in effects:
            if isinstance(effect, Restart):
                task = asyncio.create_task(self._restart(item, effect))
                self._restarts.add(task)
                task.add_done_callback(self._restarts.discard)

    def _commit(self, tx: StateTransaction, state: RecoveryState, effects: tuple[Effect, ...], now: int) -> None:
        tx.machines.save(_KIND, state.service, state, deadline=machine.next_deadline(state))
        # An alert opens the incident on whose timeline the steps are put down, and ends it after them.
        for effect in effects:
            if isinstance(effect, RaiseRecoveryAlert):
                self._intake.accept(tx, [AlertChange(effect.alert, True, effect.started_at)], now)
        for effect in effects:
            if isinstance(effect, Timeline):
                event = RecoveryEvent(effect.kind, effect.at, effect.data, effect.key, effect.actor)
                self._intake.incident_transactions.service_evidence(tx, state.service, event, now)
        for effect in effects:
            if isinstance(effect, ResolveAlert):
                self._intake.accept(tx, [AlertChange(effect.alert, False)], now)

    async def _restart(self, item: Recoverable, effect: Restart) -> None:
        try:
            async with asyncio.timeout(item.policy.restart_timeout_ms / 1000):
                detail = await item.actuator.restart()
            event: Event = RestartSucceeded(effect.key, detail)
        except ActuatorError as error:
            event = RestartFailed(effect.key, str(error))
        except TimeoutError:
            event = RestartFailed(effect.key, f"no end after {item.policy.restart_timeout_ms / 1000:g} s")
        except Exception as error:
            log.exception("restarting %s", item.service)
            event = RestartFailed(effect.key, f"{type(error).__name__}: {error}")
        watch = self._loops.item(f"recovery of {item.service}")
        while True:
            try:
                await self._apply(item.service, event)
                watch.succeeded()
                return
            except Exception as error:
                # Only this call knows how the restart went: without its outcome the service is never verified.
                watch.failed(error)
                log.exception("the outcome of restarting %s could not be stored; will try again", item.service)
                await self._clock.sleep_until(self._clock.now() + _UNSTORED_MS)

    def _view(self, service: str) -> RecoveryView:
        state = self._states.get(service) or RecoveryState(service)
        return RecoveryView(
            service=service,
            state=state.phase.value,
            attempts=state.attempts,
            max_attempts=self._services[service].policy.max_attempts,
            next_attempt_at=state.deadline_at if state.phase is machine.RecoveryPhase.WAITING else 0,
            last_change_at=state.changed_at,
            last_detail=state.detail,
            maintenance=state.maintenance or self._services[service].paused(self._clock.now()),
            healthy=state.healthy,
        )
