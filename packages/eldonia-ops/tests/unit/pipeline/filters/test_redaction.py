"""Secrets and personal data."""

from typing import Any

import pytest
from fluent_conf import filtered, made
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("find", "text", "after"),
    [
        ("email", "mail ada@example.com, bob@x.org now", "mail [REDACTED], [REDACTED] now"),
        ("bearer", "Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer [REDACTED]"),
        ("card", "card 4111 1111 1111 1111 ok", "card [REDACTED] ok"),
        ("card", "order 4111 1111 1111 1112 ok", "order 4111 1111 1111 1112 ok"),
        ("jwt", "t=eyJhbGciOiJI.eyJzdWIiOiIx.abc_-", "t=[REDACTED]"),
        ("ipv4", "from 10.1.2.3", "from [REDACTED]"),
        ("aws_key", "AKIAIOSFODNN7EXAMPLE", "[REDACTED]"),
        ("password", 'password="hunter2" and api_key: k1', 'password="[REDACTED]" and api_key: [REDACTED]'),
        ("email,ipv4", "a@b.cd 1.2.3.4", "[REDACTED] [REDACTED]"),
    ],
)
def test_what_is_found_by_name(find: str, text: str, after: str):
    found = filtered(f"@type redaction\nfind {find}", {"m": text, "deep": [{"x": text}], "n": 5})
    assert found == [{"m": after, "deep": [{"x": after}], "n": 5}]


def test_whole_fields_and_rules():
    text = """@type redaction
keys password, $.user.email
replacement ***
<rule>
  key m
  pattern /id=(?<secret>[0-9]+)/
  replace N
</rule>
<rule>
  pattern /x+/
</rule>
"""
    record: dict[str, Any] = {"password": {"a": 1}, "user": {"email": "e", "k": "xx"}, "m": "id=12 id=3", "id": "id=4"}
    (found,) = filtered(text, record)
    assert found == {"password": "***", "user": {"email": "***", "k": "***"}, "m": "id=N id=N", "id": "id=4"}
    assert record["user"] == {"email": "e", "k": "xx"}


@pytest.mark.parametrize("text", ["", "find gone", "<rule>\npattern /(?=a)/\n</rule>", "keys $."])
def test_faults(text: str):
    found, problems = made(f"@type redaction\n{text}")
    assert found is None
    assert problems[0].line > 0


@given(st.text(max_size=60))
def test_no_mail_address_is_left(text: str):
    (found,) = filtered("@type redaction\nfind email", {"m": f"{text} ada@example.com {text}"})
    assert "ada@example.com" not in found["m"]


@given(st.recursive(st.one_of(st.none(), st.integers(), st.text(max_size=5)), lambda one: st.lists(one, max_size=3)))
def test_what_has_no_secret_is_the_same(value: Any):
    record = {"m": value}
    (found,) = filtered("@type redaction\nfind card", record)
    assert found is record
