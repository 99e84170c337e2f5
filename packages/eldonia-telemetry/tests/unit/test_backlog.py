import os
import threading
import time

from eldonia_telemetry import losses
from eldonia_telemetry.backlog import LENGTH, Backlog

MOMENT = 1_000_000
"""A millisecond, in nanoseconds."""


def until(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_a_full_backlog_is_told_in_order_and_at_once():
    told = []
    backlog = Backlog(told.append, 10.0)
    for number in range(LENGTH):
        assert told == []
        backlog.add(number, number)
    assert told == [list(range(LENGTH))]
    assert not backlog.waiting
    backlog.close()


def test_without_a_delay_nothing_waits():
    told = []
    backlog = Backlog(told.append, 0.0)
    backlog.add("a", 5)
    backlog.add("b", 6)
    assert told == [["a"], ["b"]]


def test_what_nobody_follows_is_told_in_time():
    told = []
    backlog = Backlog(told.append, 0.02)
    for _ in range(3):  # each rings anew
        backlog.add("x", time.time_ns())
        until(lambda: told)
        assert told.pop() == ["x"]
    backlog.close()


def test_an_entry_that_comes_late_takes_the_others_along():
    told = []
    backlog = Backlog(told.append, 5.0)  # by the clock of the entries, without waiting for the thread
    backlog.add("a", 0)
    backlog.add("b", 4_999 * MOMENT)
    assert told == []
    backlog.add("c", 5_000 * MOMENT)
    assert told == [["a", "b", "c"]]
    backlog.add("d", 5_001 * MOMENT)
    assert len(told) == 1
    backlog.close()
    assert told[1:] == [["d"]]


def test_after_the_end_nothing_waits():
    told = []
    backlog = Backlog(told.append, 5.0)
    backlog.add("a", 0)
    thread = backlog._thread
    backlog.close()
    backlog.close()
    backlog.add("b", 1)
    assert told == [["a"], ["b"]]
    assert thread is not None


def test_a_child_process_leaves_it_to_its_parent():
    told = []
    backlog = Backlog(told.append, 5.0)
    backlog.add("parent's", 0)
    child = os.fork()
    if not child:
        backlog.after_fork()
        backlog.add("child's", 0)
        backlog.settle()
        os._exit(told != [["child's"]])
    assert os.waitpid(child, 0)[1] == 0
    backlog.close()
    assert told == [["parent's"]]


def test_whoever_settles_waits_for_those_who_are_at_it():
    began, go_on, told = threading.Event(), threading.Event(), []

    def tell(entries):
        began.set()
        go_on.wait(5)
        told.extend(entries)

    backlog = Backlog(tell, 5.0)
    backlog.add("a", 0)
    threading.Thread(target=backlog.settle).start()
    assert began.wait(5)
    assert not backlog.waiting  # nothing to see, yet not told
    threading.Timer(0.02, go_on.set).start()
    backlog.settle()
    assert told == ["a"]
    backlog.close()


def test_telling_may_itself_want_something_told():
    told = []

    def tell(entries):
        told.extend(entries)
        if len(told) == 1:
            backlog.add("b", 0)
            backlog.settle()

    backlog = Backlog(tell, 5.0)
    backlog.add("a", 0)
    backlog.settle()
    assert told == ["a", "b"]
    backlog.close()


def test_where_no_thread_can_start_nothing_waits(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    before = sum(losses.snapshot().values())
    told = []
    backlog = Backlog(told.append, 5.0)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        backlog.add("a", 0)
    backlog.add("b", 1)
    assert told == [["a"], ["b"]]
    assert sum(losses.snapshot().values()) == before + 1


def test_threads_lose_nothing():
    told = []
    backlog = Backlog(told.extend, 0.001)

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
