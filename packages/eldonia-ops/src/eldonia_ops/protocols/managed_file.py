"""The text of the managed file, ``eldonia-ops.managed.yml``: written by the platform alone, read like any other.

Every value comes back as it was: texts that YAML might take for something else are written in quotes.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from eldonia_ops.managed.document import Document, Entry
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.protocols.yaml_document import load

_HEAD: Final = """\
# Written by Eldonia Ops: what was added or changed on its pages or by its API. Comments are not kept here.
# What you write by hand belongs into eldonia-ops.yml; it holds where both have an entry of one name.
"""
_GROUPS: Final = frozenset({"rules", "retention"})
"""Mappings whose keys are sections: ``rules.alerts``."""
_TUNING: Final = "defaults"
_NAME: Final = "name"
_WORD: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]{0,200}")
_WORDS: Final = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n"])
_ESCAPED: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|[\ud800-\udfff]")


def managed_document(text: str, file: str) -> Document:
    """The entries of a managed file, by section. An entry of ``rules.defaults`` has its ``name`` among its values.

    Raises:
        ConfigError: the text is not YAML, or has another shape.
    """
    root = load(text, file)
    if root is None:
        return {}
    found: dict[str, tuple[Entry, ...]] = {}
    for section, value in _sections(root.plain() if root.is_mapping else None, file):
        if isinstance(value, Mapping):
            found[section] = (value,)
        elif isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
            found[section] = tuple(value)
        else:
            raise ConfigError(Diagnostic(f"{section} is no list of entries", file))
    return {section: entries for section, entries in found.items() if entries}


def managed_text(document: Document, is_single: Callable[[str], bool]) -> str:
    """The file of a document; ``is_single`` says which sections are one entry and no list."""
    top: dict[str, Any] = {}
    for section, entries in document.items():
        group, _, part = section.partition(".")
        if not part:
            top[section] = dict(entries[0]) if is_single(section) else list(entries)
        elif part == _TUNING:
            top.setdefault(group, {})[part] = {one[_NAME]: _unnamed(one) for one in entries}
        else:
            top.setdefault(group, {})[part] = list(entries)
    return _HEAD + "".join(f"\n{line}\n" for line in _blocks(top))


def _blocks(top: Mapping[str, Any]) -> Iterator[str]:
    for key, value in top.items():
        yield "\n".join(_lines({key: value}, ""))


def _sections(top: Any, file: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(top, Mapping):
        raise ConfigError(Diagnostic("the managed file is no mapping", file))
    for key, value in top.items():
        if key not in _GROUPS:
            yield key, value
            continue
        for part, inner in (value or {}).items():
            if part == _TUNING and isinstance(inner, Mapping):
                yield f"{key}.{part}", [{_NAME: name, **_change(change)} for name, change in inner.items()]
            else:
                yield f"{key}.{part}", inner


def _change(value: Any) -> Mapping[str, Any]:
    """``off`` is short for ``{enabled: false}``."""
    return value if isinstance(value, Mapping) else {"enabled": bool(value)}


def _unnamed(entry: Entry) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != _NAME}


def _lines(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, Mapping | list | tuple) and inner:
                yield f"{indent}{_scalar(str(name))}:"
                yield from _lines(inner, indent + "  ")
            else:
                yield f"{indent}{_scalar(str(name))}: {_scalar(inner)}"
        return
    for inner in value:
        if isinstance(inner, Mapping | list | tuple) and inner:
            first, *rest = _lines(inner, indent + "  ")
            yield f"{indent}- {first[len(indent) + 2 :]}"
            yield from rest
        else:
            yield f"{indent}- {_scalar(inner)}"


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    if _WORD.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))
