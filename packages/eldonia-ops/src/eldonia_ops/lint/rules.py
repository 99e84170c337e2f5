"""Checks of rule files beyond their syntax."""

from itertools import islice
from typing import Final

from eldonia_ops.lint.expression_checks import habits_of
from eldonia_ops.lint.template_queries import remarks_on
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.protocols.prometheus.rules import ExaminedRules, locate
from eldonia_ops.protocols.yaml_document import YamlNode
from eldonia_ops.rules.groups import AlertingRule
from eldonia_ops.rules.log_expression import compares

_MOST_REMARKS: Final = 20
"""For one expression: each of them has to be found in the text."""


def check_rules(examined: ExaminedRules, text: str, file: str) -> list[Diagnostic]:
    """Warnings about the rules of one file; those that are faulty are left out."""
    found: list[Diagnostic] = []
    lines = text.splitlines()
    for rule, node in examined.rules:
        values = {key.text: value for key, value in node.items()}
        if isinstance(rule, AlertingRule) and "severity" not in rule.labels:
            message = f"the alert {rule.alert} has no severity: it is routed as nothing and opens no incident"
            hint = "add labels: {severity: warning}"
            found.append(Diagnostic(message, file, rule.line, rule.column, hint, Level.WARNING))
        if isinstance(rule, AlertingRule) and rule.logs is not None and not compares(rule.logs.pipeline):
            line, column = locate(lines, values["logs"], len(rule.query))
            message = "the alert fires for every row that is counted, whatever its number"
            hint = "compare the number: | where count > 10"
            found.append(Diagnostic(message, file, line, column, hint, Level.WARNING))
        for habit in (
            ()
            if rule.logs is not None
            else islice(habits_of(rule.expr, alerting=isinstance(rule, AlertingRule)), _MOST_REMARKS)
        ):
            line, column = locate(lines, values["expr"], habit.start)
            found.append(Diagnostic(habit.message, file, line, column, habit.hint, Level.WARNING))
        if isinstance(rule, AlertingRule) and rule.querying_texts:
            for part in ("labels", "annotations"):
                found += _queries_in_templates(lines, file, values.get(part))
    return found


def _queries_in_templates(lines: list[str], file: str, node: YamlNode | None) -> list[Diagnostic]:
    """Warnings, not errors: Prometheus starts with such a rule too, and what the alert is about does not suffer."""
    found: list[Diagnostic] = []
    for _, value in node.items() if node is not None else ():
        for remark in islice(remarks_on(value.text), _MOST_REMARKS):
            line, column = locate(lines, value, remark.position)
            found.append(Diagnostic(remark.message, file, line, column, remark.hint, Level.WARNING))
    return found
