"""Searches of logs with pipes in panels of dashboards: series over time, or one value for each row."""

from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.dashboards.columns import Columns, columns
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.search.pipes.pipeline import Pipeline
from eldonia_ops.search.pipes.plan import Width
from eldonia_ops.search.values import value_number, value_text
from eldonia_ops.services.api import QueryError
from eldonia_ops.services.logs.pipelines import PipelineResult, aside, chart_of, run_pipeline

MOST_SERIES: Final = 200
_NS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class PanelAnswer:
    """What a panel shows."""

    columns: Columns = field(default_factory=Columns)
    records: tuple[LogRecord, ...] = ()
    warnings: tuple[str, ...] = ()


async def piped_columns(
    logs: LogStore, query: LogQuery, pipeline: Pipeline, width: Width, *, records: bool, limit: int
) -> PanelAnswer:
    """The answer of a search with pipes: of ``| timechart`` series, of other counts the rows at the end of the range.

    Raises:
        QueryError: records are wanted of what has been counted, or numbers of what has not.
        TelemetryLimitError: it is too much.
    """
    found = await run_pipeline(logs, query, pipeline, width)
    counted = pipeline.split()[1] is not None
    if records:
        if counted:
            hint = "show it as a table or as time series"
            raise QueryError("a list of logs shows records, and this search counts them", hint=hint)
        return PanelAnswer(records=tuple(item.record for item in found.items[:limit] if item.record is not None))
    if not counted:
        hint = "end it with | timechart count() by level, or | stats count() by service"
        raise QueryError("this panel shows numbers, and this search finds records", hint=hint)
    chart = await aside(len(found.items), lambda: chart_of(found, query, MOST_SERIES))
    if chart is None:
        return _rows(found, query)
    stage = found.timechart
    by = len(stage.by) if stage is not None else 0
    several = len(found.columns) - by > 2  # the time, what it was counted by, and its numbers
    series = [
        (
            _name(one.metric, dict(one.labels), several=several),
            {**one.labels, **({"metric": one.metric} if several else {})},
            [(at, value) for at, value in zip(chart.starts, one.values, strict=True) if value is not None],
        )
        for one in chart.series
    ]
    more = f"{chart.left_out} series with smaller values are left out: count by less"
    return PanelAnswer(columns(series, chart.starts), warnings=(more,) if chart.left_out else ())


def _name(metric: str, labels: dict[str, str], *, several: bool) -> str:
    texts = ", ".join(text or "–" for text in labels.values())
    return f"{metric} {texts}".strip() if several or not labels else texts


def _rows(found: PipelineResult, query: LogQuery) -> PanelAnswer:
    """Each row as series of one value at the end of the range, by its texts."""
    at = query.until_ns // _NS - 1
    series: list[tuple[str, dict[str, str], list[tuple[int, float]]]] = []
    numbers = [column for column in found.columns if any(isinstance(item.value(column), float) for item in found.items)]
    for item in found.items[:MOST_SERIES]:
        labels = {
            column.name: text
            for column in found.columns
            if column not in numbers and (text := value_text(item.value(column))) is not None
        }
        for column in numbers:
            number = value_number(item.value(column))
            if number is None:
                continue
            several = len(numbers) > 1
            named = {**labels, **({"metric": column.name} if several else {})}
            series.append((_name(column.name, labels, several=several), named, [(at, number)]))
    left_out = len(found.items) - MOST_SERIES
    more = f"{left_out} rows are left out: end with | sort and | head"
    return PanelAnswer(columns(series, [at]), warnings=(more,) if left_out > 0 else ())
