"""The sink's own behaviour, with a transport that needs no network."""

import signal
import threading
import time

import pytest

from eldonia_telemetry import dropped_data
from eldonia_telemetry.sinks import batching
from eldonia_telemetry.sinks.batching import BatchingSink, Outcome
from eldonia_telemetry.sinks.spill import Spill


class Backend:
    """Keeps lines by id, unless it is away, hangs, or is set otherwise."""

    name = "test"

    def __init__(self):
        self.got = {}
        self.calls = 0
        self.away = False
        self.answers = []
        self.hang = threading.Event()
        self.hang.set()

    def send(self, batch):
        self.calls += 1
        self.hang.wait(10)
        if self.away:
            raise ConnectionRefusedError("away")
        if self.answers:
            return self.answers.pop(0)(batch)
        self.got.update(batch)
        return Outcome()

    def close(self): ...
    def after_fork(self): ...


@pytest.fixture
def backend(monkeypatch):
    monkeypatch.setattr(batching, "FIRST_DELAY", 0.02)
    monkeypatch.setattr(batching, "LONGEST_DELAY", 0.05)
    monkeypatch.setattr(batching, "INTERVAL", 0.05)
    return Backend()


def lost(reason):
    return dropped_data.snapshot().get(("log", f"test: {reason}"), 0)


def lines(first, number, size=20):
    return [b"%07d%s\n" % (n, b"x" * size) for n in range(first, first + number)]


def put(sink, rows):
    for row in rows:
        sink.write(row)


def until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def test_records_leave_by_themselves_in_batches(backend):
    sink = BatchingSink(backend)
    put(sink, lines(0, 3500))
    until(lambda: len(backend.got) == 3500)
    assert list(backend.got.values()) == lines(0, 3500)
    assert backend.calls <= 8
    sink.close(1)


def test_an_idle_sink_wakes_up(backend):
    sink = BatchingSink(backend)
    put(sink, lines(0, 1))
    until(lambda: sink._idle)
    put(sink, lines(1, 1))
    until(lambda: len(backend.got) == 2)
    sink.close(1)


def test_flush_waits_and_says_how_it_went(backend):
    sink = BatchingSink(backend)
    put(sink, lines(0, 10))
    assert sink.flush(5)
    assert len(backend.got) == 10
    backend.away = True
    put(sink, lines(10, 10))
    assert not sink.flush(0.1)
    backend.away = False
    assert sink.flush(5)
    assert list(backend.got.values()) == lines(0, 20)
    sink.close(1)


def test_memory_is_bounded_and_the_oldest_go(backend):
    backend.away = True
    sink = BatchingSink(backend, memory_bytes=10_000)
    before = lost("queue full, oldest dropped")
    put(sink, lines(0, 5000))
    assert sink._bytes <= 10_000
    backend.away = False
    assert sink.flush(5)
    got = list(backend.got.values())
    assert got[-300:] == lines(4700, 300)
    assert lost("queue full, oldest dropped") - before == 5000 - len(got)
    sink.close(1)


def test_records_wait_on_disk_while_the_backend_is_away(backend, tmp_path):
    backend.away = True
    spill = Spill(str(tmp_path))
    sink = BatchingSink(backend, spill=spill, memory_bytes=10_000)
    put(sink, lines(0, 20_000))
    assert not sink.flush(5)
    assert sink._bytes == 0
    assert spill.size > 20_000 * 20
    backend.away = False
    until(lambda: len(backend.got) == 20_000)
    assert sorted(backend.got.values()) == lines(0, 20_000)
    sink.close(1)
    assert list(tmp_path.iterdir()) == []


def test_a_hanging_backend_costs_neither_time_nor_records(backend, tmp_path):
    backend.hang.clear()
    sink = BatchingSink(backend, spill=Spill(str(tmp_path)), memory_bytes=50_000)
    began = time.monotonic()
    put(sink, lines(0, 20_000))
    assert time.monotonic() - began < 3
    backend.hang.set()
    until(lambda: len(backend.got) == 20_000)
    sink.close(1)


