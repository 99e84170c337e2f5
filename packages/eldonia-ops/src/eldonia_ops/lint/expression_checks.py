"""Expressions that are valid and hardly ever mean what their author wanted.

Each of these was in the rules that this system grew from. They are guesses from names and shapes, so
they are warnings, and only made where the name leaves little doubt.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eldonia_ops.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Unary,
    VectorSelector,
    children,
    unwrap,
)

_COUNTER: Final = re.compile(r"_(total|count|sum|bucket|created)$|:")
# Words such as connections, current, usage and duration are left out: many counters bear them without ``_total``.
_GAUGE: Final = re.compile(
    r"(?:^|_)(max|min|avg|ratio|percent|free|available|age|info|temperature|celsius|numbackends|depth|inflight)(?:_|$)"
)
_SPLIT_BY_STATUS: Final = re.compile(r"http|grpc|rpc|request|response")
_SPREAD: Final = re.compile(r"(requests?|responses?|logins|orders|payments)_total$")
_RATES: Final = {"rate", "irate", "increase"}
_ABSENT: Final = {"absent", "absent_over_time"}


@dataclass(frozen=True, slots=True)
class Habit:
    """One finding: ``start`` is the offset in the expression's text."""

    start: int
    message: str
    hint: str


def walk(expr: Expr) -> Iterator[Expr]:
    """An expression and all parts of it, outermost first."""
    yield expr
    for child in children(expr):
        yield from walk(child)


def habits_of(expr: Expr, *, alerting: bool) -> list[Habit]:
    """What is doubtful about the expression of a rule."""
    found = [*_rates_of_gauges(expr), *_ungrouped_quantiles(expr)]
    comparison = unwrap(expr)
    if alerting and isinstance(comparison, Binary) and comparison.op in (">", ">=", "<", "<="):
        found += _per_series_rates(comparison)
        found += _silent_when_gone(comparison)
    return sorted(found, key=lambda habit: habit.start)


def _rated(call: Expr) -> str:
    """The metric that ``rate(metric[5m])`` and its kin are taken of, or ''."""
    if isinstance(call, Call) and call.function in _RATES and isinstance(call.args[0], MatrixSelector):
        return call.args[0].selector.name
    return ""


def _rates_of_gauges(expr: Expr) -> Iterator[Habit]:
    for node in walk(expr):
        name = _rated(node)
        if name and not _COUNTER.search(name) and _GAUGE.search(name) and isinstance(node, Call):
            yield Habit(
                node.start,
                f"{node.function}() of {name}, which looks like a gauge: each fall of it counts as a restart",
                "compare the value itself, or use delta() or deriv()",
            )


def _ungrouped_quantiles(expr: Expr) -> Iterator[Habit]:
    for node in walk(expr):
        if isinstance(node, Call) and node.function == "histogram_quantile":
            if not _SPLIT_BY_STATUS.search(_rated(unwrap(node.args[1]))):
                continue  # most others have a series for each instance, which is what one asks about
            yield Habit(
                node.start,
                "this quantile is computed for every series by itself: each instance, path and status has its own",
                "sum the buckets first: histogram_quantile(0.95, sum by (le) (rate(..._bucket[5m])))",
            )


def _per_series_rates(comparison: Binary) -> Iterator[Habit]:
    for side, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
        name = _rated(unwrap(side))
        limit = unwrap(other)
        # Above nothing at all, and for failures, each series by itself is what one wants: a sum would only blur it.
        if name and _SPREAD.search(name) and isinstance(limit, NumberLiteral) and limit.value > 0:
            yield Habit(
                side.start,
                f"the threshold is held against every series of {name} by itself, not against their total",
                "wrap the rate in sum(...) or sum by (...) (...)",
            )


def _silent_when_gone(comparison: Binary) -> Iterator[Habit]:
    below = comparison.op in ("<", "<=")
    side = comparison.left if below else comparison.right
    other = unwrap(comparison.right if below else comparison.left)
    if not isinstance(other, NumberLiteral):
        return
    if any(isinstance(node, Call) and node.function in _ABSENT for node in walk(side)):
        return
    inner = unwrap(side)
    totals = False
    while isinstance(inner, Aggregate | Paren | Unary):
        totals = totals or isinstance(inner, Aggregate)
        inner = inner.expr
    # One series of many that is gone is the business of an alert about its target; a total has none.
    if totals and _rated(inner):
        yield Habit(
            comparison.start,
            "this stays silent when the series are gone altogether, which is the worst case of what it watches",
            "add: or absent(...)",
        )


def metrics_of(expr: Expr) -> set[str]:
    """The metric names that an expression reads."""
    return {node.name for node in walk(expr) if isinstance(node, VectorSelector) and node.name}
