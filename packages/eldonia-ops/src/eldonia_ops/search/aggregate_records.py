"""An aggregate of records in Python: what it means, to which every store's answer is compared."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.aggregates import (
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
    MetricValue,
)
from eldonia_ops.search.statistics import mean, quantile, sum_of_squares
from eldonia_ops.search.time_steps import ByTime, start_of
from eldonia_ops.search.tree import Node
from eldonia_ops.search.values import value_number, value_order, value_text

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reader(Generic[_T]):
    """How to look at what is aggregated: the value of a field, whether a search finds it, and its time.

    ``place`` is Unix nanoseconds and what orders items of one instant.
    """

    value: Callable[[_T, FieldName], Any]
    found: Callable[[Node, _T], bool]
    place: Callable[[_T], tuple[int, int]]


def aggregate_rows(items: Iterable[_T], aggregate: Aggregate, reader: Reader[_T]) -> AggregateRows:
    """The answer of an aggregate over some items."""
    groups: dict[tuple[Key, ...], list[_T]] = {} if aggregate.groups else {(): []}
    for item in items:
        combined: list[tuple[Key, ...]] = [()]
        for group in aggregate.groups:
            found = _keys(item, group, reader)
            combined = [(*before, key) for before in combined for key in found]
        for keys in combined:
            groups.setdefault(keys, []).append(item)
    least = aggregate.min_count if aggregate.groups else 0
    rows = [
        AggregateRow(keys, len(some), tuple(metric_value(some, metric, reader) for metric in aggregate.metrics))
        for keys, some in groups.items()
        if len(some) >= least
    ]
    rows.sort(key=lambda row: _place(row, aggregate))
    total = sum(row.count for row in rows)
    wanted = rows
    if aggregate.limit_each is not None:
        taken: dict[tuple[Key, ...], int] = {}
        wanted = []
        for row in rows:
            taken[row.keys[:-1]] = taken.get(row.keys[:-1], 0) + 1
            if taken[row.keys[:-1]] <= aggregate.limit_each:
                wanted.append(row)
    return AggregateRows(wanted[: aggregate.limit], len(rows), total)


def _place(row: AggregateRow, aggregate: Aggregate) -> tuple[Any, ...]:
    by: list[Any] = []
    for one in aggregate.order:
        if one.metric is not None:
            value: Any = row.values[one.metric]
        else:
            value = row.count if one.group is None else row.keys[one.group]
        by.append(value_order(value, descending=one.descending))
    return (*by, *map(value_order, row.keys))


def _keys(item: _T, group: Group, reader: Reader[_T]) -> list[Key]:
    match group:
        case ByField():
            text = value_text(reader.value(item, group.name))
            return [text] if text is not None or group.missing else []
        case ByTime():
            return [start_of(group, reader.place(item)[0])]
        case ByNumber():
            number = value_number(reader.value(item, group.name))
            if number is None:
                return [None] if group.missing else []
            return [float(math.floor((number - group.offset) / group.width) * group.width + group.offset)]
        case ByRanges():
            number = value_number(reader.value(item, group.name))
            if number is None:
                return []
            return [
                one.key
                for one in group.ranges
                if (one.low is None or number >= one.low) and (one.high is None or number < one.high)
            ]
        case ByFilters():
            found: list[Key] = [name for name, node in group.filters if reader.found(node, item)]
            return found or ([group.other] if group.other is not None else [])


def metric_value(items: Sequence[_T], metric: Metric, reader: Reader[_T]) -> MetricValue:
    """The value of one metric over the items of a group."""
    if metric.only is not None:
        only = metric.only
        items = [item for item in items if reader.found(only, item)]
    name = metric.name
    if name is None:
        return float(len(items))
    if metric.function in (MetricFunction.COUNT, MetricFunction.UNIQ, MetricFunction.FIRST, MetricFunction.LAST):
        texts = [
            (reader.place(item), text) for item in items if (text := value_text(reader.value(item, name))) is not None
        ]
        return _of_texts(texts, metric.function)
    numbers = [number for item in items if (number := value_number(reader.value(item, name))) is not None]
    return _of_numbers(numbers, metric)


def _of_texts(texts: list[tuple[tuple[int, int], str]], function: MetricFunction) -> MetricValue:
    match function:
        case MetricFunction.COUNT:
            return float(len(texts))
        case MetricFunction.UNIQ:
            return float(len({text for _, text in texts}))
        case MetricFunction.FIRST:
            return min(texts)[1] if texts else None
        case _:
            return max(texts)[1] if texts else None


def _of_numbers(numbers: list[float], metric: Metric) -> MetricValue:
    if metric.function is MetricFunction.NUMBERS:
        return float(len(numbers))
    if not numbers:
        return None
    match metric.function:
        case MetricFunction.SUM:
            return math.fsum(numbers)
        case MetricFunction.AVG:
            return mean(numbers)
        case MetricFunction.MIN:
            return min(numbers)
        case MetricFunction.MAX:
            return max(numbers)
        case MetricFunction.SUM_OF_SQUARES:
            return sum_of_squares(numbers)
        case MetricFunction.PERCENTILE:
            return quantile(numbers, metric.argument / 100)
        case _:
            middle = mean(numbers)
            variance = math.fsum((number - middle) ** 2 for number in numbers) / len(numbers)
            return variance if metric.function is MetricFunction.VARIANCE else math.sqrt(variance)
