"""Lines as the loggers of others write them, with what they mean."""

import json

import pytest
from required_tools import requires_shared, shared_folder

from eldonia_ops.model.logs import LogLevel
from eldonia_ops.protocols.log_lines import LineFormat, parse_line

NOW = 1_700_000_000 * 10**9
STAMP_NS = NOW + 250_000_000
ISO = "2023-11-14T22:13:20.250Z"
TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: no\nwhat'
JAVA = "java.lang.IllegalStateException: late\n\tat A.b(A.java:1)\nCaused by: java.io.IOException: x"


def read(value, format=LineFormat.JSON):
    line = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    return parse_line(line, NOW, format=format)


SHAPES = {
    "structlog": {"event": "m", "level": "error", "timestamp": ISO},
    "structlog epoch": {"event": "m", "level": "error", "timestamp": 1700000000.25},
    "loguru": {
        "text": "x | m\n",
        "record": {
            "level": {"icon": "e", "name": "ERROR", "no": 40},
            "message": "m",
            "name": "app.pay",
            "time": {"repr": "2023-11-14 22:13:20.250000+00:00", "timestamp": 1700000000.25},
            "extra": {"order": 1},
            "exception": None,
        },
    },
    "docker": {"log": "m\n", "stream": "stderr", "time": ISO, "level": "error"},
    "docker with json": {"log": json.dumps({"level": "error", "msg": "m"}) + "\n", "stream": "stdout", "time": ISO},
    "docker in docker": {"log": json.dumps({"log": '{"level":"error","msg":"m"}'}), "stream": "stdout", "time": ISO},
    "journald": {
        "MESSAGE": "m",
        "PRIORITY": "3",
        "__REALTIME_TIMESTAMP": "1700000000250000",
        "_HOSTNAME": "web1",
        "__CURSOR": "s=1",
    },
    "journald bytes": {"MESSAGE": [109], "PRIORITY": "2", "__REALTIME_TIMESTAMP": "1700000000250000", "__CURSOR": "s"},
    "logstash": {"@timestamp": ISO, "message": "m", "level": "ERROR", "level_value": 40000, "logger_name": "a.B"},
    "logback": {"timestamp": 1700000000250, "level": "ERROR", "message": "m {}", "formattedMessage": "m"},
    "log4j2": {
        "instant": {"epochSecond": 1700000000, "nanoOfSecond": 250000000},
        "level": "FATAL",
        "loggerName": "a.B",
        "message": "m",
    },
    "log4j2 millis": {"timeMillis": 1700000000250, "level": "ERROR", "message": "m"},
    "postgres": {"timestamp": "2023-11-14 22:13:20.250 UTC", "error_severity": "PANIC", "message": "m"},
    "postgres in Tokyo": {"timestamp": "2023-11-15 07:13:20.250 JST", "error_severity": "ERROR", "message": "m"},
    "python-json-logger": {"asctime": "2023-11-14 22:13:20,250", "levelname": "CRITICAL", "message": "m"},
    "slog": {"time": "2023-11-14T22:13:20.25Z", "level": "ERROR+2", "msg": "m"},
    "zap": {"level": "dpanic", "ts": 1700000000.25, "caller": "a.go:1", "msg": "m"},
    "zap text": {"level": "error", "ts": "1700000000.25", "msg": "m"},
    "zerolog": {"level": "fatal", "time": 1700000000250, "message": "m"},
    "pino": {"level": 50, "time": 1700000000250, "msg": "m"},
    "bunyan": {"name": "n", "hostname": "h", "pid": 1, "v": 0, "level": 60, "time": ISO, "msg": "m"},
    "ecs": {"@timestamp": ISO, "log.level": "error", "message": "m"},
    "ecs nested": {"@timestamp": ISO, "log": {"level": "error"}, "message": "m"},
    "gelf": {"version": "1.1", "host": "h", "short_message": "m", "timestamp": 1700000000.25, "level": 3},
    "monolog": {"message": "m", "level": 400, "level_name": "ERROR", "datetime": ISO},
    "serilog": {"@t": ISO, "@m": "m", "@l": "Error"},
    "dotnet": {"Timestamp": ISO, "LogLevel": "Error", "Category": "A", "Message": "m"},
    "tracing": {"timestamp": ISO, "level": "ERROR", "fields": {"message": "m"}, "target": "a::b"},
    "opentelemetry": {"timestamp": "1700000000250000000", "severityNumber": 17, "body": "m"},
    "google": {"severity": "CRITICAL", "time": ISO, "message": "m"},
    "syslog-ng": {"time": "Tue, 14 Nov 2023 22:13:20.250 GMT", "severity": "err", "message": "m"},
}


