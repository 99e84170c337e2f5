"""What a search text asks the database for."""

import pytest

from eldonia_ops.storage.clickhouse.log_text import conditions


@pytest.mark.parametrize(
    ("text", "words", "pairs", "pieces"),
    [
        ("", None, None, []),
        ("  !!! ", None, None, []),
        ("Timeout  timeout", ["timeout"], None, []),
        ("GET /orders/12?x=1", ["get", "orders", "12", "x", "1"], None, []),
        ("エラー", None, ["エラ", "ラー"], ["エラー"]),
        ("済", None, None, ["済"]),
        ("ユーザーuser1が 失敗", None, ["ユー", "ーザ", "ザー", "失敗"], ["ユーザーuser1が", "失敗"]),
        ("timeout 決済", ["timeout"], ["決済"], ["決済"]),
        ("déjà Ошибка", None, None, ["déjà", "Ошибка"]),
        ("発生。再", None, ["発生"], ["発生。再"]),
    ],
)
def test_words_pairs_and_pieces(text: str, words: list[str] | None, pairs: list[str] | None, pieces: list[str]) -> None:
    sql, parameters = conditions(text)
    assert parameters.get("words") == words
    assert parameters.get("pairs") == pairs
    assert [parameters[name] for name in parameters if name.startswith("piece")] == pieces
    assert len(sql) == (words is not None) + (pairs is not None) + len(pieces)


def test_the_text_never_enters_the_statement() -> None:
    for text in ("'; DROP TABLE logs --", "日本'; DROP TABLE logs --", "{x:String}", "\\'決済"):
        for sql in conditions(text)[0]:
            assert "DROP" not in sql
            assert "決済" not in sql
            assert "{x:" not in sql


def test_a_text_is_bounded() -> None:
    sql, parameters = conditions(" ".join(f"語{n}" for n in range(10_000)))
    assert len(sql) <= 21
    assert len(parameters) <= 21
