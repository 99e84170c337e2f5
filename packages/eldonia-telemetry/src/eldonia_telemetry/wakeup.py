"""Wakes a thread that waits for work."""

import contextlib
import threading


class Wakeup:
    """A raw lock: waking is one atomic step for every caller.

    An event has a lock of its own around that, which a signal handler or a finaliser that sets it would
    wait for when the thread that it interrupts is ringing too.
    """

    __slots__ = ("_silence",)

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def set(self) -> None:
        """Wake who waits, else the next who does; ringing twice is ringing once."""
        if self._silence.locked():
            with contextlib.suppress(RuntimeError):  # another thread has woken it meanwhile
                self._silence.release()

    def wait(self, timeout: float = -1) -> bool:
        """Wait until it is set; False when that took more than ``timeout`` seconds (-1: without limit)."""
        return self._silence.acquire(timeout=timeout)
