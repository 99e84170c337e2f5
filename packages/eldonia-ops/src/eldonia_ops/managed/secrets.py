"""Secrets of an entry, kept apart from it: in their place the entry names a file.

A key may be dotted (``basic_auth.password``), and ``slack_configs.0.api_url`` leads into a list. An entry that was
changed in a form that does not show its secrets keeps those that were not given anew.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from eldonia_ops.managed.document import Document, Entry

SUFFIX: Final = "_file"
_REFERENCE: Final = re.compile(r"\$\{[A-Za-z_]\w*\}")
"""A variable of the environment."""


def with_secrets_apart(
    entry: Entry, before: Entry | None, keys: Iterable[str], place: Callable[[], str]
) -> tuple[Entry, dict[str, str]]:
    """The entry with files in the place of secrets, and the secrets by those files.

    ``keys`` may hold secrets. A text that is given becomes a new file, which ``place`` names; ``${NAME}`` stays, for it
    is no secret. A key that is missing keeps what ``before`` has; one that is null or empty has nothing any more. Files
    are never named by the one who gives the entry.
    """
    found: dict[str, str] = {}
    result = _copied(entry)
    for key in keys:
        path = key.split(".")
        held, name = _holder(result, path), path[-1]
        if held is None:
            continue
        given = held.pop(name, _MISSING)
        held.pop(name + SUFFIX, None)
        if given is _MISSING:
            old = (_holder(before, path) if before is not None else None) or {}
            held.update({key: old[key] for key in (name, name + SUFFIX) if old.get(key)})
        elif _REFERENCE.fullmatch(str(given)):
            held[name] = given
        elif given not in (None, ""):
            file = place()
            found[file] = str(given)
            held[name + SUFFIX] = file
    return result, found


def without_files(entry: Entry, keys: Iterable[str]) -> tuple[Entry, tuple[str, ...]]:
    """The entry as people may see it, and the keys whose secrets it has."""
    result, set_ = _copied(entry), []
    for key in keys:
        path = key.split(".")
        held = _holder(result, path)
        if held is None:
            continue
        name = path[-1]
        inline, file = held.pop(name, None), held.pop(name + SUFFIX, None)
        if isinstance(inline, str) and _REFERENCE.fullmatch(inline):
            held[name] = inline
        elif inline not in (None, "") or file:
            set_.append(key)
    return result, tuple(set_)


def files_of(document: Document | Entry) -> frozenset[str]:
    """Every file that a document or entry names in the place of a secret."""
    found: set[str] = set()
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            for name, inner in value.items():
                if isinstance(inner, str) and str(name).endswith(SUFFIX):
                    found.add(inner)
                else:
                    waiting.append(inner)
        elif isinstance(value, list | tuple):
            waiting.extend(value)
    return frozenset(found)


_MISSING: Final = object()


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copied(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(inner) for inner in value]
    return value


def _holder(value: Any, path: list[str]) -> dict[str, Any] | None:
    """The mapping that holds the last key of a path, None where the way ends before."""
    for name in path[:-1]:
        if isinstance(value, list | tuple):
            index = int(name) if name.isdecimal() else -1
            value = value[index] if 0 <= index < len(value) else None
        elif isinstance(value, Mapping):
            value = value.get(name)
        else:
            return None
    if isinstance(value, dict):
        return value
    return dict(value) if isinstance(value, Mapping) else None
