"""Sentences are taken apart and put together again in another language."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.sentences import Sentences, form_of

SENTENCES = Sentences(
    {"en": form_of(english), "ja": form_of(japanese)}
    for english, japanese in [
        ("nothing listens there", "待ち受けがありません"),
        ("no answer within {seconds:number} s", "{seconds} 秒以内に応答がありません"),
        ("cannot reach {what}: {reason:said}", "{what} に接続できません：{reason}"),
        ("{service} depends on {other}", "{service} は {other} に依存しています"),
        ("{service} is {state}", "{service}：{state}"),
        ("{service} is down since {time}", "{service} は {time} から停止しています"),
    ]
)


@pytest.mark.parametrize(
    ("text", "japanese"),
    [
        ("nothing listens there", "待ち受けがありません"),
        ("no answer within 2.5 s", "2.5 秒以内に応答がありません"),
        ("cannot reach the hook: no answer within 10 s", "the hook に接続できません：10 秒以内に応答がありません"),
        ("cannot reach db: cannot reach x: what", "db に接続できません：x に接続できません：what"),
        ("shop depends on db", "shop は db に依存しています"),
        ("shop is down since noon", "shop は noon から停止しています"),  # not `{service} is {state}`: more is fixed
    ],
)
def test_a_sentence_is_said_in_each_language_whichever_it_is_kept_in(text: str, japanese: str) -> None:
    assert SENTENCES.said(text, "ja") == japanese
    assert SENTENCES.said(japanese, "en") == text
    assert SENTENCES.said(text, "en") == text
    assert SENTENCES.said(japanese, "ja") == japanese


@pytest.mark.parametrize(
    "text",
    [
        "",
        "something else",
        "no answer within some s",
        "no answer within  s",
        " depends on db",
        "nothing listens there.",
        "x" * 5_000,
    ],
)
def test_what_is_no_sentence_stays(text: str) -> None:
    assert SENTENCES.said(text, "ja") == text


def test_a_language_that_there_is_not_leaves_the_text() -> None:
    assert SENTENCES.said("nothing listens there", "fr") == "nothing listens there"


def test_a_reason_within_is_looked_for_among_others_where_there_are_some() -> None:
    outer = Sentences([{"en": form_of("it failed: {why:said}"), "ja": form_of("失敗：{why}")}], SENTENCES)
    assert outer.said("it failed: nothing listens there", "ja") == "失敗：待ち受けがありません"
    assert outer.said("it failed: it failed: x", "ja") == "失敗：it failed: x"


def test_holes_that_touch_or_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="touch"):
        form_of("{a}{b}")
    with pytest.raises(ValueError, match="other holes"):
        Sentences([{"en": form_of("{a} x"), "ja": form_of("x")}])


def test_a_hole_that_occurs_twice_holds_the_same_twice() -> None:
    twice = Sentences([{"en": form_of("{a} and {a}"), "ja": form_of("{a} と {a}")}])
    assert twice.said("1 and 1", "ja") == "1 と 1"
    assert twice.said("1 and 2", "ja") == "1 and 2"


@given(st.text(max_size=60), st.sampled_from(["en", "ja"]))
def test_nothing_raises_and_said_twice_is_said_once(text: str, language: str) -> None:
    once = SENTENCES.said(text, language)
    assert SENTENCES.said(once, language) == once


WORDS = st.text(st.characters(whitelist_categories=("L", "N")), min_size=1, max_size=20)


@given(WORDS, WORDS)
def test_what_is_filled_in_comes_back(service: str, other: str) -> None:
    japanese = SENTENCES.said(f"{service} depends on {other}", "ja")
    assert japanese == f"{service} は {other} に依存しています"
    assert SENTENCES.said(japanese, "en") == f"{service} depends on {other}"


def test_a_hostile_text_takes_linear_time() -> None:
    form = form_of("{a} of {b} of {c} of {d} of {e} ends")
    begun = time.thread_time()
    for _ in range(20):
        form.taken(" of " * 1_000 + "x")
        form.taken(" of " * 1_000 + " ends")
    assert time.thread_time() - begun < 1
