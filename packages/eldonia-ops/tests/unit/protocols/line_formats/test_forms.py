"""Lines as nginx, Apache, PostgreSQL and Go programs write them, recognised without asking."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.logs import LogLevel
from eldonia_ops.protocols.line_formats import logfmt
from eldonia_ops.protocols.logs.lines import LineFormat, parse_line
from eldonia_ops.protocols.logs.plain import read_plain

NOW = 1_796_000_000_000_000_000


def read(text):
    return parse_line(text.encode(), NOW, format=LineFormat.AUTO)


def at(text):
    return int(datetime.datetime.fromisoformat(text).timestamp() * 1e9)


COMBINED = (
    '203.0.113.9 - alice [10/Oct/2026:13:55:36 +0900] "GET /orders/7?page=2 HTTP/1.1" 502 157 '
    '"https://shop.example/" "Mozilla/5.0 (X11; \\"quoted\\")"'
)


def test_a_combined_access_log():
    found = read(COMBINED)
    assert found.message == COMBINED
    assert found.timestamp_ns == at("2026-10-10T13:55:36+09:00")
    assert found.level is LogLevel.ERROR
    assert (found.ip_address, found.user_id) == ("203.0.113.9", "alice")
    assert found.user_agent == 'Mozilla/5.0 (X11; \\"quoted\\")'
    assert found.metadata == {
        "method": "GET",
        "path": "/orders/7",
        "query": "page=2",
        "protocol": "HTTP/1.1",
        "status": 502,
        "bytes": 157,
        "referer": "https://shop.example/",
    }


@pytest.mark.parametrize(
    ("status", "level"), [(200, LogLevel.INFO), (304, LogLevel.INFO), (404, LogLevel.WARN), (500, LogLevel.ERROR)]
)
def test_the_status_decides_the_level(status, level):
    assert read(f'10.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/2.0" {status} 0 "-" "-"').level is level


@pytest.mark.parametrize(
    "line",
    [
        '10.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 12',  # common
        'shop.example:443 10.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8"',  # vhost
        '2001:db8::1 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8" 0.012 0.011 "-"',  # times
        'host.example - a b [10/Oct/2026:13:55:36 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"',  # TLS to a plain port
        '10.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "-" 408 - "-" "-"',
    ],
)
def test_what_servers_make_of_it(line):
    found = read_plain(line, NOW)
    assert found.format == "access log"
    assert found.timestamp_ns == at("2026-10-10T13:55:36+00:00")
    assert found.metadata["status"] in (200, 400, 408)


def test_nginx_errors():
    line = (
        "2026/11/30 08:00:01 [error] 123#456: *789 connect() failed (111: Connection refused) while connecting to "
        'upstream, client: 10.0.0.7, server: shop, request: "GET /pay?id=1 HTTP/1.1", upstream: '
        '"http://127.0.0.1:9000/pay?id=1", host: "shop.example", referrer: "https://a/"'
    )
    found = read(line)
    assert (found.message, found.level, found.ip_address) == (line, LogLevel.ERROR, "10.0.0.7")
    assert found.timestamp_ns == int(datetime.datetime(2026, 11, 30, 8, 0, 1).astimezone().timestamp() * 1e9)
    assert found.metadata == {
        "pid": 123,
        "connection": 789,
        "server": "shop",
        "method": "GET",
        "path": "/pay",
        "query": "id=1",
        "protocol": "HTTP/1.1",
        "upstream": "http://127.0.0.1:9000/pay?id=1",
        "host": "shop.example",
        "referrer": "https://a/",
    }
    assert read("2026/11/30 08:00:01 [notice] 1#1: signal process started").level is LogLevel.INFO
    assert read("2026/11/30 08:00:01 [emerg] 1#1: bind() to 0.0.0.0:80 failed").level is LogLevel.ERROR


def test_apache_errors():
    line = (
        "[Mon Nov 30 08:00:00.123456 2026] [proxy:error] [pid 12:tid 34] [client 10.0.0.1:51234] AH00898: Error "
        "reading from remote server"
    )
    found = read(line)
    assert (found.message, found.level, found.ip_address) == (line, LogLevel.ERROR, "10.0.0.1")
    assert found.metadata == {"module": "proxy", "pid": 12, "code": "AH00898"}
    assert found.timestamp_ns % 1_000_000_000 == 123_456_000
    old = read("[Mon Nov 30 08:00:00 2026] [warn] [client ::1] File does not exist")
    assert (old.level, old.ip_address) == (LogLevel.WARN, "::1")


@pytest.mark.parametrize(
    ("line", "level", "facts"),
    [
        (
            "2026-11-30 08:00:00.123 UTC [4711] shop@orders ERROR:  deadlock detected",
            LogLevel.ERROR,
            {"severity": "ERROR", "pid": 4711, "user": "shop", "database": "orders"},
        ),
        (
            "2026-11-30 08:00:00 UTC:10.0.0.1(5432):shop@orders:[9]:FATAL:  sorry, too many clients already",
            LogLevel.ERROR,
            {"severity": "FATAL", "pid": 9},
        ),
        (
            "2026-11-30 08:00:00 UTC [5-1] user=shop,db=orders,app=psql,client=10.0.0.1 WARNING:  no transaction",
            LogLevel.WARN,
            {
                "severity": "WARNING",
                "pid": 5,
                "user": "shop",
                "database": "orders",
                "application": "psql",
                "client": "10.0.0.1",
            },
        ),
        ("2026-11-30 08:00:00 UTC [5] LOG:  checkpoint starting: time", LogLevel.INFO, {"severity": "LOG", "pid": 5}),
    ],
)
def test_postgresql(line, level, facts):
    found = read(line)
    assert (found.message, found.level) == (line, level)
    assert found.timestamp_ns // 1_000_000_000 == at("2026-11-30T08:00:00+00:00") // 1_000_000_000
    assert found.metadata.items() >= facts.items()


def test_a_slow_statement_of_postgresql_has_its_duration():
    found = read("2026-11-30 08:00:00 UTC [5] shop@orders LOG:  duration: 1523.25 ms  statement: SELECT 1")
    assert found.performance is not None
    assert found.performance.duration == 1523.25


def test_logfmt_means_what_json_would():
    found = read('time=2026-11-30T08:00:00.5Z level=ERROR msg="payment \\"7\\" failed" user_id=alice status=502 retry')
    assert found.message == 'payment "7" failed'
    assert (found.level, found.user_id) == (LogLevel.ERROR, "alice")
    assert found.timestamp_ns == at("2026-11-30T08:00:00.5+00:00")
    assert found.metadata == {"level": "ERROR", "status": 502, "retry": True}


@pytest.mark.parametrize(
    "line",
    [
        '2026-11-30T08:00:00.5Z level=error user_id=alice path=/pay msg="upstream timed out"',
        '[2026-11-30 08:00:00.5] level=error user_id=alice path=/pay msg="upstream timed out"',
        '2026-11-30T08:00:00.5Z {"level": "error", "user_id": "alice", "path": "/pay", "msg": "upstream timed out"}',
        '2026-11-30T09:00:00Z level=error user_id=alice path=/pay msg="upstream timed out" time=2026-11-30T08:00:00.5Z',
    ],
)
def test_fields_behind_a_time_are_read(line):
    found = read(line)
    assert (found.message, found.level, found.user_id) == ("upstream timed out", LogLevel.ERROR, "alice")
    assert found.timestamp_ns == at("2026-11-30T08:00:00.5+00:00")
    assert found.metadata["path"] == "/pay"
    assert found.parse_error == ""


def test_braces_behind_a_time_that_are_no_json_stay_text():
    found = read("2026-11-30T08:00:00.5Z {user: alice} signed in")
    assert found.message == "2026-11-30T08:00:00.5Z {user: alice} signed in"
    assert found.timestamp_ns == at("2026-11-30T08:00:00.5+00:00")


@pytest.mark.parametrize(
    "line",
    [
        "GET /x?level=info took long",
        "level=info but then words",
        "key=value other=thing",
        'msg="never closed',
        "",
        "a=b " * 300 + "msg=x",
        '10.0.0.1 said [hello] "there" 200',
        "2026/11/30 was a good day",
        "[note] this is text",
        "NOTE:  two spaces and no time",
    ],
)
def test_other_text_stays_text(line):
    found = read_plain(line, NOW)
    assert (found.message, found.format) == (line, "")
    assert logfmt.pairs(line) is None
    assert found.metadata == {}


def test_a_python_traceback_stays_with_its_line():
    line = (
        "2026-11-30 08:00:00,123 ERROR shop: failed\nTraceback (most recent call last):\n"
        '  File "a.py", line 1, in <module>\nValueError: no'
    )
    found = read(line)
    assert found.level is LogLevel.ERROR
    assert found.error is not None
    assert (found.error.name, found.error.message) == ("ValueError", "no")


@given(st.text(st.sampled_from('01 a:/.-"\\[]=,{}\n<>%#*é日'), max_size=80))
def test_no_text_is_lost_and_none_raises(text):
    found = read_plain(text, NOW)
    assert found.message == text or found.format == ""
