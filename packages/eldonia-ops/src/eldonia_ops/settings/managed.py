"""The file that pages and API change, ``eldonia-ops.managed.yml``, joined to the one that people write.

It has the same form, of some sections alone, and ``receivers``, ``rules.alerts`` and, as in the other,
``rules.defaults`` and ``retention.log_rules``. Both are joined as documents before anything is read, so every check
sees all entries, and faults name the file that they are in. Lists are appended. Where both have an entry of one name,
the written one holds and the managed one is left out with a warning that names both places: alerting has to start all
the same.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from eldonia_ops.collectors import registry
from eldonia_ops.model.errors import Level
from eldonia_ops.protocols.yaml_document import (
    Problems,
    YamlNode,
    belongs_to,
    load,
    mapping_of,
    sequence_of,
    text_of,
)
from eldonia_ops.settings.containers import Items, Section
from eldonia_ops.settings.declaration import declared
from eldonia_ops.settings.kinds import Kind
from eldonia_ops.settings.prometheus_file import PrometheusText, translated
from eldonia_ops.settings.texts import Glob

MANAGED_FILE: Final = "eldonia-ops.managed.yml"
OBJECTIVES: Final = "objectives"
RECEIVERS: Final = "receivers"
TUNING: Final = "rules.defaults"
LOG_METRICS: Final = "log_metrics"
LOG_RULES: Final = "retention.log_rules"
ALERTS: Final = "rules.alerts"
Pairs: TypeAlias = list[tuple[YamlNode, YamlNode]]
_NAMED_BY_PEOPLE: Final = frozenset({"labels", "annotations", "params", "matching"})
"""Mappings whose keys are not ours: one that ends with ``_file`` names none."""
_DSN: Final = "dsn"
_ADDRESS: Final = "url"
"""What tells entries apart that may leave their own name out."""


@dataclass(frozen=True, slots=True)
class ManagedText:
    """The text of the managed file. ``file`` is what messages call it, ``folder`` where its relative paths begin."""

    file: str
    text: str
    folder: Path


@dataclass(frozen=True, slots=True)
class EntryPlace:
    """Where an entry of a section is written. ``holds`` is false for one that the written file has too."""

    section: str
    name: str
    file: str
    line: int
    managed: bool
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Parts:
    """What is read elsewhere than the settings: ``receivers`` with the routing, ``alerts`` with the rules. ``file`` is
    the managed file, '' without one."""

    file: str = ""
    text: str = ""
    receivers: tuple[YamlNode, ...] = ()
    alerts: tuple[YamlNode, ...] = ()
    places: tuple[EntryPlace, ...] = ()
    taken: tuple[str, ...] = ()
    rule_files: Mapping[str, tuple[str, int, int]] = field(default_factory=dict[str, tuple[str, int, int]])


NO_PARTS: Final = Parts()


_OURS: Final = {
    OBJECTIVES: "name",
    RECEIVERS: "name",
    ALERTS: "alert",
    TUNING: "name",
    LOG_METRICS: "name",
    LOG_RULES: "name",
}
_NESTED: Final = frozenset(one for one in _OURS if "." in one)
_RULES_OF_LOGS: Final = LOG_RULES.partition(".")[2]


def named(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an entry, with its name. One that leaves it out and is reached by a DSN has that of the server: the
    DSN is a secret and will be kept in another file."""
    key, dsn = identity_key(section), values.get(_DSN)
    if key is None or values.get(key) or not isinstance(dsn, str):
        return dict(values)
    server = dsn.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
    return {**values, key: server} if server else dict(values)


def identity_key(section: str) -> str | None:
    """The key that names an entry of a section that can be managed; '' for a section that is one entry, None for any
    other."""
    if section in _OURS:
        return _OURS[section]
    kind = _kind_of(section)
    return kind.unique if isinstance(kind, Items) else "" if isinstance(kind, Section) else None


def manageable_sections() -> tuple[str, ...]:
    """The sections whose entries can be managed."""
    collected = (key for key in registry.registered_keys() if identity_key(key) is not None)
    return (*collected, *_OURS)


def _kind_of(section: str) -> Kind | None:
    """How a collector's section is declared. Collectors are loaded only when a file names them."""
    if section not in registry.registered_keys():
        return None
    try:
        found = registry.find(section).section
    except registry.CollectorError:
        return None  # it is named where its section is read
    return None if found is None else found.kind


def _is_path(section: str) -> bool:
    """Whether entries are named by paths, so that a relative and an absolute one may be the same."""
    kind = None if section in _OURS else _kind_of(section)
    if not isinstance(kind, Items):
        return False
    return any(one.name == kind.unique and isinstance(one.kind, Glob) for one in declared(kind.cls))


