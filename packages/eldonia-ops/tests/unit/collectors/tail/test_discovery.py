import asyncio
import contextlib
import glob
import os
import shutil
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from required_tools import requires_host

from eldonia_ops.collectors.status import TargetHealth
from eldonia_ops.collectors.tail import files
from eldonia_ops.collectors.tail.batches import TailOptions
from eldonia_ops.collectors.tail.discovery import FileTail, FollowedPaths
from eldonia_ops.collectors.tail.follow import FollowedFile
from eldonia_ops.collectors.tail.join import JoinBounds

FAST = TailOptions(
    poll_seconds=0.005,
    discover_seconds=0.01,
    batch_lines=50,
    rotation_grace_seconds=0.05,
    retry_seconds=0.01,
    join=JoinBounds(seconds=0.02),
)


class Store:
    """A sink and its positions, in memory; it outlives the tails that the tests start and stop."""

    def __init__(self):
        self.positions = {}
        self.records = []
        self.offsets = {}
        self.failures = 0
        self.save = True

    async def load_position(self, path):
        return self.positions.get(path)

    async def save_position(self, path, identity, offset):
        if self.save:
            self.positions[path] = (identity, offset)

    async def source_position(self, source):
        return self.offsets.get(source)

    async def sink(self, batch):
        if self.failures:
            self.failures -= 1
            raise RuntimeError("disk full")
        assert batch.start < batch.end
        for line in batch.lines:
            assert line.offset > self.offsets.get(batch.source, 0), "a line came twice"
            self.offsets[batch.source] = line.offset
            self.records.append(line.data.decode())

    async def until(self, expected):
        await until(lambda: len(self.records) >= len(expected))
        assert self.records == expected


