"""Reads aggregations that make buckets."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from eldonia_ops.model.conditions import Condition, ConditionOp
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    Aggregation,
    BucketAggregation,
    Composite,
    CompositeSource,
    DateHistogram,
    Fixed,
    Histogram,
    Pipeline,
    Terms,
    TermsOrder,
)
from eldonia_ops.protocols.elasticsearch.query.clauses import Clause
from eldonia_ops.protocols.elasticsearch.query.date_math import moment, zone_of
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.fields import OTHER_INDEX, field_name, is_time
from eldonia_ops.protocols.elasticsearch.query.patterns import lucene_pattern
from eldonia_ops.protocols.elasticsearch.query.shapes import flag, listed, number, object_of, text_value, whole
from eldonia_ops.protocols.elasticsearch.query.term_queries import exists_node, time_range
from eldonia_ops.protocols.elasticsearch.query.time_format import formatted
from eldonia_ops.search.buckets import MAX_ROWS, ByConditions, ByField, ByNumber, Grouping
from eldonia_ops.search.time_steps import ByTime, TimeUnit
from eldonia_ops.search.tree import EVERYTHING, Comparison, Node, Not, TimeRange, conjunction, disjunction

_NS: Final = 1_000_000_000
_UNITS: Final = {"ms": 1_000_000, "s": _NS, "m": 60 * _NS, "h": 3_600 * _NS, "d": 86_400 * _NS}
_CALENDAR: Final = {
    **dict.fromkeys(("1m", "minute"), TimeUnit.MINUTE),
    **dict.fromkeys(("1h", "hour"), TimeUnit.HOUR),
    **dict.fromkeys(("1d", "day"), TimeUnit.DAY),
    **dict.fromkeys(("1w", "week"), TimeUnit.WEEK),
    **dict.fromkeys(("1M", "month"), TimeUnit.MONTH),
    **dict.fromkeys(("1q", "quarter"), TimeUnit.QUARTER),
    **dict.fromkeys(("1y", "year"), TimeUnit.YEAR),
}
_DURATION: Final = re.compile(r"([+-]?)([0-9]+)(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class Shared:
    """What a reader needs beside its own options."""

    name: str
    meta: Any
    children: tuple[Aggregation, ...]
    pipelines: tuple[Pipeline, ...]
    read: Callable[[Any], Clause]
    everything: Node
    now_ns: int
    outermost: bool

    @property
    def plain(self) -> dict[str, Any]:
        """The parts that every aggregation keeps."""
        return {"children": self.children, "pipelines": self.pipelines, "meta": self.meta}


def terms(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """The most frequent values of a field."""
    name = _field(options, "terms")
    size = whole(options.get("size", 10), "size", low=1, high=MAX_ROWS)
    order = _order(options.get("order"), shared, default=(TermsOrder("count"), TermsOrder("key", descending=False)))
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


def date_histogram(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """Steps of time."""
    group, zone = _time_group(options)
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
    order = _order(options.get("order"), shared, default=(TermsOrder("key", descending=False),))
    return DateHistogram(
        shared.name, "date_histogram", groups, **shared.plain, search=hard, step=group.width, zone=zone,
        offset_ns=group.offset_ns, order=order, min_doc_count=whole(options.get("min_doc_count", 0), "min_doc_count"),
        bounds=bounds, keyed=flag(options.get("keyed", False), "keyed"), format=format,
    )  # fmt: skip


def histogram(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """Steps of a number."""
    name = _field(options, "histogram")
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
    order = _order(options.get("order"), shared, default=(TermsOrder("key", descending=False),))
    return Histogram(
        shared.name, "histogram", (ByNumber(field, interval, offset, missing),), **shared.plain,
        search=conjunction(limits) if limits else None, interval=interval, offset=offset, order=order,
        min_doc_count=whole(options.get("min_doc_count", 0), "min_doc_count"), bounds=bounds,
        keyed=flag(options.get("keyed", False), "keyed"),
    )  # fmt: skip


def filter_one(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """One bucket of a query."""
    node = shared.read(options).node if options else EVERYTHING
    return Fixed(shared.name, "filter", (ByConditions((node,)),), **shared.plain, keys=("",), single=True)


def filters(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """A bucket for each of several queries."""
    given = options.get("filters")
    if isinstance(given, dict):
        keys = [str(key) for key in given]
        nodes = [shared.read(one).node for one in given.values()]
    elif isinstance(given, list):
        keys = ["" for _ in given]
        nodes = [shared.read(one).node for one in given]
    else:
        raise parsing("[filters] must be an object or a list", "filters")
    if not nodes:
        raise illegal("[filters] cannot be empty")
    other = options.get("other_bucket_key")
    if other or flag(options.get("other_bucket", False), "other_bucket"):
        keys.append(str(other or "_other_") if isinstance(given, dict) else "")
        nodes.append(Not(disjunction(nodes)))
    _few(len(nodes))
    keyed = isinstance(given, dict) and flag(options.get("keyed", True), "keyed")
    return Fixed(shared.name, "filters", (ByConditions(tuple(nodes)),), **shared.plain, keys=tuple(keys), keyed=keyed)


def missing(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """Records without a field."""
    node = Not(exists_node(_field(options, "missing")))
    return Fixed(shared.name, "missing", (ByConditions((node,)),), **shared.plain, keys=("",), single=True)


def global_one(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """All records of the indices, whatever the query."""
    if not shared.outermost:
        raise illegal(
            f"Aggregation [{shared.name}] cannot have a global sub-aggregation: global aggregators can only be defined "
            "at the top level"
        )
    group = ByConditions((EVERYTHING,))
    plain = shared.plain
    return Fixed(shared.name, "global", (group,), **plain, search=shared.everything, keys=("",), single=True)


def nested(_options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """Objects in documents are fields of their paths: the bucket is that of all records."""
    return Fixed(shared.name, "nested", (ByConditions((EVERYTHING,)),), **shared.plain, keys=("",), single=True)


def range_of(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """A bucket for each of several ranges of a number."""
    name = field_name(_field(options, "range"))
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
    if not is_time(_field(options, "date_range")):
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
            field = _field(options, "terms")
            if is_time(field):
                return CompositeSource(name, ByTime(1_000_000), descending, True, format)
            missing = OTHER_INDEX if field == "_index" else None
            return CompositeSource(name, ByField(field_name(field), missing, null_group), descending)
        case "date_histogram":
            group, zone = _time_group(options)
            return CompositeSource(name, group, descending, True, format, zone)
        case "histogram":
            interval = number(options.get("interval"), "interval", low=1e-300)
            return CompositeSource(name, ByNumber(field_name(_field(options, kind)), interval), descending)
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


def _time_group(options: dict[str, Any]) -> tuple[ByTime, tzinfo]:
    name = _field(options, "date_histogram")
    if not is_time(name):
        raise illegal(f"[date_histogram] of [{name}] is not supported: it is of [@timestamp]")
    zone = zone_of(str(options["time_zone"])) if options.get("time_zone") else UTC
    calendar, fixed = options.get("calendar_interval"), options.get("fixed_interval")
    legacy = options.get("interval")
    if legacy is not None and calendar is None and fixed is None:
        text = str(legacy)
        calendar, fixed = (text, None) if text in _CALENDAR else (None, f"{text}ms" if text.isdigit() else text)
    offset = _duration(str(options["offset"]), "offset") if options.get("offset") else 0
    if calendar is not None:
        unit = _CALENDAR.get(str(calendar))
        if unit is None:
            raise illegal(f"The supplied interval [{calendar}] could not be parsed as a calendar interval.")
        return ByTime(unit, _zone_name(zone), offset), zone
    if fixed is None:
        raise illegal("Invalid interval specified, must be non-null and non-empty")
    step = _duration(str(fixed), "fixed_interval")
    if step < 1_000_000:
        raise illegal("Zero or negative time interval not supported")
    return ByTime(step, _zone_name(zone), offset % step), zone


def _zone_name(zone: tzinfo) -> str:
    """A zone by a name that both Python and the engine know; an offset of whole hours has one, turned round."""
    if isinstance(zone, ZoneInfo):
        return zone.key
    offset = zone.utcoffset(None)
    minutes = int(offset.total_seconds() // 60) if offset else 0
    if minutes == 0:
        return "UTC"
    if minutes % 60 or not -14 <= minutes // 60 <= 14:
        named = {
            330: "Asia/Kolkata",
            345: "Asia/Kathmandu",
            570: "Australia/Darwin",
            270: "Asia/Kabul",
            210: "Asia/Tehran",
        }
        if minutes in named:
            return named[minutes]
        raise illegal("a [time_zone] of a part of an hour is given by its name, such as [Asia/Kolkata]")
    return f"Etc/GMT{-minutes // 60:+d}"


def _duration(text: str, place: str) -> int:
    found = _DURATION.fullmatch(text)
    if not found:
        raise illegal(
            f"failed to parse setting [{place}] with value [{text}] as a time value: unit is missing or unrecognized"
        )
    return int(found[2]) * _UNITS[found[3]] * (-1 if found[1] == "-" else 1)


def _bound(given: Any, key: str, shared: Shared, zone: tzinfo, format: str) -> int | None:
    value = object_of(given, "bounds").get(key)
    if value is None:
        return None
    at = moment(value, shared.now_ns, zone, format)
    return at.low


def _ranges(options: dict[str, Any]) -> list[dict[str, Any]]:
    found = [object_of(one, "ranges") for one in listed(options.get("ranges") or [])]
    if not found:
        raise illegal("No [ranges] specified for the [range] aggregation")
    _few(len(found))
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


def _few(count: int) -> None:
    if count > 500:
        raise DslError("too_many_buckets_exception", f"more than 500 ranges or filters: {count}", of_phase=True)


def _order(value: Any, shared: Shared, default: tuple[TermsOrder, ...]) -> tuple[TermsOrder, ...]:
    if not value:
        return default
    found: list[TermsOrder] = []
    for one in listed(value):
        for path, direction in object_of(one, "order").items():
            if str(direction).lower() not in ("asc", "desc"):
                raise illegal(f"Unknown order direction [{direction}]")
            descending = str(direction).lower() == "desc"
            if path in ("_count", "_key", "_term", "_time"):
                found.append(TermsOrder("count" if path == "_count" else "key", descending=descending))
                continue
            metric, _, part = path.partition("[") if path.endswith("]") else path.partition(".")
            metric = metric.removesuffix("._count")
            names = [child.name for child in shared.children]
            if metric not in names and path in names:
                metric, part = path, ""
            if metric not in names:
                raise DslError(
                    "aggregation_execution_exception",
                    f"Invalid aggregator order path [{path}]. The provided aggregation [{metric}] either does not "
                    "exist, or is a pipeline aggregation and cannot be used to sort the buckets.",
                    of_phase=True,
                )
            found.append(TermsOrder("metric", metric, part.rstrip("]"), descending))
    if not any(one.by == "key" for one in found):
        found.append(TermsOrder("key", descending=False))
    return tuple(found)


def _pattern(value: Any) -> str | tuple[str, ...] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        raise illegal("[include] with partitions is not supported: use a [composite] aggregation")
    if isinstance(value, list):
        return tuple(text_value(one, "include") for one in value)
    return lucene_pattern(str(value)).removeprefix("^").removesuffix("$")


def _field(options: dict[str, Any], kind: str) -> str:
    name = options.get("field")
    if "script" in options:
        raise illegal(f"[{kind}] with a [script] is not supported: name a [field]")
    if not isinstance(name, str) or not name:
        raise illegal("Required one of fields [field, script], but none were specified. ")
    return name


BUCKETS: Final[Mapping[str, Callable[[dict[str, Any], Shared], BucketAggregation]]] = {
    "terms": terms,
    "date_histogram": date_histogram,
    "histogram": histogram,
    "filter": filter_one,
    "filters": filters,
    "missing": missing,
    "global": global_one,
    "nested": nested,
    "reverse_nested": nested,
    "range": range_of,
    "date_range": date_range,
    "composite": composite,
}
"""Readers of bucket aggregations by their names."""
