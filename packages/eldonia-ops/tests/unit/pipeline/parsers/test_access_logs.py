"""nginx and Apache: the results are those that Fluentd documents for the same lines (scripts/fluentd compares)."""

import pytest
from pipeline_sections import parser

from eldonia_ops.pipeline.parsers import ParseError

AT = 1_362_020_400_000_000_000
NGINX = '127.0.0.1 192.168.0.1 - [28/Feb/2013:12:00:00 +0900] "GET / HTTP/1.1" 200 777 "-" "Opera/12.0"'


def test_nginx() -> None:
    expected = {
        "remote": "127.0.0.1",
        "host": "192.168.0.1",
        "user": "-",
        "method": "GET",
        "path": "/",
        "code": "200",
        "size": "777",
        "referer": "-",
        "agent": "Opera/12.0",
    }
    assert parser("nginx").parse(NGINX) == [(AT, expected)]
    forwarded = parser("nginx").parse(NGINX + ' "10.0.0.1, 10.0.0.2"')
    assert forwarded == [(AT, {**expected, "http_x_forwarded_for": "10.0.0.1, 10.0.0.2"})]


def test_nginx_with_types_and_its_time_kept() -> None:
    ((at, record),) = parser("nginx", keep_time_key="true", types="code:integer,size:integer").parse(NGINX)
    assert at == AT
    assert record["time"] == "28/Feb/2013:12:00:00 +0900"
    assert (record["code"], record["size"]) == (200, 777)


def test_apache2_has_numbers_and_nulls() -> None:
    line = '192.168.0.1 - - [28/Feb/2013:12:00:00 +0900] "GET / HTTP/1.1" 200 - "-" "a \\"quoted\\" agent"'
    ((at, record),) = parser("apache2").parse(line)
    assert at == AT
    assert record == {
        "host": "192.168.0.1",
        "user": None,
        "method": "GET",
        "path": "/",
        "code": 200,
        "size": None,
        "referer": None,
        "agent": 'a \\"quoted\\" agent',
    }


def test_apache_error() -> None:
    line = "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied by server configuration"
    ((at, record),) = parser("apache_error", utc="true").parse(line)
    assert at == 971_274_772_000_000_000
    assert record == {"level": "error", "client": "127.0.0.1", "message": "client denied by server configuration"}


@pytest.mark.parametrize("type", ["nginx", "apache", "apache2", "apache_error"])
@pytest.mark.parametrize("line", ["", "nothing", "{", '- - - [x] "GET / HTTP/1.1" 200 1', "\0" * 100])
def test_other_lines_are_refused(type: str, line: str) -> None:
    with pytest.raises(ParseError):
        parser(type).parse(line)


@pytest.mark.parametrize("type", ["nginx", "apache2"])
def test_a_long_line_that_nearly_fits_takes_little_time(type: str) -> None:
    line = '1.1.1.1 - - [28/Feb/2013:12:00:00 +0900] "GET ' + "a " * 50_000 + '" "' * 1_000
    with pytest.raises(ParseError):
        parser(type).parse(line)
