"""Reads histograms: steps of time and of numbers."""

from datetime import tzinfo
from typing import Any

from eldonia_ops.model.conditions import Condition, ConditionOp
from eldonia_ops.protocols.elasticsearch.query.aggregations.bucket_options import Shared, field_of, order_of
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    BucketAggregation,
    DateHistogram,
    Histogram,
    TermsOrder,
)
from eldonia_ops.protocols.elasticsearch.query.aggregations.time_steps import time_group
from eldonia_ops.protocols.elasticsearch.query.date_math import moment
from eldonia_ops.protocols.elasticsearch.query.errors import illegal
from eldonia_ops.protocols.elasticsearch.query.fields import field_name
from eldonia_ops.protocols.elasticsearch.query.shapes import flag, number, object_of, text_value, whole
from eldonia_ops.search.buckets import ByNumber, Grouping
from eldonia_ops.search.tree import Comparison, Node, TimeRange, conjunction


def date_histogram(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """Steps of time."""
    group, zone = time_group(options)
    bounds: tuple[int, int] | None = None
    format = str(options.get("format") or "")
    if given := options.get("extended_bounds"):
        low, high = (_bound(given, key, shared, zone, format) for key in ("min", "max"))
        if low is not None and high is not None:
            if low > high:
                raise illegal(
                    f"[extended_bounds.min][{given['min']}] cannot be greater than [extended_bounds.max]"
                    f"[{given['max']}] for histogram aggregation [{shared.name}]"
                )
            bounds = (low, high)
    groups: tuple[Grouping, ...] = (group,)
    hard: Node | None = None
    if given := options.get("hard_bounds"):
        low, high = (_bound(given, key, shared, zone, format) for key in ("min", "max"))
        hard = TimeRange(low, None if high is None else high + 1)
    order = order_of(options.get("order"), shared, default=(TermsOrder("key", descending=False),))
    return DateHistogram(
        shared.name, "date_histogram", groups, **shared.plain, search=hard, step=group.width, zone=zone,
        offset_ns=group.offset_ns, order=order, min_doc_count=whole(options.get("min_doc_count", 0), "min_doc_count"),
        bounds=bounds, keyed=flag(options.get("keyed", False), "keyed"), format=format,
    )  # fmt: skip


def histogram(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """Steps of a number."""
    name = field_of(options, "histogram")
    interval = number(options.get("interval"), "interval")
    if not interval > 0:
        raise illegal(f"[interval] must be >0 for histogram aggregation [{shared.name}]")
    offset = number(options.get("offset", 0.0), "offset") % interval
    missing = None if options.get("missing") is None else number(options["missing"], "missing")
    bounds = hard = None
    if given := options.get("extended_bounds"):
        bounds = (number(given.get("min"), "min"), number(given.get("max"), "max"))
    if given := options.get("hard_bounds"):
        hard = tuple(None if given.get(key) is None else number(given[key], key) for key in ("min", "max"))
    field = field_name(name)
    limits: list[Node] = []
    if hard:
        for bound, op in zip(hard, (ConditionOp.GREATER_OR_EQUAL, ConditionOp.LESS_OR_EQUAL), strict=True):
            if bound is not None:
                limits.append(Comparison(Condition(field, op, text_value(bound, "hard_bounds"))))
    order = order_of(options.get("order"), shared, default=(TermsOrder("key", descending=False),))
    return Histogram(
        shared.name, "histogram", (ByNumber(field, interval, offset, missing),), **shared.plain,
        search=conjunction(limits) if limits else None, interval=interval, offset=offset, order=order,
        min_doc_count=whole(options.get("min_doc_count", 0), "min_doc_count"), bounds=bounds,
        keyed=flag(options.get("keyed", False), "keyed"),
    )  # fmt: skip


def _bound(given: Any, key: str, shared: Shared, zone: tzinfo, format: str) -> int | None:
    value = object_of(given, "bounds").get(key)
    if value is None:
        return None
    at = moment(value, shared.now_ns, zone, format)
    return at.low
