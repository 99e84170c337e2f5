"""What a rule looks at, so that an incident can show it as a chart: the signal, and the line that it crossed.

A rule says ``signal > threshold``. Its result is only what is over the threshold, so a chart of the rule itself is
empty before and after the fault; a chart of the signal shows how it came and went.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from eldonia_ops.model.incidents import TimelineEntry
from eldonia_ops.model.labels import METRIC_NAME
from eldonia_ops.model.matchers import MatchOp
from eldonia_ops.promql import Expr, PromQLError, ValueType, format_expr, parse, value_type
from eldonia_ops.promql.ast import Binary, Call, NumberLiteral, Unary, VectorSelector, children, unwrap

MAX_SIGNALS: Final = 4
"""How many charts an incident has: those of its first alerts."""

_COMPARISONS: Final[Mapping[str, str]] = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
"""Each comparison, and the one that says the same with its sides exchanged."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How an expression is charted: PromQL of the signal, and what it is compared with by ``op``: the number
    ``threshold``, or another PromQL ``bound``; with neither, ``op`` is empty."""

    query: str
    op: str = ""
    threshold: float | None = None
    bound: str = ""
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """The chart of one rule in an incident. ``series`` are the label sets of the alerts that it raised; ``moments`` are
    ``(Unix ms, "pending" | "firing" | "resolved")``, ascending."""

    alertname: str
    summary: str
    expression: str
    reading: Reading
    series: tuple[Mapping[str, str], ...]
    moments: tuple[tuple[int, str], ...]


def reading_of(expression: str) -> Reading | None:
    """The signal of a rule's expression, or None when it is no expression that yields series."""
    try:
        tree = parse(expression)
    except PromQLError:
        return None
    if value_type(tree) is not ValueType.VECTOR:
        return None
    return _reading(unwrap(tree))


@functools.lru_cache(256)
def says_down(expression: str) -> bool:
    """Whether an expression asks for nothing but that something is down: ``up == 0``, ``probe_success < 1``."""
    reading = reading_of(expression)
    if reading is None or (reading.op, reading.threshold) not in (("==", 0), ("<", 1), ("!=", 1)):
        return False
    alone = reading.query.partition("{")[0] in (reading.metric, "")
    return alone and (reading.metric in ("up", "probe_success") or reading.metric.endswith("_up"))


def _reading(tree: Expr) -> Reading:
    match tree:
        case Binary(op="and" | "unless" | "or"):
            # Beside the signal there may be a condition, such as enough requests: at its right, or in front of it.
            left = _reading(unwrap(tree.left))
            right = _reading(unwrap(tree.right)) if tree.op == "and" and not left.op else left
            return right if right.op else left
        case Binary() if tree.op in _COMPARISONS and not tree.return_bool:
            return _comparison(tree)
        case Call(function="absent"):
            return Reading(format_expr(unwrap(tree.args[0])), metric=_metric(tree))
        case _:
            return Reading(format_expr(tree), metric=_metric(tree))


def _comparison(tree: Binary) -> Reading:
    left, right = unwrap(tree.left), unwrap(tree.right)
    metric = _metric(tree)
    if (threshold := _number(right)) is not None:
        return Reading(format_expr(left), tree.op, threshold, metric=metric)
    if (threshold := _number(left)) is not None:
        return Reading(format_expr(right), _COMPARISONS[tree.op], threshold, metric=metric)
    return Reading(format_expr(left), tree.op, None, format_expr(right), metric)


def _number(tree: Expr) -> float | None:
    """The value of an expression of numbers alone."""
    match unwrap(tree):
        case NumberLiteral(value=value):
            return value
        case Unary(op=op, expr=inner):
            found = _number(inner)
            return found if found is None or op == "+" else -found
        case Binary(op=op, left=left, right=right):
            one, other = _number(left), _number(right)
            if one is None or other is None or (op == "/" and not other):
                return None
            return {"+": one + other, "-": one - other, "*": one * other}.get(op, one / other if op == "/" else None)
        case _:
            return None


def _metric(tree: Expr) -> str:
    """The metric that a unit may be known by: the first that is named."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, VectorSelector) and (name := node.name or _names(node)):
            return name
        stack += reversed(children(node))
    return ""


def _names(selector: VectorSelector) -> str:
    """The pattern of the names of a selector that has several: it may end as they do."""
    return next((one.value for one in selector.matchers if one.name == METRIC_NAME and one.op is MatchOp.REGEX), "")


def expression_in(generator_url: str) -> str:
    """The expression in the address of Prometheus' graph (``g0.expr``) that its alerts carry; '' when there is none."""
    try:
        found = parse_qs(urlsplit(generator_url).query, max_num_fields=50)
    except ValueError:
        return ""
    return found.get("g0.expr", [""])[0]


def signals_of(timeline: Iterable[TimelineEntry], cause: str = "") -> list[Signal]:
    """The signals of an incident's alerts, one for each expression: that of the alert by whose name ``cause`` the
    incident is known first, then in the order in which they fired. One may have been pending for long before."""
    found: dict[str, Signal] = {}
    unread: set[str] = set()
    of_alert: dict[str, str] = {}
    for entry in _in_order(list(timeline), cause):
        state = entry.kind.removeprefix("alert.")
        if state == entry.kind or state not in ("pending", "firing", "resolved"):
            continue
        fingerprint = str(entry.data.get("fingerprint", ""))
        expression = str(entry.data.get("expression") or expression_in(str(entry.data.get("generator_url", ""))))
        expression = expression or of_alert.get(fingerprint, "")
        if not expression or expression in unread:
            continue
        of_alert[fingerprint] = expression
        moment = (entry.at, state)
        if known := found.get(expression):
            series = known.series
            labels = _labels(entry)
            if labels and labels not in series and len(series) < 50:
                series = (*series, labels)
            found[expression] = Signal(
                known.alertname,
                known.summary,
                expression,
                known.reading,
                series,
                tuple(sorted({*known.moments, moment})),
            )
            continue
        reading = reading_of(expression)
        if reading is None or len(found) >= MAX_SIGNALS:
            unread.add(expression)
            continue
        found[expression] = Signal(
            str(entry.data.get("alertname", "")),
            str(entry.data.get("summary", "")),
            expression,
            reading,
            tuple(filter(None, [_labels(entry)])),
            (moment,),
        )
    return list(found.values())


def _in_order(timeline: Sequence[TimelineEntry], cause: str) -> list[TimelineEntry]:
    """The entries of each alert's name together, as far as alerts matter; in order within it."""
    fired: dict[str, int] = {}
    for position, entry in enumerate(timeline):
        if entry.kind == "alert.firing":
            fired.setdefault(str(entry.data.get("alertname", "")), position)

    def turn(entry: TimelineEntry) -> tuple[bool, int]:
        name = str(entry.data.get("alertname", ""))
        return name != cause, fired.get(name, len(timeline))

    return sorted(timeline, key=turn)


def _labels(entry: TimelineEntry) -> dict[str, str]:
    labels = entry.data.get("labels")
    return {str(name): str(value) for name, value in labels.items()} if isinstance(labels, Mapping) else {}


def concerns(series: Mapping[str, str], alerts: Iterable[Mapping[str, str]]) -> bool:
    """Whether a series of the signal is that of one of the alerts: what both have a label for is equal.

    A rule's own labels may replace those of its series, such as ``service``; the other labels still tell.
    """
    own = {name: value for name, value in series.items() if name != METRIC_NAME}
    return any(all(alert.get(name, value) == value for name, value in own.items()) for alert in alerts)
