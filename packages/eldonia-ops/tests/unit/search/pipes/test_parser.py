"""Texts with pipes become pipelines and texts again; what is wrong is said at its place."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search import SearchError, parse_search
from eldonia_ops.search.aggregates import Metric, MetricFunction
from eldonia_ops.search.pipes.faults import PIPE_FAULTS
from eldonia_ops.search.pipes.functions import COMMANDS
from eldonia_ops.search.pipes.parser import parse_pipeline
from eldonia_ops.search.pipes.pipeline import Dedup, Head, Pipeline, Sort, Stats, Timechart, Top, Where
from eldonia_ops.search.pipes.printer import format_pipeline
from eldonia_ops.search.time_steps import TimeUnit

MS = 1_000_000


def test_a_search_without_pipes_is_a_pipeline_without_stages() -> None:
    assert parse_pipeline("error user_id:alice") == Pipeline(parse_search("error user_id:alice"))
    assert parse_pipeline("") == Pipeline()


def test_stages_are_read_from_left_to_right() -> None:
    found = parse_pipeline(
        "error | stats count(), p95(duration) as p by service, http.status | where p > 100 | sort -p, service | head 20"
    )
    duration = Metric(MetricFunction.PERCENTILE, FieldName(("duration",)), 95.0)
    assert found.search == parse_search("error")
    assert found.stages == (
        Stats(
            (("count", Metric(MetricFunction.COUNT)), ("p", duration)),
            (FieldName(("service",)), FieldName(("http", "status"))),
        ),
        Where(parse_search("p>100")),
        Sort(((FieldName(("p",)), True), (FieldName(("service",)), False))),
        Head(20),
    )


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("| timechart 5m by level", "* | timechart 5m count() as count by level"),
        ("|timechart 1d count", "* | timechart day count() as count"),
        ("* | timechart", "* | timechart count() as count"),
        ("a |top path", "a | top 10 path"),
        ("a | RARE 3 path , b", "a | rare 3 path, b"),
        ("a | stats mean(x), dc(y) as n, median(z)", "a | stats avg(x) as avg_x, uniq(y) as n, p50(z) as p50_z"),
        ("a | stats count(*) if (level:error) as n", "a | stats count() if (level:error) as n"),
        ("a | sort by x desc, y asc, -z", "a | sort -x, y, -z"),
        ("a | limit 5", "a | head 5"),
        ("a | eval x = a-b/2*-c", "a | eval x = (a - ((b / 2) * (0 - c)))"),
        ('a | eval x = "b-c" + round(1.5)', 'a | eval x = ("b-c" + round(1.5))'),
        (r"a | extract /a\/b (?<x>.)/ from path", r"a | extract /a\/b (?<x>.)/ from path"),
        ("a | extract 'order {id}'", 'a | extract "order {id}"'),
        ("a | stats p99.9(x) | where p99.9_x>1", 'a | stats p99.9(x) as "p99.9_x" | where p99.9_x>1'),
        ('a | rename x as "b c" | where "b c">1', 'a | rename x as "b c" | where "b c">1'),
        ("'a|b' c | dedup x,y", '"a|b" c | dedup x, y'),
    ],
)
def test_a_pipeline_in_its_canonical_spelling(text: str, printed: str) -> None:
    assert format_pipeline(parse_pipeline(text)) == printed
    assert format_pipeline(parse_pipeline(printed)) == printed


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("a | ", "|", "stage_missing"),
        ("a | | top x", "|", "stage_missing"),
        ("a | sta count()", "sta", "stage_unknown"),
        ("a | stats cnt()", "cnt", "function_unknown"),
        ("a | stats p101(x)", "p101", "percentile_bounds"),
        ("a | stats sum()", "sum()", "function_field"),
        ("a | stats sum", "", "function_open"),
        ("a | stats sum(x", "", "function_open"),
        ("a | stats count() service", "service", "stage_rest"),
        ("a | stats count(), count()", "count()", "column_twice"),
        ("a | stats count() | where p>1", "p>1", "column_unknown"),
        ("a | stats count() | where slow", "slow", "words_of_rows"),
        ("a | stats count() | sort -n", "n", "column_unknown"),
        ("a | fields x | where y:1", "y:1", "column_unknown"),
        ("a | rename x as y | sort x", "x", "column_gone"),
        ("a | eval message = 1", "message", "column_reserved"),
        ('a | extract "{level} x"', '"{level} x"', "column_reserved"),
        ("a | stats count() | timechart", "timechart", "timechart_rows"),
        ("a | timechart 5x", "5x", "duration_bounds"),
        ("a | head 0", "0", "count_expected"),
        ("a | head many", "many", "count_expected"),
        ("a | extract x", "x", "template_expected"),
        ('a | extract "x"', '"x"', "holes_missing"),
        ('a | extract "{a}{b}"', '"{a}{b}"', "holes_adjacent"),
        ('a | extract "{a b}"', '"{a b}"', "hole_name"),
        ("a | extract /(?<x>(/", "/(?<x>(/", "pattern"),
        ("a | extract /(?<x>.)", "/(?<x>.)", "slash_open"),
        ("a | eval x = 1 +", "", "expression"),
        ("a | eval x = (1", "(", "expression_open"),
        ("a | eval x = " + "(" * 60, "(", "expression_deep"),
        ("a | eval x = " + "1*" * 300 + "1", "1", "expression_deep"),
        ("a | eval x = " + "1+" * 300 + "1", "1", "expression_deep"),
        ("a | where", "", "term_missing"),
        ("(a | top x)", "|", "pipe_in_group"),
        ("a" + " | head" * 21, "|", "too_many_stages"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text: str, place: str, code: str) -> None:
    with pytest.raises(SearchError) as caught:
        parse_pipeline(text)
    error = caught.value
    assert error.code == code
    assert text[error.start : error.end] == place
    for language in ("en", "ja"):
        assert "{" not in (error.message(language) + error.hint(language)).replace("{{", "").replace("{a}", "").replace(
            "{b}", ""
        ).replace("{order_id}", "").replace("{id}", "").replace("{a b}", "").replace("{user}", "")


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(SearchError, match="no column servce") as caught:
        parse_pipeline("a | stats count() by service | sort servce")
    assert caught.value.hint() == "did you mean service? the columns are service, count"
    assert "service" in caught.value.hint("ja")


def test_faults_have_texts_in_both_languages() -> None:
    assert all(len(texts) in (2, 4) and all(texts) for texts in PIPE_FAULTS.values())


_names = st.sampled_from(["service", "a.b", "x", "status", '"b c"', "user_id"])
_listed = st.lists(_names, min_size=1, max_size=3, unique=True).map(", ".join)
_function = st.sampled_from(["count()", "count(x)", "p95(a.b)", "p99.9(x) if (level:error)", "last(x) if (a or b:1)"])
_metrics = st.lists(_function, min_size=1, max_size=3, unique=True).map(
    lambda some: ", ".join(f"{one} as m{number}" for number, one in enumerate(some))
)
_sum = st.recursive(
    st.sampled_from(["1", "2.5", "x", '"b c"', "a.b", "1e30"]),
    lambda parts: (
        st.tuples(parts, st.sampled_from(list("+-*/")), parts).map(lambda one: f"({' '.join(one)})")
        | parts.map(lambda one: f"round({one})")
        | parts.map(lambda one: f"-{one}")
    ),
    max_leaves=6,
)
_selecting = st.one_of(
    st.sampled_from(["where a -b:1", "where x>1 or error", "extract 'a {n} b'", "extract /(?<n>x y)/ from a.b"]),
    _sum.map(lambda text: f"eval y = {text}"),
    _listed.map(lambda text: f"sort -{text}"),
    _listed.map(lambda text: f"dedup {text}"),
    st.integers(1, 99).map(lambda count: f"head {count}"),
)
_counting = st.one_of(
    st.tuples(_metrics, _listed).map(lambda one: f"stats {one[0]} by {one[1]}"),
    st.tuples(st.sampled_from(["", "5m", "90s", "1h30m", "week", "1d"]), _metrics).map(
        lambda one: f"timechart {' '.join(one)}"
    ),
    _listed.map(lambda text: f"top 3 {text}"),
    _listed.map(lambda text: f"rare {text}"),
)
_rows = st.sampled_from(["", " | head 3", " | stats count()", " | rename count as n | sort -n"])


@given(st.lists(_selecting, max_size=4), st.one_of(st.just(""), _counting), _rows)
def test_what_is_written_is_read_again(selecting: list[str], counting: str, rows: str) -> None:
    text = " | ".join(["error", *selecting, *([counting] if counting else [])]) + (rows if counting else "")
    try:
        found = parse_pipeline(text)
    except SearchError as error:
        if error.code != "column_unknown":
            raise
        return
    printed = format_pipeline(found)
    assert parse_pipeline(printed) == found
    assert format_pipeline(parse_pipeline(printed)) == printed


@given(
    st.lists(
        st.sampled_from(
            [*COMMANDS, *"|(),=-+*/\"'. ", " by ", " as ", "count()", "p95(x)", "5m", "x", "{a}", " if (", "エ"]
        ),
        max_size=16,
    ).map("".join)
)
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    places: list[int] = []
    try:
        found = parse_pipeline(text)
    except SearchError as error:
        places = [error.start]
    else:
        assert parse_pipeline(format_pipeline(found)) == found
    assert all(0 <= place <= len(text) for place in places)


def test_widths_of_the_calendar() -> None:
    for word, unit in (("day", TimeUnit.DAY), ("1w", TimeUnit.WEEK), ("month", TimeUnit.MONTH)):
        assert parse_pipeline(f"* | timechart {word}").stages[0] == Timechart(
            unit, (("count", Metric(MetricFunction.COUNT)),)
        )
    found = parse_pipeline("* | timechart 90s").stages[0]
    assert isinstance(found, Timechart)
    assert found.width == 90_000 * MS


def test_the_first_stages_are_about_records() -> None:
    before, counting, after = parse_pipeline("a | dedup x | top 3 y | where count>1").split()
    assert before == (Dedup((FieldName(("x",)),)),)
    assert counting == Top(3, (FieldName(("y",)),))
    assert after == (Where(parse_search("count>1")),)
    assert parse_pipeline("a | head 3").split() == ((Head(3),), None, ())


def test_patterns_are_those_of_re2() -> None:
    with pytest.raises(re2.error):
        re2.compile(r"(a)\1")
    with pytest.raises(SearchError) as caught:
        parse_pipeline(r"a | extract /(?<x>a)\1/")
    assert caught.value.code == "pattern"
