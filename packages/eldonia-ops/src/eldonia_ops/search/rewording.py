"""A search in plain words that finds nothing, said in the language of searches: ``errors of alice last tuesday``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName
from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.time_words import Stretch, stretch_of
from eldonia_ops.search.tree import And, Comparison, LevelTest, Node, Text, conjunction

VALUE_FIELDS: Final = tuple(
    FieldName((name,))
    for name in (
        *("user_id", "service", "component", "operation", "hostname", "request_id", "session_id", "trace_id"),
        *("ip_address", "environment", "source"),
    )
)
"""Fields of records in which a word of a search may be a value."""

MAX_WORDS: Final = 6
"""Words that are looked at."""

_FILLERS: Final = frozenset(
    (*("of", "for", "by", "the", "in", "on", "at", "from", "with", "and", "a", "an", "all", "logs", "log"), "の")
)
_LEVELS: Final = frozenset(
    (*("error", "errors", "warning", "warnings", "warn", "debug", "info", "fatal", "critical"), "エラー", "警告")
)
_LEVEL_NAMES: Final = {"エラー": "error", "警告": "warn"}
_LONGEST_TIME: Final = 3


@dataclass(frozen=True, slots=True)
class Rewording:
    """Another search, and the time that its words meant, as times without a zone."""

    search: Node
    stretch: Stretch | None


def plain_words(search: Node) -> list[str]:
    """The words of a search that may have been meant otherwise, at most :data:`MAX_WORDS`; it asks for all of them."""
    return [word for word in map(_word, _parts(search)) if word][:MAX_WORDS]


def reworded(search: Node, fields: Mapping[str, FieldName], now: datetime) -> Rewording | None:
    """What may have been meant, if that is something else.

    ``fields`` are for words that are values in records the fields that they are values of; ``now`` is on the clock of
    the person who asks, without a zone.
    """
    parts = list(_parts(search))
    stretch, parts = _without_time(parts, now)
    kept: list[Node] = []
    changed = stretch is not None
    for part in parts:
        word = _word(part)
        if word.lower() in _FILLERS:
            continue
        if word.lower() in _LEVELS and (level := fold_level(_LEVEL_NAMES.get(word, word).lower().removesuffix("s"))):
            kept.append(LevelTest(ConditionOp.EQUAL, level))
            changed = True
        elif word in fields:
            kept.append(Comparison(Condition(fields[word], ConditionOp.EQUAL, word)))
            changed = True
        else:
            kept.append(part)
    if not changed:
        return None
    return Rewording(conjunction(kept), stretch)


def _without_time(parts: Sequence[Node], now: datetime) -> tuple[Stretch | None, list[Node]]:
    """The first days or weeks that are named, and the parts without their names."""
    words = [_word(part) for part in parts]
    for length in range(_LONGEST_TIME, 0, -1):
        for start in range(len(words) - length + 1):
            some = words[start : start + length]
            found = stretch_of(" ".join(some), now) if all(some) else None
            if found is not None and found[0] < found[1]:
                return found, [*parts[:start], *parts[start + length :]]
    return None, list(parts)


def _parts(search: Node) -> tuple[Node, ...]:
    return search.parts if isinstance(search, And) else (search,)


def _word(part: Node) -> str:
    return part.pieces[0] if isinstance(part, Text) and len(part.pieces) == 1 and " " not in part.pieces[0] else ""