@pytest.mark.parametrize("name", SHAPES)
def test_time_level_and_message(name):
    record = read(SHAPES[name])
    assert (record.message, record.level, record.timestamp_ns) == ("m", LogLevel.ERROR, STAMP_NS)
    assert record.parse_error == ""


@pytest.mark.parametrize(
    ("value", "name", "message"),
    [
        ({"event": "m", "exception": TRACEBACK.removesuffix("\nwhat")}, "ValueError", "no"),
        (
            {"event": "m", "exception": [{"exc_type": "ValueError", "exc_value": "no", "frames": []}]},
            "ValueError",
            "no",
        ),
        ({"message": "m", "exc_info": TRACEBACK.removesuffix("\nwhat")}, "ValueError", "no"),
        ({"message": "m", "stack_trace": JAVA}, "java.lang.IllegalStateException", "late"),
        ({"message": "m", "error.type": "E", "error.message": "no", "error.stack_trace": JAVA}, "E", "no"),
        ({"message": "m", "error": {"type": "E", "message": "no", "stack_trace": JAVA}}, "E", "no"),
        ({"message": "m", "thrown": {"name": "E", "message": "no", "extendedStackTrace": [{"class": "A"}]}}, "E", "no"),
        ({"message": "m", "throwable": {"className": "E", "message": "no", "stepArray": []}}, "E", "no"),
        ({"msg": "m", "err": {"type": "E", "message": "no", "stack": "E: no\n    at x"}}, "E", "no"),
        ({"msg": "m", "error": "no", "stacktrace": "main.main\n\t/a.go:1"}, "", "no"),
    ],
)
def test_exceptions(value, name, message):
    record = read(value)
    assert record.message == "m"
    assert record.error is not None
    assert (record.error.name, record.error.message) == (name, message)


def test_an_access_log_takes_its_level_from_the_status():
    base = {"time_iso8601": "2023-11-14T22:13:20+00:00", "remote_addr": "1.2.3.4", "request": "GET / HTTP/1.1"}
    for status, level in ((502, "error"), ("503", "error"), ("404", "warn"), (200, "info")):
        record = read({**base, "status": status})
        assert (record.level.value, record.timestamp_ns, record.ip_address) == (level, NOW, "1.2.3.4")
        assert json.loads(record.message)["status"] == status
        assert record.parse_error == ""
    assert read({"msg": "m", "status": 502}).level == LogLevel.INFO


def test_plain_lines():
    line = read("2023-11-14 22:13:20.250 UTC [1] FATAL:  could not bind", LineFormat.AUTO)
    assert (line.timestamp_ns, line.level, line.parse_error) == (STAMP_NS, LogLevel.ERROR, "")
    syslog = read('<27>1 2023-11-14T22:13:20.25+00:00 vm app 9 - [x y="]"] \ufeffno disk', LineFormat.AUTO)
    assert (syslog.message, syslog.level, syslog.service, syslog.hostname) == ("no disk", LogLevel.ERROR, "app", "vm")
    old = read("<36>Nov 14 22:13:20 vm sshd[3]: Failed password", LineFormat.AUTO)
    assert (old.message, old.level, old.service, old.timestamp_ns) == ("Failed password", LogLevel.WARN, "sshd", NOW)
    cri = read('2023-11-14T22:13:20.250Z stderr F {"level":"error","msg":"m","n":1}')
    assert (cri.message, cri.level, cri.timestamp_ns) == ("m", LogLevel.ERROR, STAMP_NS)
    assert cri.metadata == {"stream": "stderr", "n": 1}


@requires_shared("cases")
def test_collected_files_hold_no_line_that_cannot_be_read():
    paths = sorted(shared_folder("cases").glob("*.log"))
    assert paths
    for path in paths:
        for line in path.read_bytes().splitlines():
            record = parse_line(line, NOW, format=LineFormat.AUTO)
            assert record.parse_error == ""
            assert record.message
            if path.name != "stacktrace-plain.log":
                assert record.timestamp_ns > NOW
