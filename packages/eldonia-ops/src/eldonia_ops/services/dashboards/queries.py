"""All queries of a dashboard in one go: side by side within a bound, equal ones once, each with its own outcome."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from time import perf_counter
from typing import Final, Literal

from eldonia_ops.dashboards.columns import Columns, columns, heat_columns, histogram_columns
from eldonia_ops.dashboards.interpolate import Interpolated, Target, builtin_values, interpolate
from eldonia_ops.dashboards.legends import from_template, names_of
from eldonia_ops.dashboards.selection import Selection, Selections
from eldonia_ops.dashboards.times import MOST_POINTS, aligned, step_for
from eldonia_ops.dashboards.trace_terms import TraceTermsError, parse_trace_terms
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, TelemetryError, TelemetryStores, TraceQuery, TraceSummary
from eldonia_ops.search import SearchError
from eldonia_ops.search.pipes.parser import parse_pipeline
from eldonia_ops.services.api import Queries, QueryError, QueryResult
from eldonia_ops.services.logs.panels import piped_columns
from eldonia_ops.services.logs.pipelines import width_of

MOST_SERIES: Final = 1_000
"""Series of one query; more are cut off, with a warning."""
MOST_VALUES: Final = 2_000_000
"""Values of one answer."""
SIDE_BY_SIDE: Final = 4
_NS: Final = 1_000_000
_SHORTEST_STEP: Final = 1_000
_MOST_BUCKETS: Final = 300


@dataclass(frozen=True, slots=True)
class Ask:
    """One query of a panel. ``format`` is ``series``, ``table``, ``heatmap``, or ``records`` for logs."""

    expr: str
    panel: int = 0
    key: str = ""
    ref: str = ""
    language: Literal["promql", "logs", "traces"] = "promql"
    legend: str = ""
    instant: bool = False
    format: Literal["series", "table", "heatmap", "records"] = "series"
    interval: str = ""
    max_points: int = 0
    time_from: str = ""
    time_shift: str = ""
    limit: int = 100
    selections: Selections = field(default_factory=dict[str, Selection])


@dataclass(frozen=True, slots=True)
class Occasion:
    """What all queries of a request share: the range (Unix ms), the points that fit, the least step, variables."""

    start: int
    end: int
    points: int = 1_000
    interval: str = ""
    scrape_interval: int = 15_000
    selections: Selections = field(default_factory=dict[str, Selection])
    dashboard: str = ""
    user: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class AskError:
    """Why a query has no result. ``position`` counts in the expression as it was written; -1 for no place."""

    code: str
    message: str
    hint: str = ""
    position: int = -1


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one query. ``expr`` has its variables filled in; ``step`` is ms, 0 for an instant."""

    kind: Literal["series", "heatmap", "logs", "traces"]
    expr: str
    start: int
    end: int
    step: int
    columns: Columns = field(default_factory=Columns)
    records: tuple[LogRecord, ...] = ()
    traces: tuple[TraceSummary, ...] = ()
    warnings: tuple[str, ...] = ()
    error: AskError | None = None
    seconds: float = 0.0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class _Work:
    """A query with everything filled in; equal ones have one outcome."""

    language: str
    expr: str
    start: int
    end: int
    step: int
    instant: bool
    format: str
    limit: int


class _Outcome:
    """What a query gave, before its series are named."""

    def __init__(self) -> None:
        self.result: QueryResult | None = None
        self.columns = Columns()
        self.records: tuple[LogRecord, ...] = ()
        self.traces: tuple[TraceSummary, ...] = ()
        self.warnings: tuple[str, ...] = ()
        self.error: QueryError | None = None
        self.seconds = 0.0


