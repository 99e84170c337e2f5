"""Why a query has no result.

:func:`explain` is a generator: it yields questions about the data (:class:`SeriesIn`, :class:`ValuesOf`, …), is sent
the answers, and returns findings. So it decides everything and reads nothing. A finding names a part of the query,
says by a ``code`` what is wrong with it, and where it can, gives the query that would find something.

========================  ==============================================================================================
code                      values
========================  ==============================================================================================
``unknown_metric``        ``metric``; ``near`` are names like it
``label_missing``         ``metric``, ``label``; ``near`` are those like it, else those that its series have
``value_missing``         ``metric``, ``label``, ``matcher``; ``near`` are those like it, else some that there are
``together``              ``metric``, ``matchers``: each finds series, all together find none
``nothing_matches``       ``selector``: a selector without a metric name that finds none
``no_samples``            ``selector``; ``last_at`` is when the last sample was (Unix ms)
``between_steps``         the same, where the last sample is within the range but too old at every step
``two_samples``           ``function``, ``window``, ``interval`` as durations: windows hold less than two samples
``no_buckets``            ``function``: the series have no label ``le``
``filtered``              ``comparison``, ``min``, ``max``: the values that the comparison takes away
``no_pairs``              ``operator``, ``only_left``, ``only_right``, ``different``: labels that keep the sides apart
``all_excluded``          the right side of ``unless`` has a partner for all of the left
``present``               ``absent`` is empty because there are series
``not_a_number``          there is a result, but every value is NaN, such as that of 0 / 0
``no_result``             anything else: this part is empty though its operands are not
========================  ==============================================================================================
"""

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.likeness import likest
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Matching,
    MatrixSelector,
    NumberLiteral,
    StringLiteral,
    ValueType,
    VectorSelector,
    children,
    unwrap,
    value_type,
)
from eldonia_ops.promql.plan import Plan
from eldonia_ops.promql.printer import format_expr, format_number
from eldonia_ops.promql.signatures import COMPARISONS

MOST_FINDINGS: Final = 5
_TWO_SAMPLES: Final = frozenset(["rate", "increase", "irate", "delta", "idelta", "deriv", "predict_linear"])
_BUCKETS: Final = frozenset(["histogram_quantile", "histogram_fraction", "histogram_quantiles"])
_SCRAPES_IN_WINDOW: Final = 4
_AROUND_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class SeriesIn:
    """Question: the labels of series with a sample in a range (Unix ms). Answer: ``Sequence[Labels]``, perhaps cut."""

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class ValuesOf:
    """Question: all values of a label on matching series, at any time. Answer: ``Sequence[str]``."""

    label: str
    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class LastSample:
    """Question: when the last sample of matching series was. Answer: Unix ms, None where there is none."""

    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True)
class IntervalOf:
    """Question: how far apart the samples of matching series usually are. Answer: ms, None where that is not known."""

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One series of a result, with its least and greatest value."""

    labels: Labels
    least: float
    greatest: float


@dataclass(frozen=True, slots=True)
class ResultOf:
    """Question: what a part of the query yields over the range. Answer: ``Sequence[Outcome]``."""

    expr: Expr


Question: TypeAlias = SeriesIn | ValuesOf | LastSample | IntervalOf | ResultOf


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason. ``start`` and ``end`` are the offsets of the part that it is about, end exclusive.

    ``suggestion`` is the query that would find more, '' for none. ``since`` and ``until`` (Unix ms, 0 for none) are
    the time in which there are samples.
    """

    code: str
    start: int
    end: int
    values: Mapping[str, str] = field(default_factory=dict)
    near: tuple[str, ...] = ()
    suggestion: str = ""
    since: int = 0
    until: int = 0


def explain(query: str, planned: Plan) -> Generator[Question, Any, list[Finding]]:
    """Find out why a query is empty; no finding where it is not.

    ``query`` is the text that ``planned.expr`` was parsed from.
    """
    if value_type(planned.expr) in (ValueType.SCALAR, ValueType.STRING):
        return []
    search = _Search(query, planned)
    if value_type(planned.expr) is ValueType.VECTOR and (found := (yield ResultOf(planned.expr))):
        return search.without_numbers(found)
    return (yield from search.part(planned.expr))[:MOST_FINDINGS]


