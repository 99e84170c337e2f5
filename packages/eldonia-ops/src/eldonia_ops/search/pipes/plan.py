"""What a store is asked for a pipeline: the aggregate of the first stage that counts."""

from dataclasses import dataclass, replace

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.aggregates import COUNT, MAX_ROWS, Aggregate, ByField, Order
from eldonia_ops.search.pipes.pipeline import (
    COUNT_COLUMN,
    PERCENT_COLUMN,
    TIME_COLUMN,
    Counting,
    Eval,
    Extract,
    Fields,
    Head,
    Pipeline,
    Rename,
    Sort,
    Stage,
    Stats,
    Timechart,
    Top,
)
from eldonia_ops.search.time_steps import ByTime, TimeUnit

_STEPS_NS = tuple(
    seconds * 10**9
    for seconds in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
)
_MOST_BUCKETS = 120
_DAY_NS = 86_400 * 10**9
_USUAL = tuple(FieldName((name,)) for name in ("timestamp", "level", "service", "message"))


@dataclass(frozen=True, slots=True)
class Width:
    """How wide (nanoseconds) the buckets of a timechart are that says nothing of it, and where its days begin."""

    ns: int = 60 * 10**9
    zone: str = "UTC"
    offset_ns: int = 0

    def buckets(self, stage: Timechart) -> ByTime:
        """The buckets of a timechart."""
        width = self.ns if stage.width is None else stage.width
        return ByTime(TimeUnit.DAY if width == _DAY_NS else width, self.zone, self.offset_ns)


def aggregate_of(stage: Counting, width: Width) -> Aggregate:
    """The aggregate of one stage."""
    match stage:
        case Stats():
            groups = tuple(ByField(name) for name in stage.by)
            return Aggregate(groups, tuple(metric for _, metric in stage.metrics), limit=MAX_ROWS)
        case Timechart():
            groups = (width.buckets(stage), *(ByField(name) for name in stage.by))
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
    return -(-least // _DAY_NS) * _DAY_NS


def columns_of(pipeline: Pipeline) -> tuple[FieldName, ...]:
    """The columns of what comes out; of records that have all their fields, the usual ones and what stages made."""
    closed: list[FieldName] | None = None
    made: list[FieldName] = []
    for stage in pipeline.stages:
        names = made if closed is None else closed
        match stage:
            case Stats():
                closed = [*stage.by, *(FieldName((name,)) for name, _ in stage.metrics)]
            case Timechart():
                closed = [
                    *(FieldName((TIME_COLUMN,)), *stage.by),
                    *(FieldName((name,)) for name, _ in stage.metrics),
                ]
            case Top():
                closed = [*stage.names, FieldName((COUNT_COLUMN,)), FieldName((PERCENT_COLUMN,))]
            case Fields():
                closed = list(stage.names)
            case Extract():
                _add(names, [name for name, _ in stage.holes])
            case Eval():
                _add(names, [stage.name])
            case Rename():
                for old, new in stage.names:
                    at = next((place for place, one in enumerate(names) if one.name == old.name), None)
                    if at is None:
                        _add(names, [new])
                    else:
                        names[at] = FieldName((new,))
            case _:
                pass
    return tuple(closed) if closed is not None else (*_USUAL, *made)


def _add(names: list[FieldName], more: list[str]) -> None:
    names += [FieldName((name,)) for name in more if name not in [one.name for one in names]]
