"""What a declared mapping refuses, and what it does not."""

# ruff: noqa: E501  a case a line

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.mapping_rules import mapping_rules

LONG, STRICT = {"type": "long"}, {"dynamic": "strict"}


def refused(mappings: dict[str, Any], document: dict[str, Any], **more: Any) -> str:
    """The reason of what is refused with the cause behind it, "" when it is not."""
    rules = mapping_rules(json.dumps({"mappings": mappings, **more}))
    error = rules.fault(document, "1") if rules is not None else None
    if error is None:
        return ""
    assert error.status == 400
    cause = error.extra.get("caused_by", {}).get("reason", "")
    return f"{error.type}: {error.reason}" + (f" < {cause}" if cause else "")


def field(value: Any, **stated: Any) -> str:
    """What is wrong with a value of a field."""
    return refused({"properties": {"f": stated}}, {"f": value}).partition(" < ")[2]


@pytest.mark.parametrize(
    ("stated", "value"),
    [
        *(({"type": "long"}, value) for value in (5, -5, 5.0, 5.7, "5", " 5 ", "5.7", None, [1, "2", None], [])),
        ({"type": "byte"}, 127), ({"type": "unsigned_long"}, 2**64 - 1), ({"type": "integer"}, -(2**31)),
        *(({"type": "double"}, value) for value in (5, 1e300, "1e3", "-.5")),
        *(({"type": "boolean"}, value) for value in (True, False, "true", "false", "")),
        *(({"type": "ip"}, value) for value in ("10.0.0.1", "::1", ["10.0.0.1", "10.0.0.2"])),
        *(({"type": "date"}, value) for value in ("2026-12-01", "2026-12-01T10:00:00.123Z", 1_795_824_000_000, "1795824000000")),
        ({"type": "date", "format": "yyyy/MM/dd HH:mm:ss||epoch_second"}, "2026/12/01 10:00:00"),
        ({"type": "date", "format": "EEEE QQQ"}, "what we cannot read is not judged"),
        *(({"type": "keyword"}, value) for value in (5, True, "x", ["x", 5])),
        ({"type": "geo_point"}, {"lat": 1, "lon": 2}), ({"type": "flattened"}, {"a": 1}), ({"type": "no_such_type"}, 5),
        ({"type": "long", "ignore_malformed": True}, "five"), ({"type": "ip", "ignore_malformed": "true"}, "x"),
        ({"type": "object", "enabled": False}, 5), ({"properties": {"g": LONG}}, {"g": 5, "h": 6}),
        ({"type": "nested", "properties": {"g": LONG}}, [{"g": 5}, {"g": "6"}]),
    ],
)  # fmt: skip
def test_what_fits(stated: dict[str, Any], value: Any) -> None:
    assert refused({"properties": {"f": stated}}, {"f": value, "other": {"x": "y"}}) == ""


@pytest.mark.parametrize(
    ("stated", "value", "wrong"),
    [
        (LONG, "five", 'For input string: "five"'),
        (LONG, True, 'For input string: "True"'),
        (LONG, {"a": 1}, "Can't get text on a START_OBJECT"),
        (LONG, [1, "x"], 'For input string: "x"'),
        (LONG, "1_000", 'For input string: "1_000"'),
        (LONG, "NaN", 'For input string: "NaN"'),
        (LONG, 2**63, "Value [9223372036854775808] is out of range for a long"),
        ({"type": "byte"}, 128, "Value [128] is out of range for a byte"),
        ({"type": "long", "coerce": False}, "5", "[long] value passed as String"),
        ({"type": "long", "coerce": False}, 5.5, "[5.5] cannot be converted to long without data loss"),
        ({"type": "float"}, "warm", 'For input string: "warm"'),
        ({"type": "boolean"}, "yes", "Failed to parse value [yes] as only [true] or [false] are allowed."),
        ({"type": "boolean"}, 1, "Failed to parse value [1] as only [true] or [false] are allowed."),
        ({"type": "ip"}, "10.0.0", "'10.0.0' is not an IP string literal."),
        (
            {"type": "date"},
            "yesterday",
            "failed to parse date field [yesterday] with format [strict_date_optional_time||epoch_millis]",
        ),
        (
            {"type": "date"},
            "now",
            "failed to parse date field [now] with format [strict_date_optional_time||epoch_millis]",
        ),
        (
            {"type": "date", "format": "yyyy/MM/dd HH:mm:ss"},
            "2026-13-99",
            "failed to parse date field [2026-13-99] with format [yyyy/MM/dd HH:mm:ss]",
        ),
        ({"type": "keyword"}, {"a": 1}, "Can't get text on a START_OBJECT"),
    ],
)
def test_what_does_not(stated: dict[str, Any], value: Any, wrong: str) -> None:
    assert field(value, **stated) == wrong


