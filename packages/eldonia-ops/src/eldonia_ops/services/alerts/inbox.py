"""Where posted alerts wait until they are taken in: merged, routed, grouped, and in their incidents.

In calm a request is answered when its alerts are taken in. In a storm it is answered as soon as they are stored as they
came, as a few rows of the inbox, with one commit for all requests that wait for it. They are taken in a little later,
a thousand in one transaction: that costs half of what it costs for a hundred. The transaction also removes their rows,
so that each is taken in once, whenever the process ends.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.alerting.turns import Turns
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.errors import StoreError, UnreadableError
from eldonia_ops.ports import Clock, InboxItem, StateStore, StateTransaction
from eldonia_ops.services.api import OverloadedError
from eldonia_ops.services.incidents.transactions import AlertChange
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import Wakeup

log = logging.getLogger("eldonia_ops.services.alerts.inbox")

TakeIn = Callable[[StateTransaction, Sequence[AlertChange], int], None]
"""Takes in alerts within a transaction, at an instant (Unix ms)."""

_STORM: Final = 200  # alerts within a second, or waiting: from then on requests are answered before they are taken in
_SLICE: Final = 100  # alerts of one cause taken in together: an urgent one of another cause goes in between
_COMMIT, _FEWEST = 1_000, 100  # alerts taken in with one transaction, of several requests
_MOST_TURNS: Final = 20  # but of each name something, of so many
_LONG_MS: Final = 250  # while requests come in, one that took longer is followed by a smaller one
_MOST_WAITING: Final = 50_000  # beyond that senders are asked to come back; urgent alerts, beyond twice as many
_QUIET_MS: Final = 30  # without a request for so long, nothing is in the way of taking in,
_QUIET_GAPS: Final = 4  # or for so many times what lies between two requests of late
_ROOM_MS, _MOST_ROOM_MS = 400, 3_000  # for so long requests go first, less the more there are to be taken in
_PAGE_MS: Final = 100  # the same while an urgent alert waits whose name the last transaction did not hold
_LATE_MS: Final = 2_000  # what waited longer is taken in as of now, not as of when it came
_ALONE: Final = 3  # so many that fail one by one, and none that does not: it is the store
_FIRST_PAUSE, _LONGEST_PAUSE = 1_000, 300_000  # ms until alerts that could not be taken in are tried again


_LOOP: Final = "posted alerts"


@dataclass(eq=False, slots=True)
class _Waiting:
    """Alerts of one lane. ``id`` is that of their row in the inbox, 0 for alerts whose sender still waits."""

    alerts: tuple[Alert, ...]
    received_at: int
    taken_in: asyncio.Future[Exception | None]
    id: int = 0
    failures: int = 0


@dataclass(eq=False, slots=True)
class _Storing:
    """A request that waits until it is in the inbox."""

    waiting: Sequence[_Waiting]
    stored: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class AlertInbox:
    """Takes alerts from outside and hands them to ``take_in``; after each commit it calls ``committed``.

    ``took_ms`` is how long the last transaction with alerts took.
    Urgent alerts go first, and those of different names take turns. Alerts with the same labels keep their order. Only
    those that cannot be taken in for what they hold are passed by; they are tried again, with growing pauses.
    """

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        take_in: TakeIn,
        committed: Callable[[], None],
        loops: Loops,
    ) -> None:
        self._clock = clock
        self._state = state
        self._take_in = take_in
        self._committed = committed
        self._loops = loops
        self._lanes: Turns[_Waiting] = Turns()
        self._unfinished: dict[_Waiting, None] = {}
        self._put_off: list[tuple[int, _Waiting]] = []
        self._again: list[_Waiting] = []  # they were being taken in when the store failed: nothing overtakes them
        self._store_failures = 0
        self._storing: deque[_Storing] = deque()
        self._store_task: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._wakeup = Wakeup()
        self._hurried = 0  # how many wait until everything is taken in
        self._senders = 0  # how many wait until theirs is
        self._count = 0
        self._taking = False
        self._recent: deque[tuple[int, int]] = deque()
        self._received_at = 0
        self._stored_at = 0
        self._gap = 0.0
        self._taken_in_at = 0
        self._most = _COMMIT
        self._names: set[str] = set()  # of what was taken in last
        self._page = False
        self.took_ms = 0

    @property
    def waiting(self) -> int:
        """How many alerts wait to be taken in."""
        return self._count

    def busy(self, within: int) -> bool:
        """Whether alerts are being taken in, or were within so many ms."""
        if self._taking or self._lanes or self._storing:
            return True
        return 0 <= self._clock.now() - max(self._taken_in_at, self._received_at) < within

    @property
    def _store_running(self) -> bool:
        return self._store_task is not None and not self._store_task.done()

    async def receive(self, alerts: Sequence[Alert]) -> None:
        """Take alerts from outside; returns when they are safe: taken in or, in a storm, stored for that.

        Raises:
            OverloadedError: too many wait already; nothing was taken.
            StateError: the state store failed.
        """
        if not alerts:
            return
        now = self._clock.now()
        urgent = any(alert.urgent for alert in alerts)
        if self._count + len(alerts) > _MOST_WAITING * (2 if urgent else 1):
            raise OverloadedError(f"{self._count:,} alerts wait to be taken in")
        waiting = self._sorted(alerts, now)
        storm = self._storm(now, len(alerts))
        if 0 <= now - self._received_at < 1_000:
            self._gap += (now - self._received_at - self._gap) / 8
        self._received_at = now
        if storm:
            storing = _Storing(waiting)
            self._storing.append(storing)
            if not self._store_running:
                self._store_task = asyncio.create_task(self._store())
            await storing.stored
            return
        self._senders += 1
        try:
            self._enter(waiting)
            outcomes = await asyncio.gather(*(one.taken_in for one in waiting))
        finally:
            self._senders -= 1
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def caught_up(self) -> None:
        """Return when all that has been acknowledged is taken in: who reads sees what was written before. What cannot
        be taken in at present is not waited for."""
        waiting = [one.taken_in for one in self._unfinished if not one.taken_in.done()]
        if waiting:
            self._hurried += 1
            self._wakeup.wake()
            try:
                await asyncio.wait(waiting)
            finally:
                self._hurried -= 1

    async def resume(self) -> None:
        """After a start: take in what was acknowledged before."""
        items = await self._state.read(lambda tx: tx.inbox.all())
        known = {one.id for one in self._unfinished}
        new = [self._waiting(item.alerts, item.received_at, item.id) for item in items if item.id not in known]
        if new:
            log.info("%d alerts were acknowledged before the start and are taken in now", sum(map(_size, new)))
            self._enter(new)

    async def close(self) -> None:
        """Stop; what has been acknowledged is taken in after the next start."""
        for task in (self._task, self._store_task):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    def _storm(self, now: int, count: int) -> bool:
        self._recent.append((now, count))
        while self._recent and not 0 <= now - self._recent[0][0] < 1_000:
            self._recent.popleft()
        return max(sum(some for _, some in self._recent), self._count + count) > _STORM

    def _sorted(self, alerts: Sequence[Alert], now: int) -> list[_Waiting]:
        lanes: dict[tuple[bool, str], list[Alert]] = {}
        for alert in alerts:
            lanes.setdefault((alert.urgent, alert.name), []).append(alert)
        return [
            self._waiting(tuple(lane[start : start + _SLICE]), now)
            for lane in lanes.values()
            for start in range(0, len(lane), _SLICE)
        ]

    def _waiting(self, alerts: tuple[Alert, ...], received_at: int, id: int = 0) -> _Waiting:
        return _Waiting(alerts, received_at, asyncio.get_running_loop().create_future(), id)

    async def _store(self) -> None:
        """Store all alerts that wait to be stored, in one transaction each time, until none waits."""
        while self._storing:
            together = list(self._storing)
            self._storing.clear()
            try:
                await self._append(together)
            except Exception as error:  # noqa: BLE001 - it goes to who waits
                for storing in together:
                    if len(together) == 1:
                        _fail(storing.stored, error)
                        continue
                    try:  # one request must not fail for what another holds
                        await self._append([storing])
                    except Exception as own:  # noqa: BLE001 - it goes to who waits
                        _fail(storing.stored, own)

    async def _append(self, together: Sequence[_Storing]) -> None:
        waiting = [one for storing in together for one in storing.waiting]
        items = [InboxItem(0, one.received_at, one.alerts) for one in waiting]
        ids = await self._state.write(lambda tx: tx.inbox.append(items))
        for one, id in zip(waiting, ids, strict=True):
            one.id = id
        self._stored_at = self._clock.now()
        self._enter(waiting)
        for storing in together:
            if not storing.stored.done():
                storing.stored.set_result(None)

    def _enter(self, waiting: Iterable[_Waiting]) -> None:
        for one in waiting:
            self._unfinished[one] = None
            self._count += len(one.alerts)
            self._line_up(one)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        elif self._senders:
            self._wakeup.wake()

    def _line_up(self, one: _Waiting) -> None:
        if one.alerts[0].urgent and one.alerts[0].name not in self._names:
            self._page = True
            self._wakeup.wake()
        self._lanes.put(one, urgent=one.alerts[0].urgent, cause=one.alerts[0].name)

    async def _run(self) -> None:
        """Take in what waits, until nothing does."""
        while self._lanes or self._put_off or self._again:
            now = self._clock.now()
            due = [one for at, one in self._put_off if at <= now]
            self._put_off = [(at, one) for at, one in self._put_off if at > now]
            for one in due:
                self._line_up(one)
            most = _COMMIT
            if self._again and not self._senders:
                await self._wakeup.wait(self._clock, now + _pause(self._store_failures))
            elif not self._lanes and not self._again:
                await self._wakeup.wait(self._clock, min(at for at, _ in self._put_off))
                continue
            elif not await self._leave_room():
                most = self._most
            together, self._again = self._again, []
            turns = self._lanes.causes
            while self._lanes and (sum(map(_size, together)) < most or len(together) < min(turns, _MOST_TURNS)):
                together.append(self._lanes.take())
            self._names, self._page = {one.alerts[0].name for one in together}, False
            self._taking = True
            began = self._clock.now()
            try:
                await self._take(together)
            finally:
                self._taking = False
            self._taken_in_at = self._clock.now()
            self.took_ms = max(0, self._taken_in_at - began)
            self._most = min(max(sum(map(_size, together)) * _LONG_MS // max(self.took_ms, 1), _FEWEST), _COMMIT)
            self._committed()

    async def _leave_room(self) -> bool:
        """While requests come in, to take alerts in would hold them up: there is one writer, and one interpreter.
        Returns whether none comes in any more, or somebody waits."""
        began = self._clock.now()
        room = min(max(_ROOM_MS, 2 * self.took_ms), _MOST_ROOM_MS) * max(0.0, 1 - self._count / _MOST_WAITING)
        while not self._hurried and not self._senders:
            now = self._clock.now()
            # A request that waited for the last transaction is no pause of its sender.
            last = now if self._store_running else max(self._received_at, self._stored_at, self._taken_in_at)
            quiet_at = last + max(_QUIET_MS, int(self._gap * _QUIET_GAPS))
            until = min(quiet_at, began + int(min(room, _PAGE_MS) if self._page else room))
            if not now < until <= now + _MOST_ROOM_MS:
                return now >= quiet_at
            await self._wakeup.wait(self._clock, until)
        return True

    async def _take(self, together: Sequence[_Waiting]) -> None:
        try:
            await self._commit(together)
        except Exception as error:  # noqa: BLE001 - it goes to who waits, or is logged
            await self._take_in_one_by_one(together, error)
            return
        for one in together:
            self._finish(one)
        self._store_works()

    async def _take_in_one_by_one(self, together: Sequence[_Waiting], error: Exception) -> None:
        """Take alerts in one by one after they failed together: a request must not fail because of another one."""
        failed: list[tuple[_Waiting, Exception]] = []
        succeeded = 0
        if len(together) == 1:
            failed.append((together[0], error))
            of_the_store = _of_the_store(error) and self._store_failures < _ALONE
        else:
            of_the_store = True
            for one in together:
                try:
                    await self._commit([one])
                except Exception as own:  # noqa: BLE001 - it goes to who waits, or is logged
                    failed.append((one, own))
                    of_the_store = of_the_store and _of_the_store(own)
                    if of_the_store and not succeeded and len(failed) == _ALONE:
                        break
                else:
                    succeeded += 1
                    self._finish(one)
        if of_the_store and not succeeded:
            self._store_failed(together, failed[-1][1])
            return
        for one, own in failed:
            self._failed(one, own)
        self._store_works()

    def _store_works(self) -> None:
        if self._store_failures:
            self._store_failures = 0
            self._loops.item(_LOOP).succeeded()

    def _store_failed(self, together: Sequence[_Waiting], error: Exception) -> None:
        self._store_failures += 1
        self._loops.item(_LOOP).failed(error)
        log.error("posted alerts could not be taken in", exc_info=error)
        for one in together:
            if one.id:
                self._again.append(one)
                self._let_go(one)
            else:
                self._finish(one, error)

    async def _commit(self, together: Sequence[_Waiting]) -> None:
        now = self._clock.now()
        # As of when the last of them came: their groups wait no longer, and the ends among them have passed by then.
        latest = max(one.received_at for one in together)
        at = latest if now - _LATE_MS < latest < now else now
        ids = [one.id for one in together if one.id]

        def work(tx: StateTransaction) -> None:
            there = tx.inbox.remove(ids) if ids else set()
            changes = [
                AlertChange(alert, not 0 < alert.ends_at <= one.received_at)
                for one in together
                if not one.id or one.id in there
                for alert in one.alerts
            ]
            self._take_in(tx, changes, at)

        await self._state.write(work)

    def _finish(self, one: _Waiting, error: Exception | None = None) -> None:
        if one.failures and error is None:
            self._loops.item(f"posted alerts {one.id}").succeeded()
        self._unfinished.pop(one, None)
        self._count -= len(one.alerts)
        if not one.taken_in.done():  # else the caller no longer waits
            one.taken_in.set_result(error)

    def _failed(self, one: _Waiting, error: Exception) -> None:
        """Those whose sender waits fail with it; what was acknowledged is tried again until it is taken in."""
        if not one.id:
            self._finish(one, error)
            return
        one.failures += 1
        pause = _pause(one.failures)
        self._put_off.append((self._clock.now() + pause, one))
        self._loops.item(f"posted alerts {one.id}").failed(error)
        log.error(
            "%d posted alerts could not be taken in; tried again in %d s",
            len(one.alerts),
            pause // 1_000,
            exc_info=error,
        )
        self._let_go(one)

    def _let_go(self, one: _Waiting) -> None:
        """Readers do not wait for it any longer."""
        if not one.taken_in.done():
            one.taken_in.set_result(None)


def _pause(failures: int) -> int:
    return min(_FIRST_PAUSE * 2 ** min(failures - 1, 20), _LONGEST_PAUSE)


def _size(one: _Waiting) -> int:
    return len(one.alerts)


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _of_the_store(error: Exception) -> bool:
    """Whether the whole store failed, not what one row holds."""
    return isinstance(error, StoreError) and not isinstance(error, UnreadableError)
