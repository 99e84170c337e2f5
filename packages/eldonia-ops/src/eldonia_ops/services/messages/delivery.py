"""Delivers the messages of the outbox: each at least once, those of one queue in their order."""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from eldonia_ops.alerting import notification_failed
from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.alerting.retry import LONGEST_RETRY_AFTER_MS, next_attempt
from eldonia_ops.model.alerts import LedgerEntry, Outgoing, OutgoingStatus
from eldonia_ops.model.frozen import copier
from eldonia_ops.ports import (
    Clock,
    Delivery,
    DeliveryResult,
    Notifier,
    QueuedRow,
    StateStore,
    StateTransaction,
)
from eldonia_ops.services.alerts.intake import AlertIntake
from eldonia_ops.services.clock import SetBack
from eldonia_ops.services.incidents.transactions import AlertChange
from eldonia_ops.services.loops import Loops, LoopWatch
from eldonia_ops.services.messages.at_hand import MessagesAtHand
from eldonia_ops.services.messages.delivery_queue import DeliveryQueue
from eldonia_ops.services.metric_declarations import DELIVERY
from eldonia_ops.services.service_loop import Wakeup, asked_to_stop, supervise

log = logging.getLogger("eldonia_ops.services.messages.delivery")

FindNotifier = Callable[[str, str, int], Notifier | None]
"""The notifier of ``(receiver, integration, index)``, None when the configuration has none any more."""

_CONCURRENCY = 64
_EACH = 12
_AHEAD = 300  # rows read together: while a storm lasts, each delivery must not read its own
_PAUSE_MS = 5_000
_BESIDE = 3  # deliveries at once while alerts are coming in: first they have to be safe
_BESIDE_MS = 100
_MANY = 200  # rows that wait: then outcomes are gathered before they are written
_TOGETHER, _GATHER_MS = 50, 50


_copy = copier(Outgoing)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A delivery has ended so; ``attempted`` is what was read of the row before."""

    attempted: Outgoing
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of a row: ``outcome`` is ``delivered``, ``retry`` or ``failed``."""

    row: Outgoing
    outcome: str
    detail: str
    critical: bool


