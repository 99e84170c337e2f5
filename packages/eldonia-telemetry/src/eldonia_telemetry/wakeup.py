"""Wakes a thread that waits for work."""

import contextlib
import threading


class Wakeup:
    """A raw lock: ringing it is one atomic step, whoever does it.

    An event has a lock of its own around that, which a signal handler or a finaliser that rings would
    wait for when the thread that it interrupts is ringing too.
    """

    __slots__ = ("_silence",)

    def __init__(self) -> None:
        self._silence = threading.Lock()
        self._silence.acquire()

    def ring(self) -> None:
        """Wake who waits, else the next who does; ringing twice is ringing once."""
        if self._silence.locked():
            with contextlib.suppress(RuntimeError):  # rung by somebody else meanwhile
                self._silence.release()

    def wait(self, timeout: float = -1) -> bool:
        """Wait until it rings; False when that took more than ``timeout`` seconds (-1: for ever)."""
        return self._silence.acquire(timeout=timeout)
