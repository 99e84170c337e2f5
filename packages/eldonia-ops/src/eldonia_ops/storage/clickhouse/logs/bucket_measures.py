"""Measures of buckets: SQL for one, and what is read from its column."""

import math
from typing import Any

from eldonia_ops.search.buckets import Measure, MeasureKind
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS, elements_sql, value_sql
from eldonia_ops.storage.clickhouse.logs.field_sql import FieldSql
from eldonia_ops.storage.clickhouse.logs.statistics import distinct_sql, quantiles_sql, squares_sql


def measure_sql(one: Measure, fields: FieldSql) -> str:
    """SQL of a measure over the records of a bucket."""
    if one.kind is MeasureKind.DISTINCT:
        return distinct_sql(fields.value_text(one.of))
    if one.kind is MeasureKind.VALUES and one.of is not None:
        if one.missing is not None:
            return "count()"
        prefix = fields.prefix()
        present, _ = value_sql(one.of, LOG_COLUMNS, fields.parameters, prefix)
        return f"sum(if({present}, 1, length({elements_sql(one.of, LOG_COLUMNS, prefix)})))"
    value = "toFloat64(toUnixTimestamp64Milli(timestamp))" if one.of is None else fields.number(one.of)
    if one.missing is not None:
        value = f"ifNull({value}, {float(one.missing)!r})"
    match one.kind:
        case MeasureKind.VALUES:
            return "count()"
        case MeasureKind.NUMBERS:
            return f"count({value})"
        case MeasureKind.SUM:
            return f"ifNull(sum({value}), 0)"
        case MeasureKind.MIN:
            return f"minOrNull({value})"
        case MeasureKind.MAX:
            return f"maxOrNull({value})"
        case MeasureKind.AVERAGE:
            return f"avgOrNull({value})"
        case MeasureKind.SQUARES:
            return f"ifNull({squares_sql(value)}, 0)"
        case MeasureKind.QUANTILES:
            return quantiles_sql(one.levels, value)
        case MeasureKind.RANKS:
            parts = [f"avgOrNull({value} <= {float(level)!r}) * 100" for level in one.levels]
            return f"[{', '.join(parts)}]"
        case _:
            raise AssertionError(one.kind)


def read_measure(value: Any) -> float | tuple[float | None, ...] | None:
    """The number, or the numbers, of a measure; None for none."""
    if isinstance(value, list):
        return tuple(None if one is None or math.isnan(one) else float(one) for one in value)
    return None if value is None else float(value)
