"""What to count of the records that a search finds: groups, metrics, and which rows are wanted of them.

:func:`~eldonia_ops.search.aggregate_records.aggregate_rows` says what an aggregate means; stores answer it in one
statement.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.time_steps import ByTime
from eldonia_ops.search.tree import Node

MAX_GROUPS: Final = 1_000_000
"""Different groups that one aggregate may have, before it is ordered and limited."""

MAX_ROWS: Final = 100_000
"""Rows that one aggregate may answer."""

MAX_METRICS: Final = 100
MAX_KEYS: Final = 10
MAX_CHOICES: Final = 1_000
"""Ranges or filters of one group."""


@dataclass(frozen=True, slots=True)
class ByField:
    """Groups by the text of a field. The key is a text, or None for records without one value in the field.

    Without ``missing`` those are left out.
    """

    name: FieldName
    missing: bool = True


@dataclass(frozen=True, slots=True)
class ByNumber:
    """Groups by the number in a field, in steps of ``width``. The key is the lower end (a number).

    Records without a number in the field are in the group None, or left out without ``missing``.
    """

    name: FieldName
    width: float
    offset: float = 0.0
    missing: bool = False


@dataclass(frozen=True, slots=True)
class NumberRange:
    """From ``low`` (included) up to ``high`` (not included); None leaves an end open."""

    key: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ByRanges:
    """Groups by the ranges in which the number of a field lies: a record is in each of them, or left out."""

    name: FieldName
    ranges: tuple[NumberRange, ...]

    @property
    def keys(self) -> list[str]:
        """The keys of all groups."""
        return [one.key for one in self.ranges]


@dataclass(frozen=True, slots=True)
class ByFilters:
    """Groups by searches: a record is in the group of each search that finds it.

    The key is the name of the search. ``other`` is the key for records that none of them finds; None leaves them out.
    """

    filters: tuple[tuple[str, Node], ...]
    other: str | None = None

    @property
    def keys(self) -> list[str]:
        """The keys of all groups."""
        return [key for key, _ in self.filters] + ([] if self.other is None else [self.other])


Group: TypeAlias = ByField | ByTime | ByNumber | ByRanges | ByFilters


class MetricFunction(StrEnum):
    """What is made of the records of a group. Numbers are those of the field; records without one do not count."""

    COUNT = "count"
    """Records; of a field those that have one value in it."""
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"
    """The standard deviation of all (population)."""
    VARIANCE = "variance"
    SUM_OF_SQUARES = "sum_of_squares"
    PERCENTILE = "percentile"
    """With linear interpolation between the two nearest numbers; ``argument`` is 0 to 100."""
    NUMBERS = "numbers"
    """Records with a number in the field."""
    UNIQ = "uniq"
    """Different texts of the field: exact up to some ten thousand, within about 0.5 % beyond."""
    FIRST = "first"
    """The text of the field in the oldest record that has it."""
    LAST = "last"
    """The same of the newest."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One number (or text) for each group; ``only`` counts the records that a search finds.

    All but a count without field are None for groups in which no record has what they ask for; a sum, too.
    """

    function: MetricFunction
    name: FieldName | None = None
    argument: float = 0.0
    only: Node | None = None

    def __post_init__(self) -> None:
        if self.name is None and self.function is not MetricFunction.COUNT:
            raise ValueError(f"{self.function.value} needs a field")
        if self.function is MetricFunction.PERCENTILE and not 0 <= self.argument <= 100:
            raise ValueError("a percentile is between 0 and 100")


COUNT: Final = Metric(MetricFunction.COUNT)


@dataclass(frozen=True, slots=True)
class Order:
    """Rows by a metric, else by a key, else by their count of records. Missing values are last in either direction."""

    metric: int | None = None
    group: int | None = None
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Groups with metrics.

    Rows are sorted by ``order``, then by their keys, ascending: numbers and texts of numbers by size, then texts. The
    first ``limit`` are answered; with ``limit_each`` of each combination of all keys but the last at most so many
    (the best by ``order``). Rows with less than ``min_count`` records are left out. Without groups there is one row.

    Raises:
        ValueError: it is too large, or an order names what is not there.
    """

    groups: tuple[Group, ...] = ()
    metrics: tuple[Metric, ...] = ()
    order: tuple[Order, ...] = ()
    limit: int = 10_000
    limit_each: int | None = None
    min_count: int = 1

    def __post_init__(self) -> None:
        if len(self.groups) > MAX_KEYS:
            raise ValueError(f"more than {MAX_KEYS} groups within each other")
        if len(self.metrics) > MAX_METRICS:
            raise ValueError(f"more than {MAX_METRICS} metrics")
        if not 1 <= self.limit <= MAX_ROWS:
            raise ValueError(f"the limit is between 1 and {MAX_ROWS} rows")
        if self.limit_each is not None and (self.limit_each < 1 or len(self.groups) < 2):
            raise ValueError("a limit for each needs two groups")
        for group in self.groups:
            match group:
                case ByTime(int() as width) | ByNumber(_, width) if not width > 0:
                    raise ValueError("the width of a bucket is above 0")
                case ByRanges(_, choices) | ByFilters(choices) if not 1 <= len(choices) <= MAX_CHOICES:
                    raise ValueError(f"between 1 and {MAX_CHOICES} ranges or filters")
                case ByRanges() | ByFilters():
                    keys = group.keys
                    if len(set(keys)) < len(keys):
                        raise ValueError("two ranges or filters have one name")
                case _:
                    pass
        for one in self.order:
            if (one.metric is not None and not 0 <= one.metric < len(self.metrics)) or (
                one.group is not None and not 0 <= one.group < len(self.groups)
            ):
                raise ValueError("rows are ordered by a metric or group that is not there")


Key: TypeAlias = str | int | float | None
MetricValue: TypeAlias = str | float | None


@dataclass(frozen=True, slots=True)
class AggregateRow:
    """A group: its key of each grouping, how many records are in it, and the value of each metric."""

    keys: tuple[Key, ...]
    count: int
    values: tuple[MetricValue, ...]


@dataclass(frozen=True, slots=True)
class AggregateRows:
    """The rows wanted; ``groups`` and ``total`` are of all groups: how many there are, and the records in them.

    A record that is in several ranges or filters counts in each.
    """

    rows: list[AggregateRow]
    groups: int
    total: int

    @property
    def other(self) -> int:
        """How many records are in groups that were not answered."""
        return self.total - sum(row.count for row in self.rows)
