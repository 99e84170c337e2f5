"""Ruby's expressions on RE2."""

import re

import pytest

from eldonia_ops.pipeline.ruby_regexp import RubyRegexp


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        ("/(?<a>x+)(?<b>y)?/", "axxz", {"a": "xx"}),
        ("(?<a>.)", "x", {"a": "x"}),
        ("/^(?<a>.+)$/", "one\ntwo", {"a": "one"}),
        ("/^(?<a>.+)$/m", "one\ntwo", {"a": "one\ntwo"}),
        ("/^(?<a>X)/i", "x", {"a": "x"}),
        ("/(?<a> x ) # why\n/x", "x", {"a": "x"}),
        (r"/\A(?<a>\h+)\Z/", "beef\n", {"a": "beef"}),
        (r"/(?<a>[\h\]]+)/", "g]af", {"a": "]af"}),
        (r"/(?<a>a++)(?<b>b*+)/", "aab", {"a": "aa", "b": "b"}),
        (r"/(?<a>(?>a|b)+)/", "ab", {"a": "ab"}),
        (r"/(a)(?<b>b)/", "ab", {"b": "b"}),
        (r"/(?<a>a)|(?<a>b)/", "b", {"a": "b"}),
        (r"/(?<a>\/x\-\")/", '/x-"', {"a": '/x-"'}),
        (r"/(?<a>\u3042)/", "あ", {"a": "あ"}),
        (r"/(?<a>\++)/", "++", {"a": "++"}),
        (r"/(?m:(?<a>.))b/", "\nb", {"a": "\n"}),
        ("/(?'a'x)/", "x", {"a": "x"}),
        ("/(?<a-b>x)/", "x", {"a-b": "x"}),
    ],
)
def test_what_ruby_finds(written: str, text: str, expected: dict[str, str]) -> None:
    assert RubyRegexp(written).fields(text) == expected


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("/(?=x)/", "looking ahead"),
        ("/(?!x)/", "looking ahead"),
        ("/(?<=x)/", "looking behind"),
        ("/(?<!x)/", "looking behind"),
        (r"/(x)\1/", "references back"),
        (r"/(?<a>x)\k<a>/", r"\k"),
        ("/[a&&b]/", "&&"),
        ("/[a/", "no ]"),
        ("/(/", ""),
        ("/a\\", "backslash"),
        ("(" * 40_000, "longer"),
    ],
)
def test_what_is_refused_is_named(written: str, word: str) -> None:
    with pytest.raises(ValueError, match=re.escape(word)):
        RubyRegexp(written)


def test_time_is_linear() -> None:
    assert RubyRegexp("/^(?<a>(a+)+)$/").fields("a" * 50_000 + "b") is None
