"""The tree of a query: frozen nodes, each of which knows its place in the text.

``start`` and ``end`` are 0-based character offsets (end exclusive). They do not take part in
comparison, so that two spellings of one query are equal. Durations are milliseconds, or a
:class:`DurationExpr` where they depend on the query's own step or range.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from eldonia_ops.model.labels import METRIC_NAME
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.promql.signatures import FUNCTIONS


class ValueType(StrEnum):
    """What an expression yields, in Prometheus' words."""

    SCALAR = "scalar"
    VECTOR = "vector"
    MATRIX = "matrix"
    STRING = "string"


TYPE_NAMES = {
    ValueType.SCALAR: "scalar",
    ValueType.VECTOR: "instant vector",
    ValueType.MATRIX: "range vector",
    ValueType.STRING: "string",
}


@dataclass(frozen=True, slots=True)
class Node:
    """The place of a node in the query's text."""

    start: int = field(default=0, compare=False, kw_only=True)
    end: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class DurationExpr(Node):
    """A duration computed when the query is planned.

    ``op`` is an arithmetic operator, ``neg``, ``min_of``, ``max_of``, ``step``, ``range`` or ``number``.
    ``args`` are the operands, ``value`` that of a number, in seconds.
    """

    op: str
    args: "tuple[DurationExpr, ...]" = ()
    value: float = 0.0


Duration: TypeAlias = int | DurationExpr


@dataclass(frozen=True, slots=True)
class At(Node):
    """The ``@`` modifier: a fixed instant, or the query's ``start`` or ``end``."""

    timestamp_ms: int = 0
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class NumberLiteral(Node):
    """A number (a duration such as ``5m`` is its seconds)."""

    value: float

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NumberLiteral):
            return NotImplemented
        return self.value == other.value or (self.value != self.value and other.value != other.value)

    def __hash__(self) -> int:
        return hash(("number", self.value if self.value == self.value else "nan"))


@dataclass(frozen=True, slots=True)
class StringLiteral(Node):
    """A string."""

    value: str


@dataclass(frozen=True, slots=True)
class VectorSelector(Node):
    """``name{matchers} offset D @ T``. ``matchers`` include the one for ``__name__``.

    ``modifier`` is empty, ``anchored`` or ``smoothed``.
    """

    matchers: tuple[Matcher, ...]
    offset: Duration = 0
    at: At | None = None
    modifier: str = ""

    @property
    def name(self) -> str:
        """The metric name when the selector fixes it, else empty."""
        for matcher in self.matchers:
            if matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL:
                return matcher.value
        return ""


@dataclass(frozen=True, slots=True)
class MatrixSelector(Node):
    """``selector[range]``; offset and ``@`` belong to the selector."""

    selector: VectorSelector
    range: Duration


@dataclass(frozen=True, slots=True)
class Subquery(Node):
    """``expr[range:step]``; without a step the default interval (1 m) is used."""

    expr: "Expr"
    range: Duration
    step: Duration | None = None
    offset: Duration = 0
    at: At | None = None


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function call."""

    function: str
    args: "tuple[Expr, ...]" = ()


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """``op by (grouping) (param, expr)``; ``without`` inverts the grouping."""

    op: str
    expr: "Expr"
    param: "Expr | None" = None
    grouping: tuple[str, ...] = ()
    without: bool = False


class Cardinality(StrEnum):
    """How many series of each side one match group may hold."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "many-to-one"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_MANY = "many-to-many"


@dataclass(frozen=True, slots=True)
class Matching:
    """How the series of two vectors find each other.

    ``labels`` are matched on (``on``) or left out (``ignoring``); ``include`` are copied from the "one"
    side; ``fill_left`` and ``fill_right`` replace a missing partner.
    """

    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """``left op right``; ``matching`` is None unless both sides are vectors."""

    op: str
    left: "Expr"
    right: "Expr"
    return_bool: bool = False
    matching: Matching | None = None


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """``-expr`` or ``+expr``."""

    op: str
    expr: "Expr"


@dataclass(frozen=True, slots=True)
class Paren(Node):
    """``(expr)``."""

    expr: "Expr"


Expr: TypeAlias = (
    NumberLiteral
    | StringLiteral
    | VectorSelector
    | MatrixSelector
    | Subquery
    | Call
    | Aggregate
    | Binary
    | Unary
    | Paren
)


def value_type(expr: Expr) -> ValueType:
    """The type that an expression yields."""
    match expr:
        case NumberLiteral():
            return ValueType.SCALAR
        case StringLiteral():
            return ValueType.STRING
        case MatrixSelector() | Subquery():
            return ValueType.MATRIX
        case Call():
            return ValueType(FUNCTIONS[expr.function].returns)
        case Binary():
            sides = {value_type(expr.left), value_type(expr.right)}
            return ValueType.SCALAR if sides == {ValueType.SCALAR} else ValueType.VECTOR
        case Unary() | Paren():
            return value_type(expr.expr)
        case _:
            return ValueType.VECTOR


def unwrap(expr: Expr) -> Expr:
    """The expression inside any parentheses."""
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct operands of a node, in the order written."""
    match expr:
        case MatrixSelector():
            return (expr.selector,)
        case Subquery() | Unary() | Paren():
            return (expr.expr,)
        case Call():
            return expr.args
        case Aggregate():
            return (expr.expr,) if expr.param is None else (expr.param, expr.expr)
        case Binary():
            return (expr.left, expr.right)
        case _:
            return ()
