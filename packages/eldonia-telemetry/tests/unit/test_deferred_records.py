import os
import threading
import time
from itertools import chain

import pytest

from eldonia_telemetry import dropped_data
from eldonia_telemetry.deferred_records import LENGTH, DeferredRecords

MOMENT = 1_000_000
"""A millisecond, in nanoseconds."""


@pytest.fixture
def emitted():
    return []


@pytest.fixture
def waiting_for(emitted):
    """Makes a backlog that tells lists of entries, and in which the next entry waits."""
    made = []

    def make(delay, *, prepare=list, write=emitted.append):
        deferred = DeferredRecords(prepare, write, delay)
        deferred._due_ns = deferred._delay_ns  # as if an entry of time 0 had just been recorded
        made.append(deferred)
        return deferred

    yield make
    for deferred in made:
        deferred.close()


def until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def finishes(work):
    """Whether ``work`` comes to an end; otherwise its thread is left behind."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(10)
    return not thread.is_alive()


def test_the_first_after_a_pause_is_emitted_at_once_and_the_others_wait(emitted):
    deferred = DeferredRecords(list, emitted.append, 5.0)
    deferred.add("a", 0)
    assert emitted == [["a"]]
    deferred.add("b", 1)
    deferred.add("c", 4_999 * MOMENT)
    assert emitted == [["a"]]
    deferred.add("d", 5_000 * MOMENT)
    assert emitted == [["a"], ["b", "c", "d"]]
    deferred.add("e", 5_001 * MOMENT)
    assert len(emitted) == 2
    deferred.add("f", 60_000 * MOMENT)
    assert emitted[2:] == [["e", "f"]]
    deferred.close()


def test_a_full_queue_is_emitted_in_order_and_at_once(waiting_for, emitted):
    deferred = waiting_for(10.0)
    for number in range(LENGTH):
        assert emitted == []
        deferred.add(number, number)
    assert emitted == [list(range(LENGTH))]
    assert not deferred.waiting


def test_without_a_delay_nothing_waits(emitted):
    deferred = DeferredRecords(list, emitted.append, 0.0)
    deferred.add("a", 5)
    deferred.add("b", 6)
    deferred.add("c", 6)
    assert emitted == [["a"], ["b"], ["c"]]
    assert deferred._thread is None


def test_entries_without_a_successor_are_emitted_in_time(waiting_for, emitted):
    deferred = waiting_for(0.02)
    for _ in range(3):  # each wakes it anew
        deferred.add("x", 0)
        until(lambda: emitted)
        assert emitted.pop() == ["x"]


def test_a_clock_that_is_set_back_lengthens_no_wait(waiting_for, emitted):
    deferred = waiting_for(0.02)
    deferred._due_ns = 3600 * 1000 * MOMENT
    deferred.add("a", 0)
    deferred.add("b", 1)
    until(lambda: [*chain(*emitted)] == ["a", "b"])


def test_after_the_end_nothing_waits(waiting_for, emitted):
    deferred = waiting_for(5.0)
    deferred.add("a", 0)
    thread = deferred._thread
    deferred.close()
    deferred.close()
    deferred.add("b", 1)
    deferred.add("c", 1)
    assert emitted == [["a"], ["b"], ["c"]]
    assert thread is not None


def test_who_ends_it_meanwhile_leaves_nothing_waiting(emitted):
    class Closing(int):
        """An instant at which, when it is added to, somebody else ends the backlog."""

        def __add__(self, other):
            deferred.close()
            return int(self) + other

    deferred = DeferredRecords(list, emitted.append, 5.0)
    deferred.add("a", Closing(1))
    deferred.add("b", 2)
    assert emitted == [["a"], ["b"]]


def test_a_child_process_leaves_it_to_its_parent(waiting_for, emitted):
    deferred = waiting_for(5.0)
    deferred.add("parent's", 0)
    child = os.fork()
    if not child:
        deferred.after_fork()
        deferred.add("child's", 0)
        os._exit(emitted != [["child's"]])
    assert os.waitpid(child, 0)[1] == 0
    deferred.close()
    assert emitted == [["parent's"]]


def test_flush_waits_for_the_thread_that_is_emitting(waiting_for):
    began, go_on, emitted = threading.Event(), threading.Event(), []

    def write(entries):
        began.set()
        go_on.wait(10)
        emitted.extend(entries)

    deferred = waiting_for(5.0, write=write)
    deferred.add("a", 0)
    threading.Thread(target=deferred.flush).start()
    assert began.wait(10)
    assert not deferred.waiting  # nothing to see, yet not recorded
    assert deferred.emitting_thread
    assert deferred.flush(0.0) is False  # a caller that cannot wait gets False
    threading.Timer(0.02, go_on.set).start()
    assert deferred.flush()
    assert emitted == ["a"]
    assert not deferred.emitting_thread


def test_what_is_in_hand_delays_no_other(waiting_for):
    began, go_on, emitted = threading.Event(), threading.Event(), []

    def prepare(entries):
        began.set()
        go_on.wait(10)
        return list(entries)

    deferred = waiting_for(5.0, prepare=prepare, write=emitted.extend)
    deferred.waiting.extend(range(LENGTH))
    emitting_thread = threading.Thread(target=deferred.flush)
    emitting_thread.start()
    assert began.wait(10)
    assert finishes(lambda: [deferred.add(LENGTH + number, 0) for number in range(LENGTH - 1)])
    go_on.set()
    emitting_thread.join()
    assert emitted == list(range(2 * LENGTH - 1))


def test_an_interrupting_handler_emits_each_entry_once_and_in_order(waiting_for, emitted):
    interrupted = []

    def prepare(entries):
        prepared = []
        for entry in entries:
            prepared.append(entry)
            if entry == "b" and not interrupted:
                interrupted.append(entry)
                deferred.add("d", 0)
                deferred.flush()  # as a signal handler that logs does
        return prepared

    deferred = waiting_for(5.0, prepare=prepare)
    for entry in "abc":
        deferred.add(entry, 0)
    deferred.flush()
    assert [*chain(*emitted)] == ["a", "b", "c", "d"]
    assert not deferred.emitting_thread


def test_writing_may_itself_add_entries(waiting_for):
    emitted = []

    def write(entries):
        emitted.extend(entries)
        if len(emitted) == 1:
            deferred.add("b", 0)
            deferred.flush()

    deferred = waiting_for(5.0, write=write)
    deferred.add("a", 0)
    deferred.flush()
    assert emitted == ["a", "b"]


def test_a_signal_handler_that_raises_takes_nothing_along(waiting_for, emitted):
    interrupted = []

    def prepare(entries):
        if not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        return list(entries)

    deferred = waiting_for(5.0, prepare=prepare)
    deferred.add("a", 0)
    deferred.add("b", 0)
    with pytest.raises(KeyboardInterrupt):
        deferred.flush()
    assert finishes(deferred.flush)  # the lock is free again
    assert emitted == [["a", "b"]]


def test_a_signal_handler_that_raises_leaves_no_lock_behind(waiting_for, emitted):
    deferred = waiting_for(5.0)
    lock = deferred._emit_lock

    class Interrupted:
        """The lock, at the moment when it has just been acquired."""

        release = lock.release

        def acquire(self, *, timeout):
            assert lock.acquire(timeout=timeout)
            raise KeyboardInterrupt

    deferred._emit_lock = Interrupted()
    deferred.add("a", 0)
    with pytest.raises(KeyboardInterrupt):
        deferred.flush(5.0)
    deferred._emit_lock = lock
    assert finishes(deferred.flush)
    assert emitted == [["a"]]


def test_a_thread_whose_start_was_interrupted_is_started_by_the_next(waiting_for, emitted, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    deferred = waiting_for(0.02)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            deferred.add("a", 0)
    deferred.add("b", 20 * MOMENT)  # it is due, and makes sure that the next one wakes the thread
    assert emitted == [["a", "b"]]
    deferred.add("c", 20 * MOMENT + 1)
    until(lambda: emitted[1:] == [["c"]])


def test_where_no_thread_can_start_nothing_waits(waiting_for, emitted, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    before = sum(dropped_data.snapshot().values())
    deferred = waiting_for(5.0)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        deferred.add("a", 0)
    deferred.add("b", 1)
    deferred.add("c", 1)
    assert emitted == [["a"], ["b"], ["c"]]
    assert sum(dropped_data.snapshot().values()) == before + 1


def test_threads_lose_nothing(waiting_for):
    emitted = []
    deferred = waiting_for(0.001, write=emitted.extend)

    def work(base):
        for number in range(5000):
            deferred.add(base + number, time.time_ns())

    threads = [threading.Thread(target=work, args=(n * 10_000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deferred.close()
    assert sorted(emitted) == sorted(n * 10_000 + m for n in range(4) for m in range(5000))
    for n in range(4):  # those of one thread are in its order
        own = [one for one in emitted if one // 10_000 == n]
        assert own == sorted(own)
