"""Which rule groups run: those of files, the shipped defaults, and those that objectives generate."""

import functools
from collections.abc import Iterable
from dataclasses import replace
from importlib.resources import files

from eldonia_ops.model.labels import Labels
from eldonia_ops.promql import parse
from eldonia_ops.protocols.prometheus_rules import parse_rule_file
from eldonia_ops.rules import AlertingRule, RecordingRule, RuleGroup, scale
from eldonia_ops.slo.generate import RuleSet


def running_groups(
    written: Iterable[RuleGroup], *, defaults: bool, objectives: Iterable[RuleSet], interval_ms: int, speed: float
) -> list[RuleGroup]:
    """Every group that is to run, with its interval filled in and its durations divided by ``speed``.

    ``written`` are the groups of people's rule files; ``interval_ms`` is for groups that name none. The windows of
    ``objectives`` have been divided already.
    """
    groups = [*(default_groups() if defaults else ()), *written]
    ready = [replace(group, interval_ms=group.interval_ms or interval_ms) for group in groups]
    if speed != 1:
        ready = [scale(group, speed) for group in ready]
    return ready + [objective_group(rules, max(1, round(interval_ms / speed))) for rules in objectives]


@functools.cache
def default_groups() -> tuple[RuleGroup, ...]:
    """The groups that are shipped with the package."""
    folder = files("eldonia_ops.defaults") / "rules"
    return tuple(
        group
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith((".yml", ".yaml"))
        for group in parse_rule_file(item.read_text(encoding="utf-8"), item.name)
    )


def objective_group(rules: RuleSet, interval_ms: int) -> RuleGroup:
    """The generated rules of one objective as a group."""
    file = "objectives"
    recording = [
        RecordingRule(rule.name, rule.expr, parse(rule.expr), Labels(rule.labels), file) for rule in rules.recording
    ]
    alerting = [
        AlertingRule(
            rule.name,
            rule.expr,
            parse(rule.expr),
            rule.for_ms,
            0,
            Labels(rule.labels),
            Labels(rule.annotations),
            file,
        )
        for rule in rules.alerting
    ]
    return RuleGroup(rules.name, (*recording, *alerting), interval_ms, file=file)
