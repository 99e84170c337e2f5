"""Checks of rule files beyond their syntax."""

from collections.abc import Iterable

from eldonia_ops.lint.places import node_at
from eldonia_ops.lint.rule_habits import habits_of
from eldonia_ops.lint.template_queries import remarks_on
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.protocols.prometheus_rules import locate
from eldonia_ops.rules.groups import AlertingRule, RuleGroup


def check_rules(groups: Iterable[RuleGroup], text: str, file: str) -> list[Diagnostic]:
    """Warnings about the rules of one file that parsed."""
    found: list[Diagnostic] = []
    lines = text.splitlines()
    for group_index, group in enumerate(groups):
        for rule_index, rule in enumerate(group.rules):
            alerting = isinstance(rule, AlertingRule)
            if isinstance(rule, AlertingRule) and "severity" not in rule.labels:
                message = f"the alert {rule.alert} has no severity: it is routed as nothing and opens no incident"
                hint = "add labels: {severity: warning}"
                found.append(Diagnostic(message, file, rule.line, rule.column, hint, Level.WARNING))
            node = node_at(text, file, "groups", group_index, "rules", rule_index, "expr")
            for habit in habits_of(rule.expr, alerting=alerting):
                line, column = (rule.line, rule.column) if node is None else locate(lines, node, habit.start)
                found.append(Diagnostic(habit.message, file, line, column, habit.hint, Level.WARNING))
            if isinstance(rule, AlertingRule) and rule.querying_texts:
                way = ("groups", group_index, "rules", rule_index)
                found += _queries_in_templates(text, file, way)
    return found


def _queries_in_templates(text: str, file: str, way: tuple[str | int, ...]) -> list[Diagnostic]:
    """Warnings, not errors: Prometheus starts with such a rule too, and what the alert is about does not suffer."""
    found: list[Diagnostic] = []
    lines = text.splitlines()
    for part in ("labels", "annotations"):
        node = node_at(text, file, *way, part)
        for _, value in node.items() if node is not None else ():
            for remark in remarks_on(value.text):
                line, column = locate(lines, value, remark.position)
                found.append(Diagnostic(remark.message, file, line, column, remark.hint, Level.WARNING))
    return found
