"""What a dashboard needs while it is shown: its variables, the answers of its panels, its annotations."""

from enum import Enum
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from eldonia_ops.dashboards.document import Annotation
from eldonia_ops.dashboards.reading import read_dashboard, read_part
from eldonia_ops.dashboards.repeat import Section, sections
from eldonia_ops.dashboards.selection import ALL, Selection
from eldonia_ops.dashboards.times import instant_of
from eldonia_ops.model.foreign import clean_text
from eldonia_ops.services.api import Platform, RefusedError
from eldonia_ops.services.changes import Changes
from eldonia_ops.services.dashboards.annotations import DashboardAnnotations, Event, Marked
from eldonia_ops.services.dashboards.queries import Ask, DashboardQueries, Occasion
from eldonia_ops.services.dashboards.variables import DashboardVariables
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.disconnect import while_connected
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.language import language_of
from eldonia_ops.web.native import dashboard_schemas as shapes
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.times import parse_instant, zone_of

_TAGS: list[str | Enum] = ["dashboards"]
MOST_QUERIES = 500
_POINTS = 1_000

Instant = Annotated[str | int, Field(description="Unix ms, now, -6h, now-1d/d, RFC 3339, or words such as yesterday")]
Value = Annotated[str, Field(max_length=500)]


class SelectionBody(BaseModel):
    """What is chosen of a variable."""

    model_config = ConfigDict(extra="forbid")
    values: list[Value] = Field(default=[], max_length=5_000)
    all: bool = False
    all_value: str = Field(default="", max_length=500)
    several: bool = False
    text: str = Field(default="", max_length=2_000)


Chosen = Annotated[dict[str, SelectionBody | list[Value]], Field(max_length=200)]


class RangeBody(Body):
    """A range of time. ``tz`` is the reader's zone, for instants in words."""

    from_: Instant = Field(default="-1h", alias="from")
    to: Instant = "now"
    tz: str = Field(default="", max_length=100)


class VariablesBody(RangeBody):
    """A document, the values that are chosen, and which of the variables to look up (all, when empty)."""

    dashboard: dict[str, Any]
    values: dict[str, list[Value]] = Field(default={}, max_length=200)
    only: list[Value] = Field(default=[], max_length=100)


class QueryBody(BaseModel):
    """One query of a panel. For logs, ``format`` ``records`` asks for the records instead of their counts."""

    model_config = ConfigDict(extra="forbid")
    panel: int = Field(default=0, ge=0, le=2_000_000_000)
    key: str = Field(default="", max_length=2_000)
    ref: str = Field(default="", max_length=50)
    language: Literal["promql", "logs", "traces"] = "promql"
    expr: str = Field(max_length=20_000)
    legend: str = Field(default="", max_length=500)
    instant: bool = False
    format: Literal["series", "table", "heatmap", "records"] = "series"
    interval: str = Field(default="", max_length=200)
    max_points: int = Field(default=0, ge=0, le=11_000)
    time_from: str = Field(default="", max_length=200)
    time_shift: str = Field(default="", max_length=200)
    limit: int = Field(default=100, ge=1, le=1_000)
    variables: Chosen = Field(default={})


class QueriesBody(RangeBody):
    """All queries of a dashboard. ``width`` is that of a chart in pixels, ``interval`` the least step of all."""

    queries: list[QueryBody] = Field(max_length=MOST_QUERIES)
    variables: Chosen = Field(default={})
    width: int = Field(default=0, ge=0, le=20_000)
    max_points: int = Field(default=0, ge=0, le=11_000)
    interval: str = Field(default="", max_length=200)
    dashboard: str = Field(default="", max_length=200)


