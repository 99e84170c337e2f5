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
    # As in Elasticsearch: of what went well nothing is left.
    assert json.loads(answer(items, 5, True, "errors,items.*.error")) == {"errors": True}
    named = created_items("index", "a%d", [1, 2], ['i"1', "付%s"])
    shown = json.loads(answer(named, 5, False, "items.*._id,items.*._index"))
    assert shown == {"items": [{"index": {"_index": "a%d", "_id": id}} for id in ('i"1', "付%s")]}


@pytest.mark.parametrize("spaces", ["", " "])
def test_lines_that_differ_in_their_id_alone(spaces: str) -> None:
    ids = ["a", "付", 'q"', "\\", "", "x" * 600, "%s", "1"]
    other = {"index": {"_index": "a", "_id": "k", "pipeline": "p"}}
    some = [{"index": {"_index": 'i"_id":"', "_id": id}} for id in ids]
    written = [
        json.dumps(one, ensure_ascii=False, separators=("," + spaces, ":" + spaces)) for one in [*some, other, *some]
    ]
    body = "".join(f"{line}\n{{}}\n" for line in written).encode()
    actions, _ = parse_bulk(body, pipeline="r")
    assert [one.id for one in actions] == [*ids, "k", *ids]
    assert [one.pipeline for one in actions] == ["r"] * len(ids) + ["p"] + ["r"] * len(ids)
    assert {one.index for one in actions} == {'i"_id":"', "a"}
    bad = b'{"index":{"_id":"ok"}}\n{}\n{"index":{"_id":"\xff"}}\n{}\n'
    with pytest.raises(ElasticsearchError, match="no JSON"):
        parse_bulk(bad, "a")


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"version": 5, "version_type": "external"}, (5, False)),
        ({"version": "5", "version_type": "external_gte"}, (5, True)),
        ({"version_type": "internal"}, (-1, False)),
        ({"version": 5}, "internal versioning can not be used"),
        ({"version": -5, "version_type": "external"}, "illegal version value [-5]"),
        ({"version": True, "version_type": "external"}, "illegal version value [True]"),
        ({"version_type": "external"}, "illegal version value [None]"),
    ],
)
def test_versions_of_the_sender(fields: dict[str, object], wanted: object) -> None:
    line = json.dumps({"index": {"_id": "1", **fields}}).encode() + b"\n{}\n"
    if isinstance(wanted, str):
        with pytest.raises(ElasticsearchError) as error:
            parse_bulk(line, "a")
        assert wanted in error.value.reason
        return
    (action,), _ = parse_bulk(line, "a")
    assert (action.version, action.or_same) == wanted


def test_more_values_than_there_is_memory_for_are_refused_before_they_are_built() -> None:
    # 30 MB of them, which pack to 30 kB, took 900 MB.
    document = b'{"a":[' + b"{}," * 300_000 + b"1]}\n"
    with pytest.raises(ElasticsearchError, match="too many values") as caught:
        parse_bulk((b'{"index":{"_index":"a"}}\n' + document) * 4)
    assert caught.value.status == 413
    with pytest.raises(ElasticsearchError, match="longer than"):
        parse_bulk(b'{"index":{"_index":"a"},"x":[' + b"{}," * 30_000 + b"1]}\n{}\n")
