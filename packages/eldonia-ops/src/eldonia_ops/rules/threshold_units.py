"""In which unit a rule measures, by its expression: the names of metrics say it, as Prometheus asks for
(https://prometheus.io/docs/practices/naming/), and functions change it.

Nothing is guessed: where a name says nothing, the unit is ''.
"""

from dataclasses import dataclass, replace
from typing import Final

from eldonia_ops.promql import Expr
from eldonia_ops.promql.ast import (
    Aggregate,
    Binary,
    Call,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
)

UNITS: Final = ("percent", "seconds", "milliseconds", "days", "bytes", "bytes_per_second", "per_second")
_KNOWN: Final = {
    "probe_ssl_earliest_cert_expiry": "seconds",
    "pg_stat_activity_max_tx_duration": "seconds",
    "job:http_requests:usual": "per_second",
}
"""Metrics of shipped rules whose names do not say their unit."""
_SUFFIXES: Final = (
    ("_seconds", "seconds"),
    ("_milliseconds", "milliseconds"),
    ("_ms", "milliseconds"),
    ("_bytes", "bytes"),
    ("_percent", "percent"),
)
_PARTS: Final = ("_total", "_bucket", "_sum")
_RATES: Final = frozenset({"rate", "irate", "deriv"})
_OF_RATE: Final = {"": "per_second", "bytes": "bytes_per_second", "seconds": ""}
_KEEPING: Final = frozenset({"increase", "delta", "idelta", "abs", "ceil", "floor", "round", "clamp", "clamp_min",
                             "clamp_max", "last_over_time", "avg_over_time", "max_over_time", "min_over_time",
                             "sum_over_time", "quantile_over_time", "predict_linear", "label_replace", "sort",
                             "sort_desc", "histogram_quantile"})  # fmt: skip
_ADDING: Final = frozenset({"sum", "avg", "min", "max", "quantile", "topk", "bottomk"})
_DAY: Final = 86_400
_OTHER_SIDE: Final = ("+", "-", "%", "or")


@dataclass(frozen=True, slots=True)
class _Unit:
    """``name`` is one of :data:`UNITS` or ''; ``hundredfold`` says that it was multiplied by 100."""

    name: str = ""
    hundredfold: bool = False


def unit_of(expr: Expr) -> str:
    """The unit of an expression, one of :data:`UNITS`, or '' for a number, a ratio and what is not known."""
    found = _unit(expr)
    return "percent" if found.hundredfold and not found.name else "" if found.hundredfold else found.name


def _unit(expr: Expr) -> _Unit:
    match expr:
        case Paren() | Unary() | Subquery():
            return _unit(expr.expr)
        case MatrixSelector():
            return _unit(expr.selector)
        case VectorSelector():
            return _Unit(_of_name(expr))
        case Aggregate():
            return _unit(expr.expr) if expr.op in _ADDING else _Unit()
        case Call():
            return _of_call(expr)
        case Binary():
            return _of_binary(expr)
        case _:
            return _Unit()


def _of_name(selector: VectorSelector) -> str:
    name = next((one.value for one in selector.matchers if one.name == "__name__"), "")
    if name in _KNOWN:
        return _KNOWN[name]
    for part in _PARTS:
        name = name.removesuffix(part)
    if name.rpartition(":")[2].startswith("rate"):
        return "per_second"  # of a recording rule, by Prometheus' convention for its name
    return next((unit for suffix, unit in _SUFFIXES if name.endswith(suffix)), "")


def _of_call(call: Call) -> _Unit:
    if call.function == "time":
        return _Unit("seconds")
    inner = next((_unit(one) for one in call.args if not isinstance(one, NumberLiteral)), _Unit())
    if call.function == "histogram_quantile":
        # Its buckets are counted, and their bounds have the unit of the metric.
        return _Unit(next((_of_name(one) for one in _selectors(call.args[-1])), ""))
    if call.function in _RATES:
        return replace(inner, name=_OF_RATE.get(inner.name, ""))
    return inner if call.function in _KEEPING else _Unit()


def _of_binary(expr: Binary) -> _Unit:
    left, right = _unit(expr.left), _unit(expr.right)
    if expr.op == "*":
        numbers = [one.value for one in (expr.left, expr.right) if isinstance(one, NumberLiteral)]
        other = right if isinstance(expr.left, NumberLiteral) else left
        return replace(other, hundredfold=True) if numbers == [100] else other if numbers in ([0], [1]) else _Unit()
    if expr.op == "/":
        if isinstance(expr.right, NumberLiteral):
            return _Unit("days") if expr.right.value == _DAY and left.name == "seconds" else _Unit()
        return _Unit("", left.hundredfold) if left.name == right.name else _Unit()
    if expr.op in _OTHER_SIDE:
        return left if left.name or left.hundredfold else right
    return left if expr.op in ("and", "unless", ">", ">=", "<", "<=", "==", "!=") else _Unit()


def _selectors(expr: Expr) -> list[VectorSelector]:
    match expr:
        case VectorSelector():
            return [expr]
        case MatrixSelector():
            return [expr.selector]
        case Paren() | Unary() | Subquery() | Aggregate():
            return _selectors(expr.expr)
        case Call():
            return [found for one in expr.args for found in _selectors(one)]
        case Binary():
            return [*_selectors(expr.left), *_selectors(expr.right)]
        case _:
            return []
