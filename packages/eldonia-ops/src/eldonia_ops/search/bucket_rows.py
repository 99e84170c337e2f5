"""What a request for buckets means: the rows that it makes of records. Every store's answer is compared to this."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cmp_to_key
from typing import Any

import re2

from eldonia_ops.model.condition_fields import log_value
from eldonia_ops.model.conditions import FieldName, is_number, text_of
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.search.buckets import (
    BucketOrder,
    BucketRequest,
    BucketRow,
    BucketRows,
    ByConditions,
    ByField,
    ByNumber,
    Grouping,
    GroupKey,
    Measure,
    MeasureKind,
)
from eldonia_ops.search.evaluate import matches
from eldonia_ops.search.statistics import mean, quantile, sum_of_squares
from eldonia_ops.search.time_steps import ByTime, start_of


def bucket_rows(request: BucketRequest, found: Iterable[LogRecord]) -> BucketRows:
    """The rows of one level of buckets over the records that a search finds."""
    held: dict[tuple[GroupKey, ...], list[LogRecord]] = defaultdict(list)
    for record in found:
        for keys in itertools.product(*(group_keys(group, record) for group in request.groups)):
            held[keys].append(record)
    if not request.groups and not held:
        held[()] = []
    rows = [
        BucketRow(keys, len(some), tuple(measured(one, some) for one in request.measures))
        for keys, some in held.items()
        if len(some) >= request.at_least or not request.groups
    ]
    around = len(request.groups) - request.own
    if request.after is not None:
        order = [one for one in request.order if one.by == "key"]
        after = BucketRow((*([None] * around), *request.after), 0, ())
        rows = [row for row in rows if _compare(order, row, after) > 0]
    by_parent: dict[tuple[GroupKey, ...], list[BucketRow]] = defaultdict(list)
    for row in rows:
        if request.parents is None or row.keys[:around] in request.parents:
            by_parent[row.keys[:around]].append(row)
    wanted: list[BucketRow] = []
    others: dict[tuple[GroupKey, ...], int] = {}
    for parent in sorted(by_parent, key=_order_of_keys):
        some = sorted(by_parent[parent], key=lambda row: _order_of_keys(row.keys))
        some.sort(key=cmp_to_key(lambda a, b: _compare(request.order, a, b)))
        kept = some if request.limit is None else some[: request.limit]
        wanted += kept
        if rest := sum(row.count for row in some[len(kept) :]):
            others[parent] = rest
    return BucketRows(wanted, others)


def group_keys(group: Grouping, record: LogRecord) -> list[GroupKey]:
    """The keys of the groups that a record is in."""
    match group:
        case ByField():
            return _field_keys(group, record)
        case ByTime():
            return [start_of(group, record.timestamp_ns)]
        case ByNumber():
            value = log_value(record, group.name)
            number = float(value) if is_number(value) else group.missing
            if number is None:
                return []
            return [group.offset + group.interval * math.floor((number - group.offset) / group.interval)]
        case ByConditions():
            return [place for place, node in enumerate(group.nodes) if matches(node, record)]


def measured(one: Measure, records: Sequence[LogRecord]) -> float | tuple[float | None, ...] | None:
    """The number, or the numbers, of a measure over records."""
    if one.kind is MeasureKind.DISTINCT:
        texts = {text_of(value) for record in records for value in _scalars(record, one.of)}
        return float(len(texts))
    if one.kind is MeasureKind.VALUES:
        if one.of is None or one.missing is not None:
            return float(len(records))
        return float(sum(len(_elements(log_value(record, one.of))) for record in records))
    numbers = [number for record in records if (number := _number(one, record)) is not None]
    match one.kind:
        case MeasureKind.NUMBERS:
            return float(len(numbers))
        case MeasureKind.SUM:
            return math.fsum(numbers)
        case MeasureKind.SQUARES:
            return sum_of_squares(numbers)
        case MeasureKind.MIN:
            return min(numbers, default=None)
        case MeasureKind.MAX:
            return max(numbers, default=None)
        case MeasureKind.AVERAGE:
            return mean(numbers) if numbers else None
        case MeasureKind.QUANTILES:
            return tuple(quantile(numbers, level) if numbers else None for level in one.levels)
        case _:
            return tuple(
                100 * sum(number <= level for number in numbers) / len(numbers) if numbers else None
                for level in one.levels
            )


def _number(one: Measure, record: LogRecord) -> float | None:
    if one.of is None:
        return float(record.timestamp_ns // 1_000_000)
    value = log_value(record, one.of)
    return float(value) if is_number(value) else one.missing


def _scalars(record: LogRecord, name: FieldName | None) -> list[Any]:
    if name is None:
        return [str(record.timestamp_ns)]
    value = log_value(record, name)
    return [] if value is None or isinstance(value, list | tuple | dict) else [value]


def _elements(value: Any) -> list[Any]:
    if value is None or isinstance(value, dict):
        return []
    return [one for one in value if not isinstance(one, dict | list)] if isinstance(value, list | tuple) else [value]


def _field_keys(group: ByField, record: LogRecord) -> list[GroupKey]:
    value = log_value(record, group.name)
    keys: list[GroupKey]
    if isinstance(value, list | tuple):
        keys = list(dict.fromkeys(text_of(one) for one in _elements(value)))
    else:
        keys = [float(value) if is_number(value) else text_of(one) for one in _elements(value)]
    if not keys:
        keys = [group.missing] if group.missing is not None else [None] if group.null_group else []
    return [
        key
        for key in keys
        if (group.include is None or _listed(group.include, key))
        and (group.exclude is None or not _listed(group.exclude, key))
    ]


def _listed(wanted: str | tuple[str, ...], key: GroupKey) -> bool:
    text = "" if key is None else text_of(key)
    return bool(re2.fullmatch(wanted, text)) if isinstance(wanted, str) else text in wanted


def _order_of_keys(keys: tuple[GroupKey, ...]) -> tuple[Any, ...]:
    return tuple((0,) if key is None else (2, key) if isinstance(key, str) else (1, key) for key in keys)


def _compare(order: Sequence[BucketOrder], a: BucketRow, b: BucketRow) -> int:
    for one in order:
        if one.by == "count":
            x, y = (a.count,), (b.count,)
        elif one.by == "key":
            x, y = _order_of_keys((a.keys[one.number],)), _order_of_keys((b.keys[one.number],))
        else:
            x, y = _measure(one, a), _measure(one, b)
        if x != y:
            return -1 if (x < y) is not one.descending else 1
    return 0


def _measure(one: BucketOrder, row: BucketRow) -> tuple[float, ...]:
    value = row.measures[one.number]
    value = value[one.level] if isinstance(value, tuple) else value
    return ((-math.inf if one.descending else math.inf) if value is None else value,)