class _Search:
    def __init__(self, query: str, planned: Plan) -> None:
        self._query = query
        self._plan = planned

    def part(self, expr: Expr) -> Generator[Question, Any, list[Finding]]:
        """What makes this part empty: the reasons inside it, or its own."""
        expr = unwrap(expr)
        if isinstance(expr, (NumberLiteral, StringLiteral)) or value_type(expr) is ValueType.SCALAR:
            return []
        if isinstance(expr, (VectorSelector, MatrixSelector)):
            return (yield from self._selector(expr))
        if value_type(expr) is not ValueType.MATRIX and (yield ResultOf(expr)):
            return []
        inner: list[Finding] = []
        for child in children(expr):
            inner += yield from self.part(child)
            if len(inner) >= MOST_FINDINGS:
                break
        if inner:
            return inner
        return [(yield from self._node(expr))]

    def without_numbers(self, found: Sequence[Outcome]) -> list[Finding]:
        """What to say of a result: something only where no value is a number."""
        if not all(math.isnan(one.least) for one in found):
            return []
        expr = self._plan.expr
        return [Finding("not_a_number", expr.start, expr.end, {"part": self._text(expr)})]

    # --- selectors ---

    def _selector(self, expr: VectorSelector | MatrixSelector) -> Generator[Question, Any, list[Finding]]:
        selector = expr.selector if isinstance(expr, MatrixSelector) else expr
        start, end = self._window(expr)
        if isinstance(expr, VectorSelector):
            if (yield ResultOf(expr)):
                return []
        elif (yield SeriesIn(selector.matchers, start, end)):
            return []
        last = yield LastSample(selector.matchers)
        if last is not None:
            since, until = max(0, last - 12 * _AROUND_MS), last + _AROUND_MS
            values = {"selector": self._text(selector), "last_at": str(last)}
            code = "between_steps" if start <= last <= end else "no_samples"
            return [Finding(code, selector.start, selector.end, values, since=since, until=until)]
        return [(yield from self._unmatched(selector))]

    def _unmatched(self, selector: VectorSelector) -> Generator[Question, Any, Finding]:
        """Why no series has ever matched."""
        name = selector.name
        where = (selector.start, selector.end)
        by_name = tuple(one for one in selector.matchers if one.name == METRIC_NAME)
        others = [one for one in selector.matchers if one.name != METRIC_NAME]
        if by_name and (yield LastSample(by_name)) is None:
            if not name:
                return Finding("nothing_matches", *where, {"selector": self._text(selector)})
            known = yield ValuesOf(METRIC_NAME, ())
            near = likest(name, known)
            suggestion = self._with(selector, by_name[0], Matcher(METRIC_NAME, MatchOp.EQUAL, near[0])) if near else ""
            return Finding("unknown_metric", *where, {"metric": name}, near, suggestion)
        for matcher in others:
            if (yield LastSample((*by_name, matcher))) is not None:
                continue
            values = yield ValuesOf(matcher.name, by_name)
            said = {"metric": name, "label": matcher.name, "matcher": str(matcher)}
            if not values:
                series = yield SeriesIn(by_name, 0, self._plan.end_ms)
                labels = sorted({one for labels in series for one in labels if one != METRIC_NAME})
                near = likest(matcher.name, labels)
                suggestion = self._with(selector, matcher, None) if near else ""
                return Finding("label_missing", *where, said, near or tuple(labels[:8]), suggestion)
            near = likest(matcher.value, values)
            suggestion = ""
            if matcher.op in (MatchOp.NOT_EQUAL, MatchOp.NOT_REGEX):
                suggestion = self._with(selector, matcher, None)
            elif near:
                suggestion = self._with(selector, matcher, Matcher(matcher.name, MatchOp.EQUAL, near[0]))
            return Finding("value_missing", *where, said, near or tuple(sorted(values)[:5]), suggestion)
        if not by_name and len(others) < 2:
            return Finding("nothing_matches", *where, {"selector": self._text(selector)})
        suggestion = ""
        for matcher in others:
            if (yield LastSample(tuple(one for one in selector.matchers if one is not matcher))) is not None:
                suggestion = self._with(selector, matcher, None)
                break
        said = {"metric": name, "matchers": ", ".join(map(str, others))}
        return Finding("together", *where, said, (), suggestion)

    def _window(self, expr: VectorSelector | MatrixSelector) -> tuple[int, int]:
        """From when to when the samples of a selector count."""
        selector = expr.selector if isinstance(expr, MatrixSelector) else expr
        index = self._plan.sources.get(id(selector), self._plan.sources.get(id(expr)))
        if index is None:
            return self._plan.start_ms - self._plan.lookback_ms, self._plan.end_ms
        fetch = self._plan.fetches[index]
        return fetch.start_ms, fetch.end_ms

    # --- everything else ---

    def _node(self, expr: Expr) -> Generator[Question, Any, Finding]:
        """Why a part is empty whose operands are not."""
        where = (expr.start, expr.end)
        if isinstance(expr, Call):
            return (yield from self._call(expr))
        if isinstance(expr, Binary):
            return (yield from self._binary(expr))
        return Finding("no_result", *where, {"part": self._text(expr)})

    def _call(self, call: Call) -> Generator[Question, Any, Finding]:
        where = (call.start, call.end)
        if call.function in ("absent", "absent_over_time"):
            return Finding("present", *where, {"function": call.function})
        matrix = next((arg for arg in map(unwrap, call.args) if isinstance(arg, MatrixSelector)), None)
        if call.function in _TWO_SAMPLES and matrix is not None:
            start, end = self._window(matrix)
            window = self._plan.duration(matrix.range, matrix.start)
            interval = yield IntervalOf(matrix.selector.matchers, start, end)
            said = {"function": call.function, "window": format_duration(window), "interval": ""}
            suggestion = ""
            if interval:
                said["interval"] = format_duration(_rounded(interval))
                wanted = max(60_000, _rounded(interval * _SCRAPES_IN_WINDOW))
                if wanted > window:
                    suggestion = self._edited(matrix, replace(matrix, range=wanted))
            return Finding("two_samples", *where, said, (), suggestion)
        if call.function in _BUCKETS and call.args:
            vector = unwrap(call.args[0 if call.function == "histogram_quantiles" else -1])
            if not any("le" in one.labels for one in (yield ResultOf(vector))):
                suggestion = ""
                if isinstance(vector, Aggregate) and not vector.without:
                    suggestion = self._edited(vector, replace(vector, grouping=("le", *vector.grouping)))
                return Finding("no_buckets", *where, {"function": call.function}, (), suggestion)
        return Finding("no_result", *where, {"part": self._text(call)})

    def _binary(self, expr: Binary) -> Generator[Question, Any, Finding]:
        where = (expr.start, expr.end)
        left, right = unwrap(expr.left), unwrap(expr.right)
        scalars = [value_type(side) is ValueType.SCALAR for side in (left, right)]
        if any(scalars):
            vector = right if scalars[0] else left
            return self._filtered(expr, (yield ResultOf(vector)), vector)
        sides = (yield ResultOf(left)), (yield ResultOf(right))
        if expr.op == "unless":
            return Finding("all_excluded", *where, {"operator": expr.op})
        matching = expr.matching or Matching()
        keys = [{_key(one.labels, matching) for one in side} for side in sides]
        if keys[0] & keys[1]:
            if expr.op in COMPARISONS:
                return self._filtered(expr, sides[0], left)
            return Finding("no_result", *where, {"part": self._text(expr)})
        apart = labels_apart([one.labels for one in sides[0]], [one.labels for one in sides[1]], matching)
        said = {
            "operator": expr.op,
            "only_left": ", ".join(apart.only_left),
            "only_right": ", ".join(apart.only_right),
            "different": ", ".join(apart.different),
        }
        suggestion = ""
        if apart.common:
            changed = replace(expr, matching=replace(matching, on=True, labels=apart.common))
            suggestion = self._edited(expr, changed)
        return Finding("no_pairs", *where, said, apart.common, suggestion)

    def _filtered(self, expr: Binary, values: Sequence[Outcome], vector: Expr) -> Finding:
        if expr.op not in COMPARISONS or not values:
            return Finding("no_result", expr.start, expr.end, {"part": self._text(expr)})
        said = {
            "comparison": self._text(expr),
            "min": format_number(min(one.least for one in values)),
            "max": format_number(max(one.greatest for one in values)),
        }
        return Finding("filtered", expr.start, expr.end, said, (), self._edited(expr, vector))

    # --- text ---

    def _text(self, expr: Expr) -> str:
        return self._query[expr.start : expr.end] or format_expr(expr)

    def _edited(self, old: Expr, new: Expr) -> str:
        """The query with another part in the place of one; the rest stays as people wrote it."""
        return self._query[: old.start] + format_expr(new) + self._query[old.end :]

    def _with(self, selector: VectorSelector, old: Matcher, new: Matcher | None) -> str:
        matchers = tuple(new if one is old else one for one in selector.matchers if one is not old or new is not None)
        if not matchers:
            return ""
        bare = replace(selector, matchers=matchers, offset=0, at=None, modifier="")
        # What follows the braces (offset, @, a range) is not part of what is replaced.
        end = selector.start + _selector_length(self._query[selector.start : selector.end])
        return self._query[: selector.start] + format_expr(bare) + self._query[end:]


