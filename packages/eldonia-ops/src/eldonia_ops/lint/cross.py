"""Faults that show only when several files are seen together."""

from collections.abc import Iterator
from pathlib import Path

from eldonia_ops.alerting.receivers import obstacle
from eldonia_ops.alerting.routing_lint import contradict, possible_values
from eldonia_ops.lint.dependencies import unknown_dependencies
from eldonia_ops.lint.workspace import SHIPPED, Workspace
from eldonia_ops.model.errors import Diagnostic, Level, nearest
from eldonia_ops.protocols.dashboard_file import without_repetition
from eldonia_ops.rules.groups import AlertingRule

_ALWAYS_FINE = ("info", "none")


def cross_check(workspace: Workspace) -> list[Diagnostic]:
    """Every reference from one file into another that leads nowhere, or to a receiver without integration."""
    return [
        *_shipped_receivers(workspace),
        *_escalation_receivers(workspace),
        *_severities(workspace),
        *_repeated_alerts(workspace),
        *_dead_inhibition(workspace),
        *_repeated_dashboards(workspace),
        *unknown_dependencies(workspace),
    ]


def _shipped_receivers(workspace: Workspace) -> Iterator[Diagnostic]:
    """Variables that the shipped routing wants and that are not set: most people are not notified of anything then."""
    for file, settings in workspace.settings.items():
        if settings.alertmanager.file is not None or SHIPPED not in workspace.routings:
            continue
        lacking: dict[str, list[str]] = {}
        routing = workspace.routings[SHIPPED]
        used = dict.fromkeys(route.receiver for route in routing.route.walk())
        for receiver in (one for one in routing.receivers.values() if one.name in used):
            for integration in receiver.integrations:
                reason = obstacle(integration.config)
                if reason:
                    lacking.setdefault(reason, []).append(receiver.name)
        for reason, receivers in lacking.items():
            yield Diagnostic(
                f"{reason}: nothing reaches {', '.join(dict.fromkeys(receivers))} of the routing that is shipped",
                file,
                hint="set it where the platform runs, or name a routing of your own: alertmanager: {file: ...}",
                level=Level.WARNING,
            )


def _escalation_receivers(workspace: Workspace) -> Iterator[Diagnostic]:
    for file, settings in workspace.settings.items():
        routings = _routings_of(workspace, file)
        if not routings:
            continue  # the routing is faulty or missing, and that has been said
        receivers = {name: one for key in routings for name, one in workspace.routings[key].receivers.items()}
        names = set(receivers)
        where = "the shipped routing" if routings == [SHIPPED] else ", ".join(routings)
        for index, tier in enumerate(settings.incidents.escalation):
            if tier.receiver and tier.receiver not in names:
                yield workspace.at(
                    file,
                    f"the tier {tier.name} is notified through the receiver {tier.receiver!r}, which is not in {where}",
                    ("incidents", "escalation", index, "receiver"),
                    nearest(tier.receiver, names) or f"known: {', '.join(sorted(names))}",
                )
            elif tier.receiver and not receivers[tier.receiver].integrations:
                yield workspace.at(
                    file,
                    f"the tier {tier.name} would notify no one: the receiver {tier.receiver!r} has no integration",
                    ("incidents", "escalation", index, "receiver"),
                    "an incident passes such a tier over; give the receiver a slack_configs, webhook_configs, …",
                    Level.WARNING,
                )


def _routings_of(workspace: Workspace, settings_file: str) -> list[str]:
    """The routing that the settings name, or the shipped one; none when it could not be read."""
    settings = workspace.settings[settings_file]
    if settings.alertmanager.file is None:
        return [SHIPPED] if SHIPPED in workspace.routings else []
    wanted = settings.alertmanager.file.resolve()
    return [key for key in workspace.routings if key != SHIPPED and Path(key).resolve() == wanted]


def _severities(workspace: Workspace) -> Iterator[Diagnostic]:
    if not workspace.settings:
        return  # what opens incidents is not known
    known = set(_ALWAYS_FINE)
    for settings in workspace.settings.values():
        known |= set(settings.incidents.opens)
    for routing in workspace.routings.values():
        for route in routing.route.walk():
            for matcher in route.matchers:
                if matcher.name == "severity":
                    known |= set(possible_values(matcher) or ())
    for file, groups in workspace.rules.items():
        for group_index, group in enumerate(groups):
            for rule_index, rule in enumerate(group.rules):
                severity = rule.labels.get("severity", "") if isinstance(rule, AlertingRule) else ""
                if severity and "{{" not in severity and severity.lower() not in known:
                    yield workspace.at(
                        file,
                        f"nothing knows the severity {severity!r}: no route asks for it and it opens no incident",
                        ("groups", group_index, "rules", rule_index, "labels", "severity"),
                        nearest(severity, known) or f"known: {', '.join(sorted(known))}",
                        Level.WARNING,
                    )


def _repeated_alerts(workspace: Workspace) -> Iterator[Diagnostic]:
    """The same alert with the same labels and expression twice: every receiver would be notified twice."""
    seen: dict[tuple[object, ...], AlertingRule] = {}
    for groups in workspace.rules.values():
        for group in groups:
            for rule in group.rules:
                if not isinstance(rule, AlertingRule):
                    continue
                first = seen.setdefault((rule.alert, rule.labels, rule.query), rule)
                if first is not rule:
                    message = f"the alert {rule.alert} is defined twice, word for word"
                    hint = f"first in {first.file}, line {first.line}"
                    yield Diagnostic(message, rule.file, rule.line, rule.column, hint, Level.WARNING)


def _repeated_dashboards(workspace: Workspace) -> Iterator[Diagnostic]:
    """Two files with one uid: only the first can be opened by it."""
    yield from without_repetition(workspace.dashboards.items())[1]


def _dead_inhibition(workspace: Workspace) -> Iterator[Diagnostic]:
    """Inhibit rules that want one name with two severities, where no rule of any file gives a name two of them."""
    if not workspace.rules or any(settings.objectives for settings in workspace.settings.values()):
        return  # not known, or the alerts of objectives have both severities
    severities: dict[str, set[str]] = {}
    for groups in workspace.rules.values():
        for group in groups:
            for rule in group.rules:
                if isinstance(rule, AlertingRule):
                    severities.setdefault(rule.alert, set()).add(rule.labels.get("severity", ""))
    if any(len(found) > 1 or any("{{" in one for one in found) for found in severities.values()):
        return
    for file, routing in workspace.routings.items():
        for rule in routing.inhibit_rules if file != SHIPPED else ():
            source = [matcher for matcher in rule.source_matchers if matcher.name == "severity"]
            target = [matcher for matcher in rule.target_matchers if matcher.name == "severity"]
            if "alertname" in rule.equal and contradict(source, target):
                message = (
                    "this inhibit rule can never apply: it wants equal alertname and different severity, "
                    "and every alert name of the rules has one severity"
                )
                hint = "drop alertname from equal: a critical alert then quiets warnings of the same service"
                yield Diagnostic(message, file, rule.line, 0, hint, Level.WARNING)
