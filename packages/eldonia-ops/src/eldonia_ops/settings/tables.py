"""The tables of fields in ``docs/configuration.md``, written from the declarations.

A table lies between ``<!-- fields: NAME -->`` and ``<!-- end -->``; NAME is the path of a section, such as
``recovery.action.webhook``.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING
from enum import Enum
from typing import Any, Final

from eldonia_ops.incidents.policy import Tier
from eldonia_ops.model.durations import format_duration
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.rules.tuning import names_of, threshold_of
from eldonia_ops.security.thresholds import DEFAULTS, Threshold
from eldonia_ops.settings.collectors import CollectorSections
from eldonia_ops.settings.containers import ByName, Items, Section
from eldonia_ops.settings.declaration import Declared, declared
from eldonia_ops.settings.document import Settings
from eldonia_ops.settings.incidents import Escalation
from eldonia_ops.settings.listeners import Listeners, ListenerSettings, StreamUser
from eldonia_ops.settings.objects import Inline, plain_section
from eldonia_ops.settings.recovery import Action, ProcessAction, WebhookAction
from eldonia_ops.settings.shipped_rules import ShippedRules

_BEGIN: Final = re.compile(r"<!-- fields: ([\w.]++) -->")
_END: Final = "<!-- end -->"
_PLACEHOLDER: Final = re.compile(r"\{\{[^{}]*+\}\}")
_LINK: Final = re.compile(r"\]\(defaults/")
_TOP: Final = "top"


def with_tables(document: str) -> str:
    """The document with every table as the declarations have it.

    Raises:
        ValueError: it names a section that there is not, or leaves one out.
    """
    tables = dict(field_tables())
    named: list[str] = []
    lines: list[str] = []
    inside = False
    for line in document.splitlines(keepends=True):
        if begin := _BEGIN.match(line):
            named.append(begin[1])
            lines += [line, f"\n{tables.get(begin[1], '')}\n"]
            inside = True
        elif line.startswith(_END):
            inside = False
        if not inside:
            lines.append(line)
    if sorted(named) != sorted(tables):
        raise ValueError(f"tables of fields differ from sections: {sorted(set(named) ^ set(tables))}")
    return "".join(lines)


def field_tables() -> Iterator[tuple[str, str]]:
    """Name and Markdown of every table."""
    yield from _tables(_TOP, Settings)


def _tables(name: str, cls: type) -> Iterator[tuple[str, str]]:
    rows = ["| key | default | value | |", "|---|---|---|---|"]
    inner: list[tuple[str, type]] = []
    for field in _fields(cls):
        match field.kind:
            case Listeners():
                inner += [(field.key, ListenerSettings), (f"{field.key}.users", StreamUser)]
                continue
            case Items(cls=one) if one is StreamUser:
                pass  # of each listener
            case Section(cls=one) | Items(cls=one):
                inner.append((field.key if name == _TOP else f"{name}.{field.key}", one))
                continue
            case CollectorSections() as sections:
                kinds = {key: part.kind for key, part in sections.parts(ours=True).items()}
                inner += [(key, kind.cls) for key, kind in kinds.items() if isinstance(kind, Section | Items)]
                continue
            case Escalation():
                inner.append((f"{name}.{field.key}", Tier))
            case Action():
                inner += [
                    (f"{name}.{field.key}.process", ProcessAction),
                    (f"{name}.{field.key}.webhook", WebhookAction),
                ]
        rows.append(_row(field))
    if len(rows) > 2:  # else all of it is sections
        yield name, "\n".join(rows) + "\n"
    if any(isinstance(field.kind, ByName) for field in declared(cls)):
        yield f"{name}.windows", _thresholds()
    if any(isinstance(field.kind, ShippedRules) for field in declared(cls)):
        yield f"{name}.defaults", _shipped_rules()
    for path, one in inner:
        yield from _tables(path, one)


def _fields(cls: type) -> Iterator[Declared]:
    for field in declared(cls):
        if isinstance(field.kind, Inline):
            yield from _fields(field.kind.cls)
        else:
            yield field


def _row(field: Declared) -> str:
    key = f"{field.setting.under}.{field.key}" if field.setting.under else field.key
    value = f"{field.kind.words}; required" if field.required else field.kind.words
    doc = _LINK.sub("](../packages/eldonia-ops/src/eldonia_ops/defaults/", field.setting.doc)
    default = _default(field)
    cells = [f"`{key}`", f"`{default}`" if default else "", value, doc]
    return "| " + " | ".join(cells) + " |"


def _default(field: Declared) -> str:
    """The default as the file would say it; empty where there is none, or where the text says it."""
    if field.setting.default is not None:
        return field.setting.default
    if field.required or field.default in (MISSING, None):
        return ""
    value = field.kind.plain(field.default, lambda text: text)
    if isinstance(value, str):
        return value or '""'
    if isinstance(value, list | dict) and value and not isinstance(value, list):
        return ""
    if isinstance(value, list) and any(isinstance(one, dict) for one in value):
        return ""
    return json.dumps(value)


def _shipped_rules() -> str:
    rows = ["| name | severity | threshold | `for` | |", "|---|---|---|---|---|"]
    for name, rules in names_of(shipped_groups()).items():
        if len(rules) > 1:  # each of them follows under its own name
            continue
        threshold, text = threshold_of(rules[0]), _PLACEHOLDER.sub("…", rules[0].annotations["summary"])
        cells = [
            f"`{name}`",
            rules[0].labels.get("severity", ""),
            "" if threshold is None else f"{threshold:g}",
            format_duration(rules[0].for_ms),
            text,
        ]
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


def _thresholds() -> str:
    keys = [field.key for field in declared(Threshold)]
    rows = [f"| type | {' | '.join(f'`{key}`' for key in keys)} |", "|---" * (len(keys) + 1) + "|"]
    for type_, threshold in DEFAULTS.items():
        values: dict[str, Any] = plain_section(threshold, lambda text: text)
        shown = [str(one.value if isinstance(one, Enum) else one) for one in values.values()]
        rows.append(f"| `{type_.value}` | {' | '.join(shown)} |")
    return "\n".join(rows) + "\n"
