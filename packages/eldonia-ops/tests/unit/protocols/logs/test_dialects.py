"""Loggers whose keys mean something only together. Each line is as its logger writes it."""

import json
from typing import Any

import pytest

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.timestamps import parse_timestamp
from eldonia_ops.protocols.logs.lines import parse_line, parse_lines

RECEIVED = 1_800_000_000_000_000_000
AT = "2026-11-30T01:02:03.404Z"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
STACK = "java.lang.IllegalState: boom\n\tat Shop.pay(Shop.java:12)"


def read(line: dict[str, Any]) -> LogRecord:
    text = json.dumps(line).encode()
    record = parse_line(text, RECEIVED)
    together = parse_lines([text] * 10, [0] * 10, RECEIVED)
    assert list(together) == [record] * 10
    assert record.parse_error == ""
    return record


@pytest.mark.parametrize(
    ("line", "level", "message", "more"),
    [
        pytest.param(
            {"L": "ERROR", "T": AT, "N": "svc", "C": "main.go:10", "M": "pay failed"},
            "error", "pay failed", {"component": "svc"}, id="zap for development",
        ),
        pytest.param(
            {"t": {"$date": AT}, "s": "E", "c": "NETWORK", "id": 22943, "ctx": "conn1", "msg": "refused", "attr": {}},
            "error", "refused", {"component": "NETWORK"}, id="MongoDB",
        ),
        pytest.param(
            {"t": {"$date": AT}, "s": "D3", "c": "SHARDING", "id": 1, "ctx": "x", "msg": "m"},
            "debug", "m", {"component": "SHARDING"}, id="MongoDB, debugging",
        ),
        pytest.param(
            {"@t": AT, "@mt": "Hello {User}", "@l": "Warning", "@tr": TRACE, "@sp": SPAN, "User": "bob"},
            "warn", "Hello {User}", {"trace_id": TRACE, "span_id": SPAN}, id="Serilog's compact form",
        ),
        pytest.param(
            {"severity": "NOTICE", "message": "m", "timestamp": AT, "serviceContext": {"service": "cart"},
             "logging.googleapis.com/trace": f"projects/p/traces/{TRACE}", "logging.googleapis.com/spanId": SPAN},
            "info", "m", {"trace_id": TRACE, "span_id": SPAN, "service": "cart"}, id="Google Cloud, as written",
        ),
        pytest.param(
            {"insertId": "1", "jsonPayload": {"message": "m", "a": 1}, "severity": "ERROR", "timestamp": AT,
             "trace": f"projects/p/traces/{TRACE}", "spanId": SPAN},
            "error", "m", {"trace_id": TRACE, "span_id": SPAN}, id="Google Cloud, as exported",
        ),
        pytest.param(
            {"severity": "CRITICAL", "message": "m", "timestampSeconds": 1796000523, "timestampNanos": 404000000},
            "error", "m", {}, id="Google Cloud, two numbers",
        ),
        pytest.param(
            {"severity": "CRITICAL", "message": "m", "timestamp": {"seconds": 1796000523, "nanos": 404000000}},
            "error", "m", {}, id="Google Cloud, an object",
        ),
        pytest.param(
            {"startTime": AT, "categoryName": "db", "level": {"level": 40000, "levelStr": "ERROR"}, "data": ["m", {}]},
            "error", "m", {"component": "db"}, id="log4js",
        ),
        pytest.param(
            {"time": AT, "type": "function", "record": {"level": "ERROR", "requestId": "r", "message": "m"}},
            "error", "m", {"request_id": "r"}, id="Lambda's telemetry",
        ),
        pytest.param(
            {"time": AT, "type": "function", "record": "plain text"}, "info", "plain text", {}, id="Lambda, a text"
        ),
        pytest.param(
            {"timestamp": AT, "status": "error", "message": "m", "service": "cart"},
            "error", "m", {"service": "cart"}, id="Datadog",
        ),
        pytest.param(
            {"PROGRAM": "sshd", "PRIORITY": "err", "MESSAGE": "m", "DATE": "Nov 30 01:02:03", "ISODATE": AT},
            "error", "m", {"service": "sshd"}, id="syslog-ng",
        ),
        pytest.param(
            {"prio": 1, "err_code": 1, "component": "Server", "msg": "m", "time": AT, "label": "Error"},
            "error", "m", {"component": "Server"}, id="MySQL",
        ),
        pytest.param(
            {"created": 1796000523.404, "levelno": 40, "msg": "m"}, "error", "m", {}, id="Python without a formatter"
        ),
        pytest.param({"t": AT, "lvl": "eror", "msg": "m"}, "error", "m", {}, id="log15"),
    ],
)  # fmt: skip
def test_a_dialect_is_read(line: dict[str, Any], level: str, message: str, more: dict[str, str]) -> None:
    record = read(line)
    assert (record.level.value, record.message) == (level, message)
    assert abs(record.timestamp_ns - parse_timestamp(AT)) < 1000
    assert {name: getattr(record, name) for name in more} == more


def test_an_answer_of_envoys_has_its_time_and_status() -> None:
    record = read({"start_time": AT, "method": "GET", "path": "/x", "response_code": 503})
    assert (record.timestamp_ns, record.level.value) == (parse_timestamp(AT), "error")


@pytest.mark.parametrize(
    ("line", "name", "message", "stack"),
    [
        pytest.param(
            {"message": "m", "level": 400, "level_name": "ERROR", "channel": "app", "datetime": AT,
             "context": {"exception": {"class": "RuntimeException", "message": "boom", "trace": ["/y.php:2"]}}},
            "RuntimeException", "boom", "/y.php:2", id="Monolog",
        ),
        pytest.param(
            {"timestamp": AT, "level": "ERROR", "message": "m", "errorType": "ValueError", "errorMessage": "boom"},
            "ValueError", "boom", "", id="Lambda",
        ),
        pytest.param(
            {"timestamp": AT, "level": "ERROR", "message": "m", "exception_name": "ValueError", "exception": "boom"},
            "ValueError", "boom", "", id="Powertools",
        ),
        pytest.param(
            {"version": "1.1", "host": "h", "timestamp": 1796000523.404, "level": 3, "short_message": "m",
             "full_message": STACK},
            "java.lang.IllegalState", "boom", STACK, id="GELF",
        ),
    ],
)  # fmt: skip
def test_its_exception_is_read(line: dict[str, Any], name: str, message: str, stack: str) -> None:
    record = read(line)
    assert record.error is not None
    assert (record.error.name, record.error.message, record.error.stack) == (name, message, stack)


@pytest.mark.parametrize(
    "line",
    [
        {"time": AT, "level": "info", "msg": "m", "t": 5, "s": "x", "created": 1.5, "status": "error"},
        {"time": AT, "severity": "info", "message": "m", "status": "error"},
        {
            "timestamp": AT,
            "level": "info",
            "message": "m",
            "timestampSeconds": 5,
            "L": "x",
            "prio": 1,
            "label": "Error",
        },
    ],
)
def test_what_has_usual_names_keeps_them(line: dict[str, Any]) -> None:
    record = read(line)
    assert (record.level.value, record.message, record.timestamp_ns) == ("info", "m", parse_timestamp(AT))
