"""Fields added, replaced and removed; placeholders; Ruby that is refused."""

import contextlib
from typing import Any

import pytest
from fluent_conf import HOST, NOW_MS, batch, filter_with, filtered, made, texts
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.filters.placeholders import PlaceholderError, Scope, TagValues, template_of

BASE = "@type record_transformer\n"


def fields(written: str, options: str = "") -> str:
    return f"{BASE}{options}\n<record>\n{written}\n</record>"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text", "text"),
        ("${tag}", "app.web.access"),
        ("${tag_parts[0]}", "app"),
        ("${tag_parts[-1]}", "access"),
        ("${tag_parts[9]}", None),
        ("${tag_prefix[1]}", "app.web"),
        ("${tag_prefix[-1]}", "app.web.access"),
        ("${tag_suffix[1]}", "web.access"),
        ("${tag_suffix[-1]}", "access"),
        ("${hostname}", HOST),
        ('${record["n"]}', 5),
        ("${record['n']}", 5),
        ('${record["deep"]["a"][0]}', "x"),
        ('${record["deep"]["gone"]["b"]}', None),
        ('${record["gone"]}', None),
        ('${record["n"]} of ${tag_parts[1]}', "5 of web"),
        ('x${record["gone"]}y', "xy"),
        ('x ${record["deep"]}', 'x {"a":["x"]}'),
        ('${record["gone"] || "none"}', "none"),
        ('${record["gone"] || record["n"] || 5}'.replace(" || 5", ""), 5),
        ('${record["name"].upcase}', "ADA"),
        ('${record["name"].downcase}', "ada"),
        ('${record["name"].to_i}', 0),
        ('${record["text5"].to_i}', 5),
        ('${record["text5"].to_f}', 5.0),
        ('${record["n"].to_s}', "5"),
        ('${record["pad"].strip}', "p"),
        ('{"a": "${tag}", "b": [1, "${hostname}"]}', {"a": "app.web.access", "b": [1, HOST]}),
        ('["${tag_parts[0]}", 2]', ["app", 2]),
    ],
)
def test_placeholders(written: str, value: Any):
    record = {"n": 5, "name": "Ada", "text5": "5 apples", "pad": " p ", "deep": {"a": ["x"]}}
    (found,) = filtered(fields(f"new {written}"), record, tag="app.web.access")
    assert found == {**record, "new": value}


def test_the_time_and_keys_with_placeholders():
    (found,) = filtered(fields("at ${time}\n${tag_parts[0]}_x 1"), {})
    assert found["at"].startswith("2023-11-1")
    assert found["app_x"] == "1"


def test_without_typecast_everything_is_text():
    assert filtered(fields('new ${record["n"]}', "auto_typecast false"), {"n": 5}) == [{"n": 5, "new": "5"}]


def test_the_record_itself_is_not_changed():
    record = {"a": {"b": 1, "c": 2}}
    (found,) = filtered(fields("x 1", "remove_keys $.a.b,gone"), record)
    assert record == {"a": {"b": 1, "c": 2}}
    assert found == {"a": {"c": 2}, "x": "1"}


def test_renewed_records_keep_what_they_shall():
    assert filtered(fields("x 1", "renew_record true\nkeep_keys a, gone"), {"a": 1, "b": 2}) == [{"a": 1, "x": "1"}]
    _, problems = made(fields("x 1", "keep_keys a"))
    assert texts(problems) == ["3: keep_keys needs renew_record true"]


def test_the_time_from_a_field():
    one = filter_with(fields("", "renew_time_key t"))
    found, _ = one.step(None, batch({"t": 1_500_000_000}, {"t": "1500000000.5"}, {"t": "x"}, {}), NOW_MS)
    assert [event.time_ns for event in found.events[:2]] == [1_500_000_000 * 10**9, 1_500_000_000_500_000_000]
    assert [reason for _, reason in found.refused] == ["record_transformer: the time 'x' is no Unix time"]
    assert len(found.events) == 3


@pytest.mark.parametrize(
    ("written", "way"),
    [
        ("${tag.split('.')[1]}", "tag_parts[0]"),
        ("${tag_parts.last}", "tag_parts[-1]"),
        ('${record["a"].gsub(/x/, "y")}', "redaction"),
        ('${Time.now.strftime("%Y")}', "${time}"),
        ('${record["a"] ? "b" : "c"}', '|| "otherwise"'),
        ('${record.dig("a", "b")}', '${record["a"]["b"]}'),
        ('${ENV["X"]}', "read at the start"),
        ("${Socket.gethostname}", "${hostname}"),
        ('${JSON.parse(record["log"])["x"]}', "type parser"),
        ('${record["a"].to_i * 1000}', "calculate in queries"),
        ("${name}", '${record["name"]}'),
        ("${name.downcase}", '${record["name"]}'),
    ],
)
def test_ruby_is_refused_with_its_line_and_a_way(written: str, way: str):
    found, problems = made(fields(f"ok 1\nnew {written}", "enable_ruby true"))
    assert found is None
    assert [one.line for one in problems] == [6, 3]
    assert way in problems[0].hint
    assert problems[1].message == "enable_ruby true: no Ruby is run here"


def test_enable_ruby_where_none_is_needed_is_a_warning():
    found, problems = made(fields('new ${record["a"]["b"]}', "enable_ruby true"))
    assert found is not None
    assert [(one.level, one.line) for one in problems] == [(Level.WARNING, 3)]


@given(st.text(max_size=40), st.booleans())
def test_any_text_is_a_template_or_refused(text: str, typecast: bool):
    found = None
    with contextlib.suppress(PlaceholderError):
        found = template_of(text, typecast=typecast)
    if found is not None:
        assert "${" in text
        found(Scope(TagValues("a.b", HOST), 0, {"a": 1}))


_FIELD = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=6)


@given(st.dictionaries(_FIELD, st.one_of(st.integers(), st.text(max_size=5), st.none()), max_size=4), _FIELD)
def test_a_single_placeholder_has_the_type_of_its_field(record: dict[str, Any], name: str):
    found = template_of(f'${{record["{name}"]}}', typecast=True)
    assert found is not None
    assert found(Scope(TagValues("t", HOST), 0, record)) == record.get(name)
