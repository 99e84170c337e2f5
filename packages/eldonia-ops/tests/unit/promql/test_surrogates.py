"""Half a surrogate pair is no character, and nothing that could be stored or sent."""

import pytest

from eldonia_ops.promql import ParseError, parse


@pytest.mark.parametrize("query", [r'"\ud800"', r'up{a="\ud800"}', r"up{a='\U0000dfff'}", r'{"\udfff"="a"}'])
def test_an_escape_for_half_a_surrogate_is_refused(query: str) -> None:
    with pytest.raises(ParseError, match="escape sequence") as caught:
        parse(query)
    assert caught.value.position == query.index("\\")


def test_whole_characters_are_read() -> None:
    assert parse(r'"\u3042\U0001f600"').value == "あ😀"  # type: ignore[union-attr]
