"""First phase: which samples a query needs.

A plan is a pure value: the expression, the steps at which to evaluate it, and the list of fetches
whose data :func:`~eldonia_ops.promql.evaluate.evaluate` then expects, in the same order.
"""

from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.model.labels import METRIC_NAME
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.promql.ast import (
    At,
    Call,
    Duration,
    Expr,
    MatrixSelector,
    Subquery,
    ValueType,
    VectorSelector,
    children,
    unwrap,
    value_type,
)
from eldonia_ops.promql.duration_expr import milliseconds
from eldonia_ops.promql.errors import EvaluationError, LimitError, PromQLError

DEFAULT_LOOKBACK_MS: Final = 300_000
DEFAULT_SUBQUERY_STEP_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """How much one query may ask for.

    ``steps`` bounds the evaluations of a range query (as in Prometheus 11,000 steps after the first),
    ``subquery_steps`` those of a subquery, and ``cells`` the values (series times steps) that any
    intermediate vector or the result may hold.
    """

    steps: int = 11_001
    subquery_steps: int = 100_000
    cells: int = 20_000_000


DEFAULT_LIMITS: Final = QueryLimits()


@dataclass(frozen=True, slots=True)
class Fetch:
    """Samples to get: every matching series, ``start_ms <= timestamp <= end_ms`` (Unix milliseconds)."""

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to evaluate, when, and from what.

    The steps are ``start_ms, start_ms + step_ms, ... <= end_ms``; ``step_ms`` is 0 for an instant query.
    ``sources`` maps the identity of a selector node in ``expr`` to its index in ``fetches``.
    """

    expr: Expr
    start_ms: int
    end_ms: int
    step_ms: int
    lookback_ms: int
    fetches: tuple[Fetch, ...]
    sources: dict[int, int] = field(repr=False)
    subquery_step_ms: int = DEFAULT_SUBQUERY_STEP_MS
    limits: QueryLimits = DEFAULT_LIMITS

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return 1 if self.step_ms == 0 else (self.end_ms - self.start_ms) // self.step_ms + 1

    @property
    def instant(self) -> bool:
        """Whether this is an instant query."""
        return self.step_ms == 0

    def duration(self, duration: Duration, position: int, *, positive: bool = False) -> int:
        """A duration of the expression in milliseconds.

        Raises:
            EvaluationError: it cannot be computed, or is not above zero though it must be.
        """
        try:
            value = milliseconds(duration, self.step_ms, self.end_ms - self.start_ms)
        except ValueError as error:
            raise EvaluationError(str(error), position) from None
        if positive and value <= 0:
            raise EvaluationError("duration must be greater than 0", position)
        return value

    def at(self, at: At) -> int:
        """The instant of an ``@`` modifier, Unix milliseconds."""
        return {"start": self.start_ms, "end": self.end_ms}.get(at.anchor, at.timestamp_ms)

    def grid(self, subquery: Subquery, first: int, last: int) -> tuple[int, int, int]:
        """``(start, end, step)`` of a subquery's own evaluation; its steps are multiples of the step.

        ``first`` and ``last`` are the effective instants (offset and ``@`` applied) of the outer steps.

        Raises:
            LimitError: too many steps.
        """
        length = self.duration(subquery.range, subquery.start, positive=True)
        step = self.subquery_step_ms
        if subquery.step is not None:
            step = self.duration(subquery.step, subquery.start, positive=True)
        start = (first - length) // step * step + step
        end = last // step * step
        if (end - start) // step + 1 > self.limits.subquery_steps:
            message = f"subquery needs more than {self.limits.subquery_steps} steps; use a larger step"
            raise LimitError(message, subquery.start)
        return start, end, step


def plan(
    expr: Expr,
    start_ms: int,
    end_ms: int,
    step_ms: int = 0,
    lookback_ms: int = DEFAULT_LOOKBACK_MS,
    *,
    limits: QueryLimits = DEFAULT_LIMITS,
    subquery_step_ms: int = DEFAULT_SUBQUERY_STEP_MS,
) -> Plan:
    """Say what to fetch to evaluate an expression.

    ``step_ms`` 0 asks for an instant query at ``start_ms`` (then ``end_ms`` must be equal).

    Raises:
        LimitError: more steps than the limits allow.
        EvaluationError: a duration that cannot be computed.
        PromQLError: the range or the step make no sense, or a range query of a range vector or a string.
    """
    if end_ms < start_ms:
        raise PromQLError("end timestamp must not be before start time")
    if step_ms < 0 or (step_ms == 0 and end_ms != start_ms):
        raise PromQLError("zero or negative query resolution step widths are not accepted")
    if step_ms and (end_ms - start_ms) // step_ms + 1 > limits.steps:
        raise LimitError(f"exceeded maximum resolution of {limits.steps:,} points per timeseries; use a larger step")
    found = value_type(expr)
    if step_ms and found not in (ValueType.VECTOR, ValueType.SCALAR):
        name = "range vector" if found is ValueType.MATRIX else "string"
        raise PromQLError(f'invalid expression type "{name}" for range query, must be Scalar or instant Vector', 0)
    draft = Plan(expr, start_ms, end_ms, step_ms, lookback_ms, (), {}, subquery_step_ms, limits)
    wanted: list[tuple[int, Fetch]] = []
    last = start_ms + (draft.steps - 1) * step_ms
    _collect(draft, expr, start_ms, last, wanted)
    fetches: list[Fetch] = []
    sources: dict[int, int] = {}
    for identity, fetch in wanted:
        sources[identity] = _merge(fetches, fetch)
    return Plan(expr, start_ms, end_ms, step_ms, lookback_ms, tuple(fetches), sources, subquery_step_ms, limits)


def _merge(fetches: list[Fetch], fetch: Fetch) -> int:
    """Add a fetch, or widen one with the same matchers that it overlaps; return its index."""
    for index, other in enumerate(fetches):
        overlaps = fetch.start_ms <= other.end_ms and other.start_ms <= fetch.end_ms
        if overlaps and other.matchers == fetch.matchers:
            fetches[index] = Fetch(fetch.matchers, min(fetch.start_ms, other.start_ms), max(fetch.end_ms, other.end_ms))
            return index
    fetches.append(fetch)
    return len(fetches) - 1


def _collect(draft: Plan, expr: Expr, first: int, last: int, wanted: list[tuple[int, Fetch]]) -> None:
    match expr:
        case VectorSelector():
            _select(draft, expr, 0, first, last, wanted)
        case MatrixSelector():
            length = draft.duration(expr.range, expr.start, positive=True)
            _select(draft, expr.selector, length, first, last, wanted)
        case Subquery():
            if expr.at is not None:
                first = last = draft.at(expr.at)
            offset = draft.duration(expr.offset, expr.start)
            start, end, _ = draft.grid(expr, first - offset, last - offset)
            if end >= start:
                _collect(draft, expr.expr, start, end, wanted)
        case Call(function="info"):
            _collect(draft, expr.args[0], first, last, wanted)
            _select_info(draft, expr, first, last, wanted)
        case _:
            for child in children(expr):
                _collect(draft, child, first, last, wanted)


def _select(
    draft: Plan, selector: VectorSelector, length: int, first: int, last: int, wanted: list[tuple[int, Fetch]]
) -> None:
    if selector.at is not None:
        first = last = draft.at(selector.at)
    offset = draft.duration(selector.offset, selector.start)
    before = length or draft.lookback_ms
    after = 0
    if selector.modifier:
        before = length + draft.lookback_ms
        after = draft.lookback_ms if selector.modifier == "smoothed" else 0
    fetch = Fetch(selector.matchers, first - offset - before + 1 - bool(selector.modifier), last - offset + after)
    wanted.append((id(selector), fetch))


def info_matchers(call: Call) -> tuple[tuple[Matcher, ...], tuple[Matcher, ...]]:
    """The name matchers and the data label matchers of an ``info`` call's second argument."""
    given: tuple[Matcher, ...] = ()
    if len(call.args) == 2:
        selector = unwrap(call.args[1])
        given = selector.matchers if isinstance(selector, VectorSelector) else ()
    names = tuple(item for item in given if item.name == METRIC_NAME)
    data = tuple(item for item in given if item.name != METRIC_NAME)
    if not names:
        names = (Matcher(METRIC_NAME, MatchOp.EQUAL, "target_info"),)
    elif all(item.op in (MatchOp.NOT_EQUAL, MatchOp.NOT_REGEX) for item in names):
        names = (*names, Matcher(METRIC_NAME, MatchOp.REGEX, ".+_info"))
    return names, data


def info_reference(call: Call) -> list[VectorSelector | Subquery]:
    """The nodes whose ``@`` and offset say, outermost first, as of when an ``info`` call looks at info series."""
    nodes: list[VectorSelector | Subquery] = []
    stack: list[Expr] = [call.args[0]]
    while stack:
        node = stack.pop()
        if isinstance(node, VectorSelector | Subquery):
            nodes.append(node)
        if isinstance(node, VectorSelector):
            return nodes
        stack.extend(reversed(children(node)))
    return nodes


def _select_info(draft: Plan, call: Call, first: int, last: int, wanted: list[tuple[int, Fetch]]) -> None:
    names, data = info_matchers(call)
    for node in info_reference(call):
        if node.at is not None:
            first = last = draft.at(node.at)
        offset = draft.duration(node.offset, node.start)
        first, last = first - offset, last - offset
    wanted.append((id(call), Fetch((*names, *data), first - draft.lookback_ms + 1, last)))
