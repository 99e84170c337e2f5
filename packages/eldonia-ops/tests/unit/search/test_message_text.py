"""What words and phrases ask of a message."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.condition_text import quoted
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.search import matches, parse_search
from eldonia_ops.search.message_text import TextTest, text_test, words_in

GATEWAY = "Payment GATEWAY timed  out\nfor order/123 (10.0.0.1)"
JAPANESE = "ユーザーuser123がログインに失敗timeout。第3回の決済処理"


@pytest.mark.parametrize(
    ("pieces", "message", "found"),
    [
        (("timed",), GATEWAY, True),
        (("gateway",), GATEWAY, True),
        (("gate",), GATEWAY, False),
        (("gate", ""), GATEWAY, True),
        (("", "way"), GATEWAY, True),
        (("g", "y"), GATEWAY, True),
        (("g", "d"), GATEWAY, False),
        (("", "ate", ""), GATEWAY, True),
        (("timed out",), GATEWAY, True),
        (("TIMED OUT for",), GATEWAY, True),
        (("timed o",), GATEWAY, False),
        (("out timed",), GATEWAY, False),
        (("imed out",), GATEWAY, False),
        (("order/123",), GATEWAY, True),
        (("order/12",), GATEWAY, False),
        (("10.0.0.1",), GATEWAY, True),
        (("0.0.0.1",), GATEWAY, False),
        (("10.0.0",), GATEWAY, True),
        (("(10.",), GATEWAY, True),
        (("/",), GATEWAY, True),
        (("\\",), GATEWAY, False),
        (("user123",), JAPANESE, True),
        (("user12",), JAPANESE, False),
        (("timeout",), JAPANESE, True),
        (("ログイン",), JAPANESE, True),
        (("グイ",), JAPANESE, True),
        (("ロ",), JAPANESE, True),
        (("ログアウト",), JAPANESE, False),
        (("user123がログイン",), JAPANESE, True),
        (("USER123が",), JAPANESE, True),
        (("ser123が",), JAPANESE, False),
        (("失敗timeout",), JAPANESE, True),
        (("第3回",), JAPANESE, True),
        (("第", "決済"), JAPANESE, True),
        (("déjà",), "DÉJÀ VU", True),
        (("оплаты",), "Ошибка ОПЛАТЫ", True),
        (("x",), "", False),
    ],
)
def test_what_is_found(pieces: tuple[str, ...], message: str, found: bool) -> None:
    assert text_test(pieces).holds(message) is found


def test_an_index_can_answer_whole_words_and_pairs_of_characters() -> None:
    assert text_test(("Timeout",)) == TextTest(("timeout",))
    assert text_test(("Timed out",)).words == ("timed", "out")
    assert text_test(("order-", "-x9")).words == ("order", "x9")
    assert text_test(("order", "x9")).words == ()
    assert text_test(("決済timeout失敗",)).words == ("timeout",)
    assert text_test(("決済timeout失敗",)).pairs == ("決済", "失敗")
    assert text_test(("エラー",)) == TextTest(pairs=("エラ", "ラー"), part="エラー")
    assert text_test(("оплаты",)).pairs == ()


def test_plain_texts_are_words() -> None:
    assert words_in(" (a/b):  決済。 -- … c") == [("a/b",), ("決済",), ("c",)]


_CJK = st.text(
    "決済処理でエラーが発生しました漢字注文订单失败用户登录超时数据库連線逾時カタカナー々〆ヶ", min_size=1, max_size=8
)
_ASCII = st.text("abyz09AZ", min_size=1, max_size=6)
_PIECE = st.one_of(_CJK, _ASCII, st.sampled_from([" ", "、", "。", "-", "/", "：", "「", "」"]))


@given(st.lists(_PIECE, min_size=1, max_size=10).map("".join), st.data())
def test_any_piece_of_japanese_or_chinese_is_found_whatever_is_around_it(message: str, data: Any) -> None:
    runs = [found for found in re.findall(r"[^\x00-\x7f]+", message) if found[0].isalnum()]
    if not runs:
        return
    run = data.draw(st.sampled_from(runs))
    begin = data.draw(st.integers(0, len(run) - 1))
    piece = run[begin : data.draw(st.integers(begin + 1, len(run)))]
    assert text_test((piece,)).holds(message), piece
    assert matches(parse_search(quoted(piece)), LogRecord(timestamp_ns=1, message=message))


@given(st.lists(_PIECE, min_size=1, max_size=10).map("".join))
def test_ascii_words_beside_japanese_or_chinese_are_whole_words(message: str) -> None:
    for word in re.findall(r"[0-9A-Za-z]+", message):
        assert text_test((word,)).holds(message)
        assert text_test((word.upper(),)).holds(message)
        longer = f"{word}q"
        assert not text_test((longer,)).holds(message)
