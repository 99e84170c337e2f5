"""``record_modifier``: fields added, removed, kept alone, and replaced by an expression."""

import pytest
from fluent_conf import filtered, made, texts


def test_fields_are_added_and_removed():
    text = '@type record_modifier\nremove_keys a,$.k.id\n<record>\nnew ${record["k"]["name"]} of ${tag}\n</record>'
    assert filtered(text, {"a": 1, "k": {"id": 7, "name": "n"}}) == [{"k": {"name": "n"}, "new": "n of app.web"}]


def test_a_value_keeps_its_type():
    text = '@type record_modifier\n<record>\nlevel ${record["level"] || record["severity"] || "info"}\n</record>'
    assert filtered(text, {"severity": 3}, {}) == [{"severity": 3, "level": 3}, {"level": "info"}]


def test_keys_that_are_kept_alone():
    assert filtered("@type record_modifier\nwhitelist_keys a,b", {"a": 1, "c": 2}) == [{"a": 1}]
    _, problems = made("@type record_modifier\nwhitelist_keys a\nremove_keys b")
    assert any("exclude each other" in one for one in texts(problems))


@pytest.mark.parametrize(
    ("expression", "new", "text", "found"),
    [
        (r"/[^\x20-\x7e]+/", "", "a\x07b", "ab"),
        (r"/(?<user>\w+)@(\w+)/", r"\k<user>@…", "to ann@example, bob@example", "to ann@…, bob@…"),
        (r"/(\w+)@(\w+)/", r"\2 of \1", "ann@home", "home of ann"),
        (r"/x/", r"[\9]\k<no>", "axb", "a[]b"),
        (r"/x/", "y", "none", "none"),
    ],
)
def test_what_an_expression_finds_is_replaced(expression: str, new: str, text: str, found: str):
    conf = f"@type record_modifier\n<replace>\nkey $.k.m\nexpression {expression}\nreplace '{new}'\n</replace>"
    assert filtered(conf, {"k": {"m": text}}, {}) == [{"k": {"m": found}}, {}]


def test_an_expression_that_needs_more_than_linear_time_is_refused():
    made_filter, problems = made("@type record_modifier\n<replace>\nkey a\nexpression /(?=x)/\nreplace b\n</replace>")
    assert made_filter is None
    assert texts(problems)[0].startswith("5: expression: ")


def test_ruby_and_encodings_are_named():
    _, problems = made("@type record_modifier\nchar_encoding utf-8:euc-jp\nprepare_value @a = 1")
    assert [one.partition(":")[2].strip() for one in texts(problems)] == [
        "char_encoding has no effect: texts are Unicode here",
        "prepare_value: no Ruby is run here",
    ]
