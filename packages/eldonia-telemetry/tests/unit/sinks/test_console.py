import json
import os
import select
import threading

import msgspec

from eldonia_telemetry import dropped_data
from eldonia_telemetry.records import ErrorDetail, LogEntry
from eldonia_telemetry.sinks.console import ConsoleSink, paint


def entry(**more):
    return LogEntry(
        **{
            **{"timestamp": "2026-01-02T03:04:05.678Z", "level": "warn", "service": "shop", "component": "orders"},
            **{"operation": "pay", "message": "hello"},
            **more,
        }
    )


def test_a_pipe_gets_json_lines():
    reading, writing = os.pipe()
    sink = ConsoleSink(writing)
    sink.write(b'{"message":"hello"}\n')
    os.close(writing)
    with os.fdopen(reading) as file:
        assert json.loads(file.read()) == {"message": "hello"}


def test_people_get_colours_and_no_control_over_their_terminal():
    line = paint(entry(message="x\x1b[2Jy\nz", metadata={"k": "v", "n": 3}, user_id="u1"))
    assert "\x1b[33mWARN" in line
    assert "x\\x1b[2Jy\\nz" in line
    assert line.count("\n") == 1
    assert "k=\x1b[0mv" in line
    stack = paint(entry(error=ErrorDetail("E", "m", "Traceback\n  File x\nE: m\n")))
    assert stack.splitlines()[-1] == "    E: m"


def test_a_reader_that_does_not_keep_up_costs_records_not_the_application(capsys):
    reading, writing = os.pipe()
    try:
        sink = ConsoleSink(writing)
        for _ in range(70):  # a pipe holds 64 KiB
            sink.write(b"x" * 1000 + b"\n")
    finally:
        os.close(reading)
        os.close(writing)
    assert "console reader does not keep up" in capsys.readouterr().err


def test_a_closed_reader_is_no_exception():
    reading, writing = os.pipe()
    os.close(reading)
    ConsoleSink(writing).write(b"x\n")
    os.close(writing)


def test_threads_write_whole_records():
    reading, writing = os.pipe()
    sink = ConsoleSink(writing, colour=False)
    rows: list[bytes] = []

    def read():
        with os.fdopen(reading, "rb") as file:
            rows.extend(file)

    def write(thread: int):
        for number in range(300):
            sink.write(b"%d.%d %b\n" % (thread, number, b"x" * 9000))

    before = dropped_data.snapshot()
    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    os.close(writing)
    reader.join()
    dropped = sum(dropped_data.snapshot().values()) - sum(before.values())
    whole = [row for row in rows if len(row) > 9000]
    assert all(row.count(b" ") == 1 for row in rows)
    assert len(whole) + dropped == 1200


def test_a_record_larger_than_the_room_does_not_wait_for_a_reader_that_sleeps():
    reading, writing = os.pipe()
    sink = ConsoleSink(writing, colour=False)
    for _ in range(20):
        sink.write(b"x" * 9000 + b"\n")  # hangs here if it waits
    taken = os.read(reading, 1 << 20)
    sink.write(b"after\n")
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        taken += file.read()
    assert taken.endswith(b"\nafter\n")


def test_several_go_together_as_far_as_a_pipe_takes_them_whole(monkeypatch):
    reading, writing = os.pipe()
    sink = ConsoleSink(writing, colour=False)
    pieces = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: pieces.append(bytes(data)) or write(fd, data))
    lines = [b"%d %b\n" % (number, b"x" * 1000) for number in range(10)]
    sink.write_all(lines)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        assert file.readlines() == lines
    assert [piece.count(b"\n") for piece in pieces] == [4, 4, 2]
    assert all(len(piece) <= select.PIPE_BUF for piece in pieces)


def test_of_several_each_is_painted():
    reading, writing = os.pipe()
    sink = ConsoleSink(writing, colour=True)
    sink.write_all([msgspec.json.encode(entry(message=f"number {n}")) + b"\n" for n in range(3)])
    os.close(writing)
    with os.fdopen(reading) as file:
        rows = file.readlines()
    assert len(rows) == 3
    assert all("\x1b[33mWARN" in row and f"number {n}" in row for n, row in enumerate(rows))


def test_of_several_without_a_reader_each_is_counted():
    reading, writing = os.pipe()
    try:
        sink = ConsoleSink(writing, colour=False)
        before = sum(dropped_data.snapshot().values())
        sink.write_all([b"x" * 1000 + b"\n"] * 100)  # a pipe holds 64 KiB
        arrived = len(os.read(reading, 1 << 20)) // 1001
        assert arrived < 100
        assert sum(dropped_data.snapshot().values()) - before == 100 - arrived
    finally:
        os.close(reading)
        os.close(writing)
