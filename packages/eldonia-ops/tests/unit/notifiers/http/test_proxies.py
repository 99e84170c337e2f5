import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.http_client.proxies import Proxies, from_environment, is_exempt


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "exempt"),
    [
        ("localhost", 80, "", True),
        ("127.0.0.9", 80, "", True),
        ("::1", 80, "", True),
        ("::ffff:127.0.0.1", 80, "", True),
        ("example.org", 80, "", False),
        ("example.org", 80, "*", True),
        ("example.org", 80, "a.b, Example.ORG", True),
        ("a.example.org", 80, "example.org", True),
        ("notexample.org", 80, "example.org", False),
        ("example.org", 80, ".example.org", False),
        ("a.example.org", 80, ".example.org", True),
        ("a.example.org", 80, "*.example.org", True),
        ("example.org", 80, "*.example.org", False),
        ("example.org", 443, "example.org:443", True),
        ("example.org", 80, "example.org:443", False),
        ("10.1.2.3", 80, "10.0.0.0/8", True),
        ("11.1.2.3", 80, "10.0.0.0/8", False),
        ("10.1.2.3", 80, "10.1.2.3", True),
        ("10.1.2.3", 80, "10.1.2.3:81", False),
        ("2001:db8::5", 80, "2001:db8::/32", True),
        ("2001:db8::5", 443, "[2001:DB8::5]:443", True),
        ("2001:db8::5", 80, "[2001:db8::5]:443", False),
        ("10.1.2.3", 80, "2.3", False),
        ("example.org", 80, ",, :80,", False),
    ],
)
def test_exceptions(host: str, port: int, no_proxy: str, exempt: bool) -> None:
    assert is_exempt(host, port, no_proxy) is exempt


def test_a_proxy_alone_serves_every_host_and_that_of_the_environment_not_this_machine() -> None:
    assert Proxies("http://p", "http://q").of("https", "localhost", 443) == "http://q"
    found = from_environment({"HTTPS_PROXY": "p:3128", "no_proxy": "a.org"})
    assert found.of("https", "b.org", 443) == "http://p:3128"
    assert found.of("https", "a.org", 443) == ""
    assert found.of("https", "localhost", 443) == ""
    assert found.of("http", "b.org", 80) == ""
    assert not from_environment({})
    assert not from_environment({"HTTP_PROXY": "p:1", "REQUEST_METHOD": "GET"})


@given(st.text(max_size=60), st.integers(1, 65_535), st.text(max_size=200))
def test_no_text_upsets_it(host: str, port: int, no_proxy: str) -> None:
    assert is_exempt(host, port, no_proxy) in (True, False)
