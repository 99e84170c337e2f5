"""Sends records to a backend in batches from a background thread.

Memory is bounded. While the backend is away records wait on disk (see :mod:`.spill`), where another
process finds them if this one ends; without a disk they wait in memory. In both places the oldest
make room for the new and are counted. The thread starts with the first record, in each process of
its own after a fork. Signal handlers and finalisers may log while their thread is in here.
"""

import http.client
import random
import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from eldonia_telemetry import dropped_data
from eldonia_telemetry.records import DEBUG
from eldonia_telemetry.sinks.spill import Item, Spill
from eldonia_telemetry.wakeup import Wakeup

BATCH: Final = 1000
BATCH_BYTES: Final = 1024 * 1024
MEMORY_BYTES: Final = 8 * 1024 * 1024
INTERVAL: Final = 1.0
"""Seconds that a record may wait for others to fill the batch."""
FIRST_DELAY: Final = 0.5
LONGEST_DELAY: Final = 30.0
_ADOPT_EVERY: Final = 30.0
_DISK_AGAIN: Final = 5.0
"""Seconds between attempts of those who write records to put everything on a disk that has refused."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: the items to send again, why, and after how many seconds at the earliest.

    What is not in ``retry`` has been delivered, or counted as lost.
    """

    retry: Sequence[Item] = field(default=())
    reason: str = ""
    delay: float = 0.0
    detail: str = ""


class Transport(Protocol):
    """Speaks a backend's protocol. Used by one thread at a time."""

    name: str

    def send(self, batch: Sequence[Item]) -> Outcome:
        """Deliver a batch.

        Raises:
            OSError: the backend cannot be reached, or hangs.
            http.client.HTTPException: it does not speak HTTP.
        """
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...

    def after_fork(self) -> None:
        """Forget the parent's connection."""
        ...