def join(
    document: YamlNode,
    managed: ManagedText | None,
    problems: Problems,
    directory: Path,
    prometheus: PrometheusText | None = None,
) -> tuple[YamlNode, Parts]:
    """The settings' document with what a prometheus.yml means and with the entries of the managed file, and what else
    that file holds.

    Raises:
        ConfigError: one of the other texts is not YAML.
    """
    joined = _Joined(document, problems, directory, "" if managed is None else managed.file)
    imported = None if prometheus is None else translated(prometheus, problems)
    if imported is not None and prometheus is not None:
        _make_absolute(imported.document, prometheus.folder)
        joined.take(imported.document)
    if managed is not None and (root := load(managed.text, managed.file, problems)) is not None:
        belongs_to(root, managed.file)
        _make_absolute(root, managed.folder)
        joined.add(root)
    parts = Parts(
        "" if managed is None else managed.file,
        "" if managed is None else managed.text,
        tuple(joined.receivers),
        tuple(joined.alerts),
        tuple(joined.places),
        () if imported is None else imported.taken,
        {} if imported is None else imported.rule_files,
    )
    if managed is None and imported is None:
        return document, parts
    return mapping_of(joined.pairs, document), parts


class _Joined:
    """The pairs of the document, with what was added so far."""

    def __init__(self, document: YamlNode, problems: Problems, directory: Path, managed: str) -> None:
        self._managed = managed
        self.pairs: Pairs = list(document.pairs)
        self.receivers: list[YamlNode] = []
        self.alerts: list[YamlNode] = []
        self._problems = problems
        self._directory = directory
        self.places: list[EntryPlace] = list(self._written())

    def take(self, root: YamlNode) -> None:
        """Add sections that another file means. Single values of the written file hold."""
        for key, value in root.pairs:
            if value.is_sequence:
                self._append(key, self._new(key.text, value))
                continue
            inside = list(pairs) if (pairs := self._mapping(key.text)) is not None else []
            for name, one in value.pairs:
                old = _value_of(name.text, inside)
                if old is None or old.is_null:
                    inside = _with(inside, name, one)
                elif old.is_sequence and one.is_sequence:
                    inside = _with(inside, name, sequence_of([*old.elements(), *one.elements()], old))
            self.pairs = _with(self.pairs, key, mapping_of(inside, value))

    def _mapping(self, key: str) -> Pairs | None:
        found = _value_of(key, self.pairs)
        return None if found is None or not found.is_mapping else found.pairs

    def add(self, root: YamlNode) -> None:
        if not root.is_mapping:
            self._problems.add(root, f"the managed file must be a mapping, not {root.describe()}")
        for key, value in root.pairs:
            if key.text == "rules":
                self._rules(key, value)
            elif key.text == "retention":
                self._retention(key, value)
            elif key.text == RECEIVERS:
                self.receivers += self._new(RECEIVERS, value)
            elif (name := identity_key(key.text)) is None or key.text in _NESTED:
                known = ", ".join(sorted({"rules", "retention", *manageable_sections()} - _NESTED))
                self._problems.add(key, f"{key.text!r} is nothing that the managed file may hold", f"known: {known}")
            elif name:
                self._append(key, self._new(key.text, value))
            else:
                self._single(key, value)

    def _written(self) -> Iterator[EntryPlace]:
        for key, value in self.pairs:
            if value.is_scalar:
                continue
            if key.text == "rules":
                for name, node in (one for inner, at in value.pairs if inner.text == "defaults" for one in at.pairs):
                    yield self._place(TUNING, name.text, node)
            elif key.text == "retention":
                for inner, at in value.pairs:
                    if inner.text == _RULES_OF_LOGS:
                        yield from self._named(LOG_RULES, at)
            elif key.text in (RECEIVERS, *_NESTED) or (unique := identity_key(key.text)) is None:
                continue
            elif not unique:
                yield self._place(key.text, key.text, key)
            else:
                yield from self._named(key.text, value)

    def _named(self, section: str, value: YamlNode) -> Iterator[EntryPlace]:
        for node in value.elements():
            if name := self._name(section, node):
                yield self._place(section, name, node)

    def _place(self, section: str, name: str, node: YamlNode, *, holds: bool = True) -> EntryPlace:
        return EntryPlace(section, name, node.file or self._problems.file, node.line, self._is_managed(node), holds)

    def _is_managed(self, node: YamlNode) -> bool:
        return bool(node.file) and node.file == self._managed

    def _name(self, section: str, node: YamlNode) -> str:
        texts = {key.text: value.text for key, value in node.pairs if value.is_scalar}
        name = texts.get(identity_key(section) or "") or texts.get(_ADDRESS, "")
        return os.path.normpath(self._directory / name) if name and _is_path(section) else name

    def _is_new(self, section: str, name: str, node: YamlNode) -> bool:
        """Whether the written file lacks an entry; notes where it is, and what is wrong with its name."""
        there = next((one for one in self.places if (one.section, one.name) == (section, name)), None)
        self.places.append(self._place(section, name, node, holds=there is None))
        if there is None:
            return True
        where = f"{there.file}, line {there.line}"
        if there.managed:
            self._problems.add(node, f"{section} {name} occurs twice", f"first in {where}")
        else:
            message = f"{section} {name} is also in {where}, which holds; this entry is left out"
            self._problems.add(node, message, "remove one of them", Level.WARNING)
        return False

    def _new(self, section: str, value: YamlNode) -> list[YamlNode]:
        if not value.is_sequence and not value.is_null:
            self._problems.add(value, f"{section} must be a list, not {value.describe()}")
        return [one for one in value.elements() if self._is_new(section, self._name(section, one), one)]

    def _single(self, key: YamlNode, value: YamlNode) -> None:
        if self._is_new(key.text, key.text, value):
            self.pairs.append((key, value))

    def _append(self, key: YamlNode, found: list[YamlNode]) -> None:
        if not found:
            return
        written = _value_of(key.text, self.pairs)
        if written is None or written.is_null:
            self.pairs = _with(self.pairs, key, sequence_of(found, key))
        elif written.is_sequence:  # anything else is a fault of its own
            self.pairs = _with(self.pairs, key, sequence_of([*written.elements(), *found], written))

    def _rules(self, key: YamlNode, value: YamlNode) -> None:
        if not value.is_mapping:
            self._problems.add(value, f"rules must be a mapping, not {value.describe()}")
        for inner, node in value.pairs:
            if inner.text == "alerts":
                self.alerts += self._new(ALERTS, node)
            elif inner.text == "defaults":
                self._tuning(key, inner, node)
            else:
                known = "known: defaults, alerts"
                self._problems.add(inner, f"{inner.text!r} is nothing that the managed file may say of rules", known)

    def _retention(self, key: YamlNode, value: YamlNode) -> None:
        if not value.is_mapping:
            self._problems.add(value, f"retention must be a mapping, not {value.describe()}")
        for inner, node in value.pairs:
            if inner.text != _RULES_OF_LOGS:
                known = f"known: {_RULES_OF_LOGS}"
                self._problems.add(
                    inner, f"{inner.text!r} is nothing that the managed file may say of retention", known
                )
            elif found := self._new(LOG_RULES, node):
                written = _value_of("retention", self.pairs)
                if written is not None and not written.is_mapping and not written.is_null:
                    return  # a fault of its own
                pairs = written.pairs if written is not None and written.is_mapping else []
                old = _value_of(_RULES_OF_LOGS, pairs)
                if old is not None and old.is_sequence:
                    found = [*old.elements(), *found]
                joined = mapping_of(_with(pairs, inner, sequence_of(found, node)), value)
                self.pairs = _with(self.pairs, key, joined)

    def _tuning(self, rules: YamlNode, defaults: YamlNode, value: YamlNode) -> None:
        found = [(name, node) for name, node in value.pairs if self._is_new(TUNING, name.text, node)]
        if not found:
            return
        added = mapping_of(found, value)
        written = _value_of("rules", self.pairs)
        if written is None or written.is_null:
            self.pairs = _with(self.pairs, rules, mapping_of([(defaults, added)], value))
            return
        if not written.is_mapping:
            return  # a fault of its own
        old = _value_of("defaults", written.pairs)
        if old is not None and old.is_mapping:
            added = mapping_of([*old.pairs, *found], old)
        elif old is not None and not old.is_null and old.scalar() is not True:
            message = f"shipped rules are off by {self._problems.file}, line {old.line}: this changes nothing"
            self._problems.add(value, message, level=Level.WARNING)
            return
        self.pairs = _with(self.pairs, rules, mapping_of(_with(written.pairs, defaults, added), written))


def _value_of(key: str, pairs: Pairs) -> YamlNode | None:
    return next((value for name, value in pairs if name.text == key), None)


def _with(pairs: Pairs, key: YamlNode, value: YamlNode) -> Pairs:
    """The pairs with another value of a key, at its place if there is one."""
    if _value_of(key.text, pairs) is None:
        return [*pairs, (key, value)]
    return [(name, value if name.text == key.text else old) for name, old in pairs]


def _make_absolute(root: YamlNode, folder: Path) -> None:
    """Let ``…_file`` begin in the folder of the managed file, wherever the other file lies."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node.elements()
        for index, (key, value) in enumerate(node.pairs):
            if key.text.endswith("_file") and value.is_scalar and not value.is_null:
                node.pairs[index] = (key, text_of(str(folder / value.text), value))
            elif key.text not in _NAMED_BY_PEOPLE:
                waiting.append(value)
