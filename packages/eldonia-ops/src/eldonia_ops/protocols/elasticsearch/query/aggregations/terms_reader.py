"""Reads ``terms``: the most frequent values of a field."""

from typing import Any

from eldonia_ops.protocols.elasticsearch.query.aggregations.bucket_options import Shared, field_of, order_of
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    BucketAggregation,
    Terms,
    TermsOrder,
)
from eldonia_ops.protocols.elasticsearch.query.errors import illegal
from eldonia_ops.protocols.elasticsearch.query.fields import OTHER_INDEX, field_name, is_time
from eldonia_ops.protocols.elasticsearch.query.patterns import lucene_pattern
from eldonia_ops.protocols.elasticsearch.query.shapes import text_value, whole
from eldonia_ops.search.buckets import MAX_ROWS, ByField, Grouping
from eldonia_ops.search.time_steps import ByTime


def terms(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """The most frequent values of a field."""
    name = field_of(options, "terms")
    size = whole(options.get("size", 10), "size", low=1, high=MAX_ROWS)
    order = order_of(options.get("order"), shared, default=(TermsOrder("count"), TermsOrder("key", descending=False)))
    minimum = whole(options.get("min_doc_count", 1), "min_doc_count")
    group: Grouping
    if is_time(name):
        group = ByTime(1_000_000)
    else:
        missing = OTHER_INDEX if name == "_index" else options.get("missing")
        if missing is not None and (isinstance(missing, bool) or not isinstance(missing, int | float)):
            missing = text_value(missing, "missing")
        if isinstance(missing, int):
            missing = float(missing)
        group = ByField(
            field_name(name), missing, False, _pattern(options.get("include")), _pattern(options.get("exclude"))
        )
    return Terms(
        shared.name, "terms", (group,), **shared.plain, size=size, order=order, min_doc_count=minimum,
        timed=is_time(name), format=str(options.get("format") or ""),
    )  # fmt: skip


def _pattern(value: Any) -> str | tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        raise illegal("[include] with partitions is not supported: use a [composite] aggregation")
    if isinstance(value, list):
        return tuple(text_value(one, "include") for one in value)
    return lucene_pattern(str(value)).removeprefix("^").removesuffix("$")
