"""The request for one level of buckets, and the buckets that its rows and gaps make."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    Aggregation,
    BucketAggregation,
    Composite,
    DateHistogram,
    Fixed,
    Histogram,
    Metric,
    Terms,
    TermsOrder,
)
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal
from eldonia_ops.search.buckets import (
    MAX_ROWS,
    BucketOrder,
    BucketRequest,
    BucketRow,
    Grouping,
    GroupKey,
    Measure,
    MeasureKind,
)
from eldonia_ops.search.time_steps import ByTime, next_start, start_of
from eldonia_ops.search.tree import Node, conjunction

_NS: Final = 1_000_000_000
Keys = tuple[GroupKey, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a level is: what it looks at, the groups around it, and the buckets of those that are wanted.

    ``cut`` says that there are other buckets around, which are not wanted.
    """

    search: Node
    around: tuple[Grouping, ...] = ()
    parents: tuple[Keys, ...] = ((),)
    cut: bool = False


def measures_of(children: Sequence[Aggregation]) -> tuple[Measure, ...]:
    """The measures of all metrics of a level, one behind the other."""
    return tuple(measure for one in children if isinstance(one, Metric) for measure in one.measures)


def search_of(one: BucketAggregation, place: Place) -> Node:
    """What an aggregation looks at."""
    if one.search is None:
        return place.search
    return one.search if one.kind == "global" else conjunction([place.search, one.search])


def request_of(one: BucketAggregation, place: Place) -> BucketRequest:
    """The request for the level of an aggregation."""
    minimum, limit, after = 1, None, None
    first = len(place.around)
    order: list[BucketOrder] = []
    match one:
        case Terms():
            minimum, limit = max(1, one.min_doc_count), one.size
            order = [_order(each, one, first) for each in one.order]
        case Histogram() | DateHistogram():
            minimum = max(1, one.min_doc_count)
            order = [BucketOrder("key", first)]
        case Composite():
            limit, after = one.size, one.after
            order = [BucketOrder("key", first + n, descending=each.descending) for n, each in enumerate(one.sources)]
        case _:
            order = [BucketOrder("key", first)]
    return BucketRequest(
        search_of(one, place),
        (*place.around, *one.groups),
        len(one.groups),
        measures_of(one.children),
        tuple(order),
        place.parents if place.cut and place.around else None,
        limit,
        minimum,
        after,
    )


def keys_of(one: BucketAggregation, parent: Keys, rows: Sequence[BucketRow]) -> list[Keys]:
    """The keys of the buckets of one parent in their order; of histograms those of gaps too, of filters all.

    Raises:
        DslError: there are too many.
    """
    match one:
        case Fixed():
            return [(*parent, number) for number in range(len(one.keys))]
        case DateHistogram() if one.min_doc_count == 0:
            return [(*parent, start) for start in _starts(one, [row.keys[-1] for row in rows])]
        case Histogram() if one.min_doc_count == 0:
            return [(*parent, start) for start in _numbers(one, [row.keys[-1] for row in rows])]
        case _:
            return [row.keys for row in rows]


def too_many(count: int) -> DslError:
    """More buckets than one search may make."""
    reason = (
        f"Trying to create too many buckets. Must be less than or equal to: [{MAX_ROWS}] but was [{count}]. "
        "This limit can be set by changing the [search.max_buckets] cluster level setting."
    )
    return DslError("too_many_buckets_exception", reason, details={"max_buckets": MAX_ROWS}, of_phase=True)


def _starts(one: DateHistogram, found: list[GroupKey]) -> Iterator[int]:
    group = one.groups[0]
    assert isinstance(group, ByTime)
    known = {int(key) for key in found if key is not None}
    ends = [*known]
    if one.bounds:
        ends += [start_of(group, bound) for bound in one.bounds]
    if not ends:
        return
    at, last, count = min(ends), max(ends), 0
    width = group.width_ns
    if width is not None and (last - at) // width > MAX_ROWS:
        raise too_many((last - at) // width)
    while at <= last:
        count += 1
        if count > MAX_ROWS:
            raise too_many(count)
        yield at
        at = next_start(group, at)


def _numbers(one: Histogram, found: list[GroupKey]) -> Iterator[float]:
    places = {round((float(key) - one.offset) / one.interval) for key in found if key is not None}
    ends = [*places]
    if one.bounds:
        ends += [int((bound - one.offset) // one.interval) for bound in one.bounds]
    if not ends:
        return
    if max(ends) - min(ends) >= MAX_ROWS:
        raise too_many(max(ends) - min(ends) + 1)
    for number in range(min(ends), max(ends) + 1):
        yield one.offset + one.interval * number


def _order(each: TermsOrder, one: BucketAggregation, first: int) -> BucketOrder:
    if each.by == "count":
        return BucketOrder("count", descending=each.descending)
    if each.by == "key":
        return BucketOrder("key", first, descending=each.descending)
    number, level = measure_at(one.children, each.metric, each.property)
    return BucketOrder("measure", number, level, each.descending)


_PROPERTIES: Final = {
    "count": MeasureKind.NUMBERS,
    "min": MeasureKind.MIN,
    "max": MeasureKind.MAX,
    "avg": MeasureKind.AVERAGE,
    "sum": MeasureKind.SUM,
    "sum_of_squares": MeasureKind.SQUARES,
}


def measure_at(children: Sequence[Aggregation], name: str, part: str) -> tuple[int, int]:
    """Which measure of a level a path such as ``latency.avg`` means, and which of its numbers.

    Raises:
        DslError: it means none.
    """
    place = 0
    for child in children:
        if not isinstance(child, Metric):
            if child.name == name:
                raise illegal(f"order by [{name}], which is no metric, is not supported: order by a metric beside it")
            continue
        if child.name == name:
            if len(child.measures) > 1:
                kinds = [measure.kind for measure in child.measures]
                kind = _PROPERTIES.get(part)
                if kind is None or kind not in kinds:
                    raise illegal(f"order by [{name}.{part}] is not supported: {', '.join(_PROPERTIES)} are")
                return place + kinds.index(kind), 0
            if child.labels:
                numbers = [label for label in child.labels if part and _same(part, label)]
                if not numbers:
                    raise illegal(f"Invalid aggregation order path [{name}.{part}]. [{part}] is none of its values.")
                return place, child.labels.index(numbers[0])
            return place, 0
        place += len(child.measures)
    raise illegal(f"Invalid aggregator order path [{name}]")


def _same(text: str, number: float) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False
