"""The outbox at work: what was decided is delivered, at least once, each queue in its order."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from eldonia_ops.alerting import undelivered
from eldonia_ops.alerting.retry import LONGEST_RETRY_AFTER_MS, next_attempt
from eldonia_ops.model.alerts import Decision, Outgoing, OutgoingStatus
from eldonia_ops.ports import (
    Clock,
    Delivery,
    DeliveryResult,
    Notifier,
    StateStore,
    StateTransaction,
)
from eldonia_ops.services.alert_intake import AlertIntake
from eldonia_ops.services.clock import SetBack
from eldonia_ops.services.incident_desk import AlertChange
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.pacing import Wakeup, keep_running

log = logging.getLogger("eldonia_ops.services.delivery")

FindNotifier = Callable[[str, str, int], Notifier | None]
"""The notifier of ``(receiver, integration, index)``, None when the configuration has none any more."""

_CONCURRENCY = 32
_EACH = 4
_MOST_PENDING = 10_000


class DeliveryService:
    """Delivers due rows side by side, so that a receiver that hangs holds up nobody but itself.

    At most ``_CONCURRENCY`` deliveries run at once, and ``_EACH`` of them to one integration.

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
        self._loops = loops or Loops()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._busy: Counter[tuple[str, str, int]] = Counter()
        self._ended: set[int] = set()
        self._set_back = SetBack()
        self.counts: Counter[tuple[str, str]] = Counter()

    async def resume(self) -> None:
        """After a start: an alert about an integration that the configuration no longer has would never end."""
        now = self._clock.now()
        keys = {item.key for receiver in self._intake.routing.receivers.values() for item in receiver.integrations}

        def work(tx: StateTransaction) -> None:
            up = [alert for alert in tx.alerts.all() if alert.source == undelivered.SOURCE and not alert.resolved(now)]
            gone = [alert for alert in up if undelivered.failed_integration(alert.labels) not in keys]
            self._intake.accept(tx, [AlertChange(replace(alert, ends_at=now), False) for alert in gone], now)

        await self._state.write(work)

    async def run(self) -> None:
        """Deliver for ever."""
        await keep_running("delivery", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        now = self._clock.now()
        if self._set_back.noticed(now):
            await self._state.write(lambda tx: _bring_forward(tx, now))
        self._ended.clear()
        due, upcoming = await self._state.read(
            lambda tx: (tx.outbox.due(now, _CONCURRENCY * 4, each=_EACH), tx.outbox.next_attempt_at(after=now))
        )
        for outgoing in due:
            target = (outgoing.receiver, outgoing.integration, outgoing.index)
            # A delivery that ended while we were reading still looks pending in what was read: to start it
            # again would page somebody twice.
            if (
                outgoing.id not in self._under_way
                and outgoing.id not in self._ended
                and len(self._under_way) < _CONCURRENCY
                and self._busy[target] < _EACH
            ):
                task = asyncio.create_task(self._deliver(outgoing))
                self._under_way[outgoing.id] = task
                self._busy[target] += 1
                task.add_done_callback(lambda _, id=outgoing.id, target=target: self._finished(id, target))
        # What is due and already under way, or waits for a place, must not keep this loop spinning: the end
        # of a delivery wakes us. What comes due meanwhile must not wait for that end: it has the deadline.
        await self._wakeup.wait(self._clock, upcoming)

    def _finished(self, id: int, target: tuple[str, str, int]) -> None:
        self._under_way.pop(id, None)
        self._ended.add(id)
        self._busy[target] -= 1
        if not self._busy[target]:
            del self._busy[target]
        self._wakeup.wake()

    async def close(self) -> None:
        """Stop what is under way; what was not committed is delivered again after the next start."""
        for task in list(self._under_way.values()):
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _deliver(self, outgoing: Outgoing) -> None:
        notifier = self._find(outgoing.receiver, outgoing.integration, outgoing.index)
        try:
            if notifier is None:
                delivery = Delivery(DeliveryResult.REJECTED, "the configuration no longer has this receiver")
            else:
                delivery = await notifier.deliver(outgoing)
        except Exception as error:
            log.exception("delivering to %s", outgoing.receiver)
            delivery = Delivery(DeliveryResult.RETRY, type(error).__name__)
        watch = self._loops.item(f"outcomes of {outgoing.receiver}/{outgoing.integration}/{outgoing.index}")
        try:
            await self._record(outgoing, delivery)
            watch.succeeded()
        except Exception as error:
            watch.failed(error)
            log.exception("the outcome of a delivery to %s could not be stored; it is repeated", outgoing.receiver)
            # Without this pause a database that is away would have us page somebody in a tight loop.
            await self._clock.sleep_until(self._clock.now() + 5_000)

    async def _record(self, outgoing: Outgoing, delivery: Delivery) -> None:
        now = self._clock.now()

        def work(tx: StateTransaction) -> tuple[str, bool]:
            current = tx.outbox.get(outgoing.id) or outgoing
            if current.status is OutgoingStatus.DELIVERED:
                return "delivered", False
            critical = delivery.result is not DeliveryResult.DELIVERED and _critical(tx, current)
            attempts = current.attempts + 1
            changed = replace(current, attempts=attempts, last_error=delivery.detail[:1000])
            if delivery.result is DeliveryResult.DELIVERED:
                outcome = "delivered"
                changed = replace(changed, status=OutgoingStatus.DELIVERED, finished_at=now, last_error="")
            else:
                at = next_attempt(
                    attempts,
                    now,
                    delivery.retry_after_ms,
                    current.created_at,
                    key=current.idempotency_key,
                    critical=critical,
                    rejected=delivery.result is DeliveryResult.REJECTED,
                )
                outcome = "failed" if at is None else "retry"
                if at is None:
                    changed = replace(changed, status=OutgoingStatus.FAILED, finished_at=now)
                else:
                    changed = replace(changed, next_attempt_at=at)
            tx.outbox.update(changed)
            self._write_down(tx, changed, outcome, delivery.detail, now)
            if outcome == "failed":
                self._intake.give_up(tx, changed, now)
            return outcome, self._sound_the_alarm(tx, changed, outcome, delivery.detail, now, critical=critical)

        outcome, news = await self._state.write(work)
        if news or outcome == "failed":
            self._intake.wake()
        self.counts[outgoing.integration, outcome] += 1
        if outcome != "delivered":
            log.warning("%s: %s (%s)", outgoing.receiver, outcome, delivery.detail)

    def _sound_the_alarm(
        self, tx: StateTransaction, outgoing: Outgoing, outcome: str, detail: str, now: int, *, critical: bool
    ) -> bool:
        """Raise the alert that an integration takes no critical messages, or end it; says whether there is news.

        One that the configuration has no more gets none: no delivery would ever end it, and what it was to be told
        has been routed anew.
        """
        integration = self._intake.routing.integration(outgoing.receiver, outgoing.integration, outgoing.index)
        if integration is None:
            return False
        alert = undelivered.notification_failed(integration, detail, now)
        if outcome == "delivered":
            known = tx.alerts.get(alert.fingerprint)
            if known is None or known.resolved(now):
                return False
            change = AlertChange(replace(known, ends_at=now), False)
        elif undelivered.alarming(outgoing.created_at, now, critical=critical, given_up=outcome == "failed"):
            change = AlertChange(alert, True)
        else:
            return False
        self._intake.accept(tx, [change], now)
        return True

    def _write_down(self, tx: StateTransaction, outgoing: Outgoing, outcome: str, detail: str, now: int) -> None:
        # Not all alerts: this runs once for each notification, and a storm has as many of one as of the other.
        names = _names(tx, outgoing.fingerprints)
        data = {
            "outgoing": outgoing.id,
            "notification": outgoing.idempotency_key,
            "integration": f"{outgoing.receiver}/{outgoing.integration}/{outgoing.index}",
            "attempt": outgoing.attempts,
            "next_attempt_at": outgoing.next_attempt_at if outcome == "retry" else 0,
        }
        words = {
            "delivered": f"{outgoing.integration} took it at attempt {outgoing.attempts}",
            "retry": f"attempt {outgoing.attempts} did not get through: {detail}",
            "failed": f"given up after {outgoing.attempts} attempts: {detail}",
        }
        lines = (
            Decision(0, now, fingerprint, names.get(fingerprint, ""), outgoing.receiver, outcome, words[outcome], data)
            for fingerprint in outgoing.fingerprints or ("",)
        )
        tx.ledger.append(*lines)
        self._intake.desk.notification(tx, outgoing, outcome, detail, now)


def _bring_forward(tx: StateTransaction, now: int) -> None:
    """Nothing waits longer than the longest pause, whatever the clock showed when it was put off."""
    for outgoing in tx.outbox.find(status=OutgoingStatus.PENDING, limit=_MOST_PENDING):
        if outgoing.next_attempt_at > now + LONGEST_RETRY_AFTER_MS:
            tx.outbox.update(replace(outgoing, next_attempt_at=now))


def _names(tx: StateTransaction, fingerprints: Sequence[str]) -> dict[str, str]:
    """Names of alerts. One that has ended may be gone when its end is delivered; the ledger still knows it."""
    names = {alert.fingerprint: alert.name for alert in tx.alerts.some(fingerprints)}
    for fingerprint in fingerprints:
        if fingerprint not in names:
            found = tx.ledger.find(fingerprint=fingerprint, limit=1)
            names[fingerprint] = found[0].alertname if found else ""
    return names


def _critical(tx: StateTransaction, outgoing: Outgoing) -> bool:
    """Whether the message is grave enough to be tried for days."""
    if outgoing.purpose == "escalation":
        return True
    return any(alert.labels.get("severity") == "critical" for alert in tx.alerts.some(outgoing.fingerprints))
