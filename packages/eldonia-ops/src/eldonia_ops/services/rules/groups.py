"""Which rule groups run: those of files, the shipped defaults, and those that objectives generate."""

from collections.abc import Iterable
from dataclasses import replace

from eldonia_ops.model.labels import Labels
from eldonia_ops.promql import parse
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.rules import AlertingRule, RecordingRule, RuleGroup, scale
from eldonia_ops.rules.tuning import tuned
from eldonia_ops.settings import DefaultRules
from eldonia_ops.slo.generate import RuleSet


def running_groups(
    written: Iterable[RuleGroup],
    *,
    defaults: DefaultRules,
    objectives: Iterable[RuleSet],
    interval_ms: int,
    speed: float,
    language: str = "en",
) -> list[RuleGroup]:
    """Every group that is to run, with its interval filled in and its durations divided by ``speed``.

    ``written`` are the groups of people's rule files; ``interval_ms`` is for groups that name none. The windows of
    ``objectives`` have been divided already. ``language`` is that of the shipped rules' texts.
    """
    groups = [*(tuned(shipped_groups(language), defaults.changes) if defaults.enabled else ()), *written]
    ready = [replace(group, interval_ms=group.interval_ms or interval_ms) for group in groups]
    if speed != 1:
        ready = [scale(group, speed) for group in ready]
    return ready + [objective_group(rules, max(1, round(interval_ms / speed))) for rules in objectives]


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
