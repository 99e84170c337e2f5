"""Overview, security findings, recovery, targets, objectives."""

from dataclasses import replace
from typing import Annotated

from fastapi import FastAPI, Query, Request
from pydantic import Field
from starlette.responses import Response

from eldonia_ops.model.security import Finding, FindingStatus
from eldonia_ops.services.api import (
    ObjectivePoint,
    ObjectiveView,
    Platform,
    PlatformHealth,
    RecoveryView,
    RefusalView,
    ReloadView,
    TargetView,
)
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import note_change
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.status_schemas import OverviewShape, SecurityReportShape
from eldonia_ops.web.native.wording import wording_of
from eldonia_ops.web.times import parse_instant


class FindingStatusBody(Body):
    """A finding's new status, with a reason."""

    status: FindingStatus
    note: str = Field(default="", max_length=20_000)


class MaintenanceBody(Body):
    """Whether recovery keeps its hands off."""

    on: bool


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations that look at the platform and at what it watches."""
    _add_status(api, platform)
    _add_security(api, platform)
    _add_recovery(api, platform)


def _add_status(api: FastAPI, platform: Platform) -> None:
    @api.get("/overview", tags=["status"], **operation(Permission.READ, OverviewShape))
    async def overview() -> Response:
        """The platform looking at itself: rows and bytes stored, queues, errors, uptime."""
        return Json(await platform.status.overview())

    @api.get("/reload", tags=["status"], **operation(Permission.READ, ReloadView))
    async def last_reload(request: Request) -> Response:
        """How the last attempt to read the configuration went; the start counts as one."""
        last = platform.reloads.last()
        return Json(replace(last, diagnostics=wording_of(request).diagnostics(last.diagnostics)))

    @api.post("/reload", tags=["status"], **operation(Permission.ADMINISTER, ReloadView))
    async def reload(request: Request) -> Response:
        """Read the configuration anew. The answer says how that went; if anything is wrong, nothing changes."""
        view = await platform.reloads.reload(caller_of(request).name)
        if not view.successful:
            note_change(request, kind="configuration", subject="", action="reload_failed")
        return Json(replace(view, diagnostics=wording_of(request).diagnostics(view.diagnostics)))

    @api.get("/platform", tags=["status"], **operation(Permission.READ, PlatformHealth))
    async def health() -> Response:
        """The state of the platform itself: its loops, durations, queues, what is stored, versions."""
        return Json(await platform.status.health())

    @api.get("/targets", tags=["status"], **operation(Permission.READ, list[TargetView]))
    async def targets(request: Request) -> Response:
        """What is scraped, tailed and probed, and how that goes."""
        return Json(wording_of(request).reasons(platform.status.targets(), "error"))

    @api.get("/refusals", tags=["status"], **operation(Permission.READ, list[RefusalView]))
    async def refusals(request: Request) -> Response:
        """Telemetry that was refused since the start: by signal, source and reason, the latest first."""
        return Json(wording_of(request).reasons(platform.ingest.refusals(), "source", "reason"))

    @api.get("/objectives", tags=["status"], **operation(Permission.READ, list[ObjectiveView]))
    async def objectives() -> Response:
        """Service-level objectives and what is left of their error budgets."""
        return Json(await platform.status.objectives())

    @api.get("/objectives/{objective}/history", tags=["status"], **operation(Permission.READ, list[ObjectivePoint]))
    async def objective_history(objective: str) -> Response:
        """An objective since it was first watched, at most over its window."""
        return Json(await platform.status.objective_history(objective))


def _add_security(api: FastAPI, platform: Platform) -> None:
    security = platform.security

    @api.get("/security/findings", tags=["security"], **operation(Permission.READ, list[Finding]))
    async def find(
        status: Annotated[list[FindingStatus], Query(max_length=10)] = [],  # noqa: B006 - FastAPI copies it
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Findings, newest first."""
        return Json(await security.find(statuses=tuple(status), limit=limit))

    @api.get("/security/findings/{id}", tags=["security"], **operation(Permission.READ, Finding))
    async def get(id: str) -> Response:
        """One finding with its evidence."""
        return Json(await security.get(id))

    @api.post("/security/findings/{id}/status", tags=["security"], **operation(Permission.RESPOND, Finding))
    async def change_status(request: Request, id: str, body: FindingStatusBody) -> Response:
        """Change a finding's status."""
        return Json(await security.change_status(id, caller_of(request).name, body.status, body.note))

    @api.get("/security/report", tags=["security"], **operation(Permission.READ, SecurityReportShape))
    async def report(since: Annotated[str, Query(max_length=40)] = "-30d") -> Response:
        """Counts by type, severity, status and source."""
        return Json(await security.report(parse_instant(since, platform.now())))


def _add_recovery(api: FastAPI, platform: Platform) -> None:
    recovery = platform.recovery

    @api.get("/recovery", tags=["recovery"], **operation(Permission.READ, list[RecoveryView]))
    async def status(request: Request) -> Response:
        """The recovery state of each service."""
        return Json(wording_of(request).reasons(await recovery.status(), "last_detail"))

    @api.post("/recovery/{service}/maintenance", tags=["recovery"], **operation(Permission.RESPOND, RecoveryView))
    async def maintenance(request: Request, service: str, body: MaintenanceBody) -> Response:
        """Switch maintenance on (no restarts) or off."""
        return Json(await recovery.set_maintenance(service, body.on, caller_of(request).name))

    @api.post("/recovery/{service}/reset", tags=["recovery"], **operation(Permission.RESPOND, RecoveryView))
    async def reset(request: Request, service: str) -> Response:
        """Give recovery its full budget of attempts back."""
        return Json(await recovery.reset(service, caller_of(request).name))
