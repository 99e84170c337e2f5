"""Queries in the labels and annotations of alerting rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eldonia_ops.lint.expression_checks import habits_of
from eldonia_ops.promql import ParseError, ValueType, parse, value_type
from eldonia_ops.template import QueryCall, rule_template

_HINT: Final = "the alert fires, with the error in place of the text"


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding; ``position`` is an offset in the template's text."""

    position: int
    message: str
    hint: str


def remarks_on(text: str) -> Iterator[Remark]:
    """What is doubtful about the queries that a template writes out; those it computes cannot be known."""
    for call in rule_template(text).queries:
        if call.expression is not None:
            yield from _remarks(call, call.expression)


def _remarks(call: QueryCall, expression: str) -> Iterator[Remark]:
    try:
        expr = parse(expression)
    except ParseError as error:
        yield Remark(call.offset_of(error.position), f"bad PromQL expression in a query: {error.message}", _HINT)
        return
    if value_type(expr) not in (ValueType.VECTOR, ValueType.SCALAR):
        kind = "range vector" if value_type(expr) is ValueType.MATRIX else "string"
        message = f"a query in a template needs an instant vector or a scalar, this is a {kind}"
        yield Remark(call.offset_of(0), message, _HINT)
    for habit in habits_of(expr, alerting=False):
        yield Remark(call.offset_of(habit.start), habit.message, habit.hint)
