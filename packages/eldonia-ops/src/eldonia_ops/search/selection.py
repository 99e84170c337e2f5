"""Which of the records that a search finds are wanted, and in which order.

:func:`selected` says what a :class:`Selection` means; every store's answer is compared to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cmp_to_key
from typing import Any, Final, TypeAlias

from eldonia_ops.model.condition_fields import log_value
from eldonia_ops.model.conditions import FieldName, is_number, text_of
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.search.score import Fixed, Score, score_of
from eldonia_ops.search.tree import Node

NS_IN_MS: Final = 1_000_000


class Standard(StrEnum):
    """What records can be ordered by beside their fields."""

    TIME = "time"
    """Unix nanoseconds."""
    TIME_MS = "time_ms"
    """Unix milliseconds, rounded down."""
    SCORE = "score"
    ID = "id"


ONE: Final = Fixed(1.0)
SortValue: TypeAlias = str | int | float | None


@dataclass(frozen=True, slots=True)
class SortKey:
    """One thing to order by. Of a field, numbers come before texts, and records without it last or first in either
    direction."""

    by: Standard | FieldName
    descending: bool = False
    missing_first: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Records in an order. Those equal in all keys are ordered by time and id, newest first.

    ``after`` has a value for each of the keys: only records behind it are meant. ``place`` is a timestamp_ns and an id:
    of those equal to ``after``, records behind that place. The first ``skip`` are left out.
    """

    search: Node
    score: Score = ONE
    sort: tuple[SortKey, ...] = ()
    after: tuple[SortValue, ...] | None = None
    place: tuple[int, int] | None = None
    oldest_first: bool = False
    skip: int = 0
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Selected:
    """A record with the values of the keys of a selection, in their order, and its score."""

    record: LogRecord
    values: tuple[SortValue, ...]
    score: float


def key_value(key: SortKey, record: LogRecord, score: Score) -> SortValue:
    """What a record is ordered by."""
    match key.by:
        case Standard.TIME:
            return record.timestamp_ns
        case Standard.TIME_MS:
            return record.timestamp_ns // NS_IN_MS
        case Standard.SCORE:
            return score_of(score, record)
        case Standard.ID:
            return record.id
        case FieldName():
            return sort_value(log_value(record, key.by))


def sort_value(value: Any) -> SortValue:
    """A field's value as it is ordered: numbers by their size, other scalars by their texts."""
    if value is None or isinstance(value, list | tuple | dict):
        return None
    return float(value) if is_number(value) else text_of(value)


def selected(selection: Selection, found: Sequence[LogRecord]) -> list[Selected]:
    """What is wanted of the records that the search finds."""
    every = [
        Selected(record, tuple(key_value(key, record, selection.score) for key in selection.sort), 0.0)
        for record in found
    ]
    sign = 1 if selection.oldest_first else -1

    def place(one: LogRecord) -> tuple[int, int]:
        return sign * one.timestamp_ns, sign * one.id

    def compared(a: Selected, b: Selected) -> int:
        by_keys = compare(selection.sort, a.values, b.values)
        one, other = place(a.record), place(b.record)
        return by_keys or (one > other) - (one < other)

    def behind(one: Selected) -> bool:
        order = compare(selection.sort, one.values, selection.after) if selection.after is not None else 0
        if order or selection.place is None:
            return order > 0 or selection.after is None
        return place(one.record) > (sign * selection.place[0], sign * selection.place[1])

    wanted = sorted(filter(behind, every), key=cmp_to_key(compared))
    page = wanted[selection.skip : selection.skip + selection.limit]
    return [Selected(one.record, one.values, score_of(selection.score, one.record)) for one in page]


def compare(keys: Sequence[SortKey], a: Sequence[SortValue], b: Sequence[SortValue]) -> int:
    """Below 0 when ``a`` comes before ``b``, 0 when they are equal in all keys."""
    for key, one, other in zip(keys, a, b, strict=True):
        if one == other:
            continue
        if one is None or other is None:
            return -1 if (one is None) is key.missing_first else 1
        before = (isinstance(one, str), one) < (isinstance(other, str), other)  # pyright: ignore[reportOperatorIssue]
        return -1 if before is not key.descending else 1
    return 0
