"""Puts the native API together and renders its errors."""

from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.heavy import HeavyWork
from eldonia_ops.web.native import (
    account,
    accounts,
    alerts,
    audit,
    backups,
    changes,
    configuration,
    dashboard_facts,
    dashboard_importing,
    dashboard_showing,
    dashboards,
    incident_briefs,
    incidents,
    log_care,
    log_export,
    log_patterns,
    log_tables,
    logs,
    operations,
    promql,
    saved_searches,
    sessions,
    telemetry,
    times,
    tokens,
    traces,
)
from eldonia_ops.web.native.openapi import describe, operation
from eldonia_ops.web.native.wording import wording_of
from eldonia_ops.web.problems import Problem, handlers
from eldonia_ops.web.sign_in_throttle import SignInThrottle

PREFIX = "/api/ops/v1"


def create_native(
    platform: Platform, version: str, heavy: HeavyWork, throttle: SignInThrottle, external_url: str = ""
) -> FastAPI:
    """The FastAPI application that is mounted at :data:`PREFIX`."""
    api = FastAPI(
        title="Eldonia Ops",
        version=version,
        description="Instants are Unix milliseconds; names ending in Ns or _ns are nanoseconds, as strings where "
        "they count from 1970. Errors are {error: {code, message, hint}}.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": PREFIX}],
        redirect_slashes=False,
    )

    @api.get("/openapi.json", tags=["about"], **operation(Permission.READ, dict[str, Any]))
    async def openapi() -> Response:
        """This description."""
        if api.openapi_schema is None:
            api.openapi_schema = describe(api)
        return Json(api.openapi_schema)

    telemetry.add_to(api, platform)
    promql.add_to(api, platform)
    traces.add_to(api, platform)
    logs.add_to(api, platform)
    log_export.add_to(api, platform)
    log_tables.add_to(api, platform)
    log_care.add_to(api, platform)
    log_patterns.add_to(api, platform)
    saved_searches.add_to(api, platform)
    dashboard_facts.add_to(api)
    dashboard_showing.add_to(api, platform)
    dashboard_importing.add_to(api, platform)
    dashboards.add_to(api, platform)
    times.add_to(api, platform)
    alerts.add_to(api, platform)
    incidents.add_to(api, platform, heavy)
    incident_briefs.add_to(api, platform)
    operations.add_to(api, platform)
    backups.add_to(api, platform)
    changes.add_to(api, platform)
    audit.add_to(api, platform)
    tokens.add_to(api, platform)
    accounts.add_to(api, platform, external_url)
    account.add_to(api, platform, throttle)
    sessions.add_to(api, platform)
    configuration.add_to(api, platform)

    for kind, handler in handlers(lambda _: envelope).items():
        api.add_exception_handler(kind, handler)
    return api


async def envelope(request: Request, problem: Problem) -> Response:
    """``{"error": {"code", "message", "hint"}}``, with ``position`` and ``field`` for a fault in a query; in the
    language that the request names (``lang``)."""
    problem = wording_of(request).problem(problem)
    error: dict[str, Any] = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    if problem.position is not None:
        error["position"] = problem.position
    if problem.field:
        error["field"] = problem.field
    if problem.problems:
        error["problems"] = list(problem.problems)
    return Json({"error": error}, status_code=problem.status, headers=problem.answer_headers("Bearer"))
