"""Searches of logs with pipes: tables and charts of what comes out."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from eldonia_ops.search.pipes.printer import format_pipeline
from eldonia_ops.search.printer import format_search
from eldonia_ops.services.api import Platform
from eldonia_ops.services.logs.pipelines import (
    LogChart,
    PipelineResult,
    aside,
    cells_of,
    chart_of,
    column_kinds,
    field_columns,
    run_pipeline,
    width_of,
)
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.logs import Frame, PipedQuery
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import Zone
from eldonia_ops.web.times import reader_zone

MAX_ROWS_SHOWN: Final = 10_000
MAX_SERIES: Final = 50
_DEFAULT_SERIES: Final = 20


class ColumnShape(msgspec.Struct):
    """A column: ``kind`` is ``time`` (Unix ms), ``number`` or ``text``."""

    name: str
    kind: str


class LogTableShape(msgspec.Struct):
    """What comes out of a query with pipes.

    ``shape`` is ``records`` (each with its ``cursors`` entry), ``rows``, ``timechart`` (with ``chart``), or ``search``
    for a query without pipes, which is not run. ``query`` is in canonical spelling, ``search`` the part before the
    pipes. ``groups`` and ``total`` are rows and records of the command that counts; ``more`` says whether rows are left
    out; ``by`` are the columns that hold what fields of the records hold.
    """

    shape: str
    query: str
    search: str
    columns: list[ColumnShape] = []
    rows: list[list[Any]] = []
    cursors: list[str] = []
    more: bool = False
    groups: int = 0
    total: int = 0
    by: list[str] = []
    chart: LogChart | None = None


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on queries with pipes."""

    @api.get("/logs/table", tags=["logs"], **operation(Permission.READ, LogTableShape))
    async def table(
        request: Request,
        within: Frame,
        piped: PipedQuery,
        tz: Zone = "",
        limit: Annotated[int, Query(ge=1, le=MAX_ROWS_SHOWN)] = 1_000,
        series: Annotated[int, Query(ge=1, le=MAX_SERIES, description="lines of a chart")] = _DEFAULT_SERIES,
    ) -> Response:
        """What comes out of a query with pipes: a table, and of ``| timechart`` also a chart."""
        shape = LogTableShape("search", format_pipeline(piped), format_search(piped.search))
        if piped.stages:
            width = width_of(within, reader_zone(request, tz))
            # A chart is drawn of all rows, a table of the first.
            found = await run_pipeline(platform.telemetry.logs, within, piped, width)
            await aside(len(found.items), lambda: fill_in(shape, found, limit, chart_of(found, within, series)))
        return Json(shape)


def fill_in(shape: LogTableShape, found: PipelineResult, limit: int, chart: LogChart | None) -> None:
    """The table of what came out."""
    shape.chart = chart
    kinds = column_kinds(found)
    shape.columns = [ColumnShape(column.name, kind) for column, kind in zip(found.columns, kinds, strict=True)]
    shown = found.items[:limit]
    shape.rows = [cells_of(found, item) for item in shown]
    shape.more = found.more or len(found.items) > limit
    shape.groups, shape.total = found.groups, found.total
    shape.by = field_columns(found.pipeline)
    shape.shape = "rows" if chart is None else "timechart"
    if found.pipeline.split()[1] is None:
        shape.shape = "records"
        shape.cursors = [f"{item.place[0]}-{item.place[1]}" for item in shown]
