"""Plain words that find nothing, said in the language of searches."""

from datetime import datetime

import pytest

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search import format_search, parse_search
from eldonia_ops.search.rewording import plain_words, reworded

NOW = datetime(2026, 11, 26, 15)  # a Thursday
FIELDS = {"alice": FieldName(("user_id",)), "shop": FieldName(("service",)), "花子": FieldName(("利用者",))}


@pytest.mark.parametrize(
    ("text", "search", "since"),
    [
        ("errors of alice last Tuesday", "level:error user_id:alice", "2026-11-24"),
        ("warnings from shop", "level:warn service:shop", ""),
        ("alice timeout yesterday", "user_id:alice timeout", "2026-11-25"),
        ("花子 の エラー 昨日", "利用者:花子 level:error", "2026-11-25"),
        ("error -path:/health", "level:error -path:/health", ""),
        ("yesterday", "", "2026-11-25"),
    ],
)
def test_what_may_have_been_meant(text: str, search: str, since: str) -> None:
    found = reworded(parse_search(text), FIELDS, NOW)
    assert found is not None
    assert format_search(found.search) == search
    assert (f"{found.stretch[0]:%Y-%m-%d}" if found.stretch else "") == since


@pytest.mark.parametrize(
    "text", ["", "timeout", '"alice timeout"', "user_id:alice", "alice* or shop", "-alice", "12:30"]
)
def test_what_can_only_be_meant_as_it_is(text: str) -> None:
    assert reworded(parse_search(text), FIELDS, NOW) is None


def test_words_that_may_be_values() -> None:
    assert plain_words(parse_search('errors of alice "a b" user_id:x -y z*')) == ["errors", "of", "alice"]
    assert plain_words(parse_search("a or b")) == []
    assert len(plain_words(parse_search("a b c d e f g h"))) == 6
