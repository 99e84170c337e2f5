"""What is counted and measured of the records that a search finds, in groups within groups.

A request is one level of buckets: the groups are from the outermost to the innermost, and a row is one bucket of the
innermost with the keys of those around it. What the numbers mean is said by :mod:`eldonia_ops.search.bucket_rows`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.time_steps import ByTime
from eldonia_ops.search.tree import Node

MAX_ROWS: Final = 65_535
"""Buckets that one request may find."""

GroupKey: TypeAlias = str | int | float | None
"""Of a field its value, of a time the start in Unix nanoseconds, of conditions their number."""


@dataclass(frozen=True, slots=True)
class ByField:
    """One group for each value of a field, numbers apart from texts; of a list, for each element.

    ``missing`` is the key of records without the field, None: they are in no group; with ``null_group`` their key is
    None. ``include`` and ``exclude`` are expressions of RE2 over the text of the whole value, or lists of texts.
    """

    name: FieldName
    missing: str | float | None = None
    null_group: bool = False
    include: str | tuple[str, ...] | None = None
    exclude: str | tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ByNumber:
    """One group for each interval of a field's number: the key is ``floor((x - offset) / interval)``.

    ``missing`` is taken for the number of records without one.
    """

    name: FieldName
    interval: float
    offset: float = 0.0
    missing: float | None = None


@dataclass(frozen=True, slots=True)
class ByConditions:
    """One group for each tree, keyed by its number; a record is in every group whose tree holds."""

    nodes: tuple[Node, ...]


Grouping: TypeAlias = ByField | ByTime | ByNumber | ByConditions


class MeasureKind(StrEnum):
    """What is made of the values of a field. ``values`` counts them, ``numbers`` records with a number; ``distinct`` is
    how many different values there are, exact up to some ten thousand."""

    VALUES = "values"
    NUMBERS = "numbers"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVERAGE = "average"
    SQUARES = "squares"
    QUANTILES = "quantiles"
    RANKS = "ranks"
    DISTINCT = "distinct"


@dataclass(frozen=True, slots=True)
class Measure:
    """``of`` is a field, or None for the time in Unix milliseconds. ``levels`` are quantiles between 0 and 1, or the
    values whose ranks are asked for. ``missing`` counts for records without a number."""

    kind: MeasureKind
    of: FieldName | None
    levels: tuple[float, ...] = ()
    missing: float | None = None


@dataclass(frozen=True, slots=True)
class BucketOrder:
    """By ``count``, by the ``key`` number so and so of the row, or by the measure number so and so.

    ``level`` chooses one of a measure's several numbers.
    """

    by: str
    number: int = 0
    level: int = 0
    descending: bool = False


@dataclass(frozen=True, slots=True)
class BucketRequest:
    """One level of buckets.

    ``own`` is how many of the groups belong to this level, the last ones; those before belong to levels around it.
    ``parents`` are the keys of the buckets around that are wanted, None for all. Of each parent the first ``limit``
    in order are answered; ``after`` are keys of this level, and only those behind them in order are meant.
    ``at_least`` is the smallest count.
    """

    search: Node
    groups: tuple[Grouping, ...] = ()
    own: int = 1
    measures: tuple[Measure, ...] = ()
    order: tuple[BucketOrder, ...] = ()
    parents: tuple[tuple[GroupKey, ...], ...] | None = None
    limit: int | None = None
    at_least: int = 1
    after: tuple[GroupKey, ...] | None = None


@dataclass(frozen=True, slots=True)
class BucketRow:
    """One bucket: keys from the outermost, records in it, and a number or several for each measure, None for none."""

    keys: tuple[GroupKey, ...]
    count: int
    measures: tuple[float | tuple[float | None, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class BucketRows:
    """``others`` has, for each parent of which something was left out, how many records its other buckets hold."""

    rows: list[BucketRow]
    others: dict[tuple[GroupKey, ...], int]
