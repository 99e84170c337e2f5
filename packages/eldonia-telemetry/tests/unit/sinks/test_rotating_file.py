import gzip
import os
import threading
import time

from eldonia_telemetry import dropped_data
from eldonia_telemetry.sinks.rotating_file import RotatingFileSink


def lost(reason):
    return sum(number for (_, said), number in dropped_data.snapshot().items() if said.startswith(reason))


def line(number):
    return b"%08d %s\n" % (number, b"x" * 90)


def read(folder):
    files = sorted((f for f in folder.iterdir() if f.name.startswith("a.log")), key=lambda f: f.name, reverse=True)
    return [row for file in files for row in file.read_bytes().splitlines(keepends=True)], [f.name for f in files]


def test_rotation_keeps_order_and_the_number_of_files(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=1000, max_files=4)
    for number in range(35):
        sink.write(line(number))
    rows, names = read(tmp_path)
    assert names == ["a.log.3", "a.log.2", "a.log.1", "a.log"]
    assert rows == [line(number) for number in range(35 - len(rows), 35)]
    assert len(rows) >= 30
    sink.close()


def test_one_file_only(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=1000, max_files=1)
    for number in range(25):
        sink.write(line(number))
    assert read(tmp_path)[1] == ["a.log"]
    assert (tmp_path / "a.log").stat().st_size <= 1100
    sink.close()


def test_it_goes_on_where_an_earlier_process_stopped(tmp_path):
    (tmp_path / "a.log").write_bytes(line(0) * 9)
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=1000, max_files=3)
    sink.write(line(1))
    sink.write(line(2))
    assert (tmp_path / "a.log").read_bytes() == line(2)
    sink.close()


def test_threads_lose_and_tear_nothing(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=20_000, max_files=1000)

    def work(base):
        for number in range(1500):
            sink.write(line(base + number))

    threads = [threading.Thread(target=work, args=(n * 10_000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows, names = read(tmp_path)
    assert sorted(rows) == sorted(line(n * 10_000 + m) for n in range(4) for m in range(1500))
    assert len(names) >= 25
    sink.close()


def test_a_file_taken_away_is_made_anew_within_a_second(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "logs" / "a.log"))
    sink.write(line(1))
    os.unlink(tmp_path / "logs" / "a.log")
    os.rmdir(tmp_path / "logs")
    sink._look_at = 0  # as if the second had passed
    sink.write(line(2))
    assert (tmp_path / "logs" / "a.log").read_bytes() == line(2)
    sink.close()


def test_a_folder_that_cannot_be_made_loses_records_and_says_so_once(tmp_path, capsys):
    (tmp_path / "blocked").write_text("a file where a folder should be")
    before = lost("log file not writable")
    sink = RotatingFileSink(str(tmp_path / "blocked" / "a.log"))
    for number in range(10):
        sink.write(line(number))
    assert lost("log file not writable") == before + 10
    assert capsys.readouterr().err.count("cannot open log file") <= 1
    os.unlink(tmp_path / "blocked")
    sink._look_at = 0
    sink.write(line(99))
    assert (tmp_path / "blocked" / "a.log").read_bytes() == line(99)
    sink.close()


def test_a_full_disk_loses_records_not_the_application(tmp_path):
    os.symlink("/dev/full", tmp_path / "a.log")
    before = lost("log file not writable (ENOSPC)")
    sink = RotatingFileSink(str(tmp_path / "a.log"))
    for number in range(5):
        sink.write(line(number))
    assert lost("log file not writable (ENOSPC)") == before + 5
    sink.close()


def test_writing_after_close_is_counted(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "a.log"))
    sink.close()
    sink.close()
    sink.write(line(1))
    assert (tmp_path / "a.log").read_bytes() == b""


def compressed(sink):
    if sink._compressing is not None:
        sink._compressing.join(10)


def read_all(folder):
    rows = []
    for file in folder.iterdir():
        if file.name.startswith("a.log"):
            data = file.read_bytes()
            rows += (gzip.decompress(data) if file.suffix == ".gz" else data).splitlines(keepends=True)
    return rows


def test_a_new_period_begins_a_new_file(tmp_path, monkeypatch):
    clock = [1_795_000_000.0]
    path = str(tmp_path / "a.log")
    monkeypatch.setattr(time, "time", lambda: clock[0])

    def sink():
        return RotatingFileSink(path, every=3600, max_files=10)

    first = sink()
    first.write(line(1))
    os.utime(path, (clock[0], clock[0]))
    clock[0] += 3600
    first.write(line(2))
    first.write(line(3))
    assert read(tmp_path) == ([line(1), line(2), line(3)], ["a.log.1", "a.log"])
    os.utime(path, (clock[0], clock[0]))
    first.close()
    clock[0] += 3600  # a process that starts later sees that the file is of another hour
    second = sink()
    third = sink()
    second.write(line(4))
    third.write(line(5))  # and one that had the old file open does not rotate again
    assert read(tmp_path)[1] == ["a.log.2", "a.log.1", "a.log"]
    assert (tmp_path / "a.log").read_bytes() == line(4) + line(5)
    second.close()
    third.close()


def test_an_hour_without_a_record_leaves_no_empty_file(tmp_path, monkeypatch):
    clock = [1_795_000_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    sink = RotatingFileSink(str(tmp_path / "a.log"), every=60)
    clock[0] += 600
    sink.write(line(1))
    assert read(tmp_path)[1] == ["a.log"]
    sink.close()


def test_rotated_files_are_compressed_and_keep_their_place(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=1000, max_files=4, compress=True)
    for number in range(45):
        sink.write(line(number))
        compressed(sink)
    assert sorted(f.name for f in tmp_path.iterdir() if f.name.startswith("a.log")) == [
        "a.log",
        "a.log.1.gz",
        "a.log.2.gz",
        "a.log.3.gz",
    ]
    rows = read_all(tmp_path)
    assert sorted(rows) == [line(number) for number in range(45 - len(rows), 45)]
    assert len(rows) >= 30
    assert os.stat(tmp_path / "a.log.1.gz").st_mode & 0o777 == os.stat(tmp_path / "a.log").st_mode & 0o777
    sink.close()


def test_a_file_that_somebody_still_writes_to_waits(tmp_path):
    path = str(tmp_path / "a.log")
    slow = RotatingFileSink(path, max_bytes=1000, max_files=9)
    slow.write(line(0))
    quick = RotatingFileSink(path, max_bytes=1000, max_files=9, compress=True)
    for number in range(1, 30):
        quick.write(line(number))
        compressed(quick)
    oldest = max(f.name for f in tmp_path.iterdir() if f.name.startswith("a.log."))
    assert not oldest.endswith(".gz")
    os.write(slow._fd, line(30))  # after a pause of any length between its look and its write
    slow.close()
    for number in range(31, 45):
        quick.write(line(number))
        compressed(quick)
    assert not any(f.name.startswith("a.log.") and f.suffix != ".gz" for f in tmp_path.iterdir())
    assert sorted(read_all(tmp_path)) == [line(number) for number in range(45)]
    quick.close()


def test_what_a_process_left_that_ended_while_compressing_goes(tmp_path):
    (tmp_path / ".a.log.123.compressing").write_bytes(b"half")
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=200, max_files=4, compress=True)
    for number in range(5):
        sink.write(line(number))
    compressed(sink)
    assert not (tmp_path / ".a.log.123.compressing").exists()
    sink.close()


def test_files_beyond_the_number_go_even_if_there_were_more_before(tmp_path):
    for number in range(1, 20):
        (tmp_path / f"a.log.{number}").write_bytes(b"")
    (tmp_path / "a.log.old").write_bytes(b"somebody's own")
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=200, max_files=3)
    for number in range(5):
        sink.write(line(number))
    assert sorted(f.name for f in tmp_path.iterdir() if f.name[0] != ".") == [
        "a.log",
        "a.log.1",
        "a.log.2",
        "a.log.old",
    ]
    sink.close()


