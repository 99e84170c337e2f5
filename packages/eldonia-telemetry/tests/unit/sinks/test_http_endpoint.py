import email.utils
import time

import pytest

from eldonia_telemetry.sinks.elasticsearch import authorization, index_name_part
from eldonia_telemetry.sinks.http_endpoint import HttpEndpoint, _seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(None, 0), ("", 0), ("7", 7), ("0.5", 0.5), ("-3", 0), ("99999", 300), ("soon", 0), ("nan", 0), ("inf", 0)],
)
def test_retry_after_in_seconds(said, seconds):
    assert _seconds(said) == seconds


def test_retry_after_as_a_date():
    assert 55 < _seconds(email.utils.formatdate(time.time() + 60, usegmt=True)) <= 60
    assert _seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("address", ["", "http://", "ftp://h", "http://h:port", "http://h:99999", "http://[::1"])
def test_an_address_that_is_none(address):
    with pytest.raises(ValueError, match="address"):
        HttpEndpoint(address)


def test_credentials_that_a_header_cannot_carry_are_not_shown():
    endpoint = HttpEndpoint("https://user:p%40ss@h/prefix/")
    assert endpoint.userinfo == ("user", "p@ss")
    assert endpoint.address == "https://h:443/prefix"
    with pytest.raises(ValueError, match="header") as caught:
        endpoint.authorize("Bearer s3cret\r\nX: y")
    assert "s3cret" not in str(caught.value)


def test_authorization():
    assert authorization() == ""
    assert authorization(user="a", password="b") == "Basic YTpi"
    assert authorization(api_key="id:key") == authorization(api_key="aWQ6a2V5") == "ApiKey aWQ6a2V5"


@pytest.mark.parametrize(
    ("service", "part"),
    [
        ("Shop API", "shop-api"),
        ("a/b\\c*?", "a-b-c"),
        ("_x", "x"),
        ("注文", "unknown"),
        ("", "unknown"),
        ("..", "unknown"),
    ],
)
def test_index_names_are_what_elasticsearch_takes(service, part):
    assert index_name_part(service) == part
    assert len(index_name_part("s" * 500)) == 100


@pytest.mark.parametrize(
    ("address", "token", "header"),
    [
        ("http://h", "", None),
        ("http://h", "t", "Bearer t"),
        ("http://u:p%40ss@h/otlp", "", "Basic dTpwQHNz"),
        ("http://u:p@h", "t", "Bearer t"),
    ],
)
def test_a_token_else_who_the_address_names(address, token, header):
    endpoint = HttpEndpoint(address)
    endpoint.authorize_with(token)
    assert endpoint._headers.get("authorization") == header
    assert "ss" not in endpoint.address


def test_an_authorization_given_with_the_headers_stays():
    endpoint = HttpEndpoint("http://u:p@h", headers={"Authorization": "Api-Key k", "User-Agent": "mine"})
    endpoint.authorize_with("t")
    assert endpoint._headers == {"authorization": "Api-Key k", "user-agent": "mine"}
