"""The rule files that come with the package, and their texts in other languages."""

import functools
import tomllib
from dataclasses import replace
from importlib.resources import files

from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.prometheus.rules import parse_rule_file
from eldonia_ops.rules import AlertingRule, Rule, RuleGroup


@functools.cache
def shipped_groups(language: str = "en") -> tuple[RuleGroup, ...]:
    """The groups of all shipped rule files, by the files' names, with their texts in a language."""
    folder = files("eldonia_ops.defaults") / "rules"
    texts = _texts(language)
    return tuple(
        replace(group, rules=tuple(_in_language(rule, texts) for rule in group.rules))
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith((".yml", ".yaml"))
        for group in parse_rule_file(item.read_text(encoding="utf-8"), item.name)
    )


def _texts(language: str) -> dict[str, dict[str, str]]:
    """Annotations, and the comment, by a rule's name; empty for English, which the rules themselves have."""
    if language == "en":
        return {}
    text = (files("eldonia_ops.defaults") / f"rule_texts.{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _in_language(rule: Rule, texts: dict[str, dict[str, str]]) -> Rule:
    if not isinstance(rule, AlertingRule):
        return replace(rule, comment=texts.get(rule.record, {}).get("comment", rule.comment))
    found = texts.get(f"{rule.alert}.{rule.labels.get('severity', '')}") or texts.get(rule.alert)
    if not found:
        return rule
    annotations = Labels({**rule.annotations, **found, "comment": ""})
    return replace(rule, annotations=annotations, comment=found.get("comment", rule.comment))
