"""Match patterns of tags, against a naive definition of them."""

import contextlib
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.tag_pattern import TagPattern, tag_beyond


@pytest.mark.parametrize(
    ("pattern", "taken", "left"),
    [
        ("a", ["a"], ["", "b", "aa", "a.b"]),
        ("a.*", ["a.b"], ["a", "a.b.c", "b.a"]),
        ("a.**", ["a", "a.b", "a.b.c"], ["ab", "b", "b.a"]),
        ("**.a", ["a", "b.a", "c.b.a"], ["ba", "a.b"]),
        ("a.**.b", ["a.b", "a.x.b", "a.x.y.b"], ["a.xb", "ab", "a"]),
        ("**", ["", "a", "a.b"], []),
        ("", ["a", "a.b"], []),
        ("{a,b}.c", ["a.c", "b.c"], ["c.c", "a,b.c"]),
        ("a.{b,c.**}", ["a.b", "a.c", "a.c.d"], ["a", "a.b.d"]),
        ("{a,{b,c}}", ["a", "b", "c"], ["d"]),
        ("a b.*", ["a", "b.x"], ["b", "a b.x"]),
        (r"a\*", ["a*"], ["ab"]),
        ("a.", ["a"], ["a."]),
        ("a*c", ["ac", "abc"], ["a.c"]),
        ("/a[0-9]+/", ["a12"], ["a", "xa1"]),
    ],
)
def test_patterns(pattern: str, taken: list[str], left: list[str]):
    found = TagPattern(pattern)
    assert [tag for tag in taken if not found.matches(tag)] == []
    assert [tag for tag in left if found.matches(tag)] == []


@pytest.mark.parametrize("pattern", ["{a,b", "/a", "/(?=a)/", "x" * 5_000])
def test_what_is_no_pattern(pattern: str):
    with pytest.raises(ValueError, match=r"."):
        TagPattern(pattern)


def naive(parts: Sequence[str], tag: Sequence[str]) -> bool:
    """What the documentation says: ``*`` is one part, ``**`` zero or more."""
    if not parts:
        return not tag
    if parts[0] == "**":
        return any(naive(parts[1:], tag[count:]) for count in range(len(tag) + 1))
    if not tag:
        return False
    if parts[0].startswith("{"):
        return tag[0] in parts[0][1:-1].split(",") and naive(parts[1:], tag[1:])
    return parts[0] in ("*", tag[0]) and naive(parts[1:], tag[1:])


_WORDS = st.sampled_from(["a", "b", "ab", "c"])
_TAGS = st.lists(_WORDS, min_size=1, max_size=5)
_CHOICES = st.lists(_WORDS, min_size=2, max_size=3).map(lambda words: "{" + ",".join(words) + "}")


@st.composite
def patterns(draw: st.DrawFn) -> list[str]:
    parts = draw(st.lists(st.one_of(_WORDS, st.just("*"), st.just("**"), _CHOICES), min_size=1, max_size=5))
    # Fluentd's own rule for ** beside ** is another one than that of the documentation.
    return [part for at, part in enumerate(parts) if not (part == "**" and at and parts[at - 1] == "**")]


@given(patterns(), _TAGS)
def test_patterns_do_what_the_documentation_says(parts: list[str], tag: list[str]):
    assert TagPattern(".".join(parts)).matches(".".join(tag)) is naive(parts, tag)


@given(patterns(), st.lists(patterns(), max_size=3))
def test_a_tag_beyond_is_one(wanted: list[str], taken: list[list[str]]):
    others = [TagPattern(".".join(one)) for one in taken]
    pattern = TagPattern(".".join(wanted))
    tag = tag_beyond(pattern, others)
    if tag is not None:
        assert pattern.matches(tag)
        assert not any(one.matches(tag) for one in others)


@given(patterns(), st.lists(patterns(), max_size=3), st.lists(_TAGS, max_size=20))
def test_where_there_is_no_tag_beyond_there_is_none(wanted: list[str], taken: list[list[str]], tags: list[list[str]]):
    others = [TagPattern(".".join(one)) for one in taken]
    pattern = TagPattern(".".join(wanted))
    if tag_beyond(pattern, others) is None:
        for tag in tags:
            text = ".".join(tag)
            assert not pattern.matches(text) or any(one.matches(text) for one in others)


@given(st.text(st.sampled_from("ab.*{},\\ /"), max_size=20), st.text(st.sampled_from("ab.*"), max_size=12))
def test_any_pattern_is_one_or_is_refused(pattern: str, tag: str):
    with contextlib.suppress(ValueError):
        TagPattern(pattern).matches(tag)


def test_it_takes_linear_time():
    found = TagPattern("**.a." * 30 + "b")
    assert not found.matches("a." * 500 + "c")


def test_tags_of_texts():
    pattern = TagPattern.of_texts([["a.var.log.", None, ".log"], ["b"]])
    assert pattern.matches("a.var.log.x.y.log")
    assert pattern.matches("b")
    assert not pattern.matches("a.var.log..log")
    assert tag_beyond(TagPattern("a.error"), [], within=pattern) is None
    found = tag_beyond(TagPattern("a.**"), [TagPattern("a.*")], within=pattern)
    assert found is not None
    assert re.fullmatch(r"a\.var\.log\..+\.log", found)


def test_what_cannot_be_said():
    with pytest.raises(ValueError, match="not compared"):
        tag_beyond(TagPattern("/a/"), [])
