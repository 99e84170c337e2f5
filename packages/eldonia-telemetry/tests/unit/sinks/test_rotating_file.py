import os
import threading

from eldonia_telemetry import losses
from eldonia_telemetry.records import LogEntry
from eldonia_telemetry.sinks.rotating_file import RotatingFileSink

ENTRY = LogEntry(timestamp="", level="info", service="", component="", operation="", message="")


def lost(reason):
    return sum(number for (_, said), number in losses.snapshot().items() if said.startswith(reason))


def line(number):
    return b"%08d %s\n" % (number, b"x" * 90)


def read(folder):
    files = sorted((f for f in folder.iterdir() if f.name.startswith("a.log")), key=lambda f: f.name, reverse=True)
    return [row for file in files for row in file.read_bytes().splitlines(keepends=True)], [f.name for f in files]


def test_rotation_keeps_order_and_the_number_of_files(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=1000, max_files=4)
    for number in range(35):
        sink.write(ENTRY, line(number))
    rows, names = read(tmp_path)
    assert names == ["a.log.3", "a.log.2", "a.log.1", "a.log"]
    assert rows == [line(number) for number in range(35 - len(rows), 35)]
    assert len(rows) >= 30
    sink.close()


def test_one_file_only(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=1000, max_files=1)
    for number in range(25):
        sink.write(ENTRY, line(number))
    assert read(tmp_path)[1] == ["a.log"]
    assert (tmp_path / "a.log").stat().st_size <= 1100
    sink.close()


def test_it_goes_on_where_an_earlier_process_stopped(tmp_path):
    (tmp_path / "a.log").write_bytes(line(0) * 9)
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=1000, max_files=3)
    sink.write(ENTRY, line(1))
    sink.write(ENTRY, line(2))
    assert (tmp_path / "a.log").read_bytes() == line(2)
    sink.close()


def test_threads_lose_and_tear_nothing(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "a.log"), max_bytes=20_000, max_files=1000)

    def work(base):
        for number in range(1500):
            sink.write(ENTRY, line(base + number))

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
    sink.write(ENTRY, line(1))
    os.unlink(tmp_path / "logs" / "a.log")
    os.rmdir(tmp_path / "logs")
    sink._look_at = 0  # as if the second had passed
    sink.write(ENTRY, line(2))
    assert (tmp_path / "logs" / "a.log").read_bytes() == line(2)
    sink.close()


def test_a_folder_that_cannot_be_made_loses_records_and_says_so_once(tmp_path, capsys):
    (tmp_path / "blocked").write_text("a file where a folder should be")
    before = lost("log file not writable")
    sink = RotatingFileSink(str(tmp_path / "blocked" / "a.log"))
    for number in range(10):
        sink.write(ENTRY, line(number))
    assert lost("log file not writable") == before + 10
    assert capsys.readouterr().err.count("cannot open log file") <= 1
    os.unlink(tmp_path / "blocked")
    sink._look_at = 0
    sink.write(ENTRY, line(99))
    assert (tmp_path / "blocked" / "a.log").read_bytes() == line(99)
    sink.close()


def test_a_full_disk_loses_records_not_the_application(tmp_path):
    os.symlink("/dev/full", tmp_path / "a.log")
    before = lost("log file not writable (ENOSPC)")
    sink = RotatingFileSink(str(tmp_path / "a.log"))
    for number in range(5):
        sink.write(ENTRY, line(number))
    assert lost("log file not writable (ENOSPC)") == before + 5
    sink.close()


def test_writing_after_close_is_counted(tmp_path):
    sink = RotatingFileSink(str(tmp_path / "a.log"))
    sink.close()
    sink.close()
    sink.write(ENTRY, line(1))
    assert (tmp_path / "a.log").read_bytes() == b""
