import os
import threading
import time
from itertools import chain

import pytest

from eldonia_telemetry import losses
from eldonia_telemetry.backlog import LENGTH, Backlog

MOMENT = 1_000_000
"""A millisecond, in nanoseconds."""


@pytest.fixture
def told():
    return []


@pytest.fixture
def waiting_for(told):
    """Makes a backlog that tells lists of entries, and in which the next entry waits."""
    made = []

    def make(delay, *, prepare=list, write=told.append):
        backlog = Backlog(prepare, write, delay)
        backlog._due_ns = backlog._delay_ns  # as if an entry of time 0 had just been told
        made.append(backlog)
        return backlog

    yield make
    for backlog in made:
        backlog.close()


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


def test_the_first_after_a_pause_is_told_at_once_and_the_others_wait(told):
    backlog = Backlog(list, told.append, 5.0)
    backlog.add("a", 0)
    assert told == [["a"]]
    backlog.add("b", 1)
    backlog.add("c", 4_999 * MOMENT)
    assert told == [["a"]]
    backlog.add("d", 5_000 * MOMENT)
    assert told == [["a"], ["b", "c", "d"]]
    backlog.add("e", 5_001 * MOMENT)
    assert len(told) == 2
    backlog.add("f", 60_000 * MOMENT)
    assert told[2:] == [["e", "f"]]
    backlog.close()


def test_a_full_backlog_is_told_in_order_and_at_once(waiting_for, told):
    backlog = waiting_for(10.0)
    for number in range(LENGTH):
        assert told == []
        backlog.add(number, number)
    assert told == [list(range(LENGTH))]
    assert not backlog.waiting


def test_without_a_delay_nothing_waits(told):
    backlog = Backlog(list, told.append, 0.0)
    backlog.add("a", 5)
    backlog.add("b", 6)
    backlog.add("c", 6)
    assert told == [["a"], ["b"], ["c"]]
    assert backlog._thread is None


def test_what_nobody_follows_is_told_in_time(waiting_for, told):
    backlog = waiting_for(0.02)
    for _ in range(3):  # each rings anew
        backlog.add("x", 0)
        until(lambda: told)
        assert told.pop() == ["x"]


def test_a_clock_that_is_set_back_makes_nobody_wait_longer(waiting_for, told):
    backlog = waiting_for(0.02)
    backlog._due_ns = 3600 * 1000 * MOMENT
    backlog.add("a", 0)
    backlog.add("b", 1)
    until(lambda: [*chain(*told)] == ["a", "b"])


def test_after_the_end_nothing_waits(waiting_for, told):
    backlog = waiting_for(5.0)
    backlog.add("a", 0)
    thread = backlog._thread
    backlog.close()
    backlog.close()
    backlog.add("b", 1)
    backlog.add("c", 1)
    assert told == [["a"], ["b"], ["c"]]
    assert thread is not None


def test_who_ends_it_meanwhile_leaves_nothing_waiting(told):
    class Closing(int):
        """An instant at which, when it is added to, somebody else ends the backlog."""

        def __add__(self, other):
            backlog.close()
            return int(self) + other

    backlog = Backlog(list, told.append, 5.0)
    backlog.add("a", Closing(1))
    backlog.add("b", 2)
    assert told == [["a"], ["b"]]


def test_a_child_process_leaves_it_to_its_parent(waiting_for, told):
    backlog = waiting_for(5.0)
    backlog.add("parent's", 0)
    child = os.fork()
    if not child:
        backlog.after_fork()
        backlog.add("child's", 0)
        os._exit(told != [["child's"]])
    assert os.waitpid(child, 0)[1] == 0
    backlog.close()
    assert told == [["parent's"]]


def test_whoever_settles_waits_for_those_who_are_at_it(waiting_for):
    began, go_on, told = threading.Event(), threading.Event(), []

    def write(entries):
        began.set()
        go_on.wait(10)
        told.extend(entries)

    backlog = waiting_for(5.0, write=write)
    backlog.add("a", 0)
    threading.Thread(target=backlog.settle).start()
    assert began.wait(10)
    assert not backlog.waiting  # nothing to see, yet not told
    assert backlog.teller
    assert backlog.settle(0.0) is False  # whoever cannot wait is told so
    threading.Timer(0.02, go_on.set).start()
    assert backlog.settle()
    assert told == ["a"]
    assert not backlog.teller


