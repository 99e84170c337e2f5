"""What the audit log says of a change: the fields that differ, cut to what a line holds. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from eldonia_ops.model.audit import FieldChange

LONGEST_TEXT: Final = 2_000
"""Characters of a value that are kept."""

MOST_FIELDS: Final = 100

NOT_NOTED: Final = frozenset({"version", "updated_at", "last_used_at", "last_seen_at"})
"""Fields that change with every act, and say nothing about it."""

_SECRET: Final = ("password", "secret", "digest", "credential", "token_hash", "private_key", "api_key", "routing_key")
MASKED: Final = "<secret>"


def field_changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[FieldChange, ...]:
    """The fields in which two states of a subject differ, by name; None is a subject that is not there.

    Values are plain data (JSON); nested objects are compared by their own fields, written ``outer.inner``. What is
    called like a secret is masked, however it came here.
    """
    old, new = _flat(before or {}), _flat(after or {})
    found: list[FieldChange] = []
    for name in sorted({*old, *new}):
        if name.rpartition(".")[2] in NOT_NOTED or old.get(name) == new.get(name):
            continue
        if before is None and new.get(name) in ("", 0, None, False, [], {}):
            continue  # a new subject's empty fields are no news
        found.append(FieldChange(name, _shown(name, old.get(name)), _shown(name, new.get(name))))
    return tuple(found[:MOST_FIELDS])


def _flat(state: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in state.items():
        if isinstance(value, Mapping) and value and depth < 4:
            found |= _flat(value, f"{prefix}{name}.", depth + 1)
        else:
            found[f"{prefix}{name}"] = value
    return found


def _shown(name: str, value: Any) -> Any:
    if value in (None, "", 0, False) or isinstance(value, bool | int | float):
        return value
    if any(word in name.lower() for word in _SECRET):
        return MASKED
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else value[: LONGEST_TEXT - 1] + "…"
    text = repr(value)
    return value if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