def test_the_field_the_document_and_the_value_are_named() -> None:
    assert refused({"properties": {"http": {"properties": {"status": LONG}}}}, {"http": {"status": "OK"}}) == (
        "document_parsing_exception: failed to parse field [http.status] of type [long] in document with id '1'. "
        "Preview of field's value: 'OK' < For input string: \"OK\""
    )
    for mapping in ({"http": {"properties": {"status": LONG}}}, {"http.status": LONG}):
        assert "[http.status]" in refused({"properties": mapping}, {"http.status": "OK"})


def test_an_object_is_no_value_and_a_value_no_object() -> None:
    assert refused({"properties": {"o": {"properties": {"n": LONG}}}}, {"o": 5}) == (
        "document_parsing_exception: object mapping for [o] tried to parse field [o] as object, but found a concrete value"
    )


def test_strict() -> None:
    mapping = {
        **STRICT,
        "properties": {"a": LONG, "o": {"properties": {"b": LONG}}, "free": {"dynamic": True, "properties": {}}},
    }
    for document in ({"a": 1}, {"o": {"b": 1}}, {"o.b": 1}, {"free": {"x": 1}}, {"free.x": 1}, {}):
        assert refused(mapping, document) == "", document
    for document, name, within in (
        ({"z": 1}, "z", "_doc"),
        ({"o": {"z": 1}}, "z", "o"),
        ({"z": None}, "z", "_doc"),
        ({"o.z": 1}, "o.z", "_doc"),
    ):
        assert refused(mapping, document) == (
            f"strict_dynamic_mapping_exception: mapping set to strict, dynamic introduction of [{name}] within [{within}] is not allowed"
        )
    below = {"properties": {"o": {**STRICT, "properties": {"a": LONG}}}}
    assert refused(below, {"z": 1, "o": {"a": 1}}) == ""
    assert "[z] within [o]" in refused(below, {"o": {"z": 1}})
    assert refused(STRICT, {"@timestamp": "2026-12-01"}) != ""
    assert refused(STRICT, {"@timestamp": "2026-12-01"}, data_stream="logs") == ""


def test_an_index_may_ignore_what_is_malformed() -> None:
    mapping = {"properties": {"n": LONG, "m": {"type": "long", "ignore_malformed": False}}}
    settings = {"index.mapping.ignore_malformed": "true"}
    assert refused(mapping, {"n": "x"}, settings=settings) == ""
    assert refused(mapping, {"m": "x"}, settings=settings) != ""


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"mappings": {}},
        {"mappings": {"dynamic": False}},
        {"observed": {"n": LONG}},
        {"mappings": {"properties": {"o": {}}}},
    ],
)
def test_what_declares_nothing_refuses_nothing(body: dict[str, Any]) -> None:
    rules = mapping_rules(json.dumps(body))
    assert rules is None or rules.fault({"a": 1, "n": "x"}) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.", max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(st.text("ab.", max_size=3), JSON, max_size=3),
    st.dictionaries(st.text("ab.", max_size=3), JSON, max_size=3),
)
def test_no_mapping_and_no_document_breaks_it(properties: dict[str, Any], document: dict[str, Any]) -> None:
    for more in ({}, STRICT):
        rules = mapping_rules(json.dumps({"mappings": {"properties": properties, **more}}))
        if rules is not None and (error := rules.fault(document)) is not None:
            with pytest.raises(ElasticsearchError):
                rules.check(document)
            assert error.reason