def _selector_length(text: str) -> int:
    """How long ``name{…}`` is at the beginning of a text."""
    at = 0
    while at < len(text) and (text[at].isalnum() or text[at] in "_:"):
        at += 1
    rest = at + len(text[at:]) - len(text[at:].lstrip())
    if rest >= len(text) or text[rest] != "{":
        return at
    quote = ""
    at = rest
    while at < len(text):
        one = text[at]
        if quote:
            if one == "\\" and quote != "`":
                at += 1
            elif one == quote:
                quote = ""
        elif one in "\"'`":
            quote = one
        elif one == "}":
            return at + 1
        at += 1
    return len(text)


def _rounded(ms: int) -> int:
    """A duration in whole seconds, and above a minute in whole minutes."""
    seconds = max(1, round(ms / 1000))
    return seconds * 1000 if seconds < 60 else -(-seconds // 60) * 60_000


@dataclass(frozen=True, slots=True)
class Apart:
    """Labels that keep the sides of an operator apart.

    ``only_left`` and ``only_right`` are on series of one side alone, ``different`` on both without a value in common;
    ``common`` are those on which pairs could be made.
    """

    only_left: tuple[str, ...]
    only_right: tuple[str, ...]
    different: tuple[str, ...]
    common: tuple[str, ...]


def labels_apart(left: Sequence[Labels], right: Sequence[Labels], matching: Matching) -> Apart:
    """Why no series of the left has a partner on the right."""
    values: list[dict[str, set[str]]] = [{}, {}]
    for found, side in zip(values, (left, right), strict=True):
        for labels in side:
            for name, value in labels.items():
                if name != METRIC_NAME:
                    found.setdefault(name, set()).add(value)
    asked = set(matching.labels)
    names = [{name for name in found if (name in asked) == matching.on} for found in values]
    both = names[0] & names[1]
    shared = tuple(sorted(name for name in values[0].keys() & values[1].keys() if values[0][name] & values[1][name]))
    keys = [{labels.only(shared) for labels in side} for side in (left, right)]
    # Labels whose values occur on both sides make pairs only where they do so together.
    common = shared if shared and keys[0] & keys[1] else ()
    return Apart(
        tuple(sorted(names[0] - names[1])),
        tuple(sorted(names[1] - names[0])),
        tuple(sorted(name for name in both if not values[0][name] & values[1][name])),
        common,
    )


def _key(labels: Labels, matching: Matching) -> Labels:
    return labels.only(matching.labels) if matching.on else labels.without((*matching.labels, METRIC_NAME))
