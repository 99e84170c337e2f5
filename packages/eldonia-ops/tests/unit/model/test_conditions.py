"""What conditions mean."""

from typing import Any

import pytest

from eldonia_ops.model.condition_text import parse_conditions
from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName, text_of, value_at

MISSING = [None, {"object": 1}]


def holds(text: str, value: Any) -> bool:
    [condition] = parse_conditions(text)
    return condition.holds(value)


@pytest.mark.parametrize(
    ("text", "true", "false"),
    [
        ("a=42", [42, 42.0, "42"], [43, "42.0", "x", True, [42]]),
        ("a=42.0", [42, 42.0, "42.0"], ["42"]),
        ('a="42"', ["42"], [42, 42.0]),
        ("a=true", [True, "true"], [1, "True", False]),
        ("a=shop", ["shop"], ["Shop", "shops", ["shop"]]),
        ('a=""', [""], [0, False, "x"]),
        (f"a={2**60 + 1}", [2**60 + 1, str(2**60 + 1)], [2**60, float(2**60)]),
        ("a>500", [501, 500.5], [500, "501", True, [501]]),
        ("a>=500", [500], [499.9, "500"]),
        ("a<-1.5e2", [-151], [-150, "-151"]),
        ("a<=1", [1, 0.5], [2, "", False]),
        ("a=~^/a", ["/a/b"], ["b/a", ["/a"]]),
        ("a=~^5..$", [503, "503"], [50, 5033]),
        ("a=~x.y", ["x\ny"], ["xy"]),
        ("a*=ab", ["xaby"], ["AB", "a", ["ab"]]),
        ("a*=50", [1503, 0.505], [5.5]),
        ("exists(a)", [0, "", False, []], []),
    ],
)
def test_a_condition_holds_for_values_alike(text: str, true: list[Any], false: list[Any]) -> None:
    assert [value for value in true if not holds(text, value)] == []
    assert [value for value in [*false, *MISSING] if holds(text, value)] == []


@pytest.mark.parametrize(("negation", "positive"), [("a!=42", "a=42"), ("a!~^5", "a=~^5"), ("!exists(a)", "exists(a)")])
def test_a_negation_holds_where_the_other_does_not(negation: str, positive: str) -> None:
    for value in [*MISSING, 42, 42.0, "42", "5", 5, True, [42], ""]:
        assert holds(negation, value) is not holds(positive, value), value


@pytest.mark.parametrize(
    ("name", "document", "found"),
    [
        (FieldName(("user", "id")), {"user.id": 1, "user": {"id": 2}}, 1),
        (FieldName(("user", "id")), {"user": {"id": 2}}, 2),
        (FieldName(("user", "id")), {"user.id": None, "user": {"id": 2}}, 2),
        (FieldName(("user", "id")), {"user.id": {"x": 1}, "user": {"id": 2}}, 2),
        (FieldName(("user", "id")), {"user": 7}, None),
        (FieldName(("user.id",), exact=True), {"user": {"id": 2}}, None),
        (FieldName(("user", "id"), exact=True), {"user.id": 1}, None),
        (FieldName(("a",)), {"a": [1]}, [1]),
        (FieldName(("a",)), {"a": {}}, None),
    ],
)
def test_where_a_field_is_looked_for(name: FieldName, document: dict[str, Any], found: Any) -> None:
    assert value_at(document, name) == found


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", "1_000", "٣", " 1", "0x10", "007", ".5", "1e999"])
def test_an_order_needs_a_number(value: str) -> None:
    with pytest.raises(ValueError, match="compares numbers"):
        Condition(FieldName(("a",)), ConditionOp.GREATER, value)
    assert not Condition(FieldName(("a",)), ConditionOp.EQUAL, value).holds(1000)


@pytest.mark.parametrize("pattern", ["(", "a{1001}", "(?=x)", r"\1", "((a{100}){100}){100}"])
def test_a_pattern_is_checked_before_it_reaches_a_store(pattern: str) -> None:
    with pytest.raises(ValueError, match="regular expression"):
        Condition(FieldName(("a",)), ConditionOp.MATCHES, pattern)


def test_texts_of_numbers() -> None:
    assert [text_of(value) for value in (1, 1.0, 1.5, -0.0, True, 2**60, "x")] == [
        *("1", "1", "1.5", "0", "true", str(2**60), "x")
    ]
