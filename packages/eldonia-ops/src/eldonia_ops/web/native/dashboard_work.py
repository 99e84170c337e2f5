"""What a dashboard needs while it is shown or made: queries, variables, annotations, checks, imports, units."""

import json
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from fastapi import FastAPI, Request
from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from eldonia_ops.dashboards.checks import doubts
from eldonia_ops.dashboards.document import Annotation, Dashboard
from eldonia_ops.dashboards.faults import DashboardError
from eldonia_ops.dashboards.part import shown
from eldonia_ops.dashboards.reading import read_dashboard, read_part, to_plain
from eldonia_ops.dashboards.repeat import Section, sections
from eldonia_ops.dashboards.selection import ALL, Selection
from eldonia_ops.dashboards.times import instant_of
from eldonia_ops.dashboards.units import GROUPS, UNITS
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.model.foreign import clean_text
from eldonia_ops.protocols.dashboard_file import examine_dashboard
from eldonia_ops.protocols.grafana import Imported, NotGrafanaError, from_grafana, is_grafana
from eldonia_ops.services.api import Platform, RefusedError
from eldonia_ops.services.changes import Changes
from eldonia_ops.services.dashboard_annotations import DashboardAnnotations, Event
from eldonia_ops.services.dashboard_queries import Ask, DashboardQueries, Occasion
from eldonia_ops.services.dashboard_variables import DashboardVariables
from eldonia_ops.services.dashboards import DashboardService, Held
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import no_change, note_change
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


class CheckBody(BaseModel):
    """A document, or the text of a file."""

    model_config = ConfigDict(extra="forbid")
    dashboard: dict[str, Any] | None = None
    text: str = Field(default="", max_length=1_000_000)


class ImportBody(BaseModel):
    """What to import: a text (our YAML or JSON, or Grafana's JSON), or Grafana's JSON as an object.

    ``uid`` and ``folder`` replace those of the file. ``replace`` saves over a dashboard with the same uid; otherwise a
    new one is made with another. Nothing is saved unless ``dry_run`` is false.
    """

    model_config = ConfigDict(extra="forbid")
    text: str = Field(default="", max_length=1_000_000)
    grafana: dict[str, Any] | None = None
    dry_run: bool = True
    folder: str = Field(default="", max_length=200)
    uid: str = Field(default="", max_length=40)
    replace: bool = False
    message: str = Field(default="", max_length=1_000)


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations."""
    _add_facts(api)
    _add_showing(api, platform)
    _add_making(api, platform)


def _add_facts(api: FastAPI) -> None:
    @api.get("/dashboards/schema", tags=_TAGS, **operation(Permission.READ, dict[str, Any]))
    async def schema() -> Response:
        """The JSON Schema of a dashboard document."""
        return Json(document_schema())

    @api.get("/dashboards/units", tags=_TAGS, **operation(Permission.READ, shapes.UnitsShape))
    async def units() -> Response:
        """All units, and how their values are shown."""
        found = [
            shapes.UnitShape(
                one.id,
                one.group,
                {"en": one.en, "ja": one.ja},
                one.kind,
                one.symbol,
                one.factor,
                one.before,
                [word for word in one.words if word],
            )
            for one in UNITS
        ]
        return Json(shapes.UnitsShape(found, {name: {"en": en, "ja": ja} for name, (en, ja) in GROUPS.items()}))


@cache
def document_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a document."""
    found = msgspec.json.schema(Dashboard)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Dashboard of Eldonia Ops", **found}


def _add_showing(api: FastAPI, platform: Platform) -> None:
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
            {_clean(name): [_clean(one) for one in values] for name, values in body.values.items()},
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
        return Json(
            shapes.AnnotationsShape(
                [
                    shapes.MarkedShape(
                        one.annotation.name,
                        one.annotation.color,
                        one.annotation.source,
                        [
                            shapes.EventShape(
                                event.time, event.end, event.title, event.text, list(event.tags), event.url
                            )
                            for event in one.events
                        ],
                        shapes.PlainErrorShape(one.error, one.position) if one.error else None,
                    )
                    for one in found
                ]
            )
        )


