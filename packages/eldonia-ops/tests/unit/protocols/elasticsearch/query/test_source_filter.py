"""``_source``, ``fields`` and ``docvalue_fields`` alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.source_filter import fields_wanted, flattened, source_filter

SOURCE: dict[str, Any] = {
    "message": "m",
    "http": {"method": "GET", "status": {"code": 200}},
    "users": [{"name": "a", "age": 1}, {"name": "b"}],
    "tags": ["x", "y"],
    "a.b": 1,
    "empty": {},
}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (True, SOURCE),
        ("message", {"message": "m"}),
        ("http.*", {"http": {"method": "GET", "status": {"code": 200}}}),
        ("http.status", {"http": {"status": {"code": 200}}}),
        (["*.code", "tags"], {"http": {"status": {"code": 200}}, "tags": ["x", "y"]}),
        ("users.name", {"users": [{"name": "a"}, {"name": "b"}]}),
        ("a.b", {"a.b": 1}),
        ("mess*,tags", {"message": "m", "tags": ["x", "y"]}),
        ({"includes": ["http"], "excludes": ["http.status"]}, {"http": {"method": "GET"}}),
        ({"excludes": ["http", "users", "empty", "a.*"]}, {"message": "m", "tags": ["x", "y"]}),
        ({"include": "message"}, {"message": "m"}),
        ("none", {}),
    ],
)
def test_parts_of_a_source(wanted: Any, found: Any) -> None:
    assert source_filter(wanted).of(SOURCE) == found


def test_no_source() -> None:
    assert source_filter(False).wanted is False
    assert source_filter("false").wanted is False


@pytest.mark.parametrize("value", [5, {"colour": 1}, 1.5])
def test_what_is_no_filter(value: Any) -> None:
    with pytest.raises(DslError):
        source_filter(value)


JSON = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
)


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), JSON, max_size=4),
    st.lists(st.text("abc.*", max_size=4), max_size=3),
)
def test_what_is_excluded_is_not_there(source: dict[str, Any], patterns: list[str]) -> None:
    assert source_filter({"excludes": ["*"]}).of(source) == {}
    kept = source_filter({"includes": patterns}).of(source)
    assert kept.keys() <= source.keys()
    for key, value in kept.items():
        if not isinstance(value, dict | list):
            assert value == source[key]


def test_fields() -> None:
    found = fields_wanted(["http.*", {"field": "users.name"}, "tags.keyword"], "fields").of(SOURCE, 0)
    assert found == {
        "http.method": ["GET"],
        "http.status.code": [200],
        "users.name": ["a", "b"],
        "tags.keyword": ["x", "y"],
    }
    time = fields_wanted([{"field": "@timestamp", "format": "epoch_millis"}], "docvalue_fields").of(SOURCE, 5_000_000)
    assert time == {"@timestamp": ["5"]}
    with pytest.raises(DslError, match="too many"):
        fields_wanted([str(n) for n in range(101)], "fields")
    with pytest.raises(DslError):
        fields_wanted([5], "fields")
    assert dict(flattened({"a": [1, None, {"b": 2}], "c": None})) == {"a": [1], "a.b": [2]}