class DashboardQueries:
    """Runs the queries of dashboards. At most ``side_by_side`` of one request are under way at once."""

    def __init__(self, queries: Queries, telemetry: TelemetryStores, side_by_side: int = SIDE_BY_SIDE) -> None:
        self._queries = queries
        self._telemetry = telemetry
        self._side_by_side = side_by_side

    async def run(self, asks: Sequence[Ask], occasion: Occasion) -> list[Answer]:
        """An answer for each query, in their order. When the caller is cancelled, so is what runs for it."""
        places = asyncio.Semaphore(self._side_by_side)
        prepared = [_prepared(ask, occasion) for ask in asks]
        running: dict[_Work, asyncio.Task[_Outcome]] = {}
        async with asyncio.TaskGroup() as group:
            for one in prepared:
                if one.work not in running:
                    running[one.work] = group.create_task(self._one(one.work, places, occasion.language))
        seen: set[_Work] = set()
        room = MOST_VALUES
        found: list[Answer] = []
        for ask, one in zip(asks, prepared, strict=True):
            answer = _answer(ask, one, running[one.work].result(), room)
            room -= sum(len(column.values) for column in answer.columns.series)
            found.append(replace(answer, shared=one.work in seen))
            seen.add(one.work)
        return found

    async def _one(self, work: _Work, places: asyncio.Semaphore, language: str) -> _Outcome:
        outcome = _Outcome()
        async with places:
            begun = perf_counter()
            try:
                match work.language:
                    case "logs":
                        await self._logs(work, outcome, language)
                    case "traces":
                        await self._traces(work, outcome)
                    case _:
                        await self._promql(work, outcome)
            except QueryError as error:
                outcome.error = error
            except TelemetryError as error:
                outcome.error = QueryError(str(error), kind="execution")
            outcome.seconds = perf_counter() - begun
        return outcome

    async def _promql(self, work: _Work, outcome: _Outcome) -> None:
        if not work.expr.strip():
            return
        if work.instant:
            outcome.result = await self._queries.instant(work.expr, work.end)
        else:
            outcome.result = await self._queries.range(work.expr, work.start, work.end, work.step)

    async def _logs(self, work: _Work, outcome: _Outcome, language: str) -> None:
        try:
            pipeline = parse_pipeline(work.expr)
        except SearchError as error:
            raise QueryError(error.message(language), error.start, hint=error.hint(language)) from None
        query = LogQuery(work.start * _NS, (work.end + 1) * _NS, search=pipeline.search, limit=work.limit)
        logs = self._telemetry.logs
        if pipeline.stages:
            width = width_of(query, UTC, max(_NS, work.step * _NS))
            found = await piped_columns(
                logs, query, pipeline, width, records=work.format == "records", limit=work.limit
            )
            outcome.columns, outcome.records, outcome.warnings = found.columns, found.records, found.warnings
            return
        if work.format == "records":
            outcome.records = tuple((await logs.search_logs(query)).records)
            return
        buckets = max(1, min(_MOST_BUCKETS, (work.end - work.start) // max(1, work.step)))
        histogram = await logs.log_histogram(query, buckets)
        timestamps = [start // _NS for start in histogram.starts_ns]
        series = [
            (level, {"level": level}, list(zip(timestamps, map(float, counts), strict=True)))
            for level, counts in histogram.counts.items()
            if any(counts)
        ]
        outcome.columns = columns(series, timestamps)

    async def _traces(self, work: _Work, outcome: _Outcome) -> None:
        try:
            terms = parse_trace_terms(work.expr)
        except TraceTermsError as error:
            raise QueryError(str(error), error.position) from None
        query = TraceQuery(
            since_ns=work.start * _NS,
            until_ns=(work.end + 1) * _NS,
            service=terms.service,
            operation=terms.operation,
            min_duration_ns=terms.min_ns,
            max_duration_ns=terms.max_ns,
            errors_only=terms.errors_only,
            where=terms.where,
            limit=min(work.limit, 500),
        )
        outcome.traces = tuple(await self._telemetry.traces.find_traces(query))


@dataclass(frozen=True, slots=True)
class _Prepared:
    work: _Work
    text: Interpolated
    selections: Selections
    builtins: Mapping[str, str]


def _prepared(ask: Ask, occasion: Occasion) -> _Prepared:
    """The query with its range, step and variables."""
    selections = {**occasion.selections, **ask.selections}
    start, end = _range(ask, occasion, selections)
    points = max(1, min(ask.max_points or occasion.points, MOST_POINTS))
    least = _milliseconds(ask.interval, selections) or _milliseconds(occasion.interval, selections)
    step = step_for(end - start, points, max(least or occasion.scrape_interval, _SHORTEST_STEP))
    values = builtin_values(
        start=start,
        end=end,
        step=step,
        scrape_interval=least or occasion.scrape_interval,
        dashboard=occasion.dashboard,
        user=occasion.user,
    )
    target = Target.PROMQL if ask.language == "promql" else Target.LOGS
    text = interpolate(ask.expr, selections, values, target)
    if ask.language == "promql" and not ask.instant:
        start, end = aligned(start, end, step)
    instant = ask.instant and ask.language == "promql"
    work = _Work(ask.language, text.text, start, end, 0 if instant else step, instant, ask.format, ask.limit)
    return _Prepared(work, text, selections, values)


def _range(ask: Ask, occasion: Occasion, selections: Selections) -> tuple[int, int]:
    start, end = occasion.start, occasion.end
    if length := _milliseconds(ask.time_from, selections):
        start = end - length
    shift = _milliseconds(ask.time_shift, selections)
    return max(0, start - shift), max(0, end - shift)


def _milliseconds(text: str, selections: Selections) -> int:
    """A duration that may be a variable; 0 for none, and for what is none."""
    if not text:
        return 0
    try:
        return parse_duration(interpolate(text, selections).text.strip())
    except ValueError:
        return 0


def _answer(ask: Ask, one: _Prepared, outcome: _Outcome, room: int) -> Answer:
    work = one.work
    kind: Literal["series", "heatmap", "logs", "traces"] = "series"
    made = outcome.columns
    warnings = list(outcome.warnings)
    if outcome.result is not None:
        made, more = _columns(ask, one, outcome.result, room)
        warnings += [*outcome.result.warnings, *more]
    if ask.language == "logs" and ask.format == "records":
        kind = "logs"
    elif ask.language == "traces":
        kind = "traces"
    elif ask.format == "heatmap":
        kind = "heatmap"
    error = None
    if outcome.error is not None:
        position = outcome.error.position
        position = one.text.origin(position) if position >= 0 else -1
        error = AskError(outcome.error.kind, str(outcome.error), outcome.error.hint, position)
    return Answer(
        kind,
        work.expr,
        work.start,
        work.end,
        work.step,
        made,
        outcome.records,
        outcome.traces,
        tuple(warnings),
        error,
        outcome.seconds,
    )


def _columns(ask: Ask, one: _Prepared, result: QueryResult, room: int) -> tuple[Columns, list[str]]:
    work = one.work
    timestamps = [work.end] if work.instant else list(range(work.start, work.end + 1, work.step))
    series = result.series
    warnings: list[str] = []
    most = max(1, min(MOST_SERIES, room // max(1, len(timestamps))))
    if len(series) > most and ask.format != "heatmap":
        warnings.append(f"{len(series)} series: the first {most} are shown; sum some up, or narrow the selector")
        series = series[:most]
    if result.type == "string":
        return Columns(timestamps, []), [*warnings, "a text cannot be drawn"]
    if ask.format == "heatmap":
        if any(item.histograms for item in series):
            return histogram_columns([item.histograms for item in series], timestamps), warnings
        return heat_columns([(dict(item.labels.pairs), item.points) for item in series], timestamps), warnings
    if any(item.histograms for item in series):
        warnings.append("native histograms have no line: ask for histogram_quantile, or a heat map")
    labels = [dict(item.labels.pairs) for item in series]
    if ask.legend and "{{" not in ask.legend and ask.legend.startswith("__"):
        names = names_of(labels, work.expr)
    elif ask.legend:
        template = interpolate(ask.legend, one.selections, one.builtins).text
        names = [from_template(template, one_labels) for one_labels in labels]
    else:
        names = names_of(labels, work.expr)
    found = [(name, own, item.points) for name, own, item in zip(names, labels, series, strict=True)]
    return columns(found, timestamps), warnings
