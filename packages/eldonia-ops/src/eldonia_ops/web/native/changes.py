"""Deploys and other changes: what CI reports, and what incidents and charts show."""

from typing import Annotated

import msgspec
from fastapi import FastAPI, Query, Request
from pydantic import Field
from starlette.responses import Response

from eldonia_ops.model.change import Change, ChangeKind
from eldonia_ops.services.api import Platform
from eldonia_ops.services.changes import Changes
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.gate import caller_of
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import Instant, time_range
from eldonia_ops.web.times import parse_instant

_AHEAD_MS = 24 * 3_600_000


class ChangeBody(Body):
    """A change that was made. ``at`` is an instant such as ``-5m`` or one with a zone; now, if it is left out."""

    title: str = Field(min_length=1, max_length=300)
    kind: ChangeKind = ChangeKind.DEPLOY
    service: str = Field(default="", max_length=200)
    version: str = Field(default="", max_length=200)
    url: str = Field(default="", max_length=2_000, pattern=r"^(https?://.*)?$")
    at: str = Field(default="now", max_length=40)


class DeletedShape(msgspec.Struct):
    """The id of the change that was deleted."""

    deleted: str


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on changes."""
    changes = Changes(platform.state)

    @api.get("/changes", tags=["changes"], **operation(Permission.READ, list[Change]))
    async def find(
        since: Instant = "-1d",
        until: Instant = "now",
        service: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:
        """Changes, newest first; with ``service``, those of that service and those of no single one."""
        first, last = time_range(since, until, platform.now())
        return Json(await changes.find(first, last, service, limit))

    @api.post("/changes", tags=["changes"], **operation(Permission.INGEST, Change, status=201))
    async def report(request: Request, body: ChangeBody) -> Response:
        """Report a change, such as a deploy from CI."""
        now = platform.now()
        at = now if body.at == "now" else parse_instant(body.at, now)
        if not 0 <= at <= now + _AHEAD_MS:
            raise BadRequestError("`at` is before 1970 or more than a day ahead")
        made = await changes.record(
            at,
            body.title,
            caller_of(request).name,
            kind=body.kind,
            service=body.service,
            version=body.version,
            url=body.url,
        )
        return Json(made, status_code=201)

    @api.delete("/changes/{change}", tags=["changes"], **operation(Permission.RESPOND, DeletedShape))
    async def delete(change: str) -> Response:
        """Delete a change that was reported by mistake."""
        return Json(DeletedShape(await changes.delete(change)))
