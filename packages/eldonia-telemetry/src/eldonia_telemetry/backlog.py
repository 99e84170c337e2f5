"""What is told a moment later, together with what happens meanwhile: requests in which nothing was odd.

Between other code every step of ours takes two to three times as long as in a loop of its own, and slows
that code down besides; and a file takes many records in one piece in the time of a few. So the end of such
a request only leaves an entry here. Entries become records and spans ``LENGTH`` at a time, ``delay``
seconds after the first of them at the latest, before any other record is written (so that records keep
their order) and before anyone looks. A process that is killed takes its last ``delay`` seconds of them along.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from eldonia_telemetry import losses

LENGTH: Final = 64
"""Entries that are told together at the most: their pauses become one, which should stay below a millisecond."""

T = TypeVar("T")


class Backlog(Generic[T]):
    """Entries that wait for ``tell``; with a ``delay`` of 0 none does.

    Args:
        tell: called with the oldest entries, one thread at a time. It never raises.
        delay: seconds that an entry may wait.
    """

    def __init__(self, tell: Callable[[Sequence[T]], None], delay: float) -> None:
        self._tell = tell
        self._delay = delay
        self._delay_ns = int(delay * 1e9)
        self._closed = False
        self._renew()

    def _renew(self) -> None:
        self.waiting: deque[T] = deque()
        """For a look whether there are any."""
        self._telling = threading.RLock()  # a signal handler may log while its thread is in here
        self._due_ns = 0
        self._expected = False
        # A raw lock as bell: ringing it is one atomic step, whoever does it.
        self._bell = threading.Lock()
        self._bell.acquire()
        self._thread: threading.Thread | None = None

    def add(self, entry: T, at_ns: int) -> None:
        """Take an entry of ``at_ns`` (Unix nanoseconds)."""
        waiting = self.waiting
        waiting.append(entry)
        number = len(waiting)
        if number == 1:
            self._expect(at_ns)
        if number >= LENGTH or at_ns >= self._due_ns:  # the thread may be late, or unable to run
            self.settle()

    def settle(self) -> None:
        """Tell what waits; when this returns, nobody else is at it any more either."""
        with self._telling:
            while self.waiting:
                entries: list[T] = []
                with contextlib.suppress(IndexError):  # a signal handler that logged has been here
                    entries.extend(self.waiting.popleft() for _ in range(min(len(self.waiting), LENGTH)))
                self._tell(entries)

    def close(self) -> None:
        """Tell what waits; from now on nothing does. Idempotent."""
        self._closed = True
        self._delay_ns = self._due_ns = 0
        self._ring()
        self.settle()

    def after_fork(self) -> None:
        """The parent tells what waits; the child starts afresh."""
        self._renew()

    def _expect(self, at_ns: int) -> None:
        """See to it that the entries are told in time, whether or not others follow."""
        if not self._delay_ns:
            self._due_ns = 0
            return
        self._due_ns = at_ns + self._delay_ns
        if not self._expected:
            self._expected = True
            if self._thread is None:
                self._start()
            self._ring()

    def _ring(self) -> None:
        if self._bell.locked():
            with contextlib.suppress(RuntimeError):  # rung by somebody else meanwhile
                self._bell.release()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="eldonia-telemetry-backlog", daemon=True)
        self._thread = thread
        try:
            thread.start()
        except RuntimeError as error:  # no more threads, or the interpreter is on its way out
            self._delay_ns = self._due_ns = 0
            losses.count("setup", "access records cannot wait for company: no thread", error)

    def _run(self) -> None:
        bell = self._bell
        while not self._closed:
            bell.acquire()
            if not self._closed:
                time.sleep(self._delay)
            self._expected = False  # from here on the next entry rings
            self.settle()
