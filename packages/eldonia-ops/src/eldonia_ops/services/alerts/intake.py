"""The path of every alert: merge, route, group, open the incident, queue the notifications.

A rule, a security finding, a failed recovery and a client of the API all come through
:meth:`AlertIntake.accept`, in the transaction that commits their own state: there is no instant at
which an alert is known and its notification is not.
"""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from eldonia_ops.alerting import dispatch
from eldonia_ops.alerting.alerts import ran_out
from eldonia_ops.alerting.dispatch import (
    AlertsReceived,
    ClockSetBack,
    DeliveryFailed,
    DispatchState,
    DispatchTick,
    DropGroup,
    Effect,
    ForgetAlert,
    Notify,
    PutAlert,
    PutGroup,
    Record,
    RoutingChanged,
)
from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.alerting.inhibition import wanted_inhibiting
from eldonia_ops.alerting.pipeline import Notification
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.alerting.turns import Turns
from eldonia_ops.model.alerts import Alert, LedgerEntry, Outgoing
from eldonia_ops.model.errors import StoreError, UnreadableError
from eldonia_ops.model.incidents import Incident
from eldonia_ops.ports import Clock, DueGroup, StateStore, StateTransaction
from eldonia_ops.services.alerts.inbox import AlertInbox
from eldonia_ops.services.clock import SetBack
from eldonia_ops.services.incidents.no_incidents import NoIncidents
from eldonia_ops.services.incidents.transactions import AlertChange, IncidentTransactions
from eldonia_ops.services.loops import Loops, LoopWatch
from eldonia_ops.services.messages.notification_queue import NotificationQueue
from eldonia_ops.services.metric_declarations import GROUP_FLUSH
from eldonia_ops.services.service_loop import Wakeup, supervise

log = logging.getLogger("eldonia_ops.services.alerts.intake")

_STALLED = 0.2  # of the time after which silence is taken for the end: being so late means that we did not run
_AT_ONCE = 400  # groups flushed in one transaction: the first pages of a storm do not wait for the last
_AT_ONCE_BESIDE = 25  # while alerts are coming in
_BESIDE_MS = 100  # for so long after some were taken in, more are expected
_STORM = 300  # alerts that join groups within a second: then a group that they still join is flushed a little later
_STILL_JOINING_MS, _MORE_WAIT_MS, _LATEST_MS = 250, 1_000, 10_000
_FIRST_PAUSE, _LONGEST_PAUSE = 1_000, 300_000  # ms until a group that failed is tried again


@dataclass(frozen=True, slots=True)
class FailingGroup:
    """A group that cannot be flushed. ``failures`` counts those in a row; ``retry_at`` is Unix ms."""

    failures: int
    retry_at: int
    error: str


