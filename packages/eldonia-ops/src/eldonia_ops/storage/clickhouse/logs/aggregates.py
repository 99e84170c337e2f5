"""SQL for aggregates of logs: one statement for each.

:mod:`eldonia_ops.search.aggregate_records` says what they mean; tests compare the two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.search.aggregates import (
    MAX_CHOICES,
    MAX_GROUPS,
    Aggregate,
    AggregateRow,
    AggregateRows,
    ByField,
    ByFilters,
    ByNumber,
    ByRanges,
    Group,
    Key,
    Metric,
    MetricFunction,
)
from eldonia_ops.search.time_steps import ByTime
from eldonia_ops.search.tree import Node
from eldonia_ops.storage.clickhouse.attributes.cells import LogCells, parsed_number
from eldonia_ops.storage.clickhouse.engines.engine import Parameter
from eldonia_ops.storage.clickhouse.logs.statistics import distinct_sql, quantiles_sql, squares_sql
from eldonia_ops.storage.clickhouse.logs.time_steps import step_sql

_SIMPLE: Final[Mapping[MetricFunction, str]] = {
    MetricFunction.SUM: "sum({0})",
    MetricFunction.AVG: "avg({0})",
    MetricFunction.MIN: "min({0})",
    MetricFunction.MAX: "max({0})",
    MetricFunction.STDDEV: "stddevPopStable({0})",
    MetricFunction.VARIANCE: "varPopStable({0})",
    MetricFunction.SUM_OF_SQUARES: squares_sql("{0}"),
    MetricFunction.NUMBERS: "count({0})",
}
_TEXTS: Final = frozenset({MetricFunction.FIRST, MetricFunction.LAST})
_BOUNDS: Final = f"SETTINGS max_rows_to_group_by = {MAX_GROUPS}, group_by_overflow_mode = 'throw'"


@dataclass(frozen=True, slots=True)
class LogSource:
    """The rows that are aggregated: what follows FROM, the cells of their fields, and SQL for a search among them.

    ``rows`` is asked for its text when all cells have been.
    """

    rows: object
    cells: LogCells
    condition: Callable[[Node], str]


def aggregate_sql(aggregate: Aggregate, source: LogSource, parameters: dict[str, Parameter]) -> str:
    """The statement of an aggregate. Its columns: ``g0`` and on, ``n``, ``m0`` and on, ``total`` and ``groups``."""
    writer = _Writer(aggregate, source, parameters)
    keys = [f"g{number}" for number in range(len(aggregate.groups))]
    outer = writer.metrics()
    inner = [
        *(f"{writer.key(group, number)} AS g{number}" for number, group in enumerate(aggregate.groups)),
        "count() AS n",
        *writer.inner,
    ]
    grouped = f" GROUP BY {', '.join(keys)}" if keys else ""
    least = max(1, aggregate.min_count)
    parts = [
        f"SELECT {', '.join([*keys, 'n', *outer])}, sum(n) OVER () AS total, count() OVER () AS groups "  # noqa: S608
        f"FROM (SELECT {', '.join(inner)} FROM {source.rows}{grouped})",
        f"WHERE n >= {least}" if keys and least > 1 else "",
        f"ORDER BY {', '.join(writer.order())}" if keys else "",
        f"LIMIT {aggregate.limit_each} BY {', '.join(keys[:-1])}" if aggregate.limit_each else "",
        f"LIMIT {aggregate.limit}",
        _BOUNDS,
    ]
    return " ".join(part for part in parts if part)


def aggregate_rows_of(aggregate: Aggregate, rows: list[dict[str, Any]]) -> AggregateRows:
    """The answer of the statement."""
    found = [
        AggregateRow(
            tuple(_key(group, row[f"g{number}"]) for number, group in enumerate(aggregate.groups)),
            row["n"],
            tuple(
                value if isinstance(value := row[f"m{number}"], str | None) else float(value)
                for number in range(len(aggregate.metrics))
            ),
        )
        for row in rows
    ]
    return AggregateRows(found, rows[0]["groups"], rows[0]["total"]) if rows else AggregateRows([], 0, 0)


def _key(group: Group, value: Any) -> Key:
    return float(value) if isinstance(group, ByNumber) and value is not None else value


class _Writer:
    def __init__(self, aggregate: Aggregate, source: LogSource, parameters: dict[str, Parameter]) -> None:
        self._aggregate = aggregate
        self._source = source
        self._parameters = parameters
        self.inner: list[str] = []
        self._percentiles: dict[str, list[float]] = {}

    def _parameter(self, kind: str, value: Parameter) -> str:
        name = f"q{len(self._parameters)}"
        self._parameters[name] = value
        return f"{{{name}:{kind}}}"

    def key(self, group: Group, number: int) -> str:
        """SQL of the key of a group."""
        match group:
            case ByField():
                text = self._source.cells.cell(group.name).text
                return text if group.missing else f"arrayJoin(if(isNull({text}), [], [assumeNotNull({text})]))"
            case ByTime():
                return step_sql(group, self._parameter("String", group.zone))
            case ByNumber():
                value = self._source.cells.cell(group.name).number
                width, offset = self._parameter("Float64", group.width), self._parameter("Float64", group.offset)
                step = f"floor(({value} - {offset}) / {width}) * {width} + {offset}"
                return step if group.missing else f"arrayJoin(if(isNull({value}), [], [assumeNotNull({step})]))"
            case ByRanges():
                value = self._source.cells.cell(group.name).number
                tests = []
                for one in group.ranges:
                    ends = [
                        f"{value} {sign} {self._parameter('Float64', end)}"
                        for sign, end in ((">=", one.low), ("<", one.high))
                        if end is not None
                    ]
                    tests.append(f"ifNull({' AND '.join(ends) or f'isNotNull({value})'}, 0)")
                return self._chosen(tests, group.keys, None, number)
            case ByFilters():
                tests = [self._source.condition(node) for _, node in group.filters]
                return self._chosen(tests, [key for key, _ in group.filters], group.other, number)

    def _chosen(self, tests: list[str], keys: list[str], other: str | None, number: int) -> str:
        """The keys of all tests that hold; ``number`` is the place of the group."""
        names = self._parameter("Array(String)", keys)
        found = f"arrayFilter((key, holds) -> holds, {names}, [{', '.join(f'toUInt8({test})' for test in tests)}])"
        if other is not None:
            found = f"if(empty({found}), [{self._parameter('String', other)}], {found})"
        # Two equal calls of arrayJoin are one to the engine: the length, which cuts nothing off, makes each its own.
        return f"arrayJoin(arraySlice({found}, 1, {MAX_CHOICES + 1 + number}))"

    def metrics(self) -> list[str]:
        """SQL of the metrics over the inner columns, which are noted."""
        found = [self._metric(metric) for metric in self._aggregate.metrics]
        self.inner += [
            f"{quantiles_sql(levels, value)} AS q{number}"
            for number, (value, levels) in enumerate(self._percentiles.items())
        ]
        return [f"{sql} AS m{number}" for number, sql in enumerate(found)]

    def _metric(self, metric: Metric) -> str:
        only = f"toUInt8({self._source.condition(metric.only)})" if metric.only is not None else ""
        if metric.name is None:
            return self._inner(f"countIf({only})") if only else "n"
        cell = self._source.cells.cell(metric.name)
        text = f"if({only}, {cell.text}, NULL)" if only else cell.text
        number = f"if({only}, {cell.number}, NULL)" if only else cell.number
        match metric.function:
            case MetricFunction.COUNT:
                return self._inner(f"count({text})")
            case MetricFunction.UNIQ:
                return self._inner(distinct_sql(text))
            case MetricFunction.FIRST | MetricFunction.LAST:
                function = "argMinIf" if metric.function is MetricFunction.FIRST else "argMaxIf"
                value = f"{function}(ifNull({text}, ''), (timestamp, id), isNotNull({text}))"
                return self._inner(f"if(count({text}) = 0, NULL, {value})")
            case MetricFunction.PERCENTILE:
                levels = self._percentiles.setdefault(number, [])
                level = metric.argument / 100
                if level not in levels:
                    levels.append(level)
                column = f"q{list(self._percentiles).index(number)}[{levels.index(level) + 1}]"
                return f"if(isFinite({column}), {column}, NULL)"
            case _:
                return self._inner(_SIMPLE[metric.function].format(number))

    def _inner(self, sql: str) -> str:
        column = f"c{len(self.inner)}"
        self.inner.append(f"{sql} AS {column}")
        return column

    def order(self) -> list[str]:
        """SQL of the order of rows."""
        found: list[str] = []
        for one in self._aggregate.order:
            if one.metric is not None:
                text = self._aggregate.metrics[one.metric].function in _TEXTS
                found += order_sql(f"m{one.metric}", text=text, descending=one.descending)
            elif one.group is not None:
                found += self._key_order(one.group, descending=one.descending)
            else:
                found += order_sql("n", text=False, descending=one.descending)
        for number in range(len(self._aggregate.groups)):
            found += self._key_order(number, descending=False)
        return found

    def _key_order(self, number: int, *, descending: bool) -> list[str]:
        text = not isinstance(self._aggregate.groups[number], ByTime | ByNumber)
        return order_sql(f"g{number}", text=text, descending=descending)


def order_sql(column: str, *, text: bool, descending: bool) -> list[str]:
    """SQL that sorts as :func:`~eldonia_ops.search.values.value_order` does."""
    direction = "DESC NULLS LAST" if descending else "ASC NULLS LAST"
    if not text:
        return [f"{column} {direction}"]
    number = parsed_number(column)
    return [f"isNull({number})", f"{number} {direction}", f"{column} {direction}"]