class AnnotationsBody(RangeBody):
    """Annotations of a document."""

    annotations: list[dict[str, Any]] = Field(max_length=50)
    variables: Chosen = Field(default={})


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations."""
    variables = DashboardVariables(platform.queries, platform.telemetry.metrics)
    queries = DashboardQueries(platform.queries, platform.telemetry)
    annotations = DashboardAnnotations(
        platform.queries, platform.telemetry, platform.incidents, Changes(platform.state)
    )

    @api.post("/dashboards/variables", tags=_TAGS, **operation(Permission.READ, shapes.VariablesShape))
    async def resolve(request: Request, body: VariablesBody) -> Response:
        """The options of a dashboard's variables, what is chosen, and the panels that are drawn then."""
        dashboard = read_dashboard(body.dashboard, "new")
        start, end = _range(body, platform.now())
        work = variables.resolve(
            dashboard.variables,
            {clean_text(name): [clean_text(one) for one in values] for name, values in body.values.items()},
            start,
            end,
            only=body.only,
            scrape_interval=platform.scrape_interval_ms,
            dashboard=dashboard.uid,
            user=caller_of(request).name,
        )
        found = await _connected(request, work)
        selections = {one.name: one.selection for one in found}
        return Json(
            shapes.VariablesShape(
                [
                    shapes.VariableShape(
                        one.name,
                        [shapes.OptionShape(option.value, option.text or option.value) for option in one.options],
                        list(one.selection.values) if not one.selection.all else [ALL],
                        one.selection.all,
                        None if one.error is None else shapes.PlainErrorShape(one.error.message, one.error.position),
                    )
                    for one in found
                ],
                shapes.selection_shapes(selections),
                [_section(one) for one in sections(dashboard, selections)],
                start,
                end,
            )
        )

    @api.post("/dashboards/query", tags=_TAGS, **operation(Permission.READ, shapes.ResultsShape))
    async def query(request: Request, body: QueriesBody) -> Response:
        """Every query with its own result or error. What runs ends when the client goes away."""
        start, end = _range(body, platform.now())
        asks = [_ask(one) for one in body.queries]
        occasion = Occasion(
            start,
            end,
            points=body.max_points or body.width or _POINTS,
            interval=body.interval,
            scrape_interval=platform.scrape_interval_ms,
            selections=_selections(body.variables),
            dashboard=body.dashboard,
            user=caller_of(request).name,
            language=language_of(request, platform.language),
        )
        answers = await _connected(request, queries.run(asks, occasion))
        results = [shapes.result_shape(ask, answer) for ask, answer in zip(asks, answers, strict=True)]
        return Json(shapes.ResultsShape(start, end, results))

    @api.post("/dashboards/annotations", tags=_TAGS, **operation(Permission.READ, shapes.AnnotationsShape))
    async def annotate(request: Request, body: AnnotationsBody) -> Response:
        """The marks of annotations in a range."""
        start, end = _range(body, platform.now())
        asked = [read_part(one, Annotation, ("annotations", index)) for index, one in enumerate(body.annotations)]
        chosen, interval = _selections(body.variables), platform.scrape_interval_ms
        found = await _connected(request, annotations.find(asked, start, end, chosen, interval))
        return Json(shapes.AnnotationsShape([_marked(one) for one in found]))


def _marked(one: Marked) -> shapes.MarkedShape:
    return shapes.MarkedShape(
        one.annotation.name,
        one.annotation.color,
        one.annotation.source,
        [_event(event) for event in one.events],
        shapes.PlainErrorShape(one.error, one.position) if one.error else None,
    )


def _event(one: Event) -> shapes.EventShape:
    return shapes.EventShape(one.time, one.end, one.title, one.text, list(one.tags), one.url)


def _section(section: Section) -> shapes.SectionShape:
    row = section.row
    return shapes.SectionShape(
        None
        if row is None
        else shapes.PlacedRowShape(row.id, row.key, row.collapsed, shapes.selection_shapes(row.selections)),
        [
            shapes.PlacedShape(
                one.id,
                one.key,
                shapes.GridShape(one.grid.x or 0, one.grid.y or 0, one.grid.w, one.grid.h),
                shapes.selection_shapes(one.selections),
            )
            for one in section.panels
        ],
    )


def _ask(body: QueryBody) -> Ask:
    return Ask(
        clean_text(body.expr),
        body.panel,
        body.key,
        body.ref,
        body.language,
        body.legend,
        body.instant,
        body.format,
        body.interval,
        body.max_points,
        body.time_from,
        body.time_shift,
        body.limit,
        _selections(body.variables),
    )


def _selections(chosen: dict[str, SelectionBody | list[str]]) -> dict[str, Selection]:
    found: dict[str, Selection] = {}
    for name, one in chosen.items():
        if isinstance(one, list):
            values = tuple(clean_text(value) for value in one if value != ALL)
            everything = ALL in one
            found[name] = Selection(
                values=values,
                all=everything,
                all_value=".*" if everything and not values else "",
                several=everything or len(values) > 1,
                text=" + ".join(values)[:2_000],
            )
        else:
            found[name] = Selection(
                values=tuple(clean_text(value) for value in one.values),
                all=one.all,
                all_value=clean_text(one.all_value),
                several=one.several,
                text=clean_text(one.text),
            )
    return found


def _range(body: RangeBody, now: int) -> tuple[int, int]:
    """Both ends in Unix ms.

    Raises:
        BadRequestError: one of them is no instant, or the end comes before the start.
    """
    zone = zone_of(body.tz)
    ends: list[int] = []
    for text, end in ((str(body.from_), False), (str(body.to), True)):
        found = instant_of(text, now, zone, end=end)
        ends.append(parse_instant(text, now, zone, end=end) if found is None else found)
    if ends[1] <= ends[0]:
        raise BadRequestError(f"the range ends before it begins: from {body.from_}, to {body.to}")
    return ends[0], ends[1]


async def _connected(request: Request, work: Any) -> Any:
    try:
        return await while_connected(request, work)
    except ClientDisconnect:
        raise RefusedError("the client went away") from None
