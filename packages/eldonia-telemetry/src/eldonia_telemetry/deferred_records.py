"""Records that are emitted a moment later and in batches: the ends of ordinary requests.

Between other code each of our steps takes two to three times as long as in a loop of its own (cold caches), and
slows that code down too. A file also takes many records in one write in the time of a few. So the end of such a
request only leaves an entry here. Entries are emitted up to ``LENGTH`` at a time: at the latest ``delay`` seconds
after they came, before any other record is written (so that records keep their order), and before metrics or
statistics are read. The first entry after a pause does not wait: others rarely follow soon, and a process that
serves few requests may be frozen until the next one, or leave by ``os._exit``. A process that is killed loses the
entries of its last ``delay`` seconds.

Signal handlers and finalisers may log while their thread is in here, and signal handlers may raise.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from eldonia_telemetry import dropped_data
from eldonia_telemetry.wakeup import Wakeup

LENGTH: Final = 64
"""The most entries in one batch: it is one pause of the application, which should stay below a millisecond."""

T = TypeVar("T")
P = TypeVar("P")


class DeferredRecords(Generic[T, P]):
    """Entries that wait to be emitted; with a ``delay`` of 0 none waits.

    Args:
        prepare: makes of the oldest entries what is to be written. It has no effect that counts: it may be
            called again for the same entries if it was interrupted.
        write: takes that to where it belongs. Neither raises for an entry's sake; one thread at a time calls them.
        delay: seconds that an entry may wait.
    """

    def __init__(self, prepare: Callable[[Sequence[T]], P], write: Callable[[P], None], delay: float) -> None:
        self._prepare = prepare
        self._write = write
        self._delay = delay
        self._delay_ns = int(delay * 1e9)
        self._closed = False
        self._renew()

    def _renew(self) -> None:
        self.waiting: list[T] = []
        """For a look whether there are any."""
        self.emitting_thread = 0
        """The thread that is emitting, by its identity; 0 if none is. What it is writing no longer waits."""
        self._emit_lock = threading.RLock()
        self._turns = 0
        self._full = LENGTH
        self._due_ns = 0
        """From this time an entry is emitted at once, with those that wait."""
        self._expected = not self._delay_ns
        """Whether the thread will look without being woken, or need not."""
        self._wakeup = Wakeup()
        self._thread: threading.Thread | None = None
        self._unclaimed = threading.Lock()
        """Held by the thread that starts the background thread, and from then on."""

    def add(self, entry: T, at_ns: int) -> None:
        """Take an entry of ``at_ns`` (Unix nanoseconds)."""
        waiting = self.waiting
        waiting.append(entry)
        if at_ns >= self._due_ns or len(waiting) >= self._full:
            self._due_ns = at_ns + self._delay_ns
            if self._closed:  # meanwhile
                self._due_ns = 0
            self._expected = not self._delay_ns  # renewed, in case the thread that was to wake it was interrupted
            self.flush()
        elif not self._expected:
            self._expect()

    def flush(self, timeout: float | None = None) -> bool:
        """Emit what waits; when this returns, no other thread is emitting either.

        A thread that may have been interrupted while it held a lock that the emitting thread needs gives a
        ``timeout`` in seconds, after which it gets False and goes on. Otherwise both would wait without end.
        """
        if timeout is None or self.emitting_thread == threading.get_ident():
            with self._emit_lock:
                self._emit_all()
            return True
        try:
            if not self._emit_lock.acquire(timeout=min(timeout, threading.TIMEOUT_MAX)):
                return False
            self._emit_all()
        finally:  # whether it was acquired only the lock knows for sure: a signal handler may raise in between
            try:  # noqa: SIM105  the same: a call before the release would be one too many
                self._emit_lock.release()
            except RuntimeError:
                pass
        return True

    def _emit_all(self) -> None:
        before, self.emitting_thread = self.emitting_thread, threading.get_ident()
        try:
            while self.waiting:
                self._emit()
        finally:
            self.emitting_thread = before

    def _emit(self) -> None:
        waiting, turn = self.waiting, self._turns
        entries = waiting[:LENGTH]
        taken = slice(len(entries))
        self._full = len(entries) + LENGTH  # entries that are being emitted do not count as waiting
        prepared = self._prepare(entries)
        self._full = LENGTH
        # A signal handler that logged has emitted them. Up to `del` nothing is called, so nothing interrupts.
        if turn == self._turns:
            self._turns = turn + 1
            del waiting[taken]
            self._write(prepared)

    def close(self, timeout: float | None = None) -> None:
        """Tell what waits, as :meth:`settle` does; from now on nothing does. Idempotent."""
        self._closed = True
        self._do_not_wait()
        self._wakeup.set()
        self.flush(timeout)

    def after_fork(self) -> None:
        """The parent emits what waits; the child starts empty."""
        self._renew()

    def _do_not_wait(self) -> None:
        self._delay_ns = self._due_ns = 0
        self._expected = True

    def _expect(self) -> None:
        """Make sure that the entries are emitted in time, even if no others follow."""
        self._expected = True
        if self._thread is None:
            self._start()
        self._wakeup.set()

    def _start(self) -> None:
        if not self._unclaimed.acquire(blocking=False):
            return  # another thread starts it
        try:
            thread = threading.Thread(target=self._run, name="eldonia-telemetry-backlog", daemon=True)
            thread.start()
            self._thread = thread
        except BaseException as error:
            self._unclaimed.release()
            if not isinstance(error, RuntimeError):  # no more threads, or the interpreter is on its way out
                raise
            self._do_not_wait()
            self.flush()
            dropped_data.count("setup", "access records cannot be batched: no thread", error)

    def _run(self) -> None:
        wakeup = self._wakeup
        while not self._closed:
            wakeup.wait()
            if not self._closed:
                time.sleep(self._delay)
            self._expected = False  # from here on the next entry wakes the thread
            self.flush()
