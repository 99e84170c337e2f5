"""Labels of the group that a receiver's templates read, and its routes do not group by: they are always empty."""

from collections.abc import Iterable

from eldonia_ops.alerting.route import Route
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.protocols.alertmanager.values import TemplateUse
from eldonia_ops.protocols.yaml_document import Problems
from eldonia_ops.template import TemplateSet
from eldonia_ops.template.lexer import position


def lint_group_labels(root: Route, uses: Iterable[TemplateUse], templates: TemplateSet, problems: Problems) -> None:
    """Warn at each place, once for a label, with what the routes group by."""
    routes: dict[str, list[Route]] = {}
    for route in root.walk():
        routes.setdefault(route.receiver, []).append(route)
    said: set[tuple[str, str, int, str]] = set()
    for use in uses:
        for label in templates.group_labels(use.text):
            lacking = [
                route
                for route in routes.get(use.receiver, ())
                if not route.group_by_all and label.name not in route.group_by
            ]
            if not lacking:
                continue
            first = lacking[0]
            by = ", ".join(first.group_by) or "nothing"
            message = (
                f"{use.what}: .GroupLabels.{label.name} is always empty: the route at line {first.line} groups by {by}"
            )
            hint = f"use .CommonLabels.{label.name}, or add {label.name} to group_by"
            line, column = position(label.definition.text, label.offset)
            key = (use.receiver, label.definition.name, label.offset, label.name)
            if key in said:
                continue
            said.add(key)
            if label.definition.origin:
                found = Diagnostic(message, label.definition.origin, line, column, hint, Level.WARNING)
                problems.diagnostics.append(found)
            else:
                problems.add(use.place(line, column), message, hint, Level.WARNING)
