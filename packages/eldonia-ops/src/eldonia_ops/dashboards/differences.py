"""What differs between two versions of a dashboard, in places and in lines."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.faults import Path, written
from eldonia_ops.dashboards.reading import to_plain

MOST_CHANGES: Final = 1_000
_MISSING: Final = object()
_NAMED: Final = {"panels": "id", "variables": "name", "queries": "ref", "annotations": "name"}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that was added, removed or changed. Parts of lists that have names are found by them:
    ``panels[id=7].title``."""

    path: str
    kind: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None


def changes(before: Dashboard, after: Dashboard) -> list[Change]:
    """Everything that differs, in the order of the document."""
    found: list[Change] = []
    for change in _differing(to_plain(before), to_plain(after), ()):
        found.append(change)
        if len(found) >= MOST_CHANGES:
            break
    return found


def unified(before: str, after: str, name_before: str, name_after: str) -> str:
    """A unified diff of two texts."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name_before, name_after, lineterm="")
    return "\n".join(lines)


def _differing(before: Any, after: Any, path: Path) -> Iterator[Change]:
    if before is _MISSING:
        yield Change(written(path), "added", after=after)
    elif after is _MISSING:
        yield Change(written(path), "removed", before)
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _differing(before.get(key, _MISSING), after.get(key, _MISSING), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(before, after, path)
    elif before != after:
        yield Change(written(path), "changed", before, after)


def _lists(before: list[Any], after: list[Any], path: Path) -> Iterator[Change]:
    name = _NAMED.get(str(path[-1])) if path else None
    if name and all(isinstance(one, dict) and name in one for one in (*before, *after)):
        old = {one[name]: one for one in before}
        new = {one[name]: one for one in after}
        for key in dict.fromkeys((*old, *new)):
            where = (*path[:-1], f"{path[-1]}[{name}={key}]")
            yield from _differing(old.get(key, _MISSING), new.get(key, _MISSING), where)
        common = [key for key in old if key in new]
        if common != [key for key in new if key in old]:
            yield Change(f"{written(path)} (order)", "changed", common, [key for key in new if key in old])
        return
    for index in range(max(len(before), len(after))):
        old_one = before[index] if index < len(before) else _MISSING
        new_one = after[index] if index < len(after) else _MISSING
        yield from _differing(old_one, new_one, (*path, index))
