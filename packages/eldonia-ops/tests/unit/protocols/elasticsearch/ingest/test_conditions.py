"""Conditions of processors, as the pipelines of Filebeat's modules write them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.elasticsearch.ingest.conditions import condition
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import IngestDocument

DOCUMENT: dict[str, Any] = {
    "a": {"b": "x y", "n": 5, "l": ["p", "q"], "t": True, "e": ""},
    "message": "付 error",
    "f": 1.5,
    "@timestamp": "2026",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ctx.a.b == 'x y'", True),
        ("ctx?.a?.b != null", True),
        ("ctx.none?.x != null", False),
        ("ctx.none.x == null", True),
        ("ctx.a.n > 4 && ctx.a.n <= 5", True),
        ("ctx.a.n >= 6 || ctx.f < 2.0", True),
        ("!(ctx.a.n == 5)", False),
        ("ctx['a']['b'].contains('y')", True),
        ('ctx.a.l.contains("q")', True),
        ("ctx.a?.l?.size() == 2", True),
        ("ctx.message.startsWith('付')", True),
        ("ctx.message.toLowerCase().endsWith('ERROR')", False),
        ("ctx.a.e.isEmpty()", True),
        ("ctx.a.n instanceof Integer", True),
        ("ctx.a.t instanceof Number", False),
        ("ctx.a.l instanceof List", True),
        ("ctx.a.t", True),
        ("ctx.a.t == true", True),
        ("ctx.none", False),
        ("ctx.a.l[1] == 'q'", True),
        ("ctx.a.l[9] == null", True),
        ("ctx._index == 'app'", True),
        ("ctx.containsKey('f')", True),
        ("ctx.containsKey('g')", False),
        ("return ctx.a.n == 5;", True),
        ("ctx.a.n == -5", False),
        ("ctx.a.b == 'it\\'s'", False),
        ("ctx['@timestamp'] == '2026'", True),
        ("ctx.a.n == true", False),
        ("ctx.a.b.equals('x y')", True),
        ("ctx.none?.contains('x')", False),
        ("ctx.none?.contains('x') == true", False),
    ],
)
def test_a_condition(text: str, holds: bool) -> None:
    assert condition(text)(IngestDocument(DOCUMENT, {"_index": "app"})) is holds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ctx.",
        "ctx.a ==",
        "(ctx.a",
        "a.b",
        "ctx.a.foo()",
        "ctx.a = 1",
        "def x = 1; x",
        "ctx.a instanceof Foo",
        "(" * 60,
        "'x",
    ],
)
def test_what_cannot_be_used(text: str) -> None:
    with pytest.raises(ValueError, match=r"condition|known"):
        condition(text)


@pytest.mark.parametrize("text", ["ctx.a.b > 5", "ctx.a.n.contains('x')", "ctx.a.b && true", "ctx.a > 1"])
def test_what_cannot_be_computed(text: str) -> None:
    with pytest.raises(ProcessorError, match="cannot be computed"):
        condition(text)(IngestDocument(DOCUMENT))


@given(st.text(alphabet="ctx.a?['b] ()!=<>&|0-9instanceof,\"", max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    try:
        found = condition(text)
    except ValueError:
        return
    try:
        assert found(IngestDocument(DOCUMENT)) in (True, False)
    except ProcessorError:
        return
