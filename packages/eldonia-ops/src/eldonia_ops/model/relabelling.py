"""Relabelling of targets and of series, as Prometheus does it. Pure.

Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config. Regular
expressions are RE2, anchored at both ends, and their dot matches a line break.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import re2

ANY: Final = "(.*)"
FIRST: Final = "$1"
_REFERENCE: Final = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")
_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False


class RelabelAction(StrEnum):
    """What a rule does."""

    REPLACE = "replace"
    KEEP = "keep"
    DROP = "drop"
    KEEP_EQUAL = "keepequal"
    DROP_EQUAL = "dropequal"
    HASH_MOD = "hashmod"
    LABEL_MAP = "labelmap"
    LABEL_DROP = "labeldrop"
    LABEL_KEEP = "labelkeep"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"


NEEDS_TARGET: Final = frozenset(
    {
        RelabelAction.REPLACE,
        RelabelAction.KEEP_EQUAL,
        RelabelAction.DROP_EQUAL,
        RelabelAction.HASH_MOD,
        RelabelAction.LOWERCASE,
        RelabelAction.UPPERCASE,
    }
)


@dataclass(frozen=True, slots=True)
class RelabelRule:
    """One rule. The values of ``source_labels``, joined by ``separator``, are what ``regex`` looks at; actions on names
    of labels look at those instead.

    Raises:
        ValueError: the pattern is no RE2.
    """

    action: RelabelAction = RelabelAction.REPLACE
    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    regex: str = ANY
    target_label: str = ""
    replacement: str = FIRST
    modulus: int = 0
    _pattern: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            pattern = re2.compile(f"^(?s:{self.regex})$", _OPTIONS)
        except re2.error as error:
            detail = error.args[0] if error.args else error
            text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
            raise ValueError(f"bad regular expression {self.regex!r}: {text}") from None
        object.__setattr__(self, "_pattern", pattern)

    def match(self, text: str) -> Any:
        """The match of the whole text, None for none."""
        return self._pattern.match(text)


def relabelled(labels: Mapping[str, str], rules: Iterable[RelabelRule]) -> dict[str, str] | None:
    """The labels after all rules; None when one of them drops their bearer. Labels without a value are left out."""
    found = {name: value for name, value in labels.items() if value}
    for rule in rules:
        if not _apply(rule, found):
            return None
    return found


def _apply(rule: RelabelRule, labels: dict[str, str]) -> bool:
    """Change labels in place; False drops their bearer."""
    value = rule.separator.join(labels.get(name, "") for name in rule.source_labels)
    match rule.action:
        case RelabelAction.KEEP:
            return rule.match(value) is not None
        case RelabelAction.DROP:
            return rule.match(value) is None
        case RelabelAction.KEEP_EQUAL:
            return labels.get(rule.target_label, "") == value
        case RelabelAction.DROP_EQUAL:
            return labels.get(rule.target_label, "") != value
        case RelabelAction.REPLACE:
            _replace(rule, value, labels)
        case RelabelAction.LOWERCASE:
            _set(labels, rule.target_label, value.lower())
        case RelabelAction.UPPERCASE:
            _set(labels, rule.target_label, value.upper())
        case RelabelAction.HASH_MOD:
            _set(labels, rule.target_label, str(hash_of(value) % rule.modulus))
        case RelabelAction.LABEL_MAP:
            mapped = [(rule.match(name), held) for name, held in labels.items()]
            for match, held in mapped:
                if match is not None:
                    _set(labels, expanded(rule.replacement, match), held)
        case RelabelAction.LABEL_DROP:
            for name in [name for name in labels if rule.match(name) is not None]:
                del labels[name]
        case RelabelAction.LABEL_KEEP:
            for name in [name for name in labels if rule.match(name) is None]:
                del labels[name]
    return True


def _replace(rule: RelabelRule, value: str, labels: dict[str, str]) -> None:
    match = rule.match(value)
    if match is None:
        return
    target = expanded(rule.target_label, match)
    if target:
        _set(labels, target, expanded(rule.replacement, match))


def _set(labels: dict[str, str], name: str, value: str) -> None:
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)


def hash_of(text: str) -> int:
    """The number that ``hashmod`` divides: the last eight bytes of the MD5 sum, the first of them the most weighty."""
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[8:], "big")


def expanded(template: str, match: Any) -> str:
    """A template with ``$1``, ``${1}`` and ``${name}`` filled in, as Go's ``Regexp.Expand`` does: ``$1x`` is the group
    ``1x``, a group that there is not is empty, and ``$$`` is a dollar sign."""

    def one(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if not name:
            return "$"
        try:
            return match[int(name)] or "" if name.isdecimal() else match[name] or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(one, template)