def _add_making(api: FastAPI, platform: Platform) -> None:
    service = DashboardService(platform.state, lambda: platform.dashboard_files)

    @api.post("/dashboards/check", tags=_TAGS, **operation(Permission.READ, shapes.ChecksShape))
    async def check(request: Request, body: CheckBody) -> Response:
        """What is wrong or doubtful in a document or file."""
        language = language_of(request, platform.language)
        if body.dashboard is None:
            _, found = examine_dashboard(body.text, "dashboard", language=language)
            return Json(shapes.ChecksShape([_problem(one) for one in found]))
        try:
            dashboard = read_dashboard(body.dashboard, "new")
        except DashboardError as error:
            return Json(shapes.ChecksShape(shapes.problem_shapes(error.faults)))
        return Json(shapes.ChecksShape(shapes.problem_shapes(doubts(dashboard, language))))

    @api.post("/dashboards/import", tags=_TAGS, **operation(Permission.RESPOND, shapes.ImportShape))
    async def import_(request: Request, body: ImportBody) -> Response:
        """A dashboard from a file, with a report of what could not be taken; a dry run unless ``dry_run`` is false."""
        language = language_of(request, platform.language)
        dashboard, imported = _imported(body)
        if body.folder:
            dashboard = replace(dashboard, folder=clean_text(body.folder))
        uids = {held.dashboard.uid for held in await service.all()}
        exists = dashboard.uid in uids
        saved: Held | None = None
        if not body.dry_run:
            message, by = body.message or "imported", caller_of(request).name
            if exists and body.replace:
                saved = await service.save(dashboard, message, by, platform.now(), lambda _: True)
            else:
                saved = await service.add(dashboard, message, by, platform.now())
        if saved is None:
            no_change(request)
        else:
            made = saved.dashboard
            note_change(request, kind="dashboard", subject=made.uid, title=shown(made.title, language), action="import")
        return Json(_import_shape(dashboard, imported, language, exists, saved))


def _imported(body: ImportBody) -> tuple[Dashboard, Imported | None]:
    """The dashboard of a body, and what is to be said of it when it was Grafana's.

    Raises:
        BadRequestError, DashboardError: it is no dashboard.
    """
    data: Any = body.grafana
    if data is None and body.text.lstrip().startswith("{"):
        try:
            data = json.loads(body.text)
        except (ValueError, RecursionError) as error:
            raise BadRequestError(f"this is not JSON: {error}") from None
        if not is_grafana(data):
            return read_dashboard(data, body.uid or "imported"), None
    if data is not None:
        try:
            imported = from_grafana(data, uid=body.uid)
        except NotGrafanaError as error:
            raise BadRequestError(str(error)) from None
        return imported.dashboard, imported
    if not body.text.strip():
        raise BadRequestError("there is nothing to import: send text or grafana")
    read, diagnostics = examine_dashboard(body.text, "imported.yml")
    if read is None:
        first = next(one for one in diagnostics if one.level is Level.ERROR)
        raise BadRequestError(f"line {first.line}, column {first.column}: {first.message}")
    return (replace(read.dashboard, uid=body.uid) if body.uid else read.dashboard), None


def _import_shape(
    dashboard: Dashboard, imported: Imported | None, language: str, exists: bool, saved: Held | None
) -> shapes.ImportShape:
    count = shapes.panel_count(dashboard)
    counts = shapes.ImportCountsShape(count, count, 0, 0)
    notes: list[shapes.NoteShape] = []
    if imported is not None:
        dropped = imported.panels - imported.taken
        counts = shapes.ImportCountsShape(imported.panels, imported.taken, imported.changed, dropped)
        notes = [
            shapes.NoteShape(one.level, one.panel, one.title, one.what, one.reason(language)) for one in imported.notes
        ]
    problems = shapes.problem_shapes(doubts(dashboard, language))
    view = None if saved is None else shapes.view_shape(saved, starred=False, problems=doubts(saved.dashboard))
    kind = "grafana" if imported is not None else "eldonia"
    return shapes.ImportShape(to_plain(dashboard), kind, notes, counts, problems, exists, view)


def _problem(one: Diagnostic) -> shapes.ProblemShape:
    path, colon, message = one.message.partition(": ")
    if not colon or " " in path:
        path, message = "", one.message
    return shapes.ProblemShape(path, message, one.hint, one.level.value, line=one.line, column=one.column)


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
            values = tuple(_clean(value) for value in one if value != ALL)
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
                values=tuple(_clean(value) for value in one.values),
                all=one.all,
                all_value=_clean(one.all_value),
                several=one.several,
                text=_clean(one.text),
            )
    return found


def _clean(text: str) -> str:
    return clean_text(text)


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
