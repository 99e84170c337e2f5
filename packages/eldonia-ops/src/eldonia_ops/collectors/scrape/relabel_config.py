"""Kinds of settings that scrape jobs share with Prometheus: relabelling, groups of targets, parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.relabelling import ANY, FIRST, NEEDS_TARGET, RelabelAction, RelabelRule
from eldonia_ops.settings.containers import SCALAR, LabelSet
from eldonia_ops.settings.kinds import NULL, Clean, Kind
from eldonia_ops.settings.reader import SettingsReader

_ACTIONS: Final = tuple(one.value for one in RelabelAction)
_ON_NAMES: Final = frozenset({RelabelAction.LABEL_MAP, RelabelAction.LABEL_DROP, RelabelAction.LABEL_KEEP})
_LABELS: Final = LabelSet()
_TEXT: Final = {"type": [*SCALAR["type"], "null"]}
_LARGEST_MODULUS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RelabelRules(Kind):
    """A list of relabelling rules, with Prometheus' keys."""

    empty: ClassVar[Any] = ()

    @property
    def words(self) -> str:
        """The kind in words."""
        return "list of Prometheus' `relabel_config`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The rules; one with a fault is left out."""
        found = [_rule(one) for one in reader.list_of(key)]
        return tuple(one for one in found if one is not None)

    def schema(self) -> dict[str, Any]:
        """An array of mappings."""
        names = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}, NULL]}
        rule = {
            "type": "object",
            "properties": {
                "action": {"type": ["string", "null"]},
                "source_labels": names,
                "separator": _TEXT,
                "regex": _TEXT,
                "target_label": _TEXT,
                "replacement": _TEXT,
                "modulus": {"type": ["integer", "string", "null"]},
            },
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "array", "items": rule}, NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """The rules, without what they leave at its default."""
        return [_plain(one) for one in value]


def _rule(reader: SettingsReader) -> RelabelRule | None:
    before = len(reader.problems.errors)
    word = reader.string("action", RelabelAction.REPLACE.value).lower()
    if word not in _ACTIONS:
        reader.fault("action", f"there is no action {word!r}", f"one of {', '.join(_ACTIONS)}")
    action = RelabelAction(word) if word in _ACTIONS else RelabelAction.REPLACE
    sources = reader.strings("source_labels")
    target = reader.string("target_label")
    modulus = reader.integer("modulus", minimum=0)
    # A text without anything between quotation marks is one, not the default.
    values = {name: _written(reader, name, default) for name, default in (("separator", ";"), ("replacement", FIRST))}
    regex = _written(reader, "regex", ANY)
    reader.done()
    if word not in _ACTIONS:
        return None
    if action in NEEDS_TARGET and not target:
        reader.problems.add(reader.node, f"{reader.what}: {action} needs target_label")
    if action is RelabelAction.HASH_MOD and not 0 < modulus <= _LARGEST_MODULUS:
        reader.problems.add(reader.node, f"{reader.what}: hashmod needs a modulus above zero")
    if action in _ON_NAMES and sources:
        reader.fault("source_labels", f"{action} looks at the names of labels: source_labels means nothing to it")
    try:
        rule = RelabelRule(action, sources, values["separator"], regex, target, values["replacement"], modulus)
    except ValueError as error:
        reader.fault("regex", str(error))
        return None
    return rule if len(reader.problems.errors) == before else None


def _written(reader: SettingsReader, key: str, default: str) -> str:
    return reader.string(key, "") if reader.has(key) and reader.get(key) is not None else default


def _plain(rule: RelabelRule) -> dict[str, Any]:
    found: dict[str, Any] = {"action": rule.action.value}
    if rule.source_labels:
        found["source_labels"] = list(rule.source_labels)
    for key, default in (("separator", ";"), ("regex", ANY), ("target_label", ""), ("replacement", FIRST)):
        if getattr(rule, key) != default:
            found[key] = getattr(rule, key)
    if rule.modulus:
        found["modulus"] = rule.modulus
    return found


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Addresses with labels of their own. An address may be anything that relabelling makes one of."""

    targets: tuple[str, ...]
    labels: Labels = EMPTY


@dataclass(frozen=True, slots=True)
class TargetGroups(Kind):
    """Prometheus' ``static_configs``."""

    empty: ClassVar[Any] = ()

    @property
    def words(self) -> str:
        """The kind in words."""
        return "list of `targets` with `labels`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The groups."""
        found: list[TargetGroup] = []
        for one in reader.list_of(key):
            targets = tuple(text for text in one.strings("targets") if text)
            found.append(TargetGroup(targets, _group_labels(one)))
            one.done()
        return tuple(found)

    def schema(self) -> dict[str, Any]:
        """An array of mappings."""
        group = {
            "type": "object",
            "properties": {
                "targets": {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}, NULL]},
                "labels": {"anyOf": [{"type": "object", "additionalProperties": _TEXT}, NULL]},
            },
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "array", "items": group}, NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """The groups."""
        return [{"targets": list(one.targets), "labels": dict(one.labels)} for one in value]


def _group_labels(reader: SettingsReader) -> Labels:
    """Labels for relabelling: ``__param_module`` and the like are allowed here."""
    return Labels(reader.string_map("labels"))


@dataclass(frozen=True, slots=True)
class Parameters(Kind):
    """Parameters of a URL, each with one value or several."""

    empty: ClassVar[Any] = ()

    @property
    def words(self) -> str:
        """The kind in words."""
        return "mapping to texts"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """Pairs of names and values."""
        inner = reader.section(key)
        if inner is None:
            return default
        found = [(name.text, inner.strings(name.text)) for name, _ in inner.node.items() if name.is_scalar]
        inner.done()
        return tuple((name, value) for name, values in found for value in values)

    def schema(self) -> dict[str, Any]:
        """A mapping to scalars or arrays of them."""
        values = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}, NULL]}
        return {"anyOf": [{"type": "object", "additionalProperties": values}, NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """The mapping."""
        found: dict[str, list[str]] = {}
        for name, one in value:
            found.setdefault(name, []).append(one)
        return found


def first_values(parameters: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """The first value of each parameter: that which ``__param_<name>`` is."""
    found: dict[str, str] = {}
    for name, value in parameters:
        found.setdefault(name, value)
    return found
