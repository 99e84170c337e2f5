import pytest

from eldonia_ops.model.matchers import Matcher, MatchOp, all_match


@pytest.mark.parametrize(
    ("op", "pattern", "value", "expected"),
    [
        (MatchOp.EQUAL, "a", "a", True),
        (MatchOp.NOT_EQUAL, "a", "", True),
        (MatchOp.REGEX, "5..", "503", True),
        (MatchOp.REGEX, "5..", "5030", False),
        (MatchOp.REGEX, "a|b", "ab", False),
        (MatchOp.REGEX, ".*", "line\nbreak", True),
        (MatchOp.REGEX, "", "", True),
        (MatchOp.NOT_REGEX, "a.*", "b", True),
        (MatchOp.REGEX, "決済.*", "決済ゲートウェイ", True),
    ],
)
def test_values(op: MatchOp, pattern: str, value: str, expected: bool) -> None:
    assert Matcher("x", op, pattern).matches_value(value) is expected


def test_a_missing_label_is_the_empty_string() -> None:
    assert Matcher("x", MatchOp.EQUAL, "").matches({})
    assert not Matcher("x", MatchOp.REGEX, ".+").matches({})
    assert all_match([], {})


@pytest.mark.parametrize("pattern", ["(", "a{3,2}", "(?=x)", "*"])
def test_a_bad_expression_is_named(pattern: str) -> None:
    with pytest.raises(ValueError, match="label x"):
        Matcher("x", MatchOp.REGEX, pattern)
