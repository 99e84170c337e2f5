"""Templates and patterns take out what they name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.search.pipes.pipeline import compiled_pattern
from eldonia_ops.search.templates import TemplateError, pattern_holes, template_holes


def taken(template: str, text: str) -> dict[str, str] | None:
    holes = template_holes(template)
    found = compiled_pattern(holes.pattern).search(text)
    return None if found is None else {name: found.group(group) for name, group in holes.names}


@pytest.mark.parametrize(
    ("template", "text", "found"),
    [
        ("order {id} of {user}", "order 7 of bob took 3 ms", {"id": "7", "user": "bob"}),
        ("order {id} of {user}.", "an order 7 of bob smith.", {"id": "7", "user": "bob smith"}),
        ("{method} {_} {status}", "GET /a 200 -", {"method": "GET", "status": "200"}),
        ("{{{x}}}", "a {7} b", {"x": "7"}),
        ("took {ms}ms", "took 5 s", None),
        ("took {ms}ms", "took 5ms", {"ms": "5"}),
        ("(a|b) {x}", "(a|b) c", {"x": "c"}),
        ("ユーザー{user}が", "ユーザー花子がログイン", {"user": "花子"}),
        ("a\n{x}", "a\nb", {"x": "b"}),
        ("{http.status} x", "503 x", {"http.status": "503"}),
    ],
)
def test_a_template_takes_out_what_it_names(template: str, text: str, found: dict[str, str] | None) -> None:
    assert taken(template, text) == found


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("order", "holes_missing"),
        ("order {}", "holes_missing"),
        ("{a}{b}", "holes_adjacent"),
        ("{a}{_} x", "holes_adjacent"),
        ("{a b}", "hole_name"),
        ("{1}", "hole_name"),
        ("{a} {a}", "column_twice"),
        (" ".join(f"{{x{number}}}" for number in range(21)), "holes_many"),
    ],
)
def test_a_template_that_takes_nothing_out_is_refused(template: str, code: str) -> None:
    with pytest.raises(TemplateError) as caught:
        template_holes(template)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"took (?<ms>[0-9]+)", "it took 12 s", {"ms": "12"}),
        (r"(?P<a>.)(.)(?<b>.)", "xyz", {"a": "x", "b": "z"}),
        (r"\(?<x>|(?<y>z)", "z", {"y": "z"}),
        (r"\\(?<x>a)", "\\a", {"x": "a"}),
    ],
)
def test_groups_of_patterns_are_named_in_either_way(pattern: str, text: str, found: dict[str, str]) -> None:
    holes = pattern_holes(pattern)
    match = compiled_pattern(holes.pattern).search(text)
    assert match is not None
    assert {name: match.group(group) for name, group in holes.names} == found


@pytest.mark.parametrize(
    ("pattern", "code"), [("(x)", "holes_missing"), ("(?<x>(", "pattern"), (r"(?<x>a)\1", "pattern")]
)
def test_patterns_that_cannot_be_used_are_refused(pattern: str, code: str) -> None:
    with pytest.raises(TemplateError) as caught:
        pattern_holes(pattern)
    assert caught.value.code == code


_word = st.text("abc123/.-エ", min_size=1, max_size=5)
_between = st.text(" :,()[]{}|*\\", min_size=1, max_size=4)


@given(st.lists(st.tuples(_word, _between), min_size=1, max_size=5), st.text("xyz ", max_size=5))
def test_what_is_put_into_a_template_is_taken_out_again(parts: list[tuple[str, str]], before: str) -> None:
    braced = [re.sub(r"[{}]", lambda found: found[0] * 2, between) for _, between in parts]
    template = ">" + "".join(f"{{n{number}}}{between}" for number, between in enumerate(braced))
    text = before + ">" + "".join(word + between for word, between in parts)
    assert taken(template, text) == {f"n{number}": word for number, (word, _) in enumerate(parts)}
