"""What is taken out of messages before they are compared."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.log_patterns.shapes import (
    MAX_CHARACTERS,
    MAX_WORDS,
    NUMBER,
    REST,
    Masking,
    shapes_of,
    template_of,
    words_of_template,
)

MESSAGES = st.one_of(
    st.text(max_size=80),
    st.from_regex(re.compile(r"[a-f0-9 :=.\"'/\-@]{0,60}", re.ASCII), fullmatch=True),
    st.from_regex(re.compile(r"(user|took|id=|\"x y\"|[0-9]{1,9}|[0-9a-f]{8}-[0-9a-f]{4}| |\n){0,12}"), fullmatch=True),
)


def template(message: str) -> str:
    return template_of(Masking().words_of(shapes_of([message])[0]))


@pytest.mark.parametrize(
    ("message", "masked"),
    [
        ("user alice logged in from 10.0.3.4:5566 in 35.5ms", "user alice logged in from <#> in <#>ms"),
        ("GET /api/v1/orders/123 200 35ms", "GET /api/v<#>/orders/<#> <#> <#>ms"),
        ("id 550e8400-e29b-41d4-a716-446655440000 done", "id <#> done"),
        ("mac 0a:bc:1f:dd:ee:ff and fe80::1ff:fe23:4567:890a", "mac <#> and <#>"),
        ("worker12 has 5GiB, of 0xdeadbeef", "worker<#> has <#>GiB, of <#>"),
        ("commit abc123f after 1h2m3.5s", "commit <#> after <#>s"),
        ("took -5 ms, temp=-3.5 at 2026-12-01T03:35:15.123Z", "took <#> ms, temp=<#> at <#>"),
        ('10.0.0.9 - eve [01/Dec/2026:03:35:15 +0000] "GET /a/1 HTTP/1.1" 200', '<#> - eve [<#> <#>] "<*>" <#>'),
        ('level=info msg="Starting worker 5"', 'level=info msg="Starting worker <#>"'),
        ('{"user":"eve","n":5}', '{"user":"<*>","n":<#>}'),
        ("can't open 'a file.txt': it's gone", "can't open '<*>': it's gone"),
        ("mail to alice@example.com", "mail to <*>"),
        ("注文123の処理に失敗しました", "注文<#>の処理に失敗しました"),
        ("Traceback of 7\n  at line 5", "Traceback of <#>"),
        ("  indented\tby tabs", "indented by tabs"),
        ("std::vector is a word", "std::vector is a word"),
        ("", ""),
    ],
)
def test_what_varies_is_taken_out(message: str, masked: str) -> None:
    assert template(message) == masked


def test_the_month_of_an_access_log_is_no_part_of_the_template() -> None:
    assert template("[01/Dec/2026:03:35:15 +0000] x") == template("[12/Jan/2027:23:05:15 +0900] x")


@given(st.lists(MESSAGES, max_size=20))
def test_messages_of_a_batch_have_the_shapes_that_they_have_alone(messages: list[str]) -> None:
    together = shapes_of(messages)
    assert together == [shapes_of([message])[0] for message in messages]
    assert all(b"\n" not in shape and not re.search(rb"[1-9]|00", shape) for shape in together)


@given(MESSAGES, st.data())
def test_other_digits_make_the_same_template(message: str, data: st.DataObject) -> None:
    message = message[: MAX_CHARACTERS // 4]

    def other(found: re.Match[str]) -> str:
        return data.draw(st.from_regex(re.compile(r"[0-9]{1,3}"), fullmatch=True))

    assert template(re.sub(r"[0-9]+", other, message)) == template(message)


@given(MESSAGES)
def test_a_template_is_read_as_it_is_written(message: str) -> None:
    words = Masking().words_of(shapes_of([message])[0])
    assert words_of_template(template_of(words)) == words
    assert not any(digit in template_of(words) for digit in "0123456789")


def test_words_that_are_remembered_are_masked_as_others() -> None:
    masking = Masking()
    first = masking.words_of(b"took 0ms of 0.0s")
    assert masking.words_of(b"took 0ms of 0.0s") == first == ["took", "<#>ms", "of", "<#>s"]


def test_a_long_message_ends_with_a_mark() -> None:
    words = Masking().words_of(shapes_of(["a " * 60])[0])
    assert len(words) == MAX_WORDS + 1
    assert words[-1] == REST
    assert len(shapes_of(["x" * 10_000_000])[0]) == MAX_CHARACTERS
    assert shapes_of(["9" * 10_000])[0] == b"0"
    assert Masking().words_of(b"0") == [NUMBER]


def test_half_a_surrogate_pair_is_no_fault() -> None:
    assert shapes_of(["bad \ud800 1"]) == [b"bad ? 0"]