async def until(condition):
    """Wait for what must come; a test that waits in vain fails after a while."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what a tail does is no event
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def tailing(store, *patterns, options=FAST):
    tail = FileTail([str(pattern) for pattern in patterns], store.sink, store, options)
    task = asyncio.create_task(tail.run())
    try:
        yield tail
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await tail.close()


def append(path, *lines):
    with open(path, "ab") as out:
        out.write("".join(f"{line}\n" for line in lines).encode())


def names(prefix, count):
    return [f"{prefix}{n}" for n in range(count)]


@pytest.fixture
def store():
    return Store()


async def test_follows_what_is_there_and_what_comes(tmp_path, store):
    path = tmp_path / "a.log"
    append(path, *names("old", 120))
    async with tailing(store, tmp_path / "*.log") as tail:
        await store.until(names("old", 120))
        append(path, "new")
        with path.open("ab") as out:
            out.write(b"par")
        await store.until([*names("old", 120), "new"])
        await asyncio.sleep(0.05)
        assert len(store.records) == 121
        append(path, "tial")
        await store.until([*names("old", 120), "new", "partial"])
        [status] = tail.statuses()
        assert (status.health, status.error, status.kind) == (TargetHealth.UP, "", "tail")


async def test_goes_on_where_it_stopped(tmp_path, store):
    path = tmp_path / "a.log"
    append(path, "1", "2")
    async with tailing(store, path):
        await store.until(["1", "2"])
    append(path, "3")
    async with tailing(store, path):
        await store.until(["1", "2", "3"])
    # The position was not saved before a crash, but the store knows what it has.
    store.positions.clear()
    append(path, "4")
    async with tailing(store, path):
        await store.until(["1", "2", "3", "4"])


async def test_new_files_are_found(tmp_path, store):
    async with tailing(store, tmp_path / "**" / "*.log") as tail:
        await asyncio.sleep(0.05)
        assert tail.statuses()[0].error == "no file matches yet"
        (tmp_path / "deep").mkdir()
        append(tmp_path / "deep" / "b.log", "b")
        await store.until(["b"])


async def test_rotation_by_renaming(tmp_path, store):
    path = tmp_path / "a.log"
    append(path, "1")
    options = replace(FAST, rotation_grace_seconds=1.0)
    async with tailing(store, tmp_path / "a.log*", options=options):
        await store.until(["1"])
        with path.open("ab") as writer:
            os.rename(path, tmp_path / "a.log.1")
            append(path, "5", "6")
            writer.write(b"2\n")
            writer.flush()
            await store.until(["1", "2"])
            writer.write(b"3\n4 without an end")
        await store.until(["1", "2", "3", "4 without an end", "5", "6"])
    async with tailing(store, tmp_path / "a.log*"):
        append(path, "7")
        await store.until(["1", "2", "3", "4 without an end", "5", "6", "7"])


async def test_several_rotations_between_two_looks(tmp_path, store):
    path = tmp_path / "a.log"
    append(path, "0")
    async with tailing(store, path):
        await store.until(["0"])
    append(path, "1")
    for turn in range(2, 5):
        for number in (3, 2, 1):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{path}.{number}", f"{path}.{number + 1}")
        os.rename(path, f"{path}.1")
        append(path, str(turn))
    async with tailing(store, path):
        await store.until(["0", "1", "2", "3", "4"])
    async with tailing(store, path):
        await asyncio.sleep(0.1)
        assert len(store.records) == 5


async def test_copy_and_truncate_reads_the_rest_from_the_copy(tmp_path, store):
    path = tmp_path / "a.log"
    append(path, "1", "2")
    async with tailing(store, path):
        await store.until(["1", "2"])
    append(path, "3", "4")
    shutil.copy(path, f"{path}.1")
    os.truncate(path, 0)
    append(path, "5")
    async with tailing(store, path):
        await store.until(["1", "2", "3", "4", "5"])
        shutil.copy(path, f"{path}.2")
        os.truncate(path, 0)
        append(path, "6 is longer than what was there before")
        await store.until(["1", "2", "3", "4", "5", "6 is longer than what was there before"])


async def test_lines_stored_before_a_crash_are_known_again_in_the_copy_that_was_truncated_behind_them(tmp_path, store):
    path = tmp_path / "a.log"
    append(path, *names("a", 3))
    async with tailing(store, path):
        await store.until(names("a", 3))
    shutil.copy(path, f"{path}.2")
    os.truncate(path, 0)
    append(path, *names("b", 3))
    store.save = False  # stored, but killed before the position was saved
    async with tailing(store, path):
        await store.until([*names("a", 3), *names("b", 3)])
    store.save = True
    append(path, "b3")
    shutil.copy(path, f"{path}.1")
    os.truncate(path, 0)
    append(path, "c0")
    async with tailing(store, path):
        await store.until([*names("a", 3), *names("b", 4), "c0"])
    append(path, "c1")
    async with tailing(store, path):
        await store.until([*names("a", 3), *names("b", 4), "c0", "c1"])


async def test_a_file_is_remembered_as_soon_as_it_is_followed(tmp_path, store):
    """Killed before the position behind the first batch was saved, and rotated before the next start."""
    path = tmp_path / "a.log"
    append(path, "1", "2")
    saved = []

    async def save_once(path, identity, offset):
        saved.append(offset)
        if len(saved) == 1:
            store.positions[path] = (identity, offset)

    store.save_position = save_once
    async with tailing(store, path, options=replace(FAST, batch_lines=1)):
        await store.until(["1", "2"])
        await until(lambda: len(saved) == 3)
    del store.save_position
    append(path, "3")
    os.rename(path, f"{path}.1")
    append(path, "4")
    async with tailing(store, path):
        await store.until(["1", "2", "3", "4"])
    assert saved[0] == 0


@pytest.mark.parametrize("running", [True, False])
async def test_truncation_with_the_same_first_line(tmp_path, store, running):
    path = tmp_path / "a.log"
    append(path, "banner", "1", "2")
    async with tailing(store, path):
        await store.until(["banner", "1", "2"])
        if running:
            os.truncate(path, 0)
            append(path, "banner", "3")
            await store.until(["banner", "1", "2", "banner", "3"])
    if not running:
        os.truncate(path, 0)
        append(path, "banner", "3")
        async with tailing(store, path):
            await store.until(["banner", "1", "2", "banner", "3"])
    append(path, "4")
    async with tailing(store, path):
        await store.until(["banner", "1", "2", "banner", "3", "4"])


async def test_deleted_and_made_again(tmp_path, store):
    path = tmp_path / "a.log"
    (tmp_path / "a.log.1").write_text("from before anybody looked\n")
    os.utime(tmp_path / "a.log.1", (1, 1))
    append(path, "1")
    async with tailing(store, path) as tail:
        await store.until(["1"])
        os.remove(path)
        await until(lambda: tail.statuses()[0].error)
        assert tail.statuses()[0].error == "the file is gone"
        append(path, "2")
        await store.until(["1", "2"])


async def test_rotated_files_that_match_are_read_first(tmp_path, store):
    append(tmp_path / "a.log.2", "1")
    append(tmp_path / "a.log.1", "2")
    append(tmp_path / "a.log", "3")
    append(tmp_path / "a.log.3.gz", "no")
    async with tailing(store, tmp_path / "a.log*"):
        await store.until(["1", "2", "3"])


async def test_a_failing_sink_is_offered_the_same_again(tmp_path, store):
    path = tmp_path / "a.log"
    append(path, "1")
    store.failures = 10**6
    async with tailing(store, path) as tail:
        await until(lambda: tail.statuses() and tail.statuses()[0].health is TargetHealth.DOWN)
        assert tail.statuses()[0].error == "not stored yet: disk full"
        append(path, "2")
        store.failures = 2
        await store.until(["1", "2"])
        assert tail.statuses()[0].health is TargetHealth.UP


async def test_a_slow_sink_holds_the_reader_back(tmp_path, store):
    path = tmp_path / "a.log"
    append(path, *names("x", 500))
    batches, gate = [], asyncio.Event()

    async def slow(batch):
        batches.append(len(batch.lines))
        await gate.wait()
        await Store.sink(store, batch)

    store.sink = slow
    async with tailing(store, path):
        await until(lambda: batches)
        await asyncio.sleep(0.05)
        assert batches == [49]  # the last one may go on
        gate.set()
        await store.until(names("x", 500))


async def test_too_many_files_are_said(tmp_path, store):
    for name in "abc":
        append(tmp_path / f"{name}.log", name)
    options = TailOptions(poll_seconds=0.01, discover_seconds=0.01, max_files=2)
    async with tailing(store, tmp_path / "*.log", tmp_path / "none", options=options) as tail:
        await until(lambda: len(store.records) == 2)
        assert sorted(store.records) == ["a", "b"]
        assert tail.statuses()[-1].error == "more than 2 files match; the rest is not followed"
        os.remove(tmp_path / "c.log")
        await until(lambda: tail.statuses()[-1].error == "no file matches yet")


async def test_a_file_that_is_gone_for_long_makes_room_for_others(tmp_path, store):
    """Log files with a date in their names come and go for years."""
    options = replace(FAST, forget_seconds=0.02, max_files=1)
    first, second = tmp_path / "2026-11-26.log", tmp_path / "2026-11-27.log"
    append(first, "1")
    async with tailing(store, tmp_path / "*.log", options=options) as tail:
        await store.until(["1"])
        append(second, "2")
        await until(lambda: "more than 1" in tail.statuses()[-1].error)
        os.remove(first)
        await store.until(["1", "2"])
        assert [status.name for status in tail.statuses()] == [second.name]
        os.remove(second)
        await until(lambda: tail.statuses()[-1].error == "no file matches yet")
        append(second, "3")
        await store.until(["1", "2", "3"])


async def test_what_two_entries_match_is_stored_once(tmp_path, store):
    append(tmp_path / "a.log", "1")
    shared = FollowedPaths()
    tails = [
        FileTail([str(tmp_path / pattern)], store.sink, store, FAST, shared) for pattern in ("*.log", "a.log", "*.log*")
    ]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(tail.run()) for tail in tails]
        await store.until(["1"])
        append(tmp_path / "a.log", "2")
        await store.until(["1", "2"])
        other = f"{tmp_path / 'a.log'} is followed already, by another entry"
        await until(lambda: [[one.error for one in tail.statuses()] for tail in tails] == [[""], [other], [other]])
        for task in tasks:
            task.cancel()
    assert shared.paths == set()


async def test_large_lines_are_stored_a_few_at_a_time(tmp_path, store):
    append(tmp_path / "a.log", *("x" * 1_000 for _ in range(20)))
    sizes = []

    async def sink(batch):
        sizes.append(len(batch.lines))
        await Store.sink(store, batch)

    store.sink = sink
    async with tailing(store, tmp_path / "a.log", options=replace(FAST, batch_bytes=5_000)):
        await until(lambda: len(store.records) == 20)
    assert sizes[:4] == [4, 5, 5, 5]


async def test_a_file_that_cannot_be_read_is_said_and_tried_again(tmp_path, store, monkeypatch):
    import eldonia_ops.collectors.tail.follow as module

    path = tmp_path / "a.log"
    append(path, "1")
    original, faults = module.look, [PermissionError(13, "Permission denied"), RuntimeError("odd")]

    def faulty(path, **options):
        if faults:
            raise faults[0]
        return original(path, **options)

    monkeypatch.setattr(module, "look", faulty)
    async with tailing(store, path) as tail:
        for words in ("cannot read: Permission denied", "a fault of our own, will try again: odd"):
            await until(lambda words=words: words in tail.statuses()[0].error)
            faults.pop(0)
        await store.until(["1"])
        await until(lambda: tail.statuses()[0].error == "")


async def test_trouble_in_looking_for_files_stops_none_that_is_followed(tmp_path, monkeypatch):
    store, noted = Store(), {}

    class Watch:
        def __init__(self, path):
            self.path = path

        def succeeded(self):
            noted[self.path] = ""

        def failed(self, error):
            noted[self.path] = type(error).__name__

    path = tmp_path / "a.log"
    path.write_text("one\n")
    tail = FileTail([str(tmp_path / "*.log")], store.sink, store, FAST, None, Watch)
    async with contextlib.AsyncExitStack() as stack:
        task = asyncio.create_task(tail.run())
        stack.callback(task.cancel)
        await until(lambda: store.records)

        def broken(patterns, exclude):
            raise KeyError

        monkeypatch.setattr("eldonia_ops.collectors.tail.discovery._matches", broken)
        await until(lambda: noted.get(str(tmp_path / "*.log")) == "KeyError")
        with path.open("a") as file:
            file.write("two\n")
        await until(lambda: len(store.records) == 2)
        assert noted[str(path)] == ""


async def test_lines_that_could_not_be_read_are_counted_for_each_file(tmp_path, store):
    async def sink(batch):
        await store.sink(batch)
        return sum(1 for line in batch.lines if b"bad" in line.data)

    tail = FileTail([str(tmp_path / "*.log")], sink, store, FAST)
    append(tmp_path / "a.log", "good", "bad", "bad")
    append(tmp_path / "b.log", "good")
    task = asyncio.create_task(tail.run())
    await until(lambda: len(store.records) == 4)
    append(tmp_path / "a.log", "bad", "good")
    await until(lambda: len(store.records) == 6)
    counts = {status.name: status.parse_errors for status in tail.statuses()}
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert counts == {"a.log": 3, "b.log": 0}


async def test_a_file_that_cannot_be_followed_stops_no_other(tmp_path, store, monkeypatch):
    for name in ("a", "b", "c"):
        append(tmp_path / f"{name}.log", name)
    real = FollowedFile

    def followed(path, *arguments, **options):
        if path.name == "b.log" and broken:
            raise RuntimeError("no")
        return real(path, *arguments, **options)

    broken = True
    monkeypatch.setattr("eldonia_ops.collectors.tail.discovery.FollowedFile", followed)
    async with tailing(store, tmp_path / "*.log") as tail:
        await until(lambda: len(store.records) == 2)
        assert sorted(store.records) == ["a", "c"]
        await until(lambda: any("b.log cannot be followed: no" in status.error for status in tail.statuses()))
        broken = False
        await until(lambda: sorted(store.records) == ["a", "b", "c"])


async def test_a_pattern_that_cannot_be_looked_for_stops_no_other(tmp_path, store, monkeypatch):
    append(tmp_path / "a.log", "a")
    real = glob.glob

    def looking(pattern, **options):
        if "bad" in pattern:
            raise ValueError("embedded null byte")
        return real(pattern, **options)

    monkeypatch.setattr(glob, "glob", looking)
    async with tailing(store, tmp_path / "bad*.log", tmp_path / "*.log"):
        await store.until(["a"])


@requires_host(sys.platform == "linux", "other systems take only names that are text")
async def test_a_name_that_is_no_text_is_followed_and_shown(tmp_path, store):
    path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), b"caf\xe9.log")))
    append(path, "a")
    async with tailing(store, tmp_path / "*.log") as tail:
        await store.until(["a"])
        [status] = tail.statuses()
    [(known, _)] = store.positions.items()
    for text in (known, status.name, status.url, *status.labels.values(), *store.offsets):
        assert "caf\\xe9.log" in text
        text.encode()


async def test_a_file_system_that_does_not_answer_holds_neither_the_event_loop_nor_threads_of_others(
    tmp_path, monkeypatch
):
    (tmp_path / "well.log").write_text("one\n")
    for number in range(40):
        (tmp_path / f"hung{number}.log").write_text("never read\n")
    answering = threading.Event()
    look_at = files.look_at

    def hanging(descriptor, path, **options):
        if "hung" in path.name:
            assert threading.current_thread() is not threading.main_thread()
            answering.wait(60)
        return look_at(descriptor, path, **options)

    monkeypatch.setattr(files, "look_at", hanging)
    store = Store()
    try:
        async with tailing(store, tmp_path / "hung*.log"), tailing(store, tmp_path / "well.log"):
            await until(lambda: "one" in store.records)
            with (tmp_path / "well.log").open("a") as file:
                file.write("two\n")
            await until(lambda: "two" in store.records)
            # What scrapes and others use.
            assert await asyncio.gather(*(asyncio.to_thread(int, "7") for _ in range(40))) == [7] * 40
    finally:
        answering.set()
