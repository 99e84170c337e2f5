import threading

from eldonia_telemetry.bell import Bell


def test_ringing_twice_is_ringing_once():
    bell = Bell()
    assert bell.wait(0) is False
    bell.ring()
    bell.ring()
    assert bell.wait(0) is True
    assert bell.wait(0) is False


def test_it_wakes_who_waits():
    bell = Bell()
    woken = threading.Event()

    def wait():
        bell.wait()
        woken.set()

    threading.Thread(target=wait, daemon=True).start()
    bell.ring()
    assert woken.wait(10)


def test_whoever_interrupts_the_one_that_rings_may_ring(monkeypatch):
    bell = Bell()

    class Interrupted:
        """The lock, at the moment between the look and the ringing."""

        def __init__(self, lock):
            self.lock = lock

        def locked(self):
            was = self.lock.locked()
            if was:
                self.lock.release()  # the signal handler's
            return was

        def __getattr__(self, name):
            return getattr(self.lock, name)

    bell._silence = Interrupted(bell._silence)
    bell.ring()
    assert bell.wait(0) is True
