"""What a store is asked for a pipeline: the aggregate of the first stage that counts."""

from dataclasses import replace

from eldonia_ops.search.aggregates import COUNT, MAX_ROWS, Aggregate, ByField, ByTime, Order, TimeUnit
from eldonia_ops.search.pipes import Counting, Head, Sort, Stage, Stats, Timechart, Top

_STEPS_NS = tuple(
    seconds * 10**9
    for seconds in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
)
_MOST_BUCKETS = 120


def aggregate_of(stage: Counting, width_ns: int, zone: str = "UTC") -> Aggregate:
    """The aggregate of one stage. ``width_ns`` is the width of a timechart that has none of its own."""
    match stage:
        case Stats():
            groups = tuple(ByField(name) for name in stage.by)
            return Aggregate(groups, tuple(metric for _, metric in stage.metrics), limit=MAX_ROWS)
        case Timechart():
            width = width_ns if stage.width is None else stage.width
            if width == 86_400 * 10**9:
                width = TimeUnit.DAY
            groups = (ByTime(width, zone), *(ByField(name) for name in stage.by))
            return Aggregate(groups, tuple(metric for _, metric in stage.metrics), limit=MAX_ROWS)
        case Top():
            groups = tuple(ByField(name, missing=False) for name in stage.names)
            return Aggregate(groups, (COUNT,), (Order(descending=not stage.rare),), limit=stage.count)


def narrowed(stage: Counting, aggregate: Aggregate, after: tuple[Stage, ...]) -> Aggregate:
    """The aggregate with the order and limit of the stages that follow at once: a store need not answer every row."""
    if isinstance(stage, Top) or not after:
        return aggregate
    if isinstance(after[0], Head):
        return replace(aggregate, limit=after[0].count)
    if len(after) < 2 or not isinstance(after[0], Sort) or not isinstance(after[1], Head):
        return aggregate
    keys = [name.name for name in stage.by]
    metrics = [name for name, _ in stage.metrics]
    first = 1 if isinstance(stage, Timechart) else 0
    order: list[Order] = []
    for name, descending in after[0].keys:
        if name.name in metrics:
            order.append(Order(metric=metrics.index(name.name), descending=descending))
        elif name.name in keys:
            order.append(Order(group=first + keys.index(name.name), descending=descending))
        else:
            order.append(Order(group=0, descending=descending))
    return replace(aggregate, order=tuple(order), limit=after[1].count)


def fitting_width(since_ns: int, until_ns: int) -> int:
    """A width of buckets (nanoseconds) of which a hundred or so fit into a range."""
    least = max(1, (until_ns - since_ns) // _MOST_BUCKETS)
    for step in _STEPS_NS:
        if step >= least:
            return step
    day = 86_400 * 10**9
    return -(-least // day) * day
