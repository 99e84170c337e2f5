"""How conditions are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.condition_text import MAX_TEXT, ConditionError, format_condition, parse_conditions
from eldonia_ops.model.conditions import (
    MAX_CONDITIONS,
    ORDERINGS,
    PATTERNS,
    PRESENCE,
    Condition,
    ConditionOp,
    FieldName,
)


@pytest.mark.parametrize(
    ("text", "segments", "op", "value"),
    [
        ("user.id=42", ("user", "id"), "=", "42"),
        ("duration >= 500", ("duration",), ">=", "500"),
        ("path=~^/a(b|c)$", ("path",), "=~", "^/a(b|c)$"),
        ("path!~x", ("path",), "!~", "x"),
        ("a= ~x", ("a",), "=", "~x"),
        ("a==x", ("a",), "=", "=x"),
        ("note*='two words'", ("note",), "*=", "two words"),
        (r'q="say \"hi\"\\\n"', ("q",), "=", 'say "hi"\\\n'),
        ("!exists( session )", ("session",), "!exists", ""),
        ("EXISTS(http.route)", ("http", "route"), "exists", ""),
        ("exists=1", ("exists",), "=", "1"),
        ("and=1", ("and",), "=", "1"),
        ("利用者=花", ("利用者",), "=", "花"),
        ("k8s/pod-name_1@x$:y=1", ("k8s/pod-name_1@x$:y",), "=", "1"),
    ],
)
def test_conditions_are_read(text: str, segments: tuple[str, ...], op: str, value: str) -> None:
    [found] = parse_conditions(text)
    assert (found.name, found.op, found.value) == (FieldName(segments), ConditionOp(op), value)


def test_a_quoted_part_makes_a_name_exact() -> None:
    first, second = parse_conditions("""labels."app.kubernetes.io/name"=shop and 'user.id'=1""")
    assert first.name == FieldName(("labels", "app.kubernetes.io/name"), exact=True)
    assert second.name == FieldName(("user.id",), exact=True)


def test_several_stand_side_by_side() -> None:
    texts = ["a=1 b=2", "", "  ", "c>3 AND d*=x and !exists(e)"]
    assert [format_condition(one) for one in parse_conditions(texts)] == ["a=1", "b=2", "c>3", "d*=x", "!exists(e)"]


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("a", 1, "operator is missing"),
        ("a=", 2, "value is missing"),
        ("a=1 b", 5, "operator is missing"),
        ("=1", 0, "name of a field is missing"),
        ("a.=1", 2, "goes on after its dot"),
        (".a=1", 0, "name of a field is missing"),
        ("a='x", 2, "quote is not closed"),
        ("'a=1", 0, "quote is not closed"),
        ("exists(a", 8, "closing parenthesis"),
        ("exists()", 7, "name of a field is missing"),
        ("b=1 a>x", 6, "compares numbers"),
        ('a>"5"', 2, "compares numbers"),
        ("a=~(", 3, "regular expression"),
        ("a=1 and", 7, "operator is missing"),
        (f"{'a' * 513}=1", 0, "longer than 512"),
        (f"{'.'.join('a' * 17)}=1", 0, "16 parts"),
        (f"a={'1' * 1001}", 2, "longer than 1000"),
        ("a=1 " * (MAX_CONDITIONS + 1), 4 * MAX_CONDITIONS, "more than 20"),
        ("a" * (MAX_TEXT + 1), MAX_TEXT, "longer than 4000"),
    ],
)
def test_what_is_wrong_has_a_place(text: str, position: int, reason: str) -> None:
    with pytest.raises(ConditionError, match=reason) as caught:
        parse_conditions(text)
    assert caught.value.position == position


_names = st.one_of(
    st.builds(
        FieldName,
        st.lists(
            st.text(min_size=1, max_size=8).filter(
                lambda text: not set(text) & set("=!<>~*\"'().") and len(text.split()) == 1 and text == text.strip()
            ),
            min_size=1,
            max_size=3,
        ).map(tuple),
    ),
    st.builds(FieldName, st.lists(st.text(max_size=8), min_size=1, max_size=3).map(tuple), st.just(True)),
)
_bare = st.text(min_size=1, max_size=12).filter(
    lambda text: len(text.split()) == 1 and text == text.strip() and text[0] not in "\"'"
)
_conditions = st.one_of(
    st.builds(Condition, _names, st.sampled_from(sorted(PRESENCE))),
    st.builds(
        Condition, _names, st.sampled_from(sorted(ORDERINGS)), st.floats(allow_nan=False, allow_infinity=False).map(str)
    ),
    st.builds(
        Condition,
        _names,
        st.sampled_from(sorted(set(ConditionOp) - PRESENCE - ORDERINGS - PATTERNS)),
        st.text(max_size=12),
        st.just(True),
    ),
    st.builds(Condition, _names, st.sampled_from(sorted(set(ConditionOp) - PRESENCE - ORDERINGS - PATTERNS)), _bare),
)


@given(st.lists(_conditions, max_size=5), st.sampled_from([" ", " and ", "\n", " AND\t"]))
def test_what_is_written_is_read_again(conditions: list[Condition], between: str) -> None:
    assert parse_conditions(between.join(format_condition(one) for one in conditions)) == tuple(conditions)


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(["a", ".", "=", "~", "!", "*", ">", '"', "'", "\\", " ", "exists", "(", ")", "1", "and"]),
            max_size=14,
        ).map("".join),
    )
)
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        found = parse_conditions(text)
    except ConditionError as error:
        place = error.position
    else:
        assert parse_conditions(" ".join(map(format_condition, found))) == found
        return
    assert 0 <= place <= len(text)