class DeliveryService:
    """Delivers due rows side by side, so that a receiver that hangs delays only itself.

    At most ``_CONCURRENCY`` deliveries run at once, and ``_EACH`` of them to one integration; the next begins when the
    receiver has answered. What ended while the last outcomes were written is written together, so a storm does not take
    a transaction for each message.

    ``counts`` holds totals since the start by ``(integration, outcome)``.
    """

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        intake: AlertIntake,
        find: FindNotifier,
        wakeup: Wakeup,
        loops: Loops | None = None,
    ) -> None:
        self._clock = clock
        self._state = state
        self._intake = intake
        self._find = find
        self._wakeup = wakeup
        self._queue = DeliveryQueue(at_once=_CONCURRENCY, each=_EACH)
        self._read_until = 0
        self._loops = loops or Loops()
        self._at_hand = MessagesAtHand()
        self._unread: dict[int, QueuedRow] = {}  # taken, and not read yet
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._closed = False
        self._ended: list[_Ended] = []
        self._recording: asyncio.Task[None] | None = None
        self._enough = Wakeup()
        self._waiting = False
        self._deadline: int | None = None  # what the loop waits for, while it waits
        self._alarms: dict[str, str] = {}
        self._set_back = SetBack()
        self.counts: Counter[tuple[str, str]] = Counter()

    async def resume(self) -> None:
        """After a start: an alert about an integration that the configuration no longer has would never end."""
        now = self._clock.now()
        keys = {item.key for receiver in self._intake.routing.receivers.values() for item in receiver.integrations}

        def work(tx: StateTransaction) -> None:
            up = [
                alert
                for alert in tx.alerts.all()
                if alert.source == notification_failed.SOURCE and not alert.resolved(now)
            ]
            gone = [alert for alert in up if notification_failed.failed_integration(alert.labels) not in keys]
            self._intake.accept(tx, [AlertChange(replace(alert, ends_at=now), False) for alert in gone], now)

        await self._state.write(work)

    async def run(self) -> None:
        """Deliver until cancelled."""
        await supervise("delivery", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        now = self._clock.now()
        retried = self._intake.take_retried()

        def look(tx: StateTransaction) -> tuple[list[QueuedRow], list[Outgoing], list[Outgoing]]:
            news = tx.outbox.pending(self._read_until)
            return news, tx.outbox.take_kept(news), tx.outbox.some(retried) if retried else []

        news, kept, revived = await self._state.read(look)
        if news:
            self._read_until = news[-1].id
        self._at_hand.keep(kept)
        self._queue.add(news)
        if self._set_back.noticed(now):
            late = self._queue.bring_forward(now, LONGEST_RETRY_AFTER_MS)
            await self._state.write(lambda tx: _shorten_waits(tx, late, now))
        for row in revived:
            if row.status is OutgoingStatus.PENDING:
                self._queue.revive(_queued(row))
        now = self._clock.now()  # rows that were queued while they were looked for are due as well
        beside = self._start(now)
        if self._unread:
            await self._start_unread()
            beside = self._start(now)
        if self._unread:
            return
        # What is due and already under way, or waits for a place, must not keep this loop spinning: the end of a
        # delivery starts the next one. What comes due meanwhile must not wait for that end: it has the deadline.
        self._deadline, self._waiting = self._next_look(now, beside), True
        try:
            await self._wakeup.wait(self._clock, self._deadline)
        finally:
            self._waiting = False

    def _next_look(self, now: int, beside: bool) -> int | None:
        """When this loop has to look at the queue again, None for not before it is woken."""
        deadline = self._queue.next_at()
        if beside and self._queue.ready:
            return min(now + _BESIDE_MS, deadline or now + _BESIDE_MS)
        return deadline

    def _go_on(self) -> None:
        """Give places that are free to those that wait. The loop is woken for what only it does, reading rows and
        waiting for a time: where it has nothing to read, a storm takes no look at the outbox for each message."""
        now = self._clock.now()
        beside = self._start(now)
        wanted = self._next_look(now, beside)
        late = self._waiting and wanted is not None and (self._deadline is None or wanted < self._deadline)
        if self._unread or late:
            self._wakeup.wake()

    def _start(self, now: int) -> bool:
        """Give free places to rows; those that have been read start at once. Returns whether alerts are coming in."""
        beside = self._intake.taking_in
        for row in () if self._closed else self._queue.take(now, at_once=_BESIDE if beside else None):
            outgoing = self._at_hand.pop(row.id)
            if outgoing is None:
                self._unread[row.id] = row
            else:
                self._under_way[row.id] = asyncio.create_task(self._deliver(outgoing))
        return beside

    async def _start_unread(self) -> None:
        """Read the rows that have a place, and those that will have one soon."""
        taken, self._unread = self._unread, {}
        if self._at_hand.full:  # others have been put before them
            self._at_hand.clear()
        ahead = [id for id in self._queue.upcoming(_AHEAD) if id not in self._at_hand]
        try:
            rows = await self._state.read(lambda tx: tx.outbox.some([*taken, *ahead]))
        except BaseException:
            for id in taken:
                self._queue.end(id, self._clock.now())
            raise
        found = {row.id: row for row in rows}
        self._at_hand.keep(found[id] for id in ahead if id in found)
        for id, queued in taken.items():
            if id in found:
                self._under_way[id] = asyncio.create_task(self._deliver(found[id]))
            else:
                # Pending rows are never purged: this one cannot be read. It has failed, so that its group sends anew.
                unreadable = Outgoing(id, "", queued.receiver, queued.integration, queued.index, queued.order_key, {})
                delivery = Delivery(DeliveryResult.REJECTED, "the stored message cannot be read")
                self._note_end(_Ended(unreadable, delivery))

    async def close(self) -> None:
        """Stop what is under way; what was not committed is delivered again after the next start."""
        self._closed = True
        self._enough.wake()
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        if self._recording is not None:
            with contextlib.suppress(Exception):
                await self._recording

    async def _deliver(self, outgoing: Outgoing) -> None:
        notifier = self._find(outgoing.receiver, outgoing.integration, outgoing.index)
        try:
            if notifier is None:
                delivery = Delivery(DeliveryResult.REJECTED, "the configuration no longer has this receiver")
            else:
                started = time.perf_counter()
                delivery = await notifier.deliver(outgoing)
                self._loops.metrics.observe(DELIVERY, time.perf_counter() - started, outgoing.integration)
        except (Exception, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and asked_to_stop():
                raise
            log.exception("delivering to %s", outgoing.receiver)
            delivery = Delivery(DeliveryResult.RETRY, type(error).__name__)
        self._note_end(_Ended(outgoing, delivery))
        self._go_on()

    def _note_end(self, ended: _Ended) -> None:
        self._ended.append(ended)
        if len(self._ended) >= _TOGETHER:
            self._enough.wake()
        self._queue.answered(ended.attempted.id)
        if self._recording is None or self._recording.done():
            self._recording = asyncio.create_task(self._record())

    async def _record(self) -> None:
        """Write down what has ended, all that there is at once, until nothing more is there. While many wait, some are
        gathered first: a transaction for a dozen costs nearly as much as one for fifty."""
        while self._ended:
            if len(self._queue) >= _MANY and len(self._ended) < _TOGETHER and not self._closed:
                await self._enough.wait(self._clock, self._clock.now() + _GATHER_MS)
            ended, self._ended = self._ended, []
            try:
                self._after(await self._commit(ended))
            except Exception as error:  # noqa: BLE001 - _not_stored logs it
                if len(ended) == 1:
                    self._not_stored(ended[0], error)
                    continue
                for one in ended:  # what one row holds must not keep the others from being settled
                    try:
                        self._after(await self._commit([one]))
                    except Exception as own:  # noqa: BLE001 - _not_stored logs it
                        self._not_stored(one, own)

    def _not_stored(self, one: _Ended, error: Exception) -> None:
        outgoing = one.attempted
        log.error(
            "the outcome of a delivery to %s could not be stored; it is repeated", outgoing.receiver, exc_info=error
        )
        self._outcomes(outgoing).failed(error)
        # Without this pause a database that is away would have us notify in a tight loop.
        self._finish(outgoing.id, self._clock.now() + _PAUSE_MS)
        self._go_on()

    def _outcomes(self, outgoing: Outgoing) -> LoopWatch:
        return self._loops.item(f"outcomes of {outgoing.receiver}/{outgoing.integration}/{outgoing.index}")

    def forget(self, integrations: Iterable[Integration]) -> None:
        """These integrations are no more: nothing is wrong with them."""
        for one in integrations:
            self._loops.forget(self._loops.item(f"outcomes of {one.receiver}/{one.kind}/{one.index}").name)

    async def _commit(self, ended: Sequence[_Ended]) -> list[_Settled]:
        now = self._clock.now()
        settled, news = await self._state.write(lambda tx: self._settle(tx, ended, now))
        if news or any(one.outcome == "failed" for one in settled):
            self._intake.wake()
        return settled

    def _after(self, settled: Iterable[_Settled]) -> None:
        """What was settled has been committed: those behind it may go."""
        written: set[tuple[str, str, int]] = set()
        for one in settled:
            row = one.row
            if (target := (row.receiver, row.integration, row.index)) not in written:
                written.add(target)
                self._outcomes(row).succeeded()
            self._finish(row.id, row.next_attempt_at if one.outcome == "retry" else None)
            self.counts[row.integration, one.outcome] += 1
            if one.outcome != "delivered":
                log.warning("%s: %s (%s)", row.receiver, one.outcome, one.detail)
        self._go_on()

    def _finish(self, id: int, next_attempt_at: int | None) -> None:
        self._under_way.pop(id, None)
        self._queue.end(id, next_attempt_at)

    def _settle(self, tx: StateTransaction, ended: Sequence[_Ended], now: int) -> tuple[list[_Settled], bool]:
        current = tx.outbox.delivery_states([one.attempted.id for one in ended])
        settled: list[_Settled] = []
        already: list[_Settled] = []
        for one in ended:
            row = one.attempted
            if (standing := current.get(row.id)) is not None:
                row = standing.of(row)
            if row.status is OutgoingStatus.DELIVERED:
                already.append(_Settled(row, "delivered", "", critical=False))
            else:
                settled.append(_settled(tx, row, one.delivery, now))
        tx.outbox.settle([one.row for one in settled])
        self._write_down(tx, settled, now)
        for one in settled:
            if one.outcome == "failed":
                self._intake.give_up(tx, one.row, now)
        news = False
        seen: set[tuple[str, str, int]] = set()
        for one in settled:
            row = one.row
            if one.outcome == "delivered":
                target = (row.receiver, row.integration, row.index)
                if target in seen:  # one delivery ends the alarm as well as many
                    continue
                seen.add(target)
            news |= self._raise_or_end_failure_alert(tx, row, one.outcome, one.detail, now, critical=one.critical)
        return [*settled, *already], news

    def _raise_or_end_failure_alert(
        self, tx: StateTransaction, outgoing: Outgoing, outcome: str, detail: str, now: int, *, critical: bool
    ) -> bool:
        """Raise the alert that an integration takes no critical messages, or end it; says whether there is news.

        One that the configuration has no more gets none: no delivery would ever end it, and what it was to send
        has been routed anew.
        """
        integration = self._intake.routing.integration(outgoing.receiver, outgoing.integration, outgoing.index)
        if integration is None:
            return False
        if outcome == "delivered":
            fingerprint = self._alarms.get(integration.key)
            if fingerprint is None:
                fingerprint = notification_failed.notification_failed(integration, "", now).fingerprint
                self._alarms[integration.key] = fingerprint
            known = tx.alerts.get(fingerprint)
            if known is None or known.resolved(now):
                return False
            change = AlertChange(replace(known, ends_at=now), False)
        elif notification_failed.alarming(outgoing.created_at, now, critical=critical, given_up=outcome == "failed"):
            change = AlertChange(notification_failed.notification_failed(integration, detail, now), True)
        else:
            return False
        self._intake.accept(tx, [change], now)
        return True

    def _write_down(self, tx: StateTransaction, settled: Sequence[_Settled], now: int) -> None:
        # Not all alerts: this runs for each notification, and a storm has as many of one as of the other.
        names = _names(tx, {fingerprint for one in settled for fingerprint in one.row.fingerprints})
        lines: list[LedgerEntry] = []
        for one in settled:
            row = one.row
            data = {
                "outgoing": row.id,
                "notification": row.idempotency_key,
                "integration": f"{row.receiver}/{row.integration}/{row.index}",
                "attempt": row.attempts,
                "next_attempt_at": row.next_attempt_at if one.outcome == "retry" else 0,
            }
            words = {
                "delivered": f"{row.integration} took it at attempt {row.attempts}",
                "retry": f"attempt {row.attempts} did not get through: {one.detail}",
                "failed": f"given up after {row.attempts} attempts: {one.detail}",
            }
            reason = words[one.outcome]
            lines += [
                LedgerEntry(0, now, fingerprint, names.get(fingerprint, ""), row.receiver, one.outcome, reason, data)
                for fingerprint in row.fingerprints or ("",)
            ]
        tx.ledger.append(*lines)
        self._intake.incident_transactions.notifications(
            tx, [(one.row, one.outcome, one.detail) for one in settled], now
        )


def _settled(tx: StateTransaction, row: Outgoing, delivery: Delivery, now: int) -> _Settled:
    """The row as an attempt left it."""
    attempts = row.attempts + 1
    if delivery.result is DeliveryResult.DELIVERED:
        changed = _copy(row, attempts=attempts, status=OutgoingStatus.DELIVERED, finished_at=now, last_error="")
        return _Settled(changed, "delivered", delivery.detail, critical=False)
    critical = _critical(tx, row)
    changed = replace(row, attempts=attempts, last_error=delivery.detail[:1000])
    at = next_attempt(
        attempts,
        now,
        delivery.retry_after_ms,
        row.created_at,
        key=row.idempotency_key,
        critical=critical,
        rejected=delivery.result is DeliveryResult.REJECTED,
    )
    if at is None:
        return _Settled(
            replace(changed, status=OutgoingStatus.FAILED, finished_at=now), "failed", delivery.detail, critical
        )
    return _Settled(replace(changed, next_attempt_at=at), "retry", delivery.detail, critical)


def _queued(row: Outgoing) -> QueuedRow:
    return QueuedRow(
        row.id,
        row.receiver,
        row.integration,
        row.index,
        row.order_key,
        row.urgent,
        row.cause,
        row.next_attempt_at,
    )


def _shorten_waits(tx: StateTransaction, late: Sequence[int], now: int) -> None:
    """After the clock was set back, no row waits longer than the longest pause between attempts."""
    tx.outbox.settle([replace(row, next_attempt_at=now) for row in tx.outbox.some(late)])


def _names(tx: StateTransaction, fingerprints: Iterable[str]) -> dict[str, str]:
    """Names of alerts. One that has ended may be gone when its end is delivered; the ledger still knows it."""
    wanted = list(fingerprints)
    names = {alert.fingerprint: alert.name for alert in tx.alerts.some(wanted)}
    for fingerprint in wanted:
        if fingerprint not in names:
            found = tx.ledger.find(fingerprint=fingerprint, limit=1)
            names[fingerprint] = found[0].alertname if found else ""
    return names


def _critical(tx: StateTransaction, outgoing: Outgoing) -> bool:
    """Whether the message is grave enough to be tried for days."""
    if outgoing.purpose == "escalation":
        return True
    return any(alert.urgent for alert in tx.alerts.some(outgoing.fingerprints))
