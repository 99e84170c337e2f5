"""What is done with the results of a panel's queries before they are shown, in order.

A transformation is a mapping with its ``type``. Columns are named as they are shown: ``Time``, ``Value``, ``Value #A``
where there are several queries, names of labels, or names of series.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, field

from eldonia_ops.dashboards.display import Reducer, SortedBy
from eldonia_ops.dashboards.part import Line, Number, Part

Names: TypeAlias = Annotated[tuple[Line, ...], Meta(max_length=500)]


class Organize(Part, frozen=True, tag="organize"):
    """Hides, renames and orders columns; those in ``order`` come first."""

    hide: Names = ()
    rename: Annotated[dict[str, Line], Meta(max_length=500)] = field(default_factory=dict)
    order: Names = ()


class Merge(Part, frozen=True, tag="merge"):
    """Tables of several queries become one; rows with equal values in all common columns become one row."""


class Concatenate(Part, frozen=True, tag="concatenate"):
    """All columns of all tables side by side."""


class ReduceRows(Part, frozen=True, tag="reduce"):
    """Each series becomes a row with the results of ``calcs``, or (``columns``) each column is reduced in its table."""

    calcs: Annotated[tuple[Reducer, ...], Meta(max_length=20)] = ("max",)
    columns: bool = False
    labels_as_columns: bool = False


class FilterColumns(Part, frozen=True, tag="filter_columns"):
    """Keeps columns or series by name or by a regular expression; ``exclude`` drops them instead."""

    names: Names = ()
    regex: Line = ""
    exclude: bool = False


class FilterQueries(Part, frozen=True, tag="filter_queries"):
    """Keeps the results of these queries."""

    refs: Names = ()
    exclude: bool = False


class RowCondition(Part, frozen=True):
    """What a value of a row has to be."""

    field: Line
    op: Literal["=", "!=", ">", ">=", "<", "<=", "regex", "range", "null", "not_null"] = "="
    value: str | int | float | bool = ""
    to: Number | None = None


class FilterRows(Part, frozen=True, tag="filter_rows"):
    """Keeps rows for which all (or any) of the conditions hold; ``exclude`` drops them instead."""

    conditions: Annotated[tuple[RowCondition, ...], Meta(max_length=50)] = ()
    match: Literal["all", "any"] = "all"
    exclude: bool = False


class Sort(Part, frozen=True, tag="sort"):
    """Sorts the rows."""

    by: Annotated[tuple[SortedBy, ...], Meta(max_length=20)] = ()


class Limit(Part, frozen=True, tag="limit"):
    """Keeps the first rows."""

    count: Annotated[int, Meta(ge=0, le=1_000_000)] = 10


class Calculate(Part, frozen=True, tag="calculate"):
    """A new column: ``left op right`` of two columns or numbers, or ``calc`` of several columns of each row."""

    left: Line = ""
    op: Literal["", "+", "-", "*", "/", "%"] = ""
    right: Line = ""
    calc: Reducer | None = None
    of: Names = ()
    name: Line = ""
    replace: bool = False


class Grouping(Part, frozen=True):
    """What becomes of a column when rows are grouped: it groups, or it is reduced."""

    field: Line
    group: bool = False
    calcs: Annotated[tuple[Reducer, ...], Meta(max_length=20)] = ()


class GroupBy(Part, frozen=True, tag="group_by"):
    """Rows with equal values in the grouping columns become one."""

    fields: Annotated[tuple[Grouping, ...], Meta(max_length=100)] = ()


class Join(Part, frozen=True, tag="join"):
    """Joins the tables on a column; time when it is empty."""

    field: Line = ""
    mode: Literal["outer", "inner"] = "outer"


class LabelsAsColumns(Part, frozen=True, tag="labels_as_columns"):
    """Labels of series become columns; the values of ``value_label`` give names to value columns."""

    value_label: Line = ""
    keep: Names = ()


class RenameByRegex(Part, frozen=True, tag="rename"):
    """Renames columns or series; the replacement may use ``$1``."""

    regex: Line = ""
    replacement: Line = ""


class SeriesAsRows(Part, frozen=True, tag="series_as_rows"):
    """All series in one table: time, metric, value."""


Transformation: TypeAlias = (
    Organize
    | Merge
    | Concatenate
    | ReduceRows
    | FilterColumns
    | FilterQueries
    | FilterRows
    | Sort
    | Limit
    | Calculate
    | GroupBy
    | Join
    | LabelsAsColumns
    | RenameByRegex
    | SeriesAsRows
)
