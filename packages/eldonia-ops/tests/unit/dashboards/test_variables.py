"""Where options come from, their order, and what is chosen."""

import pytest

from eldonia_ops.dashboards.document import Option, Variable
from eldonia_ops.dashboards.selection import Selection
from eldonia_ops.dashboards.variables import PatternError, Source, affected, in_order, options_of, selected, source_of


@pytest.mark.parametrize(
    ("query", "source"),
    [
        ("label_values(up, instance)", Source("label_values", "up", "instance")),
        ("label_values(instance)", Source("label_values", "", "instance")),
        ('label_values(up{a="b, c", d=~"$x"}, instance)', Source("label_values", 'up{a="b, c", d=~"$x"}', "instance")),
        ("label_names()", Source("label_names")),
        ("label_names(up)", Source("label_names", "up")),
        ("metrics(node_.*)", Source("metrics", "node_.*")),
        ("query_result(topk(3, up))", Source("query_result", "topk(3, up)")),
        ("up{job='a'}", Source("series", "up{job='a'}")),
        ("  ", None),
    ],
)
def test_queries(query: str, source: Source | None) -> None:
    assert source_of(query) == source


def values(regex: str, *found: str, sort: str = "none") -> list[tuple[str, str]]:
    options = options_of(found, Variable(name="v", regex=regex, sort=sort))  # type: ignore[arg-type]
    return [(one.value, one.text) for one in options]


def test_a_pattern_keeps_and_cuts_options() -> None:
    assert values("/a(.)/", "xa1", "b", "a2", "a1") == [("1", ""), ("2", "")]
    assert values("/A./i", "a1", "b") == [("a1", "")]
    assert values('/n="(?<text>[^"]+)",i="(?<value>[^"]+)"/', 'x{n="N",i="I"}') == [("I", "N")]
    with pytest.raises(PatternError, match="regular expression"):
        values("/(?<!a)b/", "b")


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("none", ["b10", "B2", "a1"]),
        ("alphabetical", ["B2", "a1", "b10"]),
        ("alphabetical_descending", ["b10", "a1", "B2"]),
        ("case_insensitive", ["a1", "b10", "B2"]),
        ("numerical", ["a1", "B2", "b10"]),
        ("numerical_descending", ["b10", "B2", "a1"]),
        ("natural", ["a1", "B2", "b10"]),
    ],
)
def test_orders(sort: str, order: list[str]) -> None:
    assert [value for value, _ in values("", "b10", "B2", "a1", sort=sort)] == order


def variable(name: str, query: str = "", **more: object) -> Variable:
    return Variable(name=name, query=query, **more)  # type: ignore[arg-type]


def test_variables_come_after_those_that_they_use() -> None:
    some = [
        variable("c", 'label_values(x{b="$b"}, l)'),
        variable("b", "label_values(x{a=~'${a:regex}'}, l)"),
        variable("a"),
    ]
    assert [one.name for one in in_order(some)[0]] == ["a", "b", "c"]
    assert affected(some, ["b"]) == {"b", "c"}
    ordered, circles = in_order([variable("x", "$y"), variable("y", "$x"), variable("z")])
    assert [one.name for one in ordered] == ["z", "x", "y"]
    assert [set(one) for one in circles] == [{"x", "y"}]


OPTIONS = [Option(value="a", text="A"), Option(value="b"), Option(value="c")]


@pytest.mark.parametrize(
    ("settings", "wanted", "selection"),
    [
        ({}, None, Selection(values=("a",), text="A")),
        ({"default": ("b",)}, None, Selection(values=("b",), text="b")),
        ({"default": ("b",)}, ["gone"], Selection(values=("b",), text="b")),
        ({}, ["c", "b"], Selection(values=("c",), text="c")),
        ({"multi": True}, ["c", "a", "gone"], Selection(values=("c", "a"), several=True, text="c + A")),
        ({"include_all": True}, None, Selection(values=("a", "b", "c"), all=True, several=True, text="All")),
        ({"include_all": True, "all_value": ".*"}, ["$__all"],
         Selection(values=("a", "b", "c"), all=True, all_value=".*", several=True, text="All")),
        ({}, ["$__all"], Selection(values=("a",), text="A")),
    ],
)  # fmt: skip
def test_what_is_chosen(settings: dict, wanted: list[str] | None, selection: Selection) -> None:
    assert selected(variable("v", **settings), OPTIONS, wanted) == selection


def test_what_is_chosen_without_options() -> None:
    assert selected(variable("v"), [], None) == Selection()
    assert selected(variable("v", type="text", default=("x",)), [], ["typed"]).values == ("typed",)
    assert selected(variable("v", type="constant", query="k"), [], ["typed"]).values == ("k",)
    unknown = selected(variable("v", include_all=True), None, None)
    assert (unknown.all, unknown.all_value) == (True, ".*")
    assert selected(variable("v"), None, ["kept"]).values == ("kept",)
