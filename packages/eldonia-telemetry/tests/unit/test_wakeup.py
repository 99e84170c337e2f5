import threading

from eldonia_telemetry.wakeup import Wakeup


def test_ringing_twice_is_ringing_once():
    wakeup = Wakeup()
    assert wakeup.wait(0) is False
    wakeup.set()
    wakeup.set()
    assert wakeup.wait(0) is True
    assert wakeup.wait(0) is False


def test_it_wakes_who_waits():
    wakeup = Wakeup()
    woken = threading.Event()

    def wait():
        wakeup.wait()
        woken.set()

    threading.Thread(target=wait, daemon=True).start()
    wakeup.set()
    assert woken.wait(10)


def test_a_handler_that_interrupts_set_may_set(monkeypatch):
    wakeup = Wakeup()

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

    wakeup._silence = Interrupted(wakeup._silence)
    wakeup.set()
    assert wakeup.wait(0) is True