def test_what_is_in_hand_keeps_nobody_else_waiting(waiting_for):
    began, go_on, told = threading.Event(), threading.Event(), []

    def prepare(entries):
        began.set()
        go_on.wait(10)
        return list(entries)

    backlog = waiting_for(5.0, prepare=prepare, write=told.extend)
    backlog.waiting.extend(range(LENGTH))
    teller = threading.Thread(target=backlog.settle)
    teller.start()
    assert began.wait(10)
    assert finishes(lambda: [backlog.add(LENGTH + number, 0) for number in range(LENGTH - 1)])
    go_on.set()
    teller.join()
    assert told == list(range(2 * LENGTH - 1))


def test_who_interrupts_and_tells_tells_each_once_and_in_order(waiting_for, told):
    interrupted = []

    def prepare(entries):
        prepared = []
        for entry in entries:
            prepared.append(entry)
            if entry == "b" and not interrupted:
                interrupted.append(entry)
                backlog.add("d", 0)
                backlog.settle()  # as a signal handler that logs does
        return prepared

    backlog = waiting_for(5.0, prepare=prepare)
    for entry in "abc":
        backlog.add(entry, 0)
    backlog.settle()
    assert [*chain(*told)] == ["a", "b", "c", "d"]
    assert not backlog.teller


def test_writing_may_itself_want_something_told(waiting_for):
    told = []

    def write(entries):
        told.extend(entries)
        if len(told) == 1:
            backlog.add("b", 0)
            backlog.settle()

    backlog = waiting_for(5.0, write=write)
    backlog.add("a", 0)
    backlog.settle()
    assert told == ["a", "b"]


def test_a_signal_handler_that_raises_takes_nothing_along(waiting_for, told):
    interrupted = []

    def prepare(entries):
        if not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        return list(entries)

    backlog = waiting_for(5.0, prepare=prepare)
    backlog.add("a", 0)
    backlog.add("b", 0)
    with pytest.raises(KeyboardInterrupt):
        backlog.settle()
    assert finishes(backlog.settle)  # nobody holds the lock any more
    assert told == [["a", "b"]]


def test_a_signal_handler_that_raises_leaves_no_lock_behind(waiting_for, told):
    backlog = waiting_for(5.0)
    lock = backlog._telling

    class Interrupted:
        """The lock, at the moment when it has been acquired and nobody knows yet."""

        release = lock.release

        def acquire(self, *, timeout):
            assert lock.acquire(timeout=timeout)
            raise KeyboardInterrupt

    backlog._telling = Interrupted()
    backlog.add("a", 0)
    with pytest.raises(KeyboardInterrupt):
        backlog.settle(5.0)
    backlog._telling = lock
    assert finishes(backlog.settle)
    assert told == [["a"]]


def test_a_thread_whose_start_was_interrupted_is_started_by_the_next(waiting_for, told, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    backlog = waiting_for(0.02)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            backlog.add("a", 0)
    backlog.add("b", 20 * MOMENT)  # it is due, and sees to it that the next one rings
    assert told == [["a", "b"]]
    backlog.add("c", 20 * MOMENT + 1)
    until(lambda: told[1:] == [["c"]])


def test_where_no_thread_can_start_nothing_waits(waiting_for, told, monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    before = sum(losses.snapshot().values())
    backlog = waiting_for(5.0)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        backlog.add("a", 0)
    backlog.add("b", 1)
    backlog.add("c", 1)
    assert told == [["a"], ["b"], ["c"]]
    assert sum(losses.snapshot().values()) == before + 1


def test_threads_lose_nothing(waiting_for):
    told = []
    backlog = waiting_for(0.001, write=told.extend)

    def work(base):
        for number in range(5000):
            backlog.add(base + number, time.time_ns())

    threads = [threading.Thread(target=work, args=(n * 10_000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    backlog.close()
    assert sorted(told) == sorted(n * 10_000 + m for n in range(4) for m in range(5000))
    for n in range(4):  # those of one thread are in its order
        own = [one for one in told if one // 10_000 == n]
        assert own == sorted(own)
