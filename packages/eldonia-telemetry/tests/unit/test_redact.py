import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_telemetry import get_logger
from eldonia_telemetry.redact import REDACTED, is_card_number, is_sensitive, redact_text
from eldonia_telemetry.testing import capture


@pytest.mark.parametrize(
    "name",
    [
        *("password", "userPassword", "PASSWD", "new_password", "db.password", "passphrase", "pwd", "client_secret"),
        *("Authorization", "proxy-authorization", "Cookie", "set-cookie", "api_key", "apiKey", "X-API-Key"),
        *("accessToken", "refresh_token", "token", "csrf-token", "cardNumber", "card_number", "cvv", "pan", "pin"),
        *("AWS_SECRET_ACCESS_KEY", "private key", "credentials"),
    ],
)
def test_names_of_secrets(name):
    assert is_sensitive(name)


@pytest.mark.parametrize(
    "name",
    [
        *("user", "passenger", "compass", "tokens", "max_tokens", "tokenCount", "token_type", "tokens_used"),
        *("author", "cookbook", "keyboard", "monkey", "company", "spinner", "span", "expand", "cardinality", "status"),
    ],
)
def test_names_of_no_secrets(name):
    assert not is_sensitive(name)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("sent header authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("used bearer abcdef123456 for it: yes", "abcdef123456"),
        ("Cookie: session=deadbeef; theme=dark", "deadbeef"),
        ("login failed with password=hunter2, retrying", "hunter2"),
        ('{"user":"a","password":"hun\'ter2"}', "hun'ter2"),
        ("GET /x?access_token=s3cr3t&y=1", "s3cr3t"),
        ("postgresql://shop:hunter2@db:5432/shop", "hunter2"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl end", "c2lnbmF0dXJl"),
        ("card 4111 1111 1111 1111 declined", "1111 1111"),
        ("card 5500-0055-5555-5559.", "5555"),
        ("amex 378282246310005", "378282246310005"),
        ("api_key: AKIA1234", "AKIA1234"),
    ],
)
def test_secrets_in_text_go(text, secret):
    cleaned = redact_text(text)
    assert secret not in cleaned
    assert REDACTED in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112 placed",  # fails Luhn
        "at 1795468467350 ms",  # a timestamp
        "SyntaxError: unexpected token: '}'",
        "Basic authentication is off: use OAuth",
        "see https://example.com:8080/path",
        "time: 12:30, ratio = 0.5, key: value",
        "phone 090-1234-5678",
        "パスワードを忘れた方: こちら",
    ],
)
def test_plain_text_stays_the_same_object(text):
    assert redact_text(text) is text or redact_text(text) == text


def test_luhn():
    assert is_card_number("4242424242424242")
    assert not is_card_number("4242424242424241")
    assert not is_card_number("0000000000000000")
    assert not is_card_number("42")


@given(st.from_regex(r"[2-6][0-9]{14}", fullmatch=True))
def test_exactly_one_check_digit_makes_a_card_number(digits):
    assert sum(is_card_number(f"{digits}{check}") for check in "0123456789") == 1


@given(st.text(max_size=200))
def test_redaction_never_fails_and_settles(text):
    once = redact_text(text)
    assert redact_text(once) == once


def test_records_are_clean_everywhere_unless_told_otherwise():
    log = get_logger()
    with capture() as seen:
        log.error(
            "password=abc1", exception=ValueError("token=abc2"), metadata={"a": [{"secret": "abc3"}, "Bearer abc45678"]}
        )
        log.info("x", card=4242424242424242, nested={"deep": {"cookie": "abc5"}}, has_password=True)
    text = b"".join(seen.lines).decode()
    assert "abc" not in text
    assert "4242424242424242" not in text
    assert seen.records[1].metadata["has_password"] is True
    with capture(redact=False) as seen:
        log.info("password=abc", password="abc")
    assert seen.lines[0].count(b"abc") == 2
