"""Which indices an expression means, and which names are allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.elasticsearch.date_names import resolved_name
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.index_names import (
    Options,
    check_index_name,
    expanded,
    options_of,
    pattern_of,
)

NOW = 1_796_083_200_000  # 2026-12-01T00:00:00Z
NAMES = ["logs", "app-1", "app-2", "app-old", ".ds-app-1", "web-2026.12.01"]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("", ["logs", "app-1", "app-2", "app-old", "web-2026.12.01"]),
        ("_all", ["logs", "app-1", "app-2", "app-old", "web-2026.12.01"]),
        ("app-*", ["app-1", "app-2", "app-old"]),
        ("app-*,-app-old", ["app-1", "app-2"]),
        ("*,-app-*,-logs", ["web-2026.12.01"]),
        ("app-2,app-1,app-2", ["app-2", "app-1"]),
        (".ds-*", [".ds-app-1"]),
        ("nothing-*", []),
        ("<web-{now/d}>", ["web-2026.12.01"]),
        ("<web-{now/d{yyyy.MM.dd|+09:00}}>,logs", ["web-2026.12.01", "logs"]),
    ],
)
def test_expressions(expression: str, found: list[str]) -> None:
    assert expanded(expression, NAMES, NOW) == found


def test_hidden_names_and_absent_ones() -> None:
    assert expanded("*", NAMES, NOW, options_of({"expand_wildcards": "all"})) == [
        "logs", "app-1", "app-2", "app-old", ".ds-app-1", "web-2026.12.01",
    ]  # fmt: skip
    assert expanded("*", NAMES, NOW, options_of({"expand_wildcards": "none"})) == []
    assert expanded("gone,logs", NAMES, NOW, options_of({"ignore_unavailable": "true"})) == ["logs"]
    with pytest.raises(ElasticsearchError, match="no such index \\[gone\\]"):
        expanded("gone,logs", NAMES, NOW)
    with pytest.raises(ElasticsearchError, match="no such index \\[none-\\*\\]"):
        expanded("none-*", NAMES, NOW, Options(allow_no_indices=False))
    with pytest.raises(ElasticsearchError, match="expand wildcard"):
        options_of({"expand_wildcards": "everything"})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("plain", "plain"),
        ("<a-{now}>", "a-2026.12.01"),
        ("<a-{now-1d/d}>", "a-2026.11.30"),
        ("<a-{now/M{yyyy.MM}}-x>", "a-2026.12-x"),
        ("<a-{now-1M/M{yyyy.MM}}>", "a-2026.11"),
        ("<a-{now-2y/y{yyyy}}>", "a-2024"),
        ("<a-{now/w{yyyy.MM.dd}}>", "a-2026.11.30"),
        ("<a-{now+9h{yyyy-MM-dd'T'HH}}>", "a-2026-12-01T09"),
        ("<a-{now{HH|Asia/Tokyo}}>", "a-09"),
    ],
)
def test_date_math(name: str, found: str) -> None:
    assert resolved_name(name, NOW) == found


@pytest.mark.parametrize(
    "name", ["<a-{now/x}>", "<a-{yesterday}>", "<a-{now{QQ}}>", "<a-{now{HH|Mars/Base}}>", "<a-{now-999999y}>"]
)
def test_date_math_that_cannot_be_read(name: str) -> None:
    with pytest.raises(ElasticsearchError, match="invalid dynamic name"):
        resolved_name(name, NOW)


@pytest.mark.parametrize("name", ["", ".", "_a", "-a", "A", "a b", "a*", "a,b", "a:b", "a" * 256, "a/b", "a\x00"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(ElasticsearchError, match="Invalid index name"):
        check_index_name(name)


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_patterns(pattern: str, name: str) -> None:
    import re

    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None
    assert pattern_of(pattern)(name) is expected
