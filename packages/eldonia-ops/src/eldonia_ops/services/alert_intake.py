"""The one road of every alert: merge, route, group, open the incident, queue what is to be said.

A rule, a security finding, a failed recovery and a client of the API all come through
:meth:`AlertIntake.accept`, in the transaction that commits their own state: there is no instant at
which an alert is known and its notification is not.
"""

from collections.abc import Sequence

from eldonia_ops.alerting import dispatch
from eldonia_ops.alerting.dispatch import (
    AlertsReceived,
    DeliveryFailed,
    DispatchState,
    DropGroup,
    Effect,
    ForgetAlert,
    Notify,
    PutAlert,
    PutGroup,
    Record,
    Tick,
)
from eldonia_ops.alerting.group import GroupState
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.ports import Clock, StateStore, StateTransaction
from eldonia_ops.services.incident_desk import AlertChange, IncidentDesk
from eldonia_ops.services.pacing import Wakeup, keep_running
from eldonia_ops.services.telling import Telling

_GROUP = "alert_group"


class AlertIntake:
    """Feeds :func:`eldonia_ops.alerting.dispatch.step` and carries out its effects.

    ``desk`` is told of every alert before anything is queued about it, so that the message finds its
    incident. After a transaction that used :meth:`accept`, call :meth:`wake`.
    """

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        routing: Routing,
        desk: IncidentDesk,
        telling: Telling,
        wakeups: Sequence[Wakeup],
    ) -> None:
        self._clock = clock
        self._state = state
        self.routing = routing
        self.desk = desk
        self._telling = telling
        self._wakeups = tuple(wakeups)
        self._wakeup = Wakeup()

    def wake(self) -> None:
        """Let the loops look at what has been committed."""
        self._wakeup.wake()
        for wakeup in self._wakeups:
            wakeup.wake()

    def accept(self, tx: StateTransaction, changes: Sequence[AlertChange], now: int) -> None:
        """Take in alerts that began, go on, or ended."""
        if not changes:
            return
        before = self.load(tx)
        received = AlertsReceived(tuple(change.alert for change in changes))
        after, effects = dispatch.step(before, received, now)
        # The desk sees alerts with the times that merging gave them.
        merged = [
            AlertChange(after.alerts.get(change.alert.fingerprint, change.alert), change.firing, change.started_at)
            for change in changes
        ]
        self.desk.alerts_changed(tx, merged, now)
        self._carry_out(tx, effects, now)

    def give_up(self, tx: StateTransaction, outgoing: Outgoing, now: int) -> None:
        """A notification failed for good: its group tells the integration again at its next flush."""
        _, effects = dispatch.step(self.load(tx), DeliveryFailed(outgoing.order_key), now)
        self._carry_out(tx, effects, now)

    async def resume(self) -> None:
        """After a start: route what is stored by the configuration as it is now."""
        now = self._clock.now()

        def work(tx: StateTransaction) -> None:
            # What ended while we were away may be forgotten by the dispatcher in the next step; its incident
            # must hear of the end first.
            ended = [AlertChange(alert, False) for alert in tx.alerts.all() if alert.resolved(now)]
            self.desk.alerts_changed(tx, ended, now)
            groups = tx.machines.load_all(_GROUP, GroupState).values()
            _, effects = dispatch.restore(self.routing, tx.alerts.all(), groups, tx.silences.all(), now)
            self._carry_out(tx, effects, now)

        await self._state.write(work)

    async def run(self) -> None:
        """Flush groups and end alerts whose source has fallen silent, for ever."""
        await keep_running("notification groups", self._clock, self._turn)

    async def _turn(self) -> None:
        now = self._clock.now()
        state = await self._state.read(self.load)
        flush = dispatch.next_deadline(state)
        if (flush is not None and flush <= now) or any(alert.resolved(now) for alert in state.alerts.values()):
            state = await self._state.write(lambda tx: self._advance(tx, now))
            for wakeup in self._wakeups:
                wakeup.wake()
        await self._wakeup.wait(self._clock, _deadline(state, now))

    def _advance(self, tx: StateTransaction, now: int) -> DispatchState:
        before = self.load(tx)
        ended = [AlertChange(alert, False) for alert in before.alerts.values() if alert.resolved(now)]
        self.desk.alerts_changed(tx, ended, now)
        after, effects = dispatch.step(before, Tick(), now)
        self._carry_out(tx, effects, now)
        return after

    def load(self, tx: StateTransaction) -> DispatchState:
        """The dispatcher's state as stored."""
        return DispatchState(
            self.routing,
            {alert.fingerprint: alert for alert in tx.alerts.all()},
            tx.machines.load_all(_GROUP, GroupState),
            tuple(tx.silences.all()),
        )

    def _carry_out(self, tx: StateTransaction, effects: Sequence[Effect], now: int) -> None:
        holders: dict[str, str] | None = None
        for effect in effects:
            match effect:
                case PutAlert(alert):
                    tx.alerts.put(alert)
                case ForgetAlert(fingerprint):
                    tx.alerts.delete([fingerprint])
                case PutGroup(group):
                    tx.machines.save(_GROUP, group.key, group, deadline=group.flush_at or None)
                case DropGroup(key):
                    tx.machines.delete(_GROUP, key)
                case Record(decision):
                    tx.ledger.append(decision)
                case Notify(notification):
                    if holders is None:
                        # Once for all: in a storm of alerts there are as many incidents as notifications, and
                        # a notification moves no alert from one to another.
                        holders = self._holders(tx, now)
                    found = (holders.get(fingerprint) for fingerprint in notification.fingerprints)
                    concerned = list(dict.fromkeys(id for id in found if id is not None))
                    queued = self._telling.alerts(tx, notification, concerned)
                    if queued is not None:
                        self.desk.notification(tx, queued, "queued", notification.reason, now)

    def _holders(self, tx: StateTransaction, now: int) -> dict[str, str]:
        """The newest unclosed incident of each alert, by fingerprint."""
        held: dict[str, str] = {}
        for incident in self.desk.unclosed(tx, now):
            for fingerprint in incident.fingerprints:
                held.setdefault(fingerprint, incident.id)
        return held


def _deadline(state: DispatchState, now: int) -> int | None:
    """The next flush, or the next instant at which an alert's source will have been silent for too long."""
    ends = [alert.ends_at for alert in state.alerts.values() if alert.ends_at > now]
    flush = dispatch.next_deadline(state)
    return min([*ends, *([] if flush is None else [flush])], default=None)
