"""The one road of every alert: merge, route, group, open the incident, queue what is to be said.

A rule, a security finding, a failed recovery and a client of the API all come through
:meth:`AlertIntake.accept`, in the transaction that commits their own state: there is no instant at
which an alert is known and its notification is not.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from eldonia_ops.alerting import dispatch
from eldonia_ops.alerting.alerts import ran_out
from eldonia_ops.alerting.dispatch import (
    AlertsReceived,
    ClockSetBack,
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
from eldonia_ops.alerting.inhibition import wanted_sources
from eldonia_ops.alerting.pipeline import Notification
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.model.alerts import Alert, Decision, Outgoing
from eldonia_ops.model.labels import Labels
from eldonia_ops.ports import Clock, StateStore, StateTransaction
from eldonia_ops.services.clock import SetBack
from eldonia_ops.services.incident_desk import AlertChange, IncidentDesk
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.pacing import Wakeup, keep_running
from eldonia_ops.services.telling import Telling

log = logging.getLogger("eldonia_ops.services.alert_intake")

_GROUP = "alert_group"
_STALLED = 0.2  # of the time after which silence is taken for the end: being so late means that we did not run
_AT_ONCE = 200  # groups flushed in one transaction: the first pages of a storm do not wait for the last


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
        loops: Loops | None = None,
    ) -> None:
        self._clock = clock
        self._state = state
        self.routing = routing
        self.desk = desk
        self._telling = telling
        self._wakeups = tuple(wakeups)
        self._wakeup = Wakeup()
        self._loops = loops
        self._ended_until = 0
        self._set_back = SetBack()

    def wake(self) -> None:
        """Let the loops look at what has been committed."""
        self._wakeup.wake()
        for wakeup in self._wakeups:
            wakeup.wake()

    def accept(self, tx: StateTransaction, changes: Sequence[AlertChange], now: int) -> None:
        """Take in alerts that began, go on, or ended."""
        if not changes:
            return
        received = AlertsReceived(tuple(change.alert for change in changes))
        after, effects = dispatch.step(self._touched(tx, received.alerts), received, now)
        # The desk sees alerts with the times that merging gave them.
        merged = [
            AlertChange(after.alerts.get(change.alert.fingerprint, change.alert), change.firing, change.started_at)
            for change in changes
        ]
        self.desk.alerts_changed(tx, merged, now)
        self._carry_out(tx, effects, now)

    def give_up(self, tx: StateTransaction, outgoing: Outgoing, now: int) -> None:
        """A notification failed for good: its group tells the integration again at its next flush."""
        integration = self.routing.integration(outgoing.receiver, outgoing.integration, outgoing.index)
        if integration is not None:
            keys = dispatch.groups_told(self.routing, integration, outgoing.order_key)
            state = DispatchState(self.routing, {}, tx.machines.load_some(_GROUP, keys, GroupState))
            _, effects = dispatch.step(state, DeliveryFailed(outgoing.order_key), now)
            self._carry_out(tx, effects, now)

    async def resume(self) -> None:
        """After a start: route what is stored by the configuration as it is now."""
        now = self._clock.now()

        def work(tx: StateTransaction) -> None:
            self._spare(tx, 0, now)
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
        await keep_running("notification groups", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        now = self._clock.now()
        if self._set_back.noticed(now):
            self._ended_until = min(self._ended_until, now)
            await self._state.write(lambda tx: self._look_over(tx, now))
        deadline = await self._state.read(self._next_deadline)
        if deadline is not None and now - deadline > self.routing.resolve_timeout * _STALLED:
            log.warning("nothing was done for %.0f s: alerts get time to be heard of again", (now - deadline) / 1000)
            await self._state.write(lambda tx: self._spare(tx, self._ended_until, now))
            deadline = await self._state.read(self._next_deadline)
        if deadline is not None and deadline <= now:
            await self._state.write(lambda tx: self._advance(tx, now))
            self._ended_until = now
            for wakeup in self._wakeups:
                wakeup.wake()
            deadline = await self._state.read(self._next_deadline)
        await self._wakeup.wait(self._clock, deadline)

    def _spare(self, tx: StateTransaction, since: int, now: int) -> None:
        """While we were away, stopped or asleep, nobody could tell us that an alert still fires: that we have not
        heard of it is no reason to tell people that it is over, and a minute later that it is not."""
        lost = [alert for alert in tx.alerts.ended(since, now) if ran_out(alert, now)]
        tx.alerts.put(*(replace(alert, ends_at=now + self.routing.resolve_timeout) for alert in lost))

    def _next_deadline(self, tx: StateTransaction) -> int | None:
        """When the next group is due, or the next alert's source will have been silent for too long."""
        deadlines = (tx.machines.next_deadline(_GROUP), tx.alerts.next_end(self._ended_until))
        return min((at for at in deadlines if at is not None), default=None)

    def _look_over(self, tx: StateTransaction, now: int) -> None:
        _, effects = dispatch.step(self.load(tx), ClockSetBack(), now)
        self._carry_out(tx, effects, now)

    def _advance(self, tx: StateTransaction, now: int) -> None:
        state = self._due(tx, now)
        # Those of the groups too: an alert may have been committed after its end had passed.
        over = {alert.fingerprint: alert for alert in state.alerts.values() if alert.resolved(now)}
        over |= {alert.fingerprint: alert for alert in tx.alerts.ended(self._ended_until, now)}
        self.desk.alerts_changed(tx, [AlertChange(alert, False) for alert in over.values()], now)
        _, effects = dispatch.step(state, Tick(), now)
        self._carry_out(tx, effects, now)

    def _touched(self, tx: StateTransaction, received: Iterable[Alert]) -> DispatchState:
        """What the arrival of some alerts concerns."""
        labels = {alert.fingerprint: alert.labels for alert in received}
        known = {alert.fingerprint: alert for alert in tx.alerts.some(list(labels))}
        return DispatchState(self.routing, known, self._groups_of(tx, labels.values()))

    def _due(self, tx: StateTransaction, now: int) -> DispatchState:
        """What the groups that are due at an instant concern."""
        groups = tx.machines.load_due(_GROUP, now, GroupState, _AT_ONCE)
        held = list(dict.fromkeys(item for group in groups.values() for item in group.fingerprints))
        alerts = {alert.fingerprint: alert for alert in tx.alerts.some(held)}
        firing = [alert.labels for alert in alerts.values() if not alert.resolved(now)]
        sources = tx.alerts.firing(now, wanted_sources(self.routing.inhibit_rules, firing))
        # An alert that is over is kept as long as another group has still to tell somebody.
        over = [alert.labels for alert in alerts.values() if alert.resolved(now)]
        alerts |= {alert.fingerprint: alert for alert in sources}
        return DispatchState(self.routing, alerts, self._groups_of(tx, over) | groups, tuple(tx.silences.all()))

    def _groups_of(self, tx: StateTransaction, alerts: Iterable[Labels]) -> dict[str, GroupState]:
        keys = dict.fromkeys(key for labels in alerts for key in dispatch.group_keys(self.routing, labels))
        return tx.machines.load_some(_GROUP, list(keys), GroupState)

    def load(self, tx: StateTransaction, *, groups: bool = True) -> DispatchState:
        """Everything that is stored, for whoever wants to see it; the groups if they are asked for."""
        return DispatchState(
            self.routing,
            {alert.fingerprint: alert for alert in tx.alerts.all()},
            tx.machines.load_all(_GROUP, GroupState) if groups else {},
            tuple(tx.silences.all()),
        )

    def _carry_out(self, tx: StateTransaction, effects: Sequence[Effect], now: int) -> None:
        """Write what the effects say, each kind at once: a storm has thousands of them."""
        alerts: list[Alert] = []
        forgotten: list[str] = []
        groups: dict[str, tuple[GroupState, int | None]] = {}
        lines: list[Decision] = []
        notifications: list[Notification] = []
        for effect in effects:
            match effect:
                case PutAlert(alert):
                    alerts.append(alert)
                case ForgetAlert(fingerprint):
                    forgotten.append(fingerprint)
                case PutGroup(group):
                    groups[group.key] = group, group.flush_at or None
                case DropGroup(key):
                    tx.machines.delete(_GROUP, key)
                case Record(decision):
                    lines.append(decision)
                case Notify(notification):
                    notifications.append(notification)
        tx.alerts.put(*alerts)
        tx.alerts.delete(forgotten)
        tx.machines.save_all(_GROUP, groups)
        tx.ledger.append(*lines)
        self._tell(tx, notifications, now)

    def _tell(self, tx: StateTransaction, notifications: Sequence[Notification], now: int) -> None:
        unclosed = self.desk.unclosed(tx, now, (alert for item in notifications for alert in item.alerts))
        with_incidents: list[tuple[Notification, list[str]]] = []
        for item in notifications:
            newest = (unclosed.with_alert(fingerprint)[:1] for fingerprint in item.fingerprints)
            with_incidents.append((item, list(dict.fromkeys(incident.id for found in newest for incident in found))))
        self.desk.queued(tx, self._telling.alerts(tx, with_incidents), unclosed, now)
