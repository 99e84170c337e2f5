"""Shipped rules, changed by name: another threshold, waiting time or severity, or no rule at all.

The threshold of an alerting rule is the number to the right of the comparison that is nearest to the top of its
expression, the leftmost of several at one depth: 80 in ``100 * (1 - avg(x)) > 80`` and 85 in ``a > 85 unless b == 1``.
Comparisons with ``==`` and ``!=`` ask for a state and have no threshold.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from eldonia_ops.model.labels import Labels
from eldonia_ops.promql import Expr, format_expr
from eldonia_ops.promql.ast import Binary, NumberLiteral, Paren, Unary
from eldonia_ops.rules.groups import AlertingRule, Rule, RuleGroup

LIMITS: Final = ("limit is {}", "上限は {}", "下限は {}")
"""How texts of shipped rules name their threshold; the number is changed together with the threshold."""

_ORDERINGS: Final = frozenset({">", ">=", "<", "<="})


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What is different from the shipped rule. None and an empty severity: as shipped. ``for_ms`` is in ms."""

    enabled: bool = True
    threshold: float | None = None
    for_ms: int | None = None
    severity: str = ""


def threshold_of(rule: Rule) -> float | None:
    """The threshold of an alerting rule, None if it has none."""
    if not isinstance(rule, AlertingRule):
        return None
    found = _comparison(rule.expr)
    return None if found is None else _number(found.right)


def measured(rule: Rule) -> Expr | None:
    """What an alerting rule compares with its threshold, None if it has none."""
    found = _comparison(rule.expr) if isinstance(rule, AlertingRule) else None
    return None if found is None else found.left


def is_lower_bound(rule: Rule) -> bool:
    """Whether an alerting rule fires below its threshold: then the lowest value is the nearest to firing."""
    found = _comparison(rule.expr) if isinstance(rule, AlertingRule) else None
    return found is not None and found.op.startswith("<")


def names_of(groups: Iterable[RuleGroup]) -> dict[str, list[AlertingRule]]:
    """The names by which rules can be changed: that of the alert, and ``Name.severity`` where several rules share one
    name."""
    named: dict[str, list[AlertingRule]] = {}
    for rule in alerting_rules(groups):
        named.setdefault(rule.alert, []).append(rule)
    for name, rules in list(named.items()):
        if len(rules) > 1:
            named |= {f"{name}.{rule.labels.get('severity', '')}": [rule] for rule in rules}
    return named


def alerting_rules(groups: Iterable[RuleGroup]) -> Iterator[AlertingRule]:
    """The alerting rules of groups, in their order."""
    return (rule for group in groups for rule in group.rules if isinstance(rule, AlertingRule))


def tuned(groups: Iterable[RuleGroup], changes: Mapping[str, RuleChange]) -> list[RuleGroup]:
    """The groups with their alerting rules changed; a group that loses all of them is left out.

    ``changes`` are by the names of :func:`names_of`; the more exact name counts before the other.
    """
    return [group for group in (_group(group, changes) for group in groups) if group is not None]


def _group(group: RuleGroup, changes: Mapping[str, RuleChange]) -> RuleGroup | None:
    rules = [changed for rule in group.rules if (changed := _rule(rule, changes)) is not None]
    if len(rules) < len(group.rules) and not any(isinstance(rule, AlertingRule) for rule in rules):
        return None
    return replace(group, rules=tuple(rules))


def _rule(rule: Rule, changes: Mapping[str, RuleChange]) -> Rule | None:
    if not isinstance(rule, AlertingRule):
        return rule
    change = changes.get(f"{rule.alert}.{rule.labels.get('severity', '')}") or changes.get(rule.alert)
    if change is None:
        return rule
    if not change.enabled:
        return None
    if change.threshold is not None:
        rule = _with_threshold(rule, change.threshold)
    if change.for_ms is not None:
        rule = replace(rule, for_ms=change.for_ms)
    if change.severity:
        rule = replace(rule, labels=Labels({**rule.labels, "severity": change.severity}))
    return rule


def _with_threshold(rule: AlertingRule, threshold: float) -> AlertingRule:
    found = _comparison(rule.expr)
    if found is None:
        return rule
    expr = _replaced(rule.expr, found, replace(found, right=NumberLiteral(threshold)))
    old, new = f"{_number(found.right):g}", f"{threshold:.10g}"
    annotations = {name: _renumbered(text, old, new) for name, text in rule.annotations.items()}
    return replace(rule, expr=expr, query=format_expr(expr), annotations=Labels(annotations))


def _renumbered(text: str, old: str, new: str) -> str:
    for limit in LIMITS:
        text = text.replace(limit.format(old), limit.format(new))
    return text


def _comparison(expr: Expr) -> Binary | None:
    """The comparison nearest to the top whose right side is a number: breadth first, left before right."""
    level = [expr]
    while level:
        below: list[Expr] = []
        for node in level:
            if isinstance(node, Binary):
                if node.op in _ORDERINGS and not math.isnan(_number(node.right)):
                    return node
                below += (node.left, node.right)
            elif isinstance(node, Paren):
                below.append(node.expr)
        level = below
    return None


def _number(expr: Expr) -> float:
    """The number that a literal says, with its sign; NaN for anything else."""
    if isinstance(expr, NumberLiteral):
        return expr.value
    if isinstance(expr, Unary) and isinstance(expr.expr, NumberLiteral):
        return -expr.expr.value if expr.op == "-" else expr.expr.value
    return math.nan


def _replaced(expr: Expr, old: Binary, new: Binary) -> Expr:
    if expr is old:
        return new
    if isinstance(expr, Binary):
        left = _replaced(expr.left, old, new)
        return (
            replace(expr, left=left) if left is not expr.left else replace(expr, right=_replaced(expr.right, old, new))
        )
    if isinstance(expr, Paren):
        return replace(expr, expr=_replaced(expr.expr, old, new))
    return expr
