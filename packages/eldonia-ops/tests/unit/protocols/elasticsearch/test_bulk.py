"""What a body of _bulk asks for, and what it is answered."""

import json

import pytest

from eldonia_ops.protocols.elasticsearch.bulk import Action, answer, created_items, parse_bulk
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError


def test_actions_in_their_order() -> None:
    body = (
        b'{"index":{"_index":"a"}}\n{"n":1}\n{"create":{"_id":"x"}}\r\n{"n":2}\r\n'
        b'{"delete":{"_index":"a","_id":5}}\n\n{"update":{"_id":"x","if_seq_no":7,"retry_on_conflict":3}}\n{"doc":{}}\n'
    )
    actions, lines = parse_bulk(body, "b")
    assert actions == [
        Action("index", "a"),
        Action("create", "b", "x"),
        Action("delete", "a", "5"),
        Action("update", "b", "x", 7),
    ]
    assert parse_bulk(b'{"index":{"_index":"a"},"attempts":0}\n{}\n')[0] == [Action("index", "a")]
    assert lines == [b'{"n":1}', b'{"n":2}', b"", b'{"doc":{}}']


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "request body is required"),
        (b'{"index":{"_index":"a"}}\n{}', "terminated by a newline"),
        (b'{"index":{}}\n{}\n', "index is missing"),
        (b'{"index":{"_index":"a"}}\n', "its document is missing"),
        (b'"x"\n{}\n', "expected START_OBJECT but found \\[VALUE_STRING\\]"),
        (b"no\n{}\n", "it is no JSON"),
        (b'{"put":{}}\n{}\n', "found \\[put\\]"),
        (b'{"index":[]}\n{}\n', "START_ARRAY"),
        (b'{"index":{"_index":"a","colour":1}}\n{}\n', "unknown parameter \\[colour\\]"),
        (b'{"index":{"_index":"a","_id":{}}}\n{}\n', "simple value"),
        (b"{}\n{}\n", "END_OBJECT"),
    ],
)
def test_bodies_that_are_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ElasticsearchError, match=reason):
        parse_bulk(body)


def test_the_answer() -> None:
    items = created_items("create", 'a"b', [255, 256])
    found = json.loads(answer(items, 5, False))
    assert found["took"] == 5
    assert found["errors"] is False
    assert [item["create"]["_id"] for item in found["items"]] == ["e000000000000ff", "e00000000000100"]
    assert found["items"][0]["create"]["_index"] == 'a"b'
    assert json.loads(answer(items, 5, True, "errors")) == {"errors": True}
    assert json.loads(answer(items, 5, False, "took,errors")) == {"errors": False, "took": 5}
    assert len(json.loads(answer(items, 5, True, "errors,items.*.error"))["items"]) == 2


def test_more_values_than_there_is_memory_for_are_refused_before_they_are_built() -> None:
    # 30 MB of them, which pack to 30 kB, took 900 MB.
    document = b'{"a":[' + b"{}," * 300_000 + b"1]}\n"
    with pytest.raises(ElasticsearchError, match="too many values") as caught:
        parse_bulk((b'{"index":{"_index":"a"}}\n' + document) * 4)
    assert caught.value.status == 413
    with pytest.raises(ElasticsearchError, match="longer than"):
        parse_bulk(b'{"index":{"_index":"a"},"x":[' + b"{}," * 30_000 + b"1]}\n{}\n")
