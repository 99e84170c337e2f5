"""Variables in expressions, as Grafana writes them where that is right."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.dashboards.interpolate import Target, builtin_values, interpolate, references, span
from eldonia_ops.dashboards.selection import Selection
from eldonia_ops.promql import parse
from eldonia_ops.promql.ast import VectorSelector
from eldonia_ops.search import parse_search

ONE = Selection(values=("a.b:9100",), text="A")
MANY = Selection(values=("a.b", "c|d"), several=True, text="a.b + c|d")
SINGLE_OF_MANY = Selection(values=("a.b",), several=True, text="a.b")
ALL = Selection(values=("a", "b"), all=True, several=True, text="All")
ALL_VALUE = Selection(values=("a", "b"), all=True, all_value=".+", several=True, text="All")
CHOSEN = {"one": ONE, "many": MANY, "single": SINGLE_OF_MANY, "all": ALL, "everything": ALL_VALUE}
BUILTINS = builtin_values(start=0, end=3_600_000, step=60_000, scrape_interval=15_000)


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ('up{i="$one"}', 'up{i="a.b:9100"}'),
        ('up{i=~"$many"}', r'up{i=~"(a\\.b|c\\|d)"}'),
        ("up{i=~'${many}'}", r"up{i=~'(a\\.b|c\\|d)'}"),
        ("up{i=~`[[many]]`}", r"up{i=~`(a\.b|c\|d)`}"),
        ('up{i=~"$single"}', r'up{i=~"a\\.b"}'),
        ('up{i="$single"}', 'up{i="a.b"}'),
        ('up{i=~"$all"}', 'up{i=~"(a|b)"}'),
        ('up{i=~"$everything"}', 'up{i=~".+"}'),
        ("sum by ($many) (x)", "sum by (a.b, c|d) (x)"),
        ("rate(x[$__interval])", "rate(x[1m])"),
        ("rate(x[$__rate_interval]) $__range_s $__interval_ms", "rate(x[75s]) 3600 60000"),
        ("$unknown ${unknown:csv} [[unknown]]", "$unknown ${unknown:csv} [[unknown]]"),
        ('up{i=~"${many:pipe}"}', 'up{i=~"a.b|c|d"}'),
        ('up{i=~"${many:regex}"}', r'up{i=~"(a\.b|c\|d)"}'),
        ("${many:raw} ${many:csv} ${many:glob}", "a.b,c|d a.b,c|d {a.b,c|d}"),
        ("${many:json} ${one:json}", '["a.b", "c|d"] "a.b:9100"'),
        ("${many:singlequote} ${many:doublequote} ${many:sqlstring}", "'a.b','c|d' \"a.b\",\"c|d\" 'a.b','c|d'"),
        ("${many:queryparam} ${one:percentencode}", "var-many=a.b&var-many=c%7Cd a.b%3A9100"),
        ("${many:distributed} ${many:text} ${one.text}", "a.b,many=c|d a.b + c|d A"),
        ("${__from:date:iso} ${__to:date:seconds} ${__to:date:YYYY-MM-DD}", "1970-01-01T00:00:00.000Z 3600 1970-01-01"),
        ("${many:unheard_of}", "${many:unheard_of}"),
    ],
)
def test_forms_in_promql(written: str, becomes: str) -> None:
    assert interpolate(written, CHOSEN, BUILTINS, Target.PROMQL).text == becomes


@given(
    st.lists(st.text("ab.:|()[]{}*+?^$\\\"'` \n", min_size=1, max_size=8), min_size=1, max_size=3),
    st.sampled_from("\"'"),
)
@settings(max_examples=100, deadline=None)
def test_whatever_the_values_are_the_selector_matches_them_alone(values: list[str], quote: str) -> None:
    chosen = {"v": Selection(values=tuple(values), several=True)}
    text = interpolate(f"up{{l=~{quote}$v{quote}}}", chosen, {}, Target.PROMQL).text
    expr = parse(text)
    assert isinstance(expr, VectorSelector)
    matcher = next(one for one in expr.matchers if one.name == "l")
    assert all(matcher.matches({"l": value}) for value in values)
    assert matcher.matches({"l": "something else"}) == ("something else" in values)


@given(st.text("ab \"'\\-:*()", min_size=1, max_size=10))
@settings(max_examples=100, deadline=None)
def test_values_in_searches_of_logs_stay_values(value: str) -> None:
    parse_search(interpolate("user:$v", {"v": Selection(values=(value,))}, {}, Target.LOGS).text)


def test_searches_and_texts() -> None:
    assert interpolate("user:$many", CHOSEN, {}, Target.LOGS).text == 'user:(a.b or "c|d")'
    assert interpolate("of $many and $all", CHOSEN).text == "of a.b + c|d and All"


def test_a_variable_of_a_person_comes_before_one_of_the_platform() -> None:
    assert interpolate("x[$interval]", {"interval": Selection(values=("7m",))}, {"interval": "1m"}).text == "x[7m]"


def test_places_lead_back_to_what_was_written() -> None:
    template = 'rate(up{i=~"$many"}[$__interval)'
    made = interpolate(template, CHOSEN, BUILTINS, Target.PROMQL)
    assert template[made.origin(made.text.rindex(")"))] == ")"
    assert made.origin(made.text.index("c\\\\|d")) == template.index("$many")
    assert made.origin(0) == 0
    assert made.origin(len(made.text)) == len(template)


@given(st.text("ab$_{}[]:\"'` ", max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_text_breaks_it(template: str) -> None:
    for target in Target:
        made = interpolate(template, {"a": MANY, "b": ONE}, BUILTINS, target)
        assert all(0 <= made.origin(place) <= len(template) for place in range(len(made.text) + 1))
    assert all(template[use.start] in "$[" for use in references(template))


def test_all_that_names_itself_ends() -> None:
    loop = Selection(values=("a",), all=True, all_value="$loop", several=True)
    assert interpolate('x{a=~"$loop"}', {"loop": loop}, {}, Target.PROMQL).text == 'x{a=~"$loop"}'


@pytest.mark.parametrize(
    ("ms", "text"), [(90_000, "90s"), (60_000, "1m"), (7_200_000, "2h"), (86_400_000, "1d"), (250, "250ms")]
)
def test_spans_have_one_unit(ms: int, text: str) -> None:
    assert span(ms) == text
