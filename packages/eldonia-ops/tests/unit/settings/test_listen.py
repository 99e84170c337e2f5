import pytest

from eldonia_ops.model.places import is_loopback
from eldonia_ops.settings import Listen, parse_listen


@pytest.mark.parametrize(
    ("text", "expected", "loopback"),
    [
        ("127.0.0.1:9600", Listen("127.0.0.1", 9600), True),
        ("localhost:80", Listen("localhost", 80), True),
        ("9600", Listen("127.0.0.1", 9600), True),
        ("[::1]:9600", Listen("::1", 9600), True),
        ("127.8.8.8:1", Listen("127.8.8.8", 1), True),
        ("[::]:9600", Listen("::", 9600), False),
        (":9600", Listen("0.0.0.0", 9600), False),
        ("0.0.0.0:9600", Listen("0.0.0.0", 9600), False),
        ("10.1.2.3:0", Listen("10.1.2.3", 0), False),
        ("ops.internal:1", Listen("ops.internal", 1), False),
        ("[::ffff:10.0.0.1]:1", Listen("::ffff:10.0.0.1", 1), False),
    ],
)
def test_addresses(text: str, expected: Listen, loopback: bool) -> None:
    assert parse_listen(text) == expected
    assert is_loopback(expected.host) is loopback
    assert parse_listen(str(expected)) == expected


@pytest.mark.parametrize("text", ["", "x", "1.2.3.4:", "1.2.3.4:65536", "::1:9600", "[x]:1", "a:-1", "a:１"])
def test_other_texts(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|IPv6"):
        parse_listen(text)
