"""``highlight`` alone: which words of a text are marked, and which parts of it are answered."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.elasticsearch.query.dsl import read_query
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.highlight import highlighted, read_highlight
from eldonia_ops.search.tree import Node

TEXT = "the gateway timed out: timeout after 30 s, TIMEOUT again"


def node_of(query: Any) -> Node:
    return read_query(query, 0).node


def marked(query: Any, text: Any = TEXT, field: str = "message", **options: Any) -> dict[str, list[str]]:
    wanted = read_highlight({"fields": {"*": {}}, "pre_tags": ["<"], "post_tags": [">"], **options}, node_of)
    return highlighted(wanted, node_of(query), [(field, [text])])


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"match": {"message": "timeout"}}, "the gateway timed out: <timeout> after 30 s, <TIMEOUT> again"),
        ({"match": {"message": "gateway nothing"}}, "the <gateway> timed out: timeout after 30 s, TIMEOUT again"),
        ({"match_phrase": {"message": "timed out"}}, "the gateway <timed> <out>: timeout after 30 s, TIMEOUT again"),
        ({"match_phrase_prefix": {"message": "gate"}}, "the <gateway> timed out: timeout after 30 s, TIMEOUT again"),
        ({"query_string": {"query": "after AND 30"}}, "the gateway timed out: timeout <after> <30> s, TIMEOUT again"),
        ({"bool": {"must": {"match": {"message": "gateway"}}, "must_not": {"match": {"message": "again"}}}},
         "the <gateway> timed out: timeout after 30 s, TIMEOUT again"),
    ],
)  # fmt: skip
def test_words_that_were_found(query: Any, wanted: str) -> None:
    assert marked(query) == {"message": [wanted]}


def test_other_fields_and_kinds() -> None:
    assert marked({"term": {"app": "shop"}}, "shop", "app") == {"app": ["<shop>"]}
    assert marked({"match": {"message": "timeout"}}, "timeout", "app") == {}
    assert marked({"match": {"message": "timeout"}}, 5) == {}
    assert marked({"match_all": {}}) == {}
    assert marked({"match": {"message": "付錯"}}, "ab付錯誤") == {"message": ["ab<付錯>誤"]}


def test_fragments() -> None:
    text = " ".join(["word"] * 40 + ["timeout"] + ["word"] * 40 + ["timeout"] + ["word"] * 40)
    query = {"match": {"message": "timeout"}}
    parts = marked(query, text, fragment_size=60)["message"]
    assert len(parts) == 2
    assert all("<timeout>" in part and len(part) <= 70 for part in parts)
    assert len(marked(query, text, fragment_size=60, number_of_fragments=1)["message"]) == 1
    assert marked(query, text, number_of_fragments=0)["message"] == [text.replace("timeout", "<timeout>")]
    assert marked({"match": {"message": "absent"}}, text, no_match_size=9) == {"message": ["word word"]}


def test_a_query_of_its_own() -> None:
    own = {"fields": {"message": {"highlight_query": {"match": {"message": "again"}}}}}
    found = highlighted(read_highlight(own, node_of), node_of({"match_all": {}}), [("message", [TEXT])])
    assert found == {"message": [TEXT.replace("again", "<em>again</em>")]}


@pytest.mark.parametrize(
    "value",
    [
        5,
        {"fields": 5},
        {"fields": {"a": 5}},
        {"fields": {"a": {}}, "type": "x"},
        {"fields": {"a": {"fragment_size": "x"}}},
    ],
)
def test_what_is_no_highlight(value: Any) -> None:
    with pytest.raises(DslError):
        read_highlight(value, node_of)


@given(
    st.text(max_size=200), st.text(alphabet="abc 付ß.", min_size=1, max_size=8), st.integers(0, 3), st.integers(1, 60)
)
def test_without_marks_the_parts_are_of_the_text(text: str, words: str, fragments: int, size: int) -> None:
    wanted = read_highlight(
        {
            "fields": {"message": {}},
            "pre_tags": ["\x01"],
            "post_tags": ["\x02"],
            "number_of_fragments": fragments,
            "fragment_size": size,
        },
        node_of,
    )
    found = highlighted(wanted, node_of({"match": {"message": words}}), [("message", [text])])
    for part in found.get("message", []):
        plain = part.replace("\x01", "").replace("\x02", "")
        assert plain in text.replace("\x01", "").replace("\x02", "")
        assert part.count("\x01") >= 1
