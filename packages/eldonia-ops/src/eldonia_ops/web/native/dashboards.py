"""Dashboards: finding, reading, saving with versions, deleting with a way back."""

import json
import uuid
from enum import Enum
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from eldonia_ops.dashboards.checks import doubts
from eldonia_ops.dashboards.differences import changes, unified
from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.part import shown
from eldonia_ops.dashboards.reading import read_dashboard
from eldonia_ops.protocols.dashboard_file import to_json, to_yaml
from eldonia_ops.protocols.grafana import to_grafana
from eldonia_ops.services.api import Platform
from eldonia_ops.services.dashboards.dashboards import DashboardService, Held
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.language import language_of
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.dashboard_schemas import (
    ChangeShape,
    DiffShape,
    FileFaultShape,
    ListShape,
    TagShape,
    VersionShape,
    ViewShape,
    summary_shape,
    version_shape,
    view_shape,
)
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.preconditions import Precondition, entity_tag, read_precondition

_TAGS: list[str | Enum] = ["dashboards"]


class DashboardBody(Body):
    """A document to save, and what the change is about."""

    dashboard: dict[str, Any]
    message: str = Field(default="", max_length=1_000)


class RestoreBody(Body):
    """The version that becomes the newest."""

    version: int = Field(ge=1, le=2_000_000_000)


Text = Annotated[str, Query(max_length=200)]


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on dashboards that are kept."""
    service = DashboardService(platform.state, lambda: platform.dashboard_files)
    _add_reading(api, platform, service)
    _add_saving(api, platform, service)
    _add_versions(api, platform, service)


def _add_reading(api: FastAPI, platform: Platform, service: DashboardService) -> None:
    @api.get("/dashboards", tags=_TAGS, **operation(Permission.READ, ListShape))
    async def find(
        request: Request, search: Text = "", folder: Text = "", tag: Text = "", starred: bool = False
    ) -> Response:
        """All dashboards by folder and title, or those with a word, of a folder, with a tag, starred by the caller."""
        language = language_of(request, platform.language)
        stars = await service.stars(caller_of(request).id)
        everything = await service.all()
        found = [
            held
            for held in everything
            if _has(held, search, language)
            and (not folder or held.dashboard.folder == folder)
            and (not tag or tag in held.dashboard.tags)
            and (not starred or held.dashboard.uid in stars)
        ]
        lines = [summary_shape(held, language, starred=held.dashboard.uid in stars) for held in found]
        lines.sort(key=lambda one: (one.folder.casefold(), one.title.casefold(), one.uid))
        counts: dict[str, int] = {}
        for held in everything:
            for one in held.dashboard.tags:
                counts[one] = counts.get(one, 0) + 1
        return Json(
            ListShape(
                lines,
                sorted({held.dashboard.folder for held in everything if held.dashboard.folder}),
                [TagShape(name, count) for name, count in sorted(counts.items())],
                [
                    FileFaultShape(one.file, one.line, one.column, one.message, one.hint, one.level.value)
                    for one in service.provided.faults
                ],
            )
        )

    @api.get("/dashboards/deleted", tags=_TAGS, **operation(Permission.READ, list[VersionShape]))
    async def deleted() -> Response:
        """The last version of each dashboard that was deleted, the latest first."""
        return Json([version_shape(version, head) for version, head in await service.deleted()])

    @api.get("/dashboards/{uid}", tags=_TAGS, **operation(Permission.READ, ViewShape))
    async def get(request: Request, uid: str) -> Response:
        """One dashboard; its ETag is for saving it."""
        return _view(await service.get(uid), uid in await service.stars(caller_of(request).id))

    @api.get("/dashboards/{uid}/export", tags=_TAGS, **operation(Permission.READ, media="text/plain"))
    async def export(
        request: Request, uid: str, format: Annotated[str, Query(pattern="^(yaml|json|grafana)$")] = "yaml"
    ) -> Response:
        """The dashboard as a file: our YAML, our JSON, or Grafana's JSON (its texts in the language of the request)."""
        dashboard = (await service.get(uid)).dashboard
        if format == "grafana":
            plain = to_grafana(dashboard, language_of(request, platform.language))
            text = json.dumps(plain, ensure_ascii=False, indent=2)
            return PlainTextResponse(f"{text}\n", headers=_file(uid, "json"))
        if format == "json":
            return PlainTextResponse(to_json(dashboard), headers=_file(uid, "json"))
        return PlainTextResponse(to_yaml(dashboard), headers=_file(uid, "yml"))


