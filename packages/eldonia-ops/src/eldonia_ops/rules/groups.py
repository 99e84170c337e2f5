"""Rule groups as Prometheus' rule files describe them.

https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.promql import Expr, Plan, format_expr, parse, plan, scale_durations
from eldonia_ops.promql.ast import VectorSelector, children
from eldonia_ops.promql.plan import DEFAULT_LOOKBACK_MS
from eldonia_ops.rules.log_expression import LogExpression
from eldonia_ops.rules.rendering import querying

DEFAULT_INTERVAL_MS: Final = 60_000
NO_EXPRESSION: Final = parse("vector(0)")
"""The expression of a rule about logs, which is never evaluated."""


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """Stores the result of ``expr``, or of ``logs`` if there is one, as the series ``record``, with ``labels`` added.

    ``query`` is the expression as written; ``line`` and ``column`` (from 1) are the place of the rule;
    ``comment`` is what was written above it.
    """

    record: str
    query: str
    expr: Expr
    labels: Labels = EMPTY
    file: str = ""
    line: int = 0
    column: int = 0
    comment: str = ""
    logs: LogExpression | None = None

    @property
    def name(self) -> str:
        """The name of the recorded metric."""
        return self.record


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """Raises an alert for every series that ``expr`` yields, or ``logs`` where there is one, once it has done so for
    ``for_ms``.

    The alert stays up for ``keep_firing_for_ms`` after the series is gone. Values of ``labels`` and
    ``annotations`` are templates.
    """

    alert: str
    query: str
    expr: Expr
    for_ms: int = 0
    keep_firing_for_ms: int = 0
    labels: Labels = EMPTY
    annotations: Labels = EMPTY
    file: str = ""
    line: int = 0
    column: int = 0
    comment: str = ""
    logs: LogExpression | None = None

    @property
    def name(self) -> str:
        """The name of the alert."""
        return self.alert

    @property
    def querying_texts(self) -> tuple[str, ...]:
        """The labels and annotations whose templates call ``query``."""
        return querying((*self.labels.values(), *self.annotations.values()))


Rule: TypeAlias = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated one after another, every ``interval_ms``.

    ``interval_ms`` 0 means the platform's default. ``limit`` bounds the alerts of an alerting rule and the
    series of a recording rule (0 for none). ``query_offset_ms`` moves the evaluation into the past.
    """

    name: str
    rules: tuple[Rule, ...]
    interval_ms: int = 0
    limit: int = 0
    query_offset_ms: int = 0
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def key(self) -> str:
        """What the group is known by across restarts and reloads."""
        return f"{self.file};{self.name}"

    def keyed_rules(self) -> Iterator[tuple[str, Rule]]:
        """Every rule with a key that stays the same across restarts and unrelated edits of the file."""
        seen: dict[tuple[str, str], int] = {}
        for rule in self.rules:
            kind = "alert" if isinstance(rule, AlertingRule) else "record"
            ordinal = seen[kind, rule.name] = seen.get((kind, rule.name), -1) + 1
            yield f"{self.file};{self.name};{kind};{rule.name};{ordinal}", rule


def rule_plan(group: RuleGroup, rule: Rule, now: int, *, lookback_ms: int = DEFAULT_LOOKBACK_MS) -> Plan:
    """What to fetch to evaluate a rule at ``now`` (Unix milliseconds).

    Raises:
        PromQLError: the expression cannot be planned.
    """
    at = now - group.query_offset_ms
    return plan(rule.expr, at, at, 0, lookback_ms)


def template_plan(expression: str, now: int, *, speed: float = 1.0, lookback_ms: int = DEFAULT_LOOKBACK_MS) -> Plan:
    """What to fetch for a ``query`` in a template of a rule that is evaluated at ``now`` (Unix milliseconds). As in
    Prometheus, the group's ``query_offset_ms`` is for the rule's own expression alone.

    Raises:
        PromQLError: the expression cannot be parsed or planned.
    """
    expr = parse(expression)
    return plan(expr if speed == 1 else scale_durations(expr, speed), now, now, 0, lookback_ms)


def sequential(group: RuleGroup) -> bool:
    """Whether a rule may read what an earlier one of the group writes, so that each must be stored before the next."""
    written: set[str] = set()
    for rule in group.rules:
        if written and isinstance(rule, AlertingRule) and rule.querying_texts:
            return True
        stack: list[Expr] = [rule.expr] if rule.logs is None else []
        while stack:
            node = stack.pop()
            stack.extend(children(node))
            if isinstance(node, VectorSelector) and written and (not node.name or node.name in written):
                return True
        written |= {rule.record} if isinstance(rule, RecordingRule) else {"ALERTS", "ALERTS_FOR_STATE"}
    return False


def scale(group: RuleGroup, factor: float) -> RuleGroup:
    """The same group on a clock ``factor`` times as fast: interval, offset, ``for``, ``keep_firing_for``, and the
    durations inside expressions are divided. Thresholds stay.

    Raises:
        ValueError: the factor is not above zero.
    """
    if not factor > 0:
        raise ValueError("the factor must be above zero")

    def shorter(duration_ms: int) -> int:
        return max(1, round(duration_ms / factor)) if duration_ms else 0

    rules: list[Rule] = []
    for rule in group.rules:
        if rule.logs is not None:
            scaled = replace(rule, logs=rule.logs.faster(factor))
        else:
            expr = scale_durations(rule.expr, factor)
            scaled = replace(rule, expr=expr, query=format_expr(expr))
        if isinstance(scaled, AlertingRule):
            scaled = replace(
                scaled, for_ms=shorter(scaled.for_ms), keep_firing_for_ms=shorter(scaled.keep_firing_for_ms)
            )
        rules.append(scaled)
    return replace(
        group,
        rules=tuple(rules),
        interval_ms=shorter(group.interval_ms or DEFAULT_INTERVAL_MS),
        query_offset_ms=shorter(group.query_offset_ms),
    )
