"""Writes aggregations into an answer."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    Aggregation,
    BucketAggregation,
    Composite,
    DateHistogram,
    Fixed,
    Histogram,
    Metric,
    Terms,
)
from eldonia_ops.protocols.elasticsearch.query.aggregations.pipelines import applied
from eldonia_ops.protocols.elasticsearch.query.sorting import plain_number
from eldonia_ops.protocols.elasticsearch.query.time_format import formatted
from eldonia_ops.search.buckets import BucketRow, GroupKey, MeasureKind

Keys = tuple[GroupKey, ...]
_MS = 1_000_000


def metric_answer(one: Metric, values: Sequence[Any] | None) -> dict[str, Any]:
    """A metric of a bucket; ``values`` are its measures, None for a bucket without records."""
    if values is None:
        values = [_empty(measure.kind, len(measure.levels)) for measure in one.measures]
    found = _metric(one, values)
    return found if one.meta is None else {"meta": one.meta, **found}


def _empty(kind: MeasureKind, levels: int) -> Any:
    if levels:
        return (None,) * levels
    return None if kind in (MeasureKind.MIN, MeasureKind.MAX, MeasureKind.AVERAGE) else 0.0


def _metric(one: Metric, values: Sequence[Any]) -> dict[str, Any]:
    match one.kind:
        case "value_count" | "cardinality":
            return {"value": int(values[0] or 0)}
        case "percentiles" | "percentile_ranks":
            return _listed(one, values[0])
        case "stats" | "extended_stats":
            return _stats(one, values)
        case _:
            return _timed({"value": values[0]}, one)


def _timed(found: dict[str, Any], one: Metric) -> dict[str, Any]:
    if not one.timed:
        return found
    for key in [key for key in found if key not in ("count",)]:
        if (value := found[key]) is not None:
            found[f"{key}_as_string"] = formatted(int(value) * _MS, one.format, UTC)
    return found


def _listed(one: Metric, values: Sequence[float | None]) -> dict[str, Any]:
    pairs = list(zip(one.labels, values, strict=True))
    if not one.keyed:
        return {"values": [{"key": label, "value": value} for label, value in pairs]}
    found: dict[str, Any] = {}
    for label, value in pairs:
        found[str(label)] = value
        if one.timed and value is not None and one.kind == "percentiles":
            found[f"{label}_as_string"] = formatted(int(value) * _MS, one.format, UTC)
    return {"values": found}


def _stats(one: Metric, values: Sequence[Any]) -> dict[str, Any]:
    count = int(values[0] or 0)
    found = {"count": count, "min": values[1], "max": values[2], "avg": values[3], "sum": values[4]}
    if one.kind == "stats":
        return _timed(found, one)
    names = ("variance", "variance_population", "variance_sampling")
    if not count:
        bounds = dict.fromkeys(_BOUNDS)
        deviations = dict.fromkeys(name.replace("variance", "std_deviation") for name in names)
        return {
            **found, "sum_of_squares": None, **dict.fromkeys(names), **deviations, "std_deviation_bounds": bounds
        }  # fmt: skip
    average = values[3]
    population = max(0.0, values[5] / count - average * average)
    sampling = population * count / (count - 1) if count > 1 else math.nan
    spread = one.sigma * math.sqrt(population)
    sampled = one.sigma * math.sqrt(sampling) if count > 1 else math.nan
    bounds = [
        average + spread,
        average - spread,
        average + spread,
        average - spread,
        average + sampled,
        average - sampled,
    ]
    return {
        **found,
        "sum_of_squares": values[5],
        **dict(zip(names, (population, population, _number(sampling)), strict=True)),
        "std_deviation": math.sqrt(population),
        "std_deviation_population": math.sqrt(population),
        "std_deviation_sampling": _number(math.sqrt(sampling) if count > 1 else math.nan),
        "std_deviation_bounds": dict(zip(_BOUNDS, map(_number, bounds), strict=True)),
    }


_BOUNDS = ("upper", "lower", "upper_population", "lower_population", "upper_sampling", "lower_sampling")


def _number(value: float) -> float | str:
    return "NaN" if math.isnan(value) else value


def metrics_answer(children: Sequence[Aggregation], row: BucketRow | None) -> dict[str, dict[str, Any]]:
    """All metrics of one bucket by their names."""
    found: dict[str, dict[str, Any]] = {}
    place = 0
    for one in children:
        if isinstance(one, Metric):
            values = row.measures[place : place + len(one.measures)] if row is not None else None
            found[one.name] = metric_answer(one, values)
            place += len(one.measures)
    return found


def buckets_answer(
    one: BucketAggregation,
    keys: Sequence[Keys],
    rows: Mapping[Keys, BucketRow],
    below: Mapping[Keys, Mapping[str, Any]],
    others: int,
) -> dict[str, Any]:
    """The buckets of an aggregation in one parent. ``below`` has the sub-aggregations of each bucket."""
    every = [
        {**_head(one, key), "doc_count": rows[key].count if key in rows else 0, **below.get(key, {})} for key in keys
    ]
    if isinstance(one, Histogram | DateHistogram):
        every = _ordered(one, every)
    if isinstance(one, Fixed) and one.single:
        found: dict[str, Any] = every[0]
    else:
        every = applied(one.pipelines, every)
        found = _list(one, every, keys, others)
    return found if one.meta is None else {"meta": one.meta, **found}


def _head(one: BucketAggregation, keys: Keys) -> dict[str, Any]:
    key = keys[-1]
    match one:
        case Terms():
            if one.timed:
                return _time_head(int(key or 0), one.format, UTC)
            return {"key": plain_number(key)}
        case DateHistogram():
            return _time_head(int(key or 0), one.format, one.zone)
        case Histogram():
            return {"key": float(key or 0)}
        case Fixed():
            number = int(key or 0)
            name = one.keys[number]
            return {**({"key": name} if name else {}), **(one.extra[number] if one.extra else {})}
        case Composite():
            own = keys[len(keys) - len(one.sources) :]
            found: dict[str, Any] = {}
            for source, value in zip(one.sources, own, strict=True):
                if source.timed:
                    ns = int(value or 0)
                    found[source.name] = formatted(ns, source.format, source.zone) if source.format else ns // _MS
                else:
                    found[source.name] = plain_number(value)
            return {"key": found}
        case _:
            raise AssertionError(one.kind)


def _time_head(ns: int, format: str, zone: Any) -> dict[str, Any]:
    return {"key_as_string": formatted(ns, format, zone), "key": ns // _MS}


def _ordered(one: Histogram | DateHistogram, every: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for order in reversed(one.order):
        if order.by == "key":
            every.sort(key=lambda bucket: bucket["key"], reverse=order.descending)
        elif order.by == "count":
            every.sort(key=lambda bucket: bucket["doc_count"], reverse=order.descending)
        else:
            every.sort(
                key=lambda bucket, order=order: _sorted_by(bucket, order.metric, order.property, order.descending)
            )
    return every


def _sorted_by(bucket: dict[str, Any], metric: str, part: str, descending: bool) -> tuple[int, float]:
    value: Any = bucket.get(metric, {})
    value = value.get("values", value).get(part or "value") if isinstance(value, dict) else None
    return (1, 0.0) if value is None else (0, -value if descending else value)


def _list(one: BucketAggregation, every: list[dict[str, Any]], keys: Sequence[Keys], others: int) -> dict[str, Any]:
    match one:
        case Terms():
            return {"doc_count_error_upper_bound": 0, "sum_other_doc_count": others, "buckets": every}
        case Composite():
            last = {"after_key": _head(one, keys[-1])["key"]} if keys else {}
            return {**last, "buckets": every}
        case Histogram() | DateHistogram() if one.keyed:
            return {"buckets": {str(bucket.get("key_as_string", bucket["key"])): bucket for bucket in every}}
        case Fixed() if one.keyed:
            named: dict[str, Any] = {}
            for bucket in every:
                named[str(bucket.pop("key", ""))] = bucket
            return {"buckets": named}
        case _:
            return {"buckets": every}


TYPED_NAMES = {
    "terms": "sterms", "percentiles": "tdigest_percentiles", "percentile_ranks": "tdigest_percentile_ranks",
}  # fmt: skip
"""How ``typed_keys`` calls aggregations whose answers have another name than they."""
