import pytest

from eldonia_ops.lint.pipeline import MOST_PATTERNS, braces


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/a.log", ["/a.log"]),
        ("/{a,b}.log", ["/a.log", "/b.log"]),
        ("/{a,b}/{c,d}", ["/a/c", "/a/d", "/b/c", "/b/d"]),
        ("/{a{1,2},b}", ["/a1", "/a2", "/b"]),
        ("/{open", ["/{open"]),
    ],
)
def test_each_choice_is_a_pattern(pattern: str, found: list[str]) -> None:
    assert sorted(set(braces(pattern))) == found


def test_many_choices_are_bounded() -> None:
    assert len(braces("{a,b}" * 40)) == MOST_PATTERNS
    assert braces("{" * 20_000) == ["{" * 20_000]
