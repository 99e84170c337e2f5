"""Pipeline aggregations: made of buckets that others found."""

import math
from collections.abc import Sequence
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.query.aggregations.model import Pipeline
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal
from eldonia_ops.protocols.elasticsearch.query.shapes import listed, whole

SIBLINGS: Final = frozenset({"max_bucket", "min_bucket", "avg_bucket", "sum_bucket", "stats_bucket"})


def applied(pipelines: Sequence[Pipeline], buckets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The buckets with what the pipelines among their sub-aggregations add to them, or leave of them.

    Raises:
        DslError: a path leads to nothing.
    """
    for one in pipelines:
        match one.kind:
            case "derivative":
                _derivative(one, buckets)
            case "cumulative_sum":
                total = 0.0
                for bucket in buckets:
                    value = value_at(bucket, one.path, one.name)
                    total += value if value is not None else 0.0
                    bucket[one.name] = _with_meta(one, {"value": total})
            case "serial_diff":
                _serial_diff(one, buckets)
            case "bucket_sort":
                buckets = _sorted(one, buckets)
            case _:
                pass
    return buckets


def siblings(pipelines: Sequence[Pipeline], found: dict[str, Any]) -> None:
    """Add what pipelines make of the aggregations beside them.

    Raises:
        DslError: a path leads to nothing.
    """
    for one in pipelines:
        if one.kind not in SIBLINGS:
            continue
        name, _, path = one.path.partition(">")
        aggregation = found.get(name)
        if not isinstance(aggregation, dict) or "buckets" not in aggregation:
            raise _no_path(one.path, one.name)
        every = aggregation["buckets"]
        buckets: list[dict[str, Any]] = (
            [{"key": key, **bucket} for key, bucket in every.items()] if isinstance(every, dict) else every
        )
        pairs = [
            (bucket.get("key_as_string", bucket.get("key")), value)
            for bucket in buckets
            if (value := value_at(bucket, path or "_count", one.name)) is not None
        ]
        found[one.name] = _with_meta(one, _sibling(one.kind, pairs))


def _sibling(kind: str, pairs: list[tuple[Any, float]]) -> dict[str, Any]:
    values = [value for _, value in pairs]
    match kind:
        case "max_bucket" | "min_bucket":
            best = (max if kind == "max_bucket" else min)(values, default=None)
            return {"value": best, "keys": [str(key) for key, value in pairs if value == best]}
        case "sum_bucket":
            return {"value": math.fsum(values)}
        case "avg_bucket":
            return {"value": math.fsum(values) / len(values) if values else None}
        case _:
            average = math.fsum(values) / len(values) if values else None
            low, high = min(values, default=None), max(values, default=None)
            return {"count": len(values), "min": low, "max": high, "avg": average, "sum": math.fsum(values)}


def value_at(bucket: dict[str, Any], path: str, name: str) -> float | None:
    """The number at a path of a bucket: ``_count``, ``latency``, ``latency.avg``, ``inner>latency``.

    Raises:
        DslError: there is nothing there.
    """
    found: Any = bucket
    steps = path.split(">")
    for step in steps[:-1]:
        found = found.get(step) if isinstance(found, dict) else None
        if found is None:
            raise _no_path(path, name)
    last = steps[-1]
    if last == "_count":
        return float(found["doc_count"])
    if last in found:
        metric, part = found[last], "value"
    else:
        metric_name, _, part = last.partition("[") if last.endswith("]") else last.rpartition(".")
        metric = found.get(metric_name)
        part = part.rstrip("]")
    if not isinstance(metric, dict):
        raise _no_path(path, name)
    values = metric.get("values", metric)
    if part == "value" and "value" not in metric and "doc_count" in metric:
        return float(metric["doc_count"])
    value = values.get(part, values.get(f"{part}.0")) if isinstance(values, dict) else None
    return float(value) if isinstance(value, int | float) else None


def _derivative(one: Pipeline, buckets: list[dict[str, Any]]) -> None:
    before: float | None = None
    for place, bucket in enumerate(buckets):
        value = value_at(bucket, one.path, one.name)
        if value is None and one.options.get("gap_policy") == "insert_zeros":
            value = 0.0
        if place and before is not None and value is not None:
            bucket[one.name] = _with_meta(one, {"value": value - before})
        if value is not None or one.options.get("gap_policy", "skip") != "skip":
            before = value


def _serial_diff(one: Pipeline, buckets: list[dict[str, Any]]) -> None:
    lag = whole(one.options.get("lag", 1), "lag", low=1)
    values = [value_at(bucket, one.path, one.name) for bucket in buckets]
    for place in range(lag, len(buckets)):
        now, then = values[place], values[place - lag]
        if now is not None and then is not None:
            buckets[place][one.name] = _with_meta(one, {"value": now - then})


def _sorted(one: Pipeline, buckets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    skip = whole(one.options.get("from", 0), "from")
    size = one.options.get("size")
    for given in reversed(listed(one.options.get("sort", []))):
        ((path, order),) = given.items() if isinstance(given, dict) else (((given, "asc"),))
        direction = order.get("order", "asc") if isinstance(order, dict) else order
        if path == "_key":
            buckets.sort(key=lambda bucket: bucket["key"], reverse=direction == "desc")
            continue
        sign = -1.0 if direction == "desc" else 1.0
        # Buckets without the number are left out, as Elasticsearch does by default.
        kept = [bucket for bucket in buckets if value_at(bucket, str(path), one.name) is not None]
        kept.sort(key=lambda bucket, path=str(path), sign=sign: sign * (value_at(bucket, path, one.name) or 0.0))
        buckets = kept
    return buckets[skip : None if size is None else skip + whole(size, "size", low=1)]


def _with_meta(one: Pipeline, found: dict[str, Any]) -> dict[str, Any]:
    return found if one.meta is None else {"meta": one.meta, **found}


def _no_path(path: str, name: str) -> DslError:
    found = illegal(f"No aggregation found for path [{path}]")
    found.details["caused_by"] = {"type": "illegal_argument_exception", "reason": f"in the aggregation [{name}]"}
    return DslError(
        "action_request_validation_exception", f"Validation Failed: 1: No aggregation found for path [{path}];"
    )
