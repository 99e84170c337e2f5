import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.collectors.nginx.source import METADATA, parse_stub_status

PAGE = (
    b"Active connections: 291 \n"
    b"server accepts handled requests\n"
    b" 16630948 16630946 31070465 \n"
    b"Reading: 6 Writing: 179 Waiting: 106 \n"
)


def test_the_page_of_the_manual():
    assert {name: value for name, _, value in parse_stub_status(PAGE)} == {
        "nginx_connections_active": 291,
        "nginx_connections_accepted": 16_630_948,
        "nginx_connections_handled": 16_630_946,
        "nginx_http_requests_total": 31_070_465,
        "nginx_connections_reading": 6,
        "nginx_connections_writing": 179,
        "nginx_connections_waiting": 106,
    }


def test_a_page_with_another_column():
    page = PAGE.replace(b"requests\n", b"requests request_time\n").replace(b"31070465 \n", b"31070465 8812 \n")
    assert parse_stub_status(page) == parse_stub_status(PAGE)


@pytest.mark.parametrize("page", [b"", b"<html>Welcome to nginx!</html>", PAGE[:60], PAGE.replace(b"291", b"many")])
def test_another_page_is_refused(page):
    with pytest.raises(ValueError, match="stub_status"):
        parse_stub_status(page)


@given(st.binary(max_size=300))
def test_whatever_comes_is_readings_or_a_value_error(page):
    for body in (page, PAGE[:70] + page):
        with contextlib.suppress(ValueError):
            assert len(parse_stub_status(body)) == 7


def test_each_reading_has_metadata():
    assert {name for name, _, _ in parse_stub_status(PAGE)} | {"nginx_up"} == {one.name for one in METADATA}
