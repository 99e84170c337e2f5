"""A field that a parser reads."""

from typing import Any

import pytest
from fluent_conf import NOW_MS, NOW_NS, batch, filter_with

JSON = "@type parser\nkey_name log\n{}\n<parse>\n@type json\n{}\n</parse>"


def parsed(record: dict[str, Any], options: str = "", parse: str = "") -> tuple[list[dict], list[str], list[int]]:
    one = filter_with(JSON.format(options, parse))
    found, _ = one.step(None, batch(record), NOW_MS)
    return (
        [event.record for event in found.events],
        [reason for _, reason in found.refused],
        [event.time_ns for event in found.events],
    )


LINE = '{"a": 1, "time": 1500000000}'


@pytest.mark.parametrize(
    ("options", "record"),
    [
        ("", {"a": 1}),
        ("reserve_data true", {"log": LINE, "k": 2, "a": 1}),
        ("reserve_data true\nremove_key_name_field true", {"k": 2, "a": 1}),
        ("hash_value_field parsed", {"parsed": {"a": 1}}),
        ("inject_key_prefix p.", {"p.a": 1}),
        (
            "reserve_data true\nhash_value_field parsed\ninject_key_prefix p.",
            {"log": LINE, "k": 2, "parsed": {"p.a": 1}},
        ),
    ],
)
def test_what_becomes_of_the_fields(options: str, record: dict[str, Any]):
    found, refused, times = parsed({"log": LINE, "k": 2}, options)
    assert (found, refused, times) == ([record], [], [1_500_000_000 * 10**9])


def test_the_time_is_that_of_the_text_or_of_the_event():
    assert parsed({"log": LINE}, "reserve_time true")[2] == [NOW_NS]
    assert parsed({"log": '{"a": 1}'})[2] == [NOW_NS]


def test_what_cannot_be_read_goes_to_error():
    found, refused, _ = parsed({"log": "no", "k": 1})
    assert found == []
    assert refused[0].startswith("parser: it is no JSON")
    assert refused[0].endswith(": 'no'")
    assert parsed({"k": 1})[1] == ["parser: there is no field log"]
    found, refused, _ = parsed({"log": "no", "k": 1}, "reserve_data true")
    assert (found, len(refused)) == ([{"log": "no", "k": 1}], 1)
    found, refused, _ = parsed({"log": "no"}, "emit_invalid_record_to_error false")
    assert (found, refused) == ([], [])


def test_a_path_of_fields_and_the_old_form():
    one = filter_with("@type parser\nkey_name $.a.log\nformat /^(?<x>.)/")
    found, _ = one.step(None, batch({"a": {"log": "yes"}}), NOW_MS)
    assert [event.record for event in found.events] == [{"x": "y"}]