class BatchingSink:
    """A sink for a backend behind a network; never waits for it.

    Args:
        transport: how to speak to the backend.
        spill: where records wait while it is away; None for memory only.
        threshold: the least level it takes.
        memory_bytes: how much waits in memory, without the batch that is being sent.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        spill: Spill | None = None,
        threshold: int = DEBUG,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self.threshold = threshold
        self._transport = transport
        self._spill = spill
        self._memory_bytes = memory_bytes
        self._closed = False
        self._renew()

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._queue: deque[bytes] = deque()
        self._bytes = 0
        self._in_flight: Sequence[Item] = ()
        """Under way, or to be sent again; not on disk."""
        self._token = secrets.token_hex(8)
        self._sent = 0
        self._away_until = 0.0
        self._failures = 0
        self._adopt_at = 0.0
        self._disk_at = 0.0
        self._hurry = False
        self._ask_again = False
        self._stop = False
        self._busy = False
        self._idle = False
        self._wakeup = Wakeup()
        self._thread: threading.Thread | None = None

    def write(self, line: bytes) -> None:
        """Queue one record."""
        self.write_all((line,))

    def write_all(self, lines: Sequence[bytes]) -> None:
        """Queue several."""
        with self._lock:
            if self._closed:
                dropped_data.count("log", "written after shutdown", amount=len(lines))
                return
            self._queue.extend(lines)
            self._bytes += sum(map(len, lines))
            full = self._bytes > self._memory_bytes
            start = self._thread is None
        if full:
            self._make_room()
        if start:
            self._start()
        elif self._idle or self._bytes > self._memory_bytes // 2:
            self._wakeup.set()

    def flush(self, timeout: float) -> bool:
        """Wait until nothing waits in memory; False when ``timeout`` seconds were not enough or the backend is away."""
        return self._settle(timeout, patient=True)

    def _settle(self, timeout: float, *, patient: bool) -> bool:
        deadline = time.monotonic() + timeout
        self._ask_again = True
        while self._queue or self._in_flight or self._busy:
            if self._thread is None or time.monotonic() >= deadline:
                return False
            if self._away_until and not (patient or self._ask_again or self._busy):
                return False
            self._hurry = True
            self._wakeup.set()
            time.sleep(min(0.01, timeout))
        return self._away_until == 0.0

    def close(self, timeout: float = 0.0) -> None:
        """Deliver within ``timeout`` seconds; what is left goes to the disk, else it is lost and counted."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._settle(timeout, patient=False)
        self._stop = True
        self._wakeup.set()
        left = [*self._in_flight, *self._take(len(self._queue), self._bytes)]
        kept = 0 if self._spill is None else self._spill.append(left)
        if kept < len(left):
            dropped_data.count("log", f"{self._transport.name}: not delivered before exit", amount=len(left) - kept)
        if self._spill is not None and not self._busy:
            self._spill.close()

    def after_fork(self) -> None:
        """The parent sends what it had queued; the child starts afresh."""
        self._transport.after_fork()
        if self._spill is not None:
            self._spill.after_fork()
        self._renew()

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name=f"eldonia-telemetry-{self._transport.name}", daemon=True)
            self._thread = thread
        try:
            thread.start()
        except RuntimeError as error:  # no more threads, or the interpreter is on its way out
            self._thread = None
            dropped_data.count("setup", f"{self._transport.name}: the sending thread could not start", error)

    def _make_room(self) -> None:
        """More than may wait in memory has come: to the disk with it, else the oldest go."""
        if self._spill is not None and time.monotonic() >= self._disk_at:
            items = self._take(len(self._queue), self._bytes)
            kept = self._spill.append(items)
            if kept == len(items):
                return
            self._disk_at = time.monotonic() + _DISK_AGAIN
            self._put_back(items[kept:])
        dropped = 0
        with self._lock:
            while self._queue and self._bytes > self._memory_bytes:
                self._bytes -= len(self._queue.popleft())
                dropped += 1
        dropped_data.count("log", f"{self._transport.name}: queue full, oldest dropped", amount=dropped)

    def _put_back(self, items: Sequence[Item]) -> None:
        with self._lock:
            self._queue.extendleft(item.line for item in reversed(items))
            self._bytes += sum(len(item.line) for item in items)

    def _take(self, max_records: int, max_bytes: int) -> list[Item]:
        """The oldest records of the queue, given their ids."""
        batch: list[Item] = []
        size = 0
        with self._lock:
            while self._queue and len(batch) < max_records:
                size += len(self._queue[0])
                if batch and size > max_bytes:
                    break
                line = self._queue.popleft()
                self._bytes -= len(line)
                self._sent += 1
                batch.append(Item(f"{self._token}{self._sent:x}", line))
        return batch

    # What follows runs in the thread.

    def _run(self) -> None:
        while not self._stop:
            try:
                self._rest()
                self._busy = True
                self._work()
            except Exception as error:  # noqa: BLE001  the thread must outlive anything
                dropped_data.count("setup", f"{self._transport.name}: the sending thread failed", error)
                time.sleep(FIRST_DELAY)
            finally:
                self._busy = False
        self._transport.close()

    @property
    def _spilled(self) -> bool:
        return self._spill is not None and not self._spill.empty

    def _rest(self) -> None:
        """Sleep until there is something to do: a batch is full, a retry is due, a flush, the end."""
        if self._stop or self._ask_again:
            return
        if self._away_until:
            seconds = min(self._away_until - time.monotonic(), INTERVAL)
        elif self._hurry or self._spilled or self._in_flight or self._bytes >= BATCH_BYTES or len(self._queue) >= BATCH:
            return
        else:
            seconds = INTERVAL
        self._idle = True  # from here on the next record wakes the thread
        if not (self._queue or self._in_flight or self._spilled):
            self._wakeup.wait(_ADOPT_EVERY)
        self._idle = False
        if seconds > 0 and not self._hurry:
            self._wakeup.wait(seconds)

    def _work(self) -> None:
        self._hurry = False
        ask_again, self._ask_again = self._ask_again, False
        spill = self._spill
        if spill is not None and time.monotonic() >= self._adopt_at:
            self._adopt_at = time.monotonic() + _ADOPT_EVERY
            spill.adopt()
        if time.monotonic() < self._away_until and not (ask_again and spill is None):
            self._spill_queue()
            return
        # Fresh records first: they are what people look at once the backend is back.
        if not self._in_flight:
            self._in_flight = self._take(BATCH, BATCH_BYTES)
        if self._in_flight:
            self._in_flight = self._send(self._in_flight)
        if self._in_flight:
            self._spill_queue()
        elif spill is not None and not self._stop:
            self._send_spilled(spill)

    def _send_spilled(self, spill: Spill) -> None:
        batch = spill.peek(BATCH, BATCH_BYTES)
        if batch:
            again = self._send(batch)
            if len(again) < len(batch):
                spill.advance(batch[0], len(batch))
                self._in_flight = again

    def _spill_queue(self) -> None:
        """The backend is away: what waits in memory goes to the disk, where it outlives this process."""
        spill = self._spill
        if spill is None or self._stop:
            return
        self._in_flight = self._in_flight[spill.append(self._in_flight) :]
        while self._queue and not self._in_flight and not self._stop:
            batch = self._take(BATCH, BATCH_BYTES)
            kept = spill.append(batch)
            if kept < len(batch):
                self._put_back(batch[kept:])
                return

    def _send(self, batch: Sequence[Item]) -> Sequence[Item]:
        """Try once; returns what has to be sent again and decides when."""
        try:
            outcome = self._transport.send(batch)
        except (OSError, http.client.HTTPException) as error:
            outcome = Outcome(batch, "cannot be reached", detail=f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001  one batch that cannot be expressed must not stop the others
            dropped_data.count("log", f"{self._transport.name}: cannot be sent", error, len(batch))
            return ()
        if not outcome.retry:
            self._away_until, self._failures = 0.0, 0
            return ()
        # Losses are counted when records are given up; this only says why nothing arrives.
        reason = f"{self._transport.name}: {outcome.reason}, retrying"
        dropped_data.count("setup", reason, RuntimeError(outcome.detail) if outcome.detail else None)
        # Jitter keeps many processes from returning together.
        delay = min(FIRST_DELAY * 2**self._failures, LONGEST_DELAY) * random.uniform(0.5, 1.0)
        self._failures = min(self._failures + 1, 10)
        self._away_until = time.monotonic() + max(delay, outcome.delay)
        return outcome.retry
