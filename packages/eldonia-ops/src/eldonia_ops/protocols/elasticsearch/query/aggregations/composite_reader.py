"""Reads ``composite``: all combinations of several keys."""

from typing import Any

from eldonia_ops.protocols.elasticsearch.query.aggregations.bucket_options import Shared, field_of
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    BucketAggregation,
    Composite,
    CompositeSource,
)
from eldonia_ops.protocols.elasticsearch.query.aggregations.time_steps import time_group
from eldonia_ops.protocols.elasticsearch.query.date_math import moment
from eldonia_ops.protocols.elasticsearch.query.errors import illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.fields import OTHER_INDEX, field_name, is_time
from eldonia_ops.protocols.elasticsearch.query.shapes import flag, listed, number, object_of, text_value, whole
from eldonia_ops.search.buckets import MAX_ROWS, ByField, ByNumber
from eldonia_ops.search.time_steps import ByTime


def composite(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """All combinations of several keys."""
    if not shared.outermost:
        raise illegal(f"[composite] aggregation [{shared.name}] cannot be used with a parent aggregation")
    sources: list[CompositeSource] = []
    for one in listed(options.get("sources") or []):
        for name, given in object_of(one, "sources").items():
            ((kind, own),) = object_of(given, name).items() if len(given) == 1 else ((("", {}),))
            sources.append(_source(name, kind, object_of(own, name)))
    if not sources:
        raise illegal("Composite [sources] cannot be null or empty")
    if len({one.name for one in sources}) < len(sources):
        raise illegal("Composite source names must be unique")
    after: tuple[Any, ...] | None = None
    if (given := options.get("after")) is not None:
        if set(object_of(given, "after")) != {one.name for one in sources}:
            raise illegal(f"[after] has {len(given)} value(s) but [sources] has {len(sources)}")
        after = tuple(_after(one, given[one.name], shared.now_ns) for one in sources)
    size = whole(options.get("size", 10), "size", low=1, high=MAX_ROWS)
    groups = tuple(one.group for one in sources)
    return Composite(shared.name, "composite", groups, **shared.plain, sources=tuple(sources), size=size, after=after)


def _source(name: str, kind: str, options: dict[str, Any]) -> CompositeSource:
    descending = str(options.get("order", "asc")).lower() == "desc"
    format = str(options.get("format") or "")
    null_group = flag(options.get("missing_bucket", False), "missing_bucket")
    match kind:
        case "terms":
            field = field_of(options, "terms")
            if is_time(field):
                return CompositeSource(name, ByTime(1_000_000), descending, True, format)
            missing = OTHER_INDEX if field == "_index" else None
            return CompositeSource(name, ByField(field_name(field), missing, null_group), descending)
        case "date_histogram":
            group, zone = time_group(options)
            return CompositeSource(name, group, descending, True, format, zone)
        case "histogram":
            interval = number(options.get("interval"), "interval", low=1e-300)
            return CompositeSource(name, ByNumber(field_name(field_of(options, kind)), interval), descending)
        case _:
            raise parsing(
                f"unknown composite source [{kind}] of [{name}]: terms, histogram and date_histogram are known", name
            )


def _after(source: CompositeSource, value: Any, now_ns: int) -> Any:
    if source.timed:
        return moment(value, now_ns, source.zone, source.format).low
    if value is None or isinstance(value, str):
        return value
    return text_value(value, "after") if isinstance(value, bool) else number(value, "after")
