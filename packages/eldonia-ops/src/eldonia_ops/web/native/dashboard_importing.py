"""A dashboard from a file: what is wrong in it, and its import."""

import json
from enum import Enum
from typing import Any

from fastapi import FastAPI, Request
from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from eldonia_ops.dashboards.checks import doubts
from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.faults import DashboardError
from eldonia_ops.dashboards.part import shown
from eldonia_ops.dashboards.reading import read_dashboard, to_plain
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.model.foreign import clean_text
from eldonia_ops.protocols.dashboard_file import examine_dashboard
from eldonia_ops.protocols.grafana import Imported, NotGrafanaError, from_grafana, is_grafana
from eldonia_ops.services.api import Platform
from eldonia_ops.services.dashboards.dashboards import DashboardService, Held
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import no_change, note_change
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.language import language_of
from eldonia_ops.web.native import dashboard_schemas as shapes
from eldonia_ops.web.native.openapi import operation

_TAGS: list[str | Enum] = ["dashboards"]


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
