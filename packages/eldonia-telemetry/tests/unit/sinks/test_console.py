import json
import os

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
    sink.write(entry(), b'{"message":"hello"}\n')
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
            sink.write(entry(), b"x" * 1000 + b"\n")
    finally:
        os.close(reading)
        os.close(writing)
    assert "console reader does not keep up" in capsys.readouterr().err


def test_a_closed_reader_is_no_exception():
    reading, writing = os.pipe()
    os.close(reading)
    ConsoleSink(writing).write(entry(), b"x\n")
    os.close(writing)