class AlertIntake:
    """Feeds :func:`eldonia_ops.alerting.dispatch.step` and carries out its effects.

    ``incident_transactions`` see every alert before anything is queued about it, so that the notification finds its
    incident. After a transaction that used :meth:`accept`, call :meth:`wake`.

    ``failing`` holds the groups that cannot be flushed at present, by key, and ``failures`` counts all failures since
    the start. Such a group is tried again by itself, with growing pauses, and stops no other.
    """

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        routing: Routing,
        incident_transactions: IncidentTransactions | NoIncidents,
        notification_queue: NotificationQueue,
        wakeups: Sequence[Wakeup],
        loops: Loops | None = None,
    ) -> None:
        self._clock = clock
        self._state = state
        self.routing = routing
        self.incident_transactions = incident_transactions
        self._notification_queue = notification_queue
        self._wakeups = tuple(wakeups)
        self._wakeup = Wakeup()
        self._loops = loops or Loops()
        self._ended_until = 0
        self._set_back = SetBack()
        self._due: Turns[str] = Turns()
        self._queued: set[str] = set()
        self._due_until = 0  # changed on the thread that writes alone, so that no group is passed over
        self._held: dict[str, DueGroup] = {}  # due, and waiting for what still joins them
        self._joined_at: dict[str, int] = {}
        self._joins: Counter[int] = Counter()
        self._inbox = AlertInbox(clock, state, self.accept, self.wake, self._loops)
        self._retried: list[int] = []
        self.failing: dict[str, FailingGroup] = {}
        self.failures = 0

    def wake(self) -> None:
        """Let the loops look at what has been committed."""
        self._wakeup.wake()
        for wakeup in self._wakeups:
            wakeup.wake()

    async def receive(self, alerts: Sequence[Alert]) -> None:
        """Take in alerts from outside; returns when they are safe. In a storm they are taken in after that:
        :meth:`caught_up` waits for it.

        Raises:
            OverloadedError: too many wait to be taken in already; nothing was taken.
        """
        await self._inbox.receive(alerts)

    async def caught_up(self) -> None:
        """Return when all that clients have posted before is taken in."""
        await self._inbox.caught_up()

    async def close(self) -> None:
        """Stop taking in; what has been acknowledged is taken in after the next start."""
        await self._inbox.close()

    @property
    def waiting(self) -> int:
        """How many posted alerts wait to be taken in."""
        return self._inbox.waiting

    @property
    def taking_in(self) -> bool:
        """Whether alerts are coming in at this moment: what can wait should leave them room."""
        return self._inbox.busy(_BESIDE_MS)

    def retried(self, id: int) -> None:
        """A person has asked for another attempt at a notification."""
        self._retried.append(id)
        self.wake()

    def take_retried(self) -> list[int]:
        """The notifications that a person has asked for since the last call."""
        ids, self._retried = self._retried, []
        return ids

    def accept(self, tx: StateTransaction, changes: Sequence[AlertChange], now: int) -> None:
        """Take in alerts that began, go on, or ended."""
        if not changes:
            return
        received = AlertsReceived(tuple(change.alert for change in changes))
        after, effects = dispatch.step(self._touched(tx, received.alerts), received, now)
        # Incidents see alerts with the times that merging gave them.
        merged = [
            AlertChange(after.alerts.get(change.alert.fingerprint, change.alert), change.firing, change.started_at)
            for change in changes
        ]
        self.incident_transactions.alerts_changed(tx, merged, now)
        self._carry_out(tx, effects, now)

    def give_up(self, tx: StateTransaction, outgoing: Outgoing, now: int) -> None:
        """A notification failed for good: its group notifies the integration again at its next flush."""
        integration = self.routing.integration(outgoing.receiver, outgoing.integration, outgoing.index)
        if integration is not None:
            keys = dispatch.groups_notified(self.routing, integration, outgoing.order_key)
            state = DispatchState(self.routing, {}, tx.groups.some(keys, ()))
            _, effects = dispatch.step(state, DeliveryFailed(outgoing.order_key), now)
            self._carry_out(tx, effects, now)

    async def resume(self) -> None:
        """After a start: route what is stored by the configuration as it is now."""
        now = self._clock.now()

        def work(tx: StateTransaction) -> None:
            self._extend_silent_alerts(tx, 0, now)
            # What ended while we were away may be forgotten by the dispatcher in the next step; its incident
            # must hear of the end first.
            ended = [AlertChange(alert, False) for alert in tx.alerts.all() if alert.resolved(now)]
            self.incident_transactions.alerts_changed(tx, ended, now)
            for key in tx.groups.drop_unreadable():
                log.error("the stored group %s cannot be read: its alerts are grouped anew", key)
            groups = tx.groups.all().values()
            _, effects = dispatch.restore(self.routing, tx.alerts.all(), groups, tx.silences.all(), now)
            self._carry_out(tx, effects, now)

        await self._state.write(work)
        await self._inbox.resume()

    async def reroute(self, routing: Routing, follow: Callable[[StateTransaction], None]) -> None:
        """Take another routing, in the transaction that moves the stored groups to it: no group is ever flushed by
        routes that are not its own. ``follow`` gives the routing to those who share it, at the same instant.

        Raises:
            StateError: the stored groups are as they were; call it again with the routing that they belong to.
        """
        now = self._clock.now()

        def work(tx: StateTransaction) -> None:
            _, effects = dispatch.step(self.load(tx), RoutingChanged(routing), now)
            self.routing = routing
            follow(tx)
            self._carry_out(tx, effects, now)

        await self._state.write(work)
        self._look_again()
        self.wake()

    async def run(self) -> None:
        """Flush groups and end alerts whose source sends no more, until cancelled."""
        await supervise("notification groups", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        now = self._clock.now()
        if self._set_back.noticed(now):
            self._ended_until = min(self._ended_until, now)
            self._look_again()
            await self._state.write(lambda tx: self._after_clock_set_back(tx, now))
        deadline = await self._state.read(self._next_deadline)
        if deadline is not None and now - deadline > self.routing.resolve_timeout * _STALLED and not self._due:
            log.warning("nothing was done for %.0f s: alerts get time to be heard of again", (now - deadline) / 1000)
            await self._state.write(lambda tx: self._extend_silent_alerts(tx, self._ended_until, now))
            deadline = await self._state.read(self._next_deadline)
        if self._held or (deadline is not None and deadline <= now):
            await self._end_alerts(now)
            try:
                deadline = await self._state.write(lambda tx: self._collect_due(tx, now))
            except BaseException:
                self._look_again()
                raise
        for key, failing in self.failing.items():
            if failing.retry_at <= now and key not in self._queued:
                self._due.put(key, urgent=False, cause=key)
                self._queued.add(key)
                self.failing[key] = replace(failing, retry_at=now + _LONGEST_PAUSE)
        if self._due:
            try:
                await self._flush_some(now)
            except BaseException:
                self._look_again()
                raise
            for wakeup in self._wakeups:
                wakeup.wake()
            return
        retries = [failing.retry_at for failing in self.failing.values()]
        await self._wakeup.wait(self._clock, min([*retries, *([] if deadline is None else [deadline])], default=None))

    def _look_again(self) -> None:
        """Ask the store again for everything that is due."""
        self._due.clear()
        self._queued.clear()
        self._held.clear()
        self._due_until = 0

    async def _end_alerts(self, now: int) -> None:
        """Pass the alerts that have ended to their incidents."""

        def work(tx: StateTransaction) -> None:
            over = tx.alerts.ended(self._ended_until, now)
            if over:
                self.incident_transactions.alerts_changed(tx, [AlertChange(alert, False) for alert in over], now)

        if (at := await self._state.read(lambda tx: tx.alerts.next_end(self._ended_until))) is not None and at <= now:
            await self._state.write(work)
        self._ended_until = now

    def _collect_due(self, tx: StateTransaction, now: int) -> int | None:
        """Queue the groups that are due; returns the next deadline."""
        still_joining = self._still_joined(now)
        due = self._held | {group.key: group for group in tx.groups.due(self._due_until, now)}
        self._held = {}
        for key, group in due.items():
            if key not in self.failing and key not in self._queued:
                if key in still_joining and now - group.flush_at < _LATEST_MS:
                    self._held[key] = group
                    continue
                self._queued.add(key)
                self._due.put(key, urgent=group.urgent, cause=group.cause)
        self._due_until = now
        if self._held:
            return now + _STILL_JOINING_MS // 4
        return self._next_deadline(tx)

    def _still_joined(self, now: int) -> set[str]:
        """In a storm the groups that alerts have joined a moment ago. What is under way is to be in their first
        message: the next one would follow only after the group interval."""
        for second in [second for second in self._joins if abs(second - now // 1_000) > 1]:
            del self._joins[second]
        if not self._joins:
            self._joined_at.clear()
        if self._joins.total() < _STORM:
            return set()
        lately = _STILL_JOINING_MS
        if self._inbox.busy(_STILL_JOINING_MS):  # what waits may be for any of them
            lately = max(_MORE_WAIT_MS, 3 * self._inbox.took_ms)
        return {key for key, at in list(self._joined_at.items()) if abs(now - at) < lately}

    async def _flush_some(self, now: int) -> None:
        """Flush groups whose turn it is. When that fails each is tried alone; those that fail alone are put off."""
        most = _AT_ONCE_BESIDE if self.taking_in else _AT_ONCE
        keys = [self._due.take() for _ in range(min(len(self._due), most))]
        self._queued.difference_update(keys)
        started = time.perf_counter()
        try:
            await self._state.write(lambda tx: self._flush(tx, keys, now))
            self._loops.metrics.observe(GROUP_FLUSH, time.perf_counter() - started)
        except Exception as error:
            failed: dict[str, Exception] = {keys[0]: error}
            if len(keys) > 1:
                failed = {}
                for key in keys:
                    try:
                        await self._state.write(lambda tx, key=key: self._flush(tx, [key], now))
                    except Exception as own:  # noqa: BLE001 - logged, and the group put off
                        failed[key] = own
            if len(failed) == len(keys) and all(map(_of_the_store, failed.values())):
                raise  # the store, and no group, is at fault
            for key, own in failed.items():
                self._put_off(key, own, now)
            keys = [key for key in keys if key not in failed]
        for key in keys:
            if self.failing.pop(key, None) is not None:
                self._watch(key).succeeded()

    def _watch(self, key: str) -> LoopWatch:
        # Every viewer may see the names of what fails, and the key of a group holds labels.
        return self._loops.item(f"alert group {hashlib.sha256(key.encode()).hexdigest()[:8]}")

    def _put_off(self, key: str, error: Exception, now: int) -> None:
        before = self.failing.get(key)
        count = before.failures + 1 if before else 1
        pause = min(_FIRST_PAUSE * 2 ** min(count - 1, 20), _LONGEST_PAUSE)
        self.failing[key] = FailingGroup(count, now + pause, f"{type(error).__name__}: {error}"[:500])
        self.failures += 1
        watch = self._watch(key)
        watch.failed(error)
        log.error(
            "the %s cannot be flushed, its key is %s; tried again in %d s",
            watch.name,
            key,
            pause // 1000,
            exc_info=error,
        )

    def _extend_silent_alerts(self, tx: StateTransaction, since: int, now: int) -> None:
        """While we were away, stopped or asleep, no source could report that an alert still fires: that we have not
        heard of it is no reason to notify that it is over, and a minute later that it is not."""
        lost = [alert for alert in tx.alerts.ended(since, now) if ran_out(alert, now)]
        tx.alerts.put(*(replace(alert, ends_at=now + self.routing.resolve_timeout) for alert in lost))

    def _next_deadline(self, tx: StateTransaction) -> int | None:
        """When the next group is due, or the next alert's source will have been silent for too long."""
        deadlines = (tx.groups.next_deadline(self._due_until), tx.alerts.next_end(self._ended_until))
        return min((at for at in deadlines if at is not None), default=None)

    def _after_clock_set_back(self, tx: StateTransaction, now: int) -> None:
        _, effects = dispatch.step(self.load(tx), ClockSetBack(), now)
        self._carry_out(tx, effects, now)

    def _flush(self, tx: StateTransaction, keys: Sequence[str], now: int) -> None:
        state = self._due_state(tx, keys, now)
        # Their incidents are updated first: an alert may have been committed after its end had passed.
        over = [alert for alert in state.alerts.values() if alert.resolved(now)]
        if over:
            self.incident_transactions.alerts_changed(tx, [AlertChange(alert, False) for alert in over], now)
        _, effects = dispatch.step(state, DispatchTick(), now)
        self._carry_out(tx, effects, now)

    def _touched(self, tx: StateTransaction, received: Iterable[Alert]) -> DispatchState:
        """What the arrival of some alerts concerns."""
        alerts = {alert.fingerprint: alert for alert in received}
        known = {alert.fingerprint: alert for alert in tx.alerts.some(list(alerts))}
        # Only an alert that is known can be in a group.
        return DispatchState(self.routing, known, self._groups_of(tx, alerts, known))

    def _due_state(self, tx: StateTransaction, keys: Sequence[str], now: int) -> DispatchState:
        """What some groups that are due at an instant concern."""
        groups = {key: group for key, group in tx.groups.some(keys).items() if 0 < group.flush_at <= now}
        held = list(dict.fromkeys(item for group in groups.values() for item in group.fingerprints))
        alerts = {alert.fingerprint: alert for alert in tx.alerts.some(held)}
        firing = [alert for alert in alerts.values() if not alert.resolved(now)]
        sources = tx.alerts.firing(now, wanted_inhibiting(self.routing.inhibit_rules, self.routing.outages, firing))
        # An alert that is over is kept as long as another group has still to send its end.
        over = {fingerprint: alert for fingerprint, alert in alerts.items() if alert.resolved(now)}
        alerts |= {alert.fingerprint: alert for alert in sources}
        others = self._groups_of(tx, over, over)
        return DispatchState(self.routing, alerts, others | groups, tuple(tx.silences.all()))

    def _groups_of(
        self, tx: StateTransaction, alerts: Mapping[str, Alert], held: Mapping[str, Alert]
    ) -> dict[str, AlertGroupState]:
        """The groups that some alerts belong to, shown with no others; ``held`` may be in one already."""
        if not alerts:
            return {}
        keys = dict.fromkeys(
            key for alert in alerts.values() for key in dispatch.group_keys(self.routing, alert.labels)
        )
        return tx.groups.some(list(keys), list(held))

    def load(self, tx: StateTransaction, *, groups: bool = True) -> DispatchState:
        """Everything that is stored, for readers; the groups if they are asked for."""
        return DispatchState(
            self.routing,
            {alert.fingerprint: alert for alert in tx.alerts.all()},
            tx.groups.all() if groups else {},
            tuple(tx.silences.all()),
        )

    def _carry_out(self, tx: StateTransaction, effects: Sequence[Effect], now: int) -> None:
        """Write what the effects say, each kind at once: a storm has thousands of them."""
        alerts: list[Alert] = []
        forgotten: list[str] = []
        groups: list[PutGroup] = []
        dropped: list[str] = []
        lines: list[LedgerEntry] = []
        notifications: list[Notification] = []
        for effect in effects:
            match effect:
                case PutAlert(alert):
                    alerts.append(alert)
                case ForgetAlert(fingerprint):
                    forgotten.append(fingerprint)
                case PutGroup():
                    groups.append(effect)
                case DropGroup(key):
                    dropped.append(key)
                case Record(decision):
                    lines.append(decision)
                case Notify(notification):
                    notifications.append(notification)
        tx.alerts.put(*alerts)
        tx.alerts.delete(forgotten)
        joined_at = self._clock.now()
        for put in groups:
            if put.joined and not put.group.flushed_at:
                self._joined_at[put.group.key] = joined_at
                self._joins[joined_at // 1_000] += len(put.joined)
        upcoming = min((put.group.flush_at for put in groups if put.group.flush_at), default=self._due_until + 1)
        self._due_until = min(self._due_until, upcoming - 1)
        tx.groups.delete(dropped)
        tx.groups.put(groups)
        tx.ledger.append(*lines)
        self._tell(tx, notifications, now)

    def _tell(self, tx: StateTransaction, notifications: Sequence[Notification], now: int) -> None:
        if not notifications:
            return
        unclosed = self.incident_transactions.unclosed(
            tx, now, (alert for item in notifications for alert in item.alerts)
        )
        with_incidents: list[tuple[Notification, list[Incident]]] = []
        for item in notifications:
            newest = (unclosed.with_alert(fingerprint)[:1] for fingerprint in item.fingerprints)
            incidents = {incident.id: incident for found in newest for incident in found}
            with_incidents.append((item, list(incidents.values())))
        self.incident_transactions.queued(tx, self._notification_queue.alerts(tx, with_incidents), unclosed, now)


def _of_the_store(error: Exception) -> bool:
    """Whether the whole store failed, not what one row holds."""
    return isinstance(error, StoreError) and not isinstance(error, UnreadableError)