def _add_saving(api: FastAPI, platform: Platform, service: DashboardService) -> None:
    @api.post("/dashboards", tags=_TAGS, **operation(Permission.RESPOND, ViewShape, status=201))
    async def add(request: Request, body: DashboardBody) -> Response:
        """Save a new dashboard. One whose uid is taken, or is not given, gets another."""
        made = read_dashboard(body.dashboard, uuid.uuid4().hex[:12])
        held = await service.add(made, body.message, caller_of(request).name, platform.now())
        return _view(held, status=201)

    @api.put("/dashboards/{uid}", tags=_TAGS, **operation(Permission.RESPOND, ViewShape))
    async def save(request: Request, uid: str, body: DashboardBody) -> Response:
        """Save a dashboard in the place of the one with an ETag (``If-Match``), or as new (``If-None-Match: *``)."""
        wanted = _precondition(request)
        dashboard = _with_uid(read_dashboard(body.dashboard, uid), uid)
        by, now = caller_of(request).name, platform.now()
        held = await service.save(dashboard, body.message, by, now, lambda text: wanted.holds(_tag(text)))
        return _view(held, uid in await service.stars(caller_of(request).id))

    @api.delete("/dashboards/{uid}", tags=_TAGS, **operation(Permission.RESPOND, ViewShape))
    async def delete(request: Request, uid: str) -> Response:
        """Delete a dashboard; the answer is what it was. ``restore`` brings it back."""
        given = request.headers.getlist("if-match")
        wanted = read_precondition(given, ()) if given else None
        held = await service.delete(
            uid,
            caller_of(request).name,
            platform.now(),
            lambda text: bool(text) and (wanted is None or wanted.holds(_tag(text))),
        )
        return _view(held)

    @api.put("/dashboards/{uid}/star", tags=_TAGS, **operation(Permission.READ, ViewShape))
    async def star(request: Request, uid: str) -> Response:
        """Make it a favourite of the caller."""
        await service.star(caller_of(request).id, uid, True)
        return _view(await service.get(uid), True)

    @api.delete("/dashboards/{uid}/star", tags=_TAGS, **operation(Permission.READ, ViewShape))
    async def unstar(request: Request, uid: str) -> Response:
        """Take it from the favourites of the caller."""
        held = await service.get(uid)
        await service.star(caller_of(request).id, uid, False)
        return _view(held)


def _add_versions(api: FastAPI, platform: Platform, service: DashboardService) -> None:
    @api.get("/dashboards/{uid}/versions", tags=_TAGS, **operation(Permission.READ, list[VersionShape]))
    async def versions(uid: str) -> Response:
        """The versions, the latest first; also those of a deleted dashboard."""
        found, head = await service.versions(uid)
        return Json([version_shape(one, head) for one in found])

    @api.get("/dashboards/{uid}/versions/{version}", tags=_TAGS, **operation(Permission.READ, ViewShape))
    async def version(uid: str, version: int) -> Response:
        """One version."""
        return _view(await service.version(uid, _number(version)))

    @api.get("/dashboards/{uid}/diff", tags=_TAGS, **operation(Permission.READ, DiffShape))
    async def diff(
        uid: str,
        from_: Annotated[int, Query(alias="from", ge=1, le=2_000_000_000)],
        to: Annotated[int, Query(ge=0, le=2_000_000_000, description="0: as it is now")] = 0,
    ) -> Response:
        """What differs between two versions."""
        before = (await service.version(uid, from_)).dashboard
        after = (await service.version(uid, to) if to else await service.get(uid)).dashboard
        names = (f"version {from_}", f"version {to}" if to else "now")
        found = [ChangeShape(one.path, one.kind, one.before, one.after) for one in changes(before, after)]
        return Json(DiffShape(found, unified(to_yaml(before), to_yaml(after), *names)))

    @api.post("/dashboards/{uid}/restore", tags=_TAGS, **operation(Permission.RESPOND, ViewShape))
    async def restore(request: Request, uid: str, body: RestoreBody) -> Response:
        """Make a version the newest; also the way back after a deletion."""
        by = caller_of(request).name
        return _view(
            await service.restore(uid, body.version, by, platform.now()),
            uid in await service.stars(caller_of(request).id),
        )


def _has(held: Held, search: str, language: str) -> bool:
    one = held.dashboard
    text = f"{shown(one.title, language)} {shown(one.title)} {one.uid} {one.folder} {' '.join(one.tags)} "
    text += shown(one.description, language)
    return all(word in text.casefold() for word in search.casefold().split())


def _view(held: Held, starred: bool = False, status: int = 200) -> Response:
    shape = view_shape(held, starred=starred, problems=doubts(held.dashboard))
    return Json(shape, status_code=status, headers={"ETag": shape.etag})


def _precondition(request: Request) -> Precondition:
    return read_precondition(request.headers.getlist("if-match"), request.headers.getlist("if-none-match"))


def _tag(text: str) -> str:
    return entity_tag(text) if text else ""


def _with_uid(dashboard: Dashboard, uid: str) -> Dashboard:
    if dashboard.uid == uid:
        return dashboard
    raise BadRequestError(f"the document has the uid {dashboard.uid}, the address {uid}: they have to be one")


def _number(version: int) -> int:
    return version if 0 < version < 2_000_000_000 else 0


def _file(uid: str, suffix: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{uid}.{suffix}"'}
