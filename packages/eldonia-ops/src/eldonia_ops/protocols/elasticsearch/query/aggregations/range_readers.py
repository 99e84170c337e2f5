"""Reads ranges of numbers and of time."""

from datetime import UTC
from typing import Any

from eldonia_ops.model.conditions import Condition, ConditionOp
from eldonia_ops.protocols.elasticsearch.query.aggregations.bucket_options import Shared, few, field_of
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    BucketAggregation,
    Fixed,
)
from eldonia_ops.protocols.elasticsearch.query.date_math import moment, zone_of
from eldonia_ops.protocols.elasticsearch.query.errors import illegal
from eldonia_ops.protocols.elasticsearch.query.fields import field_name, is_time
from eldonia_ops.protocols.elasticsearch.query.shapes import flag, listed, number, object_of, text_value
from eldonia_ops.protocols.elasticsearch.query.term_queries import time_range
from eldonia_ops.protocols.elasticsearch.query.time_format import formatted
from eldonia_ops.search.buckets import ByConditions
from eldonia_ops.search.tree import Comparison, Node, conjunction


def range_of(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """A bucket for each of several ranges of a number."""
    name = field_name(field_of(options, "range"))
    rows: list[tuple[float, float, str, dict[str, Any], Node]] = []
    for given in _ranges(options):
        parts: list[Node] = [Comparison(Condition(name, ConditionOp.EXISTS))]
        extra: dict[str, Any] = {}
        ends: list[str] = []
        sizes: list[float] = []
        for key, op in (("from", ConditionOp.GREATER_OR_EQUAL), ("to", ConditionOp.LESS)):
            if given.get(key) is None:
                ends.append("*")
                sizes.append(float("-inf") if key == "from" else float("inf"))
                continue
            bound = number(given[key], key)
            parts.append(Comparison(Condition(name, op, text_value(bound, key))))
            extra[key] = bound
            ends.append(str(bound))
            sizes.append(bound)
        if len(parts) == 1:
            parts.append(Comparison(Condition(name, ConditionOp.GREATER_OR_EQUAL, "-1e300")))
        rows.append((sizes[0], sizes[1], str(given.get("key") or "-".join(ends)), extra, conjunction(parts)))
    return _range_buckets("range", rows, options, shared)


def date_range(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """A bucket for each of several ranges of time."""
    if not is_time(field_of(options, "date_range")):
        raise illegal(f"[date_range] of [{options.get('field')}] is not supported: it is of [@timestamp]")
    zone = zone_of(str(options["time_zone"])) if options.get("time_zone") else UTC
    format = str(options.get("format") or "")
    rows: list[tuple[float, float, str, dict[str, Any], Node]] = []
    for given in _ranges(options):
        extra: dict[str, Any] = {}
        ends: list[str] = []
        sizes: list[float] = []
        for key in ("from", "to"):
            if given.get(key) is None:
                ends.append("*")
                sizes.append(float("-inf") if key == "from" else float("inf"))
                continue
            ns = moment(given[key], shared.now_ns, zone, format).low
            written = formatted(ns, format, zone)
            extra |= {key: float(ns // 1_000_000), f"{key}_as_string": written}
            ends.append(written)
            sizes.append(float(ns))
        node = time_range(given.get("from"), given.get("to"), True, False, shared.now_ns, zone, format)
        rows.append((sizes[0], sizes[1], str(given.get("key") or "-".join(ends)), extra, node))
    return _range_buckets("date_range", rows, options, shared)


def _ranges(options: dict[str, Any]) -> list[dict[str, Any]]:
    found = [object_of(one, "ranges") for one in listed(options.get("ranges") or [])]
    if not found:
        raise illegal("No [ranges] specified for the [range] aggregation")
    few(len(found))
    return found


def _range_buckets(
    kind: str, rows: list[tuple[float, float, str, dict[str, Any], Node]], options: dict[str, Any], shared: Shared
) -> BucketAggregation:
    rows.sort(key=lambda row: (row[0], row[1]))
    return Fixed(
        shared.name, kind, (ByConditions(tuple(row[4] for row in rows)),), **shared.plain,
        keys=tuple(row[2] for row in rows), extra=tuple(row[3] for row in rows),
        keyed=flag(options.get("keyed", False), "keyed"),
    )  # fmt: skip
