"""``filter_path``: only some parts of an answer, such as ``hits.total,hits.hits._id`` or ``-took``."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

_NOTHING: Final = object()


def filtered_answer(answer: Any, patterns: str) -> Any:
    """The parts of an answer that patterns name: ``*`` is any key, ``**`` any number of keys; those that begin with a
    minus are left out."""
    paths = [one.strip().split(".") for one in patterns.split(",") if one.strip()]
    wanted = [path for path in paths if not path[0].startswith("-")]
    unwanted = [[path[0][1:], *path[1:]] for path in paths if path[0].startswith("-")]
    if wanted:
        answer = _kept(answer, wanted)
        answer = {} if answer is _NOTHING else answer
    return _without(answer, unwanted) if unwanted else answer


def _kept(value: Any, paths: Sequence[Sequence[str]]) -> Any:
    if any(not path or list(path) == ["**"] for path in paths):
        return value
    if isinstance(value, list):
        some = [one for item in value if (one := _kept(item, paths)) is not _NOTHING]
        return some or _NOTHING
    if not isinstance(value, dict):
        return _NOTHING
    found: dict[str, Any] = {}
    for key, one in value.items():
        if (below := _below(key, paths)) and (part := _kept(one, below)) is not _NOTHING:
            found[key] = part
    return found or _NOTHING


def _without(value: Any, paths: Sequence[Sequence[str]]) -> Any:
    if isinstance(value, list):
        return [_without(one, paths) for one in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, one in value.items():
        below = _below(key, paths)
        if not any(not path for path in below):
            found[key] = _without(one, below) if below else one
    return found


def _below(key: str, paths: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """What is left of the paths that go through a key, each once: with several ``**`` there would be twice as many at
    each level."""
    found: dict[tuple[str, ...], None] = {}
    for path in paths:
        if not path:
            continue
        if path[0] == "**":
            found[tuple(path)] = None
            if len(path) > 1 and fnmatchcase(key, path[1]):
                found[tuple(path[2:])] = None
        elif fnmatchcase(key, path[0]):
            found[tuple(path[1:])] = None
    return list(found)
