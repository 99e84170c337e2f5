"""The audit log, for admins."""

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.responses import Response

from eldonia_ops.model.audit import AuditEntry, AuditQuery
from eldonia_ops.services.api import Platform
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import Instant, time_range

_Word = Annotated[str, Query(max_length=500)]


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operation that reads the log."""
    log = AuditLog(platform.state)

    @api.get("/audit", tags=["audit"], **operation(Permission.ADMINISTER, list[AuditEntry]))
    async def find(
        since: Instant = "-30d",
        until: Instant = "now",
        actor: _Word = "",
        kind: _Word = "",
        subject: _Word = "",
        before_id: Annotated[int, Query(ge=0, lt=2**63, description="of the last entry that is known: older ones")] = 0,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> Response:
        """Who changed what, newest first, with the fields before and after."""
        first, last = time_range(since, until, platform.now())
        return Json(await log.find(AuditQuery(first, last, actor, kind, subject, before_id, limit)))
