"""Runs searches of logs with pipes, and makes tables and charts of what comes out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timezone, tzinfo
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from eldonia_ops.model.condition_text import format_field
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.ports import LogQuery, LogStore, QueryTooLargeError
from eldonia_ops.search.aggregates import MAX_ROWS, MetricFunction
from eldonia_ops.search.pipes.items import Item, passed, rows_of
from eldonia_ops.search.pipes.pipeline import (
    TIME_COLUMN,
    Eval,
    Extract,
    Fields,
    Pipeline,
    Rename,
    Timechart,
    Top,
    Where,
)
from eldonia_ops.search.pipes.plan import Width, aggregate_of, columns_of, fitting_width, narrowed
from eldonia_ops.search.time_steps import next_start, start_of

MAX_POINTS: Final = 11_000
"""Buckets of one chart."""

MAX_ITEMS: Final = 10_000
"""Records that one pipeline may answer."""

_PAGE: Final = 1_000
_MANY: Final = 1_000
_T = TypeVar("_T")
_NS: Final = 1_000_000
_COUNTS: Final = frozenset({MetricFunction.COUNT, MetricFunction.UNIQ, MetricFunction.NUMBERS})


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """What comes out of a pipeline.

    ``items`` are records as long as nothing has counted them, else rows. ``groups`` and ``total`` are those of the
    stage that counted: how many rows it had, and records in them. ``more`` says whether others are left out.
    """

    pipeline: Pipeline
    width: Width
    columns: tuple[FieldName, ...]
    items: list[Item]
    more: bool = False
    groups: int = 0
    total: int = 0

    @property
    def timechart(self) -> Timechart | None:
        """The stage whose rows these are over time, if nothing took their time away."""
        counting = self.pipeline.split()[1]
        times = isinstance(counting, Timechart) and any(column.name == TIME_COLUMN for column in self.columns)
        return counting if times and isinstance(counting, Timechart) else None


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """A line of a chart: which metric of which group, and its value in each bucket, None for none."""

    metric: str
    labels: Mapping[str, str]
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class LogChart:
    """A timechart: ``starts`` are Unix milliseconds. ``left_out`` counts series beyond those that were asked for."""

    starts: list[int] = field(default_factory=list[int])
    series: list[ChartSeries] = field(default_factory=list[ChartSeries])
    left_out: int = 0


def width_of(query: LogQuery, zone: tzinfo, width_ns: int = 0) -> Width:
    """The buckets of a reader in a zone: of that width (nanoseconds), else one that fits to the range of a query."""
    name, offset = "UTC", 0
    if isinstance(zone, ZoneInfo):
        name = zone.key
    elif isinstance(zone, timezone):
        # Midnight in a zone that is ahead is before midnight in UTC.
        offset = -round(zone.utcoffset(None).total_seconds()) * 10**9
    return Width(width_ns or fitting_width(query.since_ns, query.until_ns), name, offset)


async def run_pipeline(
    logs: LogStore, query: LogQuery, pipeline: Pipeline, width: Width, limit: int = MAX_ROWS
) -> PipelineResult:
    """The first ``limit`` records (at most :data:`MAX_ITEMS`) or rows that come out. The search is added to the query.

    Raises:
        QueryTooLargeError: a stage has too many rows, or it takes too much time or memory.
    """
    before, counting, after = pipeline.split()
    query = replace(query, search=pipeline.search, limit=min(limit, MAX_ITEMS))
    columns = columns_of(pipeline)
    if counting is None:
        found = await logs.log_items(query, before)
        return PipelineResult(pipeline, width, columns, found.items, found.more)
    if isinstance(counting, Timechart):
        _bounded(counting, query, width)
    aggregate = narrowed(counting, aggregate_of(counting, width), after)
    answer = await logs.log_aggregate(query, aggregate, before)
    if aggregate.limit == MAX_ROWS and answer.groups > MAX_ROWS:
        raise QueryTooLargeError(
            f"there are {answer.groups:,} groups, and at most {MAX_ROWS:,} are looked at: put | sort -count | head 100 "
            "behind the count, or count by less"
        )
    items = await aside(len(answer.rows), lambda: passed(rows_of(counting, answer), after, width))
    return PipelineResult(pipeline, width, columns, items[:limit], len(items) > limit, answer.groups, answer.total)


async def aside(size: int, work: Callable[[], _T]) -> _T:
    """Work on so many rows, on a thread if they are many: others are answered meanwhile."""
    return await asyncio.to_thread(work) if size > _MANY else work()


def streams(pipeline: Pipeline) -> bool:
    """Whether records go through a pipeline one by one, so that any number of them can."""
    return all(isinstance(stage, Where | Extract | Eval | Rename | Fields) for stage in pipeline.stages)


async def pages(logs: LogStore, query: LogQuery, pipeline: Pipeline, most: int) -> AsyncIterator[list[Item]]:
    """What comes out of a pipeline that :func:`streams`, up to ``most`` records, page by page."""
    stages = pipeline.split()[0]
    query = replace(query, search=pipeline.search, limit=_PAGE)
    while most > 0:
        found = await logs.log_items(replace(query, limit=min(_PAGE, most)), stages)
        if found.items:
            yield found.items
        if not found.more:
            return
        most -= len(found.items)
        query = replace(query, before=found.items[-1].place)


def _bounded(stage: Timechart, query: LogQuery, width: Width) -> None:
    wide = width.buckets(stage).width_ns
    if wide is not None and (query.until_ns - query.since_ns) // wide > MAX_POINTS:
        raise QueryTooLargeError(
            f"the time has more than {MAX_POINTS:,} buckets of that width: make them wider, or the time shorter"
        )


def chart_of(result: PipelineResult, query: LogQuery, most: int) -> LogChart | None:
    """A chart of a timechart: at most ``most`` series, those with the largest values; None of anything else."""
    stage = result.timechart
    if stage is None:
        return None
    starts = starts_of(stage, query, result.width)
    places = {start: place for place, start in enumerate(starts)}
    names = [column.name for column in result.columns]
    groups = [name.name for name in stage.by if name.name in names]
    metrics = {name: metric for name, metric in stage.metrics if name in names}
    values = [name for name in names if name not in groups and name != TIME_COLUMN]
    series: dict[tuple[str, tuple[str, ...]], ChartSeries] = {}
    for item in result.items:
        start = item.values.get(TIME_COLUMN)
        place = places.get(int(start)) if isinstance(start, int | float) else None
        if place is None:
            continue
        labels = {name: str(item.values.get(name) or "") for name in groups}
        for name in values:
            number = item.values.get(name)
            if not isinstance(number, int | float):
                continue
            key = (name, tuple(labels.values()))
            if key not in series:
                metric = metrics.get(name)
                nothing = 0.0 if metric is not None and metric.function in _COUNTS else None
                series[key] = ChartSeries(name, labels, [nothing] * len(starts))
            series[key].values[place] = float(number)
    ordered = sorted(series.values(), key=lambda one: -max((abs(value) for value in one.values if value), default=0.0))
    shown = sorted(ordered[:most], key=lambda one: (one.metric, tuple(one.labels.values())))
    return LogChart(starts, shown, max(0, len(ordered) - most))


def starts_of(stage: Timechart, query: LogQuery, width: Width) -> list[int]:
    """Where the buckets of a range begin, in Unix milliseconds."""
    buckets = width.buckets(stage)
    found = [start_of(buckets, query.since_ns)]
    while len(found) <= MAX_POINTS:
        start = next_start(buckets, found[-1])
        if start >= query.until_ns:
            break
        found.append(start)
    return [start // _NS for start in found]


def column_kinds(result: PipelineResult) -> list[str]:
    """What each column holds: ``time`` (Unix milliseconds), ``number`` or ``text``."""
    counting = result.pipeline.split()[1]
    times = {"timestamp"} if counting is None else {TIME_COLUMN} if isinstance(counting, Timechart) else set[str]()
    kinds: list[str] = []
    for column in result.columns:
        values = [value for item in result.items if (value := item.value(column)) is not None]
        numbers = bool(values) and all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in values
        )
        kinds.append("time" if column.name in times and numbers else "number" if numbers else "text")
    return kinds


def cells_of(result: PipelineResult, item: Item) -> list[Any]:
    """The values of a record or row under the columns."""
    return [item.value(column) for column in result.columns]


def field_columns(pipeline: Pipeline) -> list[str]:
    """The columns by which records were counted, as long as their values are those of fields of the records."""
    before, counting, after = pipeline.split()
    if counting is None:
        return []
    names = [format_field(name) for name in (counting.names if isinstance(counting, Top) else counting.by)]
    made: set[str] = set()
    for stage in (*before, *after):
        match stage:
            case Extract():
                made |= {name for name, _ in stage.holes}
            case Eval():
                made.add(stage.name)
            case Rename():
                made |= {new for _, new in stage.names}
            case _:
                pass
    shown = [format_field(column) for column in columns_of(pipeline)]
    return [name for name in names if name in shown and name not in made]
