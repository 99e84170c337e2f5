"""Lucene's syntax: how operators bind, and where faults are."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.query.dsl import read_query
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.search.evaluate import matches

NOW = 1_796_083_200_000_000_000
TEXTS = ["a", "b", "c", "a b", "b c", "a c", "a b c"]


def found(query: str, kind: str = "query_string", operator: str = "or") -> list[str]:
    node = read_query({kind: {"query": query, "fields": ["message"], "default_operator": operator}}, NOW).node
    return [text for text in TEXTS if matches(node, LogRecord(timestamp_ns=NOW, message=text))]


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("a b", ["a", "b", "a b", "b c", "a c", "a b c"]),
        ("a AND b", ["a b", "a b c"]),
        ("a && b", ["a b", "a b c"]),
        ("a OR b AND c", ["b c", "a b c"]),  # AND makes both of its neighbours required
        ("a AND b OR c", ["a b", "a b c"]),
        ("+a b", ["a", "a b", "a c", "a b c"]),
        ("+a -b", ["a", "a c"]),
        ("a NOT b", ["a", "a c"]),
        ("a AND NOT b", ["a", "a c"]),
        ("NOT a", ["b", "c", "b c"]),
        ("!a", ["b", "c", "b c"]),
        ("(a OR b) AND c", ["b c", "a c", "a b c"]),
        ('"a b"', ["a b", "a b c"]),
        ('"a c"', ["a c"]),
        ('"a c"~1', ["a c", "a b c"]),
        ("message:(+a +c)", ["a c", "a b c"]),
        ("/[ab]/", ["a", "b", "a b", "b c", "a c", "a b c"]),
        ("*", TEXTS),
        ("*:*", TEXTS),
        ("a^2 OR zzz", ["a", "a b", "a c", "a b c"]),
        (r"a\-b", ["a", "b", "a b", "b c", "a c", "a b c"]),
    ],
)
def test_query_string(query: str, texts: list[str]) -> None:
    assert found(query) == texts


def test_default_operator() -> None:
    assert found("a b", operator="and") == ["a b", "a b c"]
    assert found("a OR b", operator="and") == ["a", "b", "a b", "b c", "a c", "a b c"]


@pytest.mark.parametrize(
    ("query", "operator", "texts"),
    [
        ("a b", "or", ["a", "b", "a b", "b c", "a c", "a b c"]),
        ("a b", "and", ["a b", "a b c"]),
        ("a | b", "and", ["a", "b", "a b", "b c", "a c", "a b c"]),
        ("a + b | c", "or", ["c", "a b", "b c", "a c", "a b c"]),
        ("(a | b) + c", "or", ["b c", "a c", "a b c"]),
        ("a + -b", "or", ["a", "a c"]),
        ('"b c" | "a c"', "or", ["b c", "a c", "a b c"]),
        ("a +", "or", ["a", "a b", "a c", "a b c"]),
        ("((a", "or", ["a", "a b", "a c", "a b c"]),
        (")", "or", []),
    ],
)
def test_simple_query_string(query: str, operator: str, texts: list[str]) -> None:
    assert found(query, "simple_query_string", operator) == texts


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("a AND", 'Encountered "<EOF>" at line 1, column 5'),
        ("(a", 'Encountered "<EOF>" at line 1, column 2'),
        ("a)", 'Encountered ")" at line 1, column 1'),
        ('"a', 'Encountered ""a" at line 1, column 0'),
        ("status:[1 TO", 'Encountered "<EOF>" at line 1, column 12'),
        ("status:[1 2]", 'Encountered "2]" at line 1, column 10'),
        ("a\n AND )", 'Encountered ")" at line 2, column 5'),
    ],
)
def test_faults_have_places(query: str, place: str) -> None:
    with pytest.raises(DslError) as caught:
        found(query)
    assert place in caught.value.details["caused_by"]["reason"]
    assert caught.value.body()["type"] == "search_phase_execution_exception"


@given(st.text(alphabet='abAND OR NOT+-!():^[]"{}~*?\\/&|<>=\u3000あ\n', max_size=30))
def test_any_text_is_read_or_refused(query: str) -> None:
    for kind in ("query_string", "simple_query_string"):
        with contextlib.suppress(DslError):
            found(query, kind)
