import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.protocols.alertmanager.matcher_syntax import parse_matcher, parse_matchers

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
OPS = st.sampled_from([MatchOp.EQUAL, MatchOp.NOT_EQUAL])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", [("a", "=", "b")]),
        ('{a="b", c!="d",}', [("a", "=", "b"), ("c", "!=", "d")]),
        ('{ a =~ "b.*" , c!~d }', [("a", "=~", "b.*"), ("c", "!~", "d")]),
        ('"my label"="é🙂"', [("my label", "=", "é🙂")]),
        ('a="b,c"', [("a", "=", "b,c")]),
        (r'a="q\"uo\\te\n"', [("a", "=", 'q"uo\\te\n')]),
        ("a=b c", [("a", "=", "b c")]),
        ("a=~x|y", [("a", "=~", "x|y")]),
        ("a=", [("a", "=", "")]),
        ("a==b", [("a", "=", "=b")]),
        ("", []),
        ("{}", []),
    ],
)
def test_both_syntaxes(text, expected):
    assert [(item.name, item.op.value, item.value) for item in parse_matchers(text)] == expected


@pytest.mark.parametrize("text", ["a", "=b", 'a="b', "a=b,,c=d", '{a="b"', "a~b", 'a="b"c"', "a=~(", "1a=b c", '""=b'])
def test_malformed(text):
    with pytest.raises(ValueError, match=r"bad|expected|matcher"):
        parse_matchers(text)


@given(NAME, OPS, TEXT)
def test_spelled_and_read_again(name, op, value):
    matcher = Matcher(name, op, value)
    assert parse_matcher(str(matcher)) == matcher


@given(st.text(st.sampled_from("ab=\"\\,{}!~ \n'1é"), max_size=15))
def test_any_text_is_read_or_refused(text):
    try:
        found = parse_matchers(text)
    except ValueError:
        return
    assert parse_matchers("{" + ",".join(str(item) for item in found) + "}") == found


def test_one_matcher_is_one():
    with pytest.raises(ValueError, match="found 2"):
        parse_matcher("a=b,c=d")
