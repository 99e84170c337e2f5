"""Raises an alert about each loop of the platform that fails again and again, and ends it when the loop works."""

from dataclasses import replace
from typing import Final

from eldonia_ops.alerting.loop_failing import SOURCE, failing_loop, loop_failing
from eldonia_ops.model.alerts import Alert
from eldonia_ops.ports import Clock, StateStore, StateTransaction
from eldonia_ops.services.alerts.intake import AlertIntake
from eldonia_ops.services.incidents.transactions import AlertChange
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import Wakeup, supervise

_GRACE_MS: Final = 60_000
"""After a start nothing has failed yet. A loop has this long to show that it still fails before an alert about it,
from before the start, is ended."""


class SupervisionService:
    """Raises and resolves the alerts about loops according to their health."""

    def __init__(self, clock: Clock, state: StateStore, intake: AlertIntake, loops: Loops) -> None:
        self._clock = clock
        self._state = state
        self._intake = intake
        self._loops = loops
        self._wakeup = Wakeup()
        self._started_at = clock.now()
        loops.on_change = self._wakeup.wake

    async def run(self) -> None:
        """Follow the loops until cancelled."""
        await supervise("supervision", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        now = self._clock.now()
        graceful = now < self._started_at + _GRACE_MS
        failing = {loop.name: loop.error for loop in self._loops.failing()}
        if await self._state.write(lambda tx: self._align(tx, failing, now, graceful=graceful)):
            self._intake.wake()
        await self._wakeup.wait(self._clock, self._started_at + _GRACE_MS if graceful else None)

    def _align(self, tx: StateTransaction, failing: dict[str, str], now: int, *, graceful: bool) -> bool:
        up: dict[str, Alert] = {
            failing_loop(alert.labels): alert
            for alert in tx.alerts.all()
            if alert.source == SOURCE and not alert.resolved(now)
        }
        changes = [
            AlertChange(loop_failing(name, error, now), True) for name, error in failing.items() if name not in up
        ]
        if not graceful:
            over = [alert for name, alert in up.items() if name not in failing]
            changes += [AlertChange(replace(alert, ends_at=now), False) for alert in over]
        self._intake.accept(tx, changes, now)
        return bool(changes)
