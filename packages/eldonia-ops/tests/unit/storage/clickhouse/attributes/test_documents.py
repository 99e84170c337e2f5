"""Documents that cannot be read again are neither written nor in the way of others."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.storage.clickhouse.attributes.documents import decoded, encoded, indexed
from eldonia_ops.storage.clickhouse.logs.rows import record_of


def nest(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def test_what_is_written_can_be_read() -> None:
    for value in (nest(200), nest(500), nest(950), nest(5_000), {"n": 10**400}, {"n": "\ud800", "m": 2**70}):
        assert isinstance(decoded(encoded(value).decode(), msgspec.json.Decoder().decode), dict)


def test_a_document_of_an_older_release_is_shown_as_its_text() -> None:
    row: dict[str, Any] = {"ns": 1, "level": "info", "message": "m", "parse_error": "", "id": 5, "offset": 0}
    for document in ('{"metadata":' + '{"a":' * 950 + "1" + "}" * 951, "{", '{"metadata":' * 5_000):
        record = record_of({**row, "details": document, "shape": "", "metadata": {}})
        assert record.message == "m"
        assert record.metadata["document"].startswith(document[:1_000])
        assert "cannot be read" in record.parse_error
        msgspec.json.encode(record)


@given(st.text(st.sampled_from('{}[]"\\a,:'), max_size=300))
def test_brackets_in_texts_are_no_depth(text: str) -> None:
    document = json.dumps({"a": text * 10})
    assert decoded(document, json.loads) == {"a": text * 10}


def depth(value: Any) -> int:
    return 1 + max(map(depth, value.values()), default=0) if isinstance(value, dict) else 0


def test_what_is_too_deep_or_too_long_does_not_hide_the_rest_from_search() -> None:
    # Such a record was found by nothing in it: neither in its index nor among those of its user, which are deleted so.
    for more in (
        {"deep": nest(40)},
        {"long": "x" * 70_000},
        {"deep": [[[nest(20)]]]},
        {f"k{n}": n for n in range(9_000)},
    ):
        found = json.loads(bytes(indexed({"user": "alice", "@index": "shop", "in": {"ner": [1, 2]}, **more})))
        assert (found["user"], found["@index"]) == ("alice", "shop")
        assert found["in"] == {"ner": [1, 2]} or "k0" in more
        assert depth(found) <= 16
        assert len(json.dumps(found)) < 64 << 10
    whole = {"user": "alice", "deep": nest(15), "list": [1, "two"]}
    assert json.loads(bytes(indexed(whole))) == whole


@given(
    st.recursive(
        st.text(max_size=9) | st.integers() | st.none(),
        lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=4), one, max_size=3),
        max_leaves=40,
    ),
    st.integers(0, 40),
)
def test_what_is_indexed_is_within_bounds_and_nothing_else(value: Any, levels: int) -> None:
    for _ in range(levels):
        value = {"a": value, "b": 1}
    document = bytes(indexed({"v": value, "user": "alice"}))
    found = json.loads(document)
    assert found["user"] == "alice"
    assert len(document) <= 64 << 10
    if levels < 10:
        assert found["v"] == value