def test_a_child_that_was_forked_during_a_rotation_does_not_keep_the_lock(tmp_path, monkeypatch):
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=300, max_files=20)
    children = []
    shift = sink._shift

    def fork_then_shift():
        child = os.fork()
        if child == 0:
            time.sleep(3)
            os._exit(0)
        children.append(child)
        shift()

    monkeypatch.setattr(sink, "_shift", fork_then_shift)
    for number in range(3):
        sink.write(line(number))
    monkeypatch.undo()
    assert len(children) == 1
    for number in range(3, 20):
        sink.write(line(number))
    assert len(read(tmp_path)[1]) >= 6
    os.kill(children[0], 9)
    os.waitpid(children[0], 0)
    sink.close()


def test_several_are_written_in_one_piece(tmp_path, monkeypatch):
    sink = RotatingFileSink(str(tmp_path / "a.log"))
    sizes = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: sizes.append(len(data)) or write(fd, data))
    sink.write_all([line(1), line(2), line(3)])
    sink.write(line(4))
    assert sizes == [300, 100]
    assert read(tmp_path)[0] == [line(number) for number in (1, 2, 3, 4)]
    sink.close()


def test_of_several_that_a_full_disk_cuts_short_the_lost_ones_are_counted(tmp_path, monkeypatch):
    sink = RotatingFileSink(str(tmp_path / "a.log"))
    write, room = os.write, 250
    before = lost("log file record cut short")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, data[:room]))
        sink.write_all([line(number) for number in range(5)])
    assert lost("log file record cut short") - before == 3
    sink.write_all([line(8), line(9)])
    assert read(tmp_path)[0] == [line(0), line(1), line(2)[:50] + b"\n", line(8), line(9)]
    sink.close()


def test_a_record_cut_short_is_ended_even_if_the_next_write_fails(tmp_path, monkeypatch):
    sink = RotatingFileSink(str(tmp_path / "a.log"))
    write = os.write

    def full(fd, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda fd, data: write(fd, data[:40]))
        sink.write(line(0))
        patch.setattr(os, "write", full)
        sink.write(line(1))
    sink.write(line(2))
    assert read(tmp_path)[0] == [line(0)[:40] + b"\n", line(2)]
    sink.close()


def test_none_of_several_is_uncounted_when_the_disk_takes_nothing(tmp_path, monkeypatch):
    sink = RotatingFileSink(str(tmp_path / "a.log"))
    before = lost("log file not writable")

    def full(fd, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        sink.write_all([line(0), line(1)])
    sink.close()
    sink.write_all([line(2), line(3), line(4)])
    assert lost("log file not writable") - before == 5