def test_what_is_left_at_the_end_is_there_for_the_next_process(backend, tmp_path):
    backend.away = True
    sink = BatchingSink(backend, spill=Spill(str(tmp_path)))
    put(sink, lines(0, 100))
    before = lost("not delivered before exit")
    began = time.monotonic()
    sink.close(5)
    assert time.monotonic() - began < 2  # it does not wait for who has just refused
    assert lost("not delivered before exit") == before
    backend.away = False
    heir = BatchingSink(backend, spill=Spill(str(tmp_path)))
    put(heir, lines(100, 1))
    until(lambda: len(backend.got) == 101)
    heir.close(1)


def test_without_a_disk_what_is_left_at_the_end_is_counted(backend):
    backend.away = True
    sink = BatchingSink(backend)
    put(sink, lines(0, 100))
    before = lost("not delivered before exit")
    sink.close(0.5)
    sink.close(0.5)
    assert lost("not delivered before exit") == before + 100
    put(sink, lines(0, 1))  # after the end: counted, not an exception


def test_close_gives_up_in_time_on_a_backend_that_hangs(backend, tmp_path):
    backend.hang.clear()
    spill = Spill(str(tmp_path))
    sink = BatchingSink(backend, spill=spill)
    put(sink, lines(0, 50))
    until(lambda: backend.calls == 1)
    began = time.monotonic()
    sink.close(0.2)
    assert time.monotonic() - began < 1
    assert [item.line for item in spill.peek(100, 10**6)] == lines(0, 50)
    backend.hang.set()


def test_only_what_was_not_taken_is_sent_again(backend):
    backend.answers = [lambda batch: Outcome(batch[5:], "busy", 0.0)]
    sink = BatchingSink(backend)
    put(sink, lines(0, 10))
    assert sink.flush(5)
    assert list(backend.got.values()) == lines(5, 5)
    sink.close(1)


def test_a_batch_that_makes_the_transport_fail_does_not_stop_the_others(backend):
    def fail(batch):
        raise KeyError("a fault of ours")

    backend.answers = [fail]
    sink = BatchingSink(backend)
    before = lost("cannot be sent")
    put(sink, lines(0, 5))
    assert sink.flush(5)
    assert lost("cannot be sent") == before + 5
    put(sink, lines(5, 5))
    assert sink.flush(5)
    assert list(backend.got.values()) == lines(5, 5)
    sink.close(1)


def test_the_wait_that_the_backend_asks_for_is_kept(backend):
    backend.answers = [lambda batch: Outcome(batch, "busy", 0.4)]
    sink = BatchingSink(backend)
    put(sink, lines(0, 5))
    until(lambda: backend.calls == 1)
    began = time.monotonic()
    until(lambda: backend.calls == 2)
    assert time.monotonic() - began > 0.3
    sink.close(1)


def test_a_signal_handler_may_log_while_its_thread_is_logging(backend):
    sink = BatchingSink(backend)
    written = 0

    def handler(number, frame):
        nonlocal written
        written += 1
        sink.write(b"signal\n")

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        deadline = time.monotonic() + 0.5
        number = 0
        while time.monotonic() < deadline:
            sink.write(b"main\n")
            number += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert written > 50
    assert sink.flush(10)
    assert len(backend.got) == number + written
    sink.close(1)


def test_a_disk_that_refuses_is_not_offered_everything_with_every_record(backend, tmp_path, monkeypatch):
    class Full(Spill):
        offered = 0

        def append(self, items):
            if threading.current_thread() is threading.main_thread():
                self.offered += len(items)
            return 0

    monkeypatch.setattr(batching, "_DISK_AGAIN", 3600.0)
    backend.hang.clear()
    before = lost("queue full, oldest dropped")
    full = Full(str(tmp_path))
    sink = BatchingSink(backend, spill=full, memory_bytes=10_000)
    put(sink, lines(0, 3_000, size=100))
    assert 0 < full.offered < 200
    assert lost("queue full, oldest dropped") - before > 2_000
    backend.hang.set()
    sink.close(0.0)
