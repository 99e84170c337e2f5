"""Which rule groups run: files, the shipped defaults, and those that objectives generate."""

import glob
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.resources import files

from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.labels import Labels
from eldonia_ops.promql import parse
from eldonia_ops.protocols.prometheus_rules import parse_rule_file
from eldonia_ops.protocols.text_file import read_text_file
from eldonia_ops.rules import AlertingRule, RecordingRule, RuleGroup, scale
from eldonia_ops.slo.generate import RuleSet


def load_rule_groups(
    patterns: Sequence[str], *, defaults: bool, objectives: Iterable[RuleSet], interval_ms: int, speed: float
) -> list[RuleGroup]:
    """Every group that is to run, with its interval filled in and its durations divided by ``speed``.

    ``patterns`` are globs of rule files; ``interval_ms`` is for groups that name none. The windows of
    ``objectives`` have been divided already.

    Raises:
        ConfigError: with the faults of all files together, or when a plain path names no file.
    """
    groups: list[RuleGroup] = []
    faults: list[Diagnostic] = []
    for file, text in [*(_default_files() if defaults else []), *_read(patterns, faults)]:
        try:
            groups += parse_rule_file(text, file)
        except ConfigError as error:
            faults += error.diagnostics
    if faults:
        raise ConfigError(faults)
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


def _default_files() -> list[tuple[str, str]]:
    folder = files("eldonia_ops.defaults") / "rules"
    return [
        (item.name, item.read_text(encoding="utf-8"))
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith((".yml", ".yaml"))
    ]


def _read(patterns: Sequence[str], faults: list[Diagnostic]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for pattern in patterns:
        paths = sorted(glob.glob(pattern, recursive=True))
        if not paths and not glob.has_magic(pattern):
            faults.append(Diagnostic("there is no such rule file", pattern))
        for path in paths:
            try:
                found[path] = read_text_file(path)
            except ConfigError as error:
                faults += error.diagnostics
    return list(found.items())
