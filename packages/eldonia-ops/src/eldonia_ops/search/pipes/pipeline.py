"""A search with pipes: what happens to the records that it finds, stage by stage.

Up to the first stage that counts (:data:`Counting`) stages are about records, which have every field and come newest
first. From there on they are about its rows, which have its columns alone. Spans do not count in comparisons.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

import re2

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.aggregates import Metric
from eldonia_ops.search.time_steps import TimeUnit
from eldonia_ops.search.tree import EVERYTHING, NOWHERE, Node, Span

MAX_STAGES: Final = 20
MAX_HEAD: Final = 10_000
DEFAULT_HEAD: Final = 10
TIME_COLUMN: Final = "time"
COUNT_COLUMN: Final = "count"
PERCENT_COLUMN: Final = "percent"
MESSAGE: Final = FieldName(("message",))
_PATTERN_MEMORY: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Where:
    """Only what a search finds: of records any search, of rows one about their columns."""

    search: Node
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Extract:
    """New fields out of the text of one.

    ``pattern`` is RE2; ``holes`` are names with the number of their group. ``text`` is what was written: a template,
    or with ``is_pattern`` a regular expression. Of a text that does not match, and for an empty part, they are missing.
    """

    text: str
    is_pattern: bool
    pattern: str
    holes: tuple[tuple[str, int], ...]
    source: FieldName = MESSAGE
    span: Span = field(default=NOWHERE, compare=False)

    @cached_property
    def compiled(self) -> Any:
        """The pattern as the stores run it."""
        return compiled_pattern(self.pattern)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in arithmetic."""

    value: float


@dataclass(frozen=True, slots=True)
class Operation:
    """``+``, ``-``, ``*`` and ``/`` of two, or a function of one."""

    name: str
    operands: tuple["Expression", ...]


Expression: TypeAlias = Number | FieldName | Operation


@dataclass(frozen=True, slots=True)
class Eval:
    """A new field: the result of arithmetic on numbers. It is missing when a number is, or when it is not finite."""

    name: str
    expression: Expression
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Rename:
    """Fields under other names."""

    names: tuple[tuple[FieldName, str], ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Fields:
    """These columns alone, in this order."""

    names: tuple[FieldName, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Sort:
    """By fields, each with whether it is descending. What is equal keeps its order."""

    keys: tuple[tuple[FieldName, bool], ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Head:
    """The first ones."""

    count: int
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Dedup:
    """The first one of each combination of values; what has no value counts as one more value."""

    names: tuple[FieldName, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Stats:
    """A row for each combination of values, with metrics under their names. Rows come in the order of their values."""

    metrics: tuple[tuple[str, Metric], ...]
    by: tuple[FieldName, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Timechart:
    """The same over time: rows have the column :data:`TIME_COLUMN`, Unix milliseconds. ``width`` is nanoseconds, a step
    of the calendar, or None for one that fits to the range."""

    width: int | TimeUnit | None
    metrics: tuple[tuple[str, Metric], ...]
    by: tuple[FieldName, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Top:
    """The most frequent combinations of values (``rare``: the least frequent), with count and share in percent.

    What has no value in one of the fields is left out.
    """

    count: int
    names: tuple[FieldName, ...]
    rare: bool = False
    span: Span = field(default=NOWHERE, compare=False)


Counting: TypeAlias = Stats | Timechart | Top
Selecting: TypeAlias = Where | Extract | Eval | Rename | Fields | Sort | Head | Dedup
Stage: TypeAlias = Selecting | Counting


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A search, and what happens to what it finds."""

    search: Node = EVERYTHING
    stages: tuple[Stage, ...] = ()

    def split(self) -> tuple[tuple[Selecting, ...], Counting | None, tuple[Stage, ...]]:
        """The stages about records, the first that counts, and those about its rows."""
        before: list[Selecting] = []
        for number, stage in enumerate(self.stages):
            if isinstance(stage, Stats | Timechart | Top):
                return tuple(before), stage, self.stages[number + 1 :]
            before.append(stage)
        return tuple(before), None, ()


def compiled_pattern(pattern: str) -> Any:
    """A regular expression compiled as ClickHouse does.

    Raises:
        re2.error: it is none of RE2.
    """
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.max_mem = _PATTERN_MEMORY
    return re2.compile(pattern, options)
