"""nginx and Apache: the results are those that Fluentd documents for the same lines (scripts/fluentd compares)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_sections import parser

from eldonia_ops.pipeline.parsers import ParseError, apache2
from eldonia_ops.pipeline.parsers.nginx import NginxParser

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


PART = st.text(alphabet=' "\\[]/ax\n-', max_size=6)


@given(st.lists(PART, min_size=9, max_size=9))
def test_the_quick_way_finds_what_the_careful_one_does(parts: list[str]) -> None:
    a, b, c, method, path, code, size, referer, agent = parts
    for line in (
        f'{a} {b} {c} [28/Feb/2013:12:00:00 +0900] "{method} {path} H" {code} {size} "{referer}" "{agent}"',
        f'{a} {b} {c} [28/Feb/2013:12:00:00 +0900] "{method} {path} H" {code} {size} "{referer}" "{agent}" "{a}"',
        f'{a} - {c} [28/Feb/2013:12:00:00 +0900] "{method} {path} H" {code} {size}',
    ):
        assert NginxParser.regexp.fields(line) == parser("nginx").found(line)
        usual, careful = apache2._USUAL.fullmatch(line), apache2.Apache2Parser._regexp.fields(line)
        if usual is not None:
            assert careful == {name: value for name, value in usual.groupdict().items() if value is not None}
