"""How searches are written, and what is wrong with a text that is none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.conditions import ORDERINGS, PATTERNS, PRESENCE, Condition, ConditionOp, FieldName
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.search import EVERYTHING, Node, SearchError, format_search, parse_search
from eldonia_ops.search.parser import MAX_DEPTH, MAX_SEARCH
from eldonia_ops.search.terms import MAX_TERMS, MESSAGE
from eldonia_ops.search.tree import Comparison, LevelTest, Not, Text, Wildcard, conjunction, disjunction, leaves


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            'user_id:alice level>=error "timed out" -path:/health',
            'user_id:alice level>=error "timed out" -path:/health',
        ),
        ("duration:[100 TO 500]", "duration>=100 duration<=500"),
        ("duration:{100 TO 500]", "duration>100 duration<=500"),
        ("duration:[* to 500}", "duration<500"),
        ("duration:[* TO *]", "duration:*"),
        ("duration:100..500", "duration>=100 duration<=500"),
        ("duration:1.5..", "duration>=1.5"),
        ("duration:..-5", "duration<=-5"),
        ("version:1.2..beta", "version=1.2..beta"),
        ("duration:>500 duration >= 5", "duration>500 duration>=5"),
        ("path:/api/*", "path:/api/*"),
        ("path:*/orders/**", "path:*/orders/*"),
        ("path:/api", "path:/api"),
        (r"path:\/api/", "path=/api/"),
        ("path:/^.api/ /gone$/", 'path=~"^.api" message=~"gone$"'),
        (r"path:/a\/b(c|d)/", 'path=~"a/b(c|d)"'),
        ("/a b/", '"/a" "b/"'),
        ("(path=~^/a(b|c)$)", 'path=~"^/a(b|c)$"'),
        ("a or b and not c", "a or b -c"),
        ("a AND (b OR c) NOT d", "a (b or c) -d"),
        ("((a b) c) or (d or e)", "a b c or d or e"),
        ("!a --b -(c d) !(e or f)", "-a --b -(c d) -(e or f)"),
        ("user_id:(alice or bob -eve*)", "user_id:alice or user_id:bob -user_id:eve*"),
        ('status:(>=500 and -503 "x y")', 'status>=500 -status:503 status="x y"'),
        ("session:* _exists_:user exists( a.b ) !exists(c)", "session:* user:* a.b:* -c:*"),
        ("level:ERROR level:warning level:err", "level:error level:warn level:error"),
        ("level>info level!=warn level=error", "level>info -level:warn level:error"),
        ("level:warn..error level:[debug TO info}", "level>=warn level<=error level>=debug level<info"),
        ("level:(error or warn)", "level:error or level:warn"),
        ('"user.id":42 labels."a/b"=x', '"user.id":42 "labels"."a/b":x'),
        ('user_id:"42" user_id=42', 'user_id="42" user_id:42'),
        ('message:timeout message:"timed out"', 'timeout "timed out"'),
        ("message=timeout message!=x", "message=timeout message!=x"),
        ("time* *out", "message:time* message:*out"),
        ("*", ""),
        ("", ""),
        (" \n ", ""),
        ('"not found" "or"', '"not found" "or"'),
        ("12:30 http://x/y 10.0.0.1 don't a -> b", '"12:30" "http://x/y" "10.0.0.1" "don\'t" a "->" b'),
        ("エラー 決済timeout ユーザー:花子", "エラー 決済timeout ユーザー:花子"),
        (r"path:\//a* path:\/*/ //a*", r"path:\//a* path:\/*/ message:\//a*"),
        ("exists(?-) 12=5", "exists(?-) 12=5"),
        (r"path:a\*b path:a\ b*", r"path=a\*b path:a\ b*"),
        ('"|" a', '"|" a'),
        ("android or notes", "android or notes"),
        ("and=1 or:2", "and:1 or:2"),
    ],
)
def test_searches_are_read(text: str, written: str) -> None:
    assert format_search(parse_search(text)) == written
    assert parse_search(written) == parse_search(text)


@pytest.mark.parametrize(
    ("old", "now"),
    [
        ('source:"/var/log/shop.log#65024:131:00ab34"', 'source:"/var/log/shop.log"'),
        ('source!="/var/log/shop.log#65024:131:00ab34~2"', 'source!="/var/log/shop.log"'),
        ("-source:/var/log/shop.log#65024:131:00ab34", "-source:/var/log/shop.log"),
        ('source:"/var/log/a#b.log"', 'source:"/var/log/a#b.log"'),
        ('path:"/x#65024:131:00ab34"', 'path:"/x#65024:131:00ab34"'),
    ],
)
def test_a_search_with_the_old_form_of_a_file_asks_for_the_file_by_its_name(old: str, now: str) -> None:
    assert parse_search(old) == parse_search(now) or format_search(parse_search(old)) == format_search(
        parse_search(now)
    )


def test_conditions_are_searches_too() -> None:
    found = parse_search("user.id=42 duration>=500 path=~^/a note*='two words' and !exists(x) b!~c")
    assert [format_search(one) for one, _ in leaves(found)] == [
        *("user.id:42", "duration>=500", 'path=~"^/a"', 'note*="two words"', "x:*", 'b!~"c"')
    ]


def test_nodes_know_where_they_were_written() -> None:
    text = 'a -path:/x level>=warn "b c" d:1..2'
    spans = [text[slice(*leaf.span)] for leaf, _ in leaves(parse_search(text))]
    assert spans == ["a", "path:/x", "level>=warn", '"b c"', "d:1..2", "d:1..2"]
    assert [wanted for _, wanted in leaves(parse_search(text))] == [True, False, True, True, True, True]


@pytest.mark.parametrize(
    ("text", "start", "code"),
    [
        ("a | stats count()", 2, "pipe"),
        ("a|b", 1, "pipe"),
        ("| top", 0, "pipe"),
        ("(a | b)", 3, "pipe_in_group"),
        ("path:|", 0, "value_missing"),
        ("a and | top x", 6, "term_missing"),
        ('a "b c', 2, "quote_open"),
        ("user_id:'x", 8, "quote_open"),
        ("(a (b)", 0, "group_open"),
        ("a)", 1, "group_extra"),
        ("a ()", 2, "group_empty"),
        ("user_id:()", 8, "group_empty"),
        ("a or", 4, "term_missing"),
        ("or a", 0, "term_missing"),
        ("a and and b", 6, "term_missing"),
        ("not", 3, "term_missing"),
        ("(a or )", 6, "term_missing"),
        ('a ""', 2, "phrase_empty"),
        ("Error: refused", 0, "value_missing"),
        ("a >", 0, "value_missing"),
        ("a:" + "x" * 1001, 2, "value_long"),
        ("exists()", 7, "name_missing"),
        ("_exists_:", 9, "name_missing"),
        ("exists(a.)", 9, "name_unfinished"),
        ("exists(" + "a" * 513 + ")", 7, "name_long"),
        ("exists(a", 8, "exists_open"),
        ("x duration>abc", 11, "not_a_number"),
        ('a>"5"', 2, "not_a_number"),
        ("a:[1 TO]", 2, "range_form"),
        ("a:[1 TO x]", 2, "range_form"),
        ("a:[1 TO 2", 2, "range_form"),
        ("level:[1x TO error]", 6, "range_form"),
        ("a:[5 TO 1]", 2, "range_order"),
        ("level:error..info", 6, "range_order"),
        ("level:bad", 6, "level_unknown"),
        ("level>=wann", 7, "level_unknown"),
        ("a:/(/", 2, "pattern"),
        ("a=~(", 3, "pattern"),
        ("-" * (MAX_DEPTH + 1) + "a", MAX_DEPTH, "too_deep"),
        ("(" * (MAX_DEPTH + 1) + "a", MAX_DEPTH, "too_deep"),
        ("a " * (MAX_TERMS + 1), 2 * MAX_TERMS, "too_many_terms"),
        ("a:1..2 " * MAX_TERMS, 7 * (MAX_TERMS // 2), "too_many_terms"),
        ("a" * (MAX_SEARCH + 1), MAX_SEARCH, "too_long"),
    ],
)
def test_what_is_wrong_has_a_place_and_words_in_both_languages(text: str, start: int, code: str) -> None:
    with pytest.raises(SearchError) as caught:
        parse_search(text)
    error = caught.value
    assert (error.code, error.start) == (code, start)
    assert error.start < error.end
    for language in ("en", "ja"):
        assert error.message(language)
        assert "{" not in error.message(language) + error.hint(language).replace(text, "")
    assert error.message("ja") != error.message("en")
    assert f"at character {start + 1}" in str(error)


def test_a_level_that_is_none_is_guessed() -> None:
    with pytest.raises(SearchError) as caught:
        parse_search("level:errors")
    assert "did you mean level:error?" in caught.value.hint()
    assert "level:error のことですか" in caught.value.hint("ja")


_names = st.one_of(
    st.builds(
        FieldName,
        st.lists(st.sampled_from(["a", "user_id", "利用者", "x-y", "k8s/pod"]), min_size=1, max_size=3).map(tuple),
    ),
    st.builds(
        FieldName, st.lists(st.text("ab.\\\"' :/é", max_size=4), min_size=1, max_size=3).map(tuple), st.just(True)
    ),
)
_texts = st.text("ab01.*-!/\\\"'()[]{}|:=<>~ \n,orné日本ー", min_size=1, max_size=8)
_words = _texts.map(str.strip).filter(bool)
_pieces = st.lists(_texts.map(lambda text: text), min_size=2, max_size=4).flatmap(
    lambda inner: st.tuples(st.booleans(), st.booleans()).map(
        lambda ends: ("",) * ends[0] + tuple(inner) + ("",) * ends[1]
    )
)
_leaves = st.one_of(
    st.builds(Text, _words.map(lambda text: (text,))),
    st.builds(Text, _pieces.filter(lambda pieces: any(piece.strip() for piece in pieces))),
    st.builds(Wildcard, _names, _pieces),
    st.builds(LevelTest, st.sampled_from([ConditionOp.EQUAL, *sorted(ORDERINGS)]), st.sampled_from(list(LogLevel))),
    st.builds(
        Comparison,
        st.builds(
            Condition,
            st.one_of(_names, st.sampled_from([FieldName(("2xx",)), FieldName(("?-",))])),
            st.just(ConditionOp.EXISTS),
        ),
    ),
    st.builds(
        Comparison,
        st.builds(
            Condition,
            st.one_of(_names, st.sampled_from([MESSAGE, FieldName(("2xx",))])),
            st.sampled_from([ConditionOp.EQUAL, ConditionOp.NOT_EQUAL]),
            _texts,
            st.booleans(),
        ),
    ),
    st.builds(Comparison, st.builds(Condition, _names, st.just(ConditionOp.CONTAINS), _texts)),
    st.builds(
        Comparison, st.builds(Condition, _names, st.sampled_from(sorted(PATTERNS)), st.sampled_from(["^a|b$", "é "]))
    ),
    st.builds(
        Comparison,
        st.builds(Condition, _names, st.sampled_from(sorted(ORDERINGS)), st.integers(-99, 10**20).map(str)),
    ),
)
trees = st.recursive(
    _leaves,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(conjunction),
        st.lists(parts, min_size=1, max_size=3).map(disjunction),
        parts.map(Not),
    ),
    max_leaves=8,
)


@given(trees)
def test_what_is_written_is_read_again(tree: Node) -> None:
    assert parse_search(format_search(tree)) == tree


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from([*"a.=~!*>-:|/\\ ()[]\"'1", "and", "or ", "not ", "level", "exists", " TO ", "..", "エ"]),
            max_size=14,
        ).map("".join),
    )
)
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        found = parse_search(text)
    except SearchError as error:
        places = [(error.start, max(error.start, error.end - 1))]
    else:
        assert parse_search(format_search(found)) == found
        places = [leaf.span for leaf, _ in leaves(found)]
    assert all(0 <= start <= end <= len(text) for start, end in places)


def test_presence_negated_is_the_negation_of_presence() -> None:
    assert {ConditionOp.EXISTS, ConditionOp.NOT_EXISTS} == PRESENCE
    assert parse_search("-a:*") == parse_search("!exists(a)")
    assert parse_search("*") == EVERYTHING


@pytest.mark.parametrize("text", ["level>=", "level:", "status > "])
def test_the_hint_for_a_missing_value_is_a_search(text: str) -> None:
    with pytest.raises(SearchError) as caught:
        parse_search(text)
    for language in ("en", "ja"):
        hint = re.findall(r"[a-z]+:\*", caught.value.hint(language))
        assert [format_search(parse_search(one)) for one in hint] == [f"{text.split('>')[0].strip(' :')}:*"]
