"""``rules.defaults``: all shipped rules, none of them, or changes to some by name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.model.durations import format_duration
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.rules.groups import AlertingRule
from eldonia_ops.rules.tuning import RuleChange, names_of, threshold_of
from eldonia_ops.settings.kinds import NULL, Clean, Flag, Kind, Period, any_of
from eldonia_ops.settings.reader import SettingsReader

SEVERITIES: Final = ("critical", "warning", "info")
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(\.\d{0,20})?")
_LARGEST: Final = 1e15
_FLAG: Final = Flag()
_FOR: Final = Period(minimum=0)


@dataclass(frozen=True, slots=True)
class DefaultRules:
    """Whether the shipped rules run, and what is changed in them, by the names of
    :func:`~eldonia_ops.rules.tuning.names_of`."""

    enabled: bool = True
    changes: Mapping[str, RuleChange] = field(default_factory=dict[str, RuleChange])


NO_DEFAULT_RULES: Final = DefaultRules(enabled=False)


@dataclass(frozen=True, slots=True)
class ShippedRules(Kind):
    """``true``, ``false``, or a mapping from a rule's name to ``off`` or to what is different."""

    @property
    def words(self) -> str:
        """The kind in words."""
        return "`true`, `false`, or changes by name, below"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The changes; the name of a rule that is not shipped is a fault."""
        node = reader.get(key)
        if node is None or not node.is_mapping:
            return DefaultRules(_FLAG.read(reader, key, default.enabled, required))
        inner = reader.at(node, key)
        changes: dict[str, RuleChange] = {}
        for name, rules in sorted(names_of(shipped_groups()).items()):
            value = inner.get(name)
            if value is None:
                continue
            if value.is_mapping:
                changes[name] = _change(inner.at(value, f"{key}.{name}"), name, rules)
            elif value.is_scalar and _NUMBER.fullmatch(value.text):
                inner.fault(name, f"{name} is off, or a mapping", f"write {name}: {{threshold: {value.text}}}")
            else:
                changes[name] = RuleChange(enabled=_FLAG.read(inner, name, True, False))
        inner.done()
        return DefaultRules(True, changes)

    def schema(self) -> dict[str, Any]:
        """A boolean, or a mapping by the names of the shipped rules."""
        change = {
            "type": "object",
            "properties": {
                "enabled": _FLAG.schema(),
                "threshold": any_of(
                    {"type": "number", "minimum": -_LARGEST, "maximum": _LARGEST},
                    {"type": "string", "pattern": r"^\s*[+-]?[\d_.]"},
                ),
                "for": _FOR.schema(),
                "severity": any_of({"enum": list(SEVERITIES)}),
            },
            "additionalProperties": False,
        }
        one = {"anyOf": [_FLAG.schema(), change, NULL]}
        by_name = dict.fromkeys(sorted(names_of(shipped_groups())), one)
        return {
            "anyOf": [_FLAG.schema(), {"type": "object", "properties": by_name, "additionalProperties": False}, NULL]
        }

    def plain(self, value: Any, clean: Clean) -> Any:
        """The boolean, or the changes."""
        return {name: _plain(change) for name, change in value.changes.items()} or value.enabled


def _change(reader: SettingsReader, name: str, rules: list[AlertingRule]) -> RuleChange:
    severities = [rule.labels.get("severity", "") for rule in rules]
    threshold = reader.number("threshold") if reader.get("threshold") is not None else None
    if threshold is not None and abs(threshold) > _LARGEST:
        reader.fault("threshold", f"threshold is beyond {_LARGEST:g}")
        threshold = None
    if len(rules) > 1 and (threshold is not None or reader.get("severity") is not None):
        hint = "write " + " or ".join(f"{name}.{severity}" for severity in severities)
        reader.problems.add(reader.node, f"there are {len(rules)} rules {name}, one for each severity", hint)
        threshold = None
    if threshold is not None and threshold_of(rules[0]) is None:
        reader.fault("threshold", f"{name} has no threshold: it asks for a state")
        threshold = None
    found = RuleChange(
        enabled=_FLAG.read(reader, "enabled", True, False),
        threshold=threshold,
        for_ms=_FOR.read(reader, "for", 0, False) if reader.get("for") is not None else None,
        severity=reader.choice("severity", SEVERITIES, severities[0]) if reader.get("severity") is not None else "",
    )
    reader.done()
    return found


def _plain(change: RuleChange) -> Any:
    if not change.enabled:
        return False
    found: dict[str, Any] = {}
    if change.threshold is not None:
        found["threshold"] = change.threshold
    if change.for_ms is not None:
        found["for"] = format_duration(change.for_ms)
    if change.severity:
        found["severity"] = change.severity
    return found or True
