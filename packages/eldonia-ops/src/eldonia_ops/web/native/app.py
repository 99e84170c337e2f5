"""Puts the native API together and renders its errors."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from eldonia_ops.access import AccessError
from eldonia_ops.ports import ConflictError, TelemetryLimitError
from eldonia_ops.services.api import NotFoundError, Platform, PreconditionError, QueryError, RefusedError
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import TOO_MUCH, BadRequestError
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.gate import Problem
from eldonia_ops.web.heavy import RETRY_AFTER, BusyError, HeavyWork
from eldonia_ops.web.native import alerts, incidents, operations, telemetry, tokens
from eldonia_ops.web.native.openapi import describe, operation
from eldonia_ops.web.preconditions import PreconditionRequiredError
from eldonia_ops.web.sessions import Sessions

PREFIX = "/api/ops/v1"

_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 409: "conflict", 413: "too_large"}


def create_native(platform: Platform, sessions: Sessions, version: str, heavy: HeavyWork) -> FastAPI:
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
    alerts.add_to(api, platform)
    incidents.add_to(api, platform, heavy)
    operations.add_to(api, platform)
    tokens.add_to(api, platform, sessions)

    api.add_exception_handler(NotFoundError, _raised)
    api.add_exception_handler(RefusedError, _raised)
    api.add_exception_handler(QueryError, _raised)
    api.add_exception_handler(ConflictError, _raised)
    api.add_exception_handler(PreconditionError, _raised)
    api.add_exception_handler(PreconditionRequiredError, _raised)
    api.add_exception_handler(BadRequestError, _raised)
    api.add_exception_handler(AccessError, _raised)
    api.add_exception_handler(TelemetryLimitError, _raised)
    api.add_exception_handler(BusyError, _raised)
    api.add_exception_handler(RequestValidationError, _raised)
    api.add_exception_handler(HTTPException, _raised)
    api.add_exception_handler(Exception, _failed)
    return api


async def envelope(request: Request, problem: Problem) -> Response:
    """``{"error": {"code", "message", "hint"}}``."""
    error = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    return Json({"error": error}, status_code=problem.status, headers=problem.answer_headers("Bearer"))


async def _raised(request: Request, error: Exception) -> Response:
    if isinstance(error, QueryError):
        body = {"code": error.kind, "message": str(error), "hint": "", "position": error.position}
        return Json({"error": body}, status_code=400 if error.kind == "bad_data" else 422)
    return await envelope(request, problem_of(error))


async def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours; the server logs it, the client learns no more than that."""
    problem = Problem(500, "internal", "the platform failed at this", "its log says more")
    return await envelope(request, problem)


def problem_of(error: Exception) -> Problem:
    """The problem that an exception of the services means to a client."""
    match error:
        case NotFoundError():
            return Problem(404, "not_found", str(error.args[0]) if error.args else "not found")
        case RefusedError():
            return Problem(409, "refused", str(error))
        case ConflictError():
            return Problem(
                409, "conflict", "somebody else changed this in between", "read it again and repeat the change"
            )
        case PreconditionError():
            hint = "read it again, bring both texts together, and save with its ETag"
            return Problem(412, "precondition_failed", str(error), hint)
        case PreconditionRequiredError():
            hint = "send the ETag that reading it gave as If-Match, or If-None-Match: * when it gave none"
            return Problem(428, "precondition_required", str(error), hint)
        case TelemetryLimitError():
            return Problem(422, "limit", TOO_MUCH, "narrow the range, or add conditions")
        case BusyError():
            return Problem(503, "busy", str(error), headers={"Retry-After": RETRY_AFTER})
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            code = _CODES.get(error.status_code, "error")
            return Problem(error.status_code, code, str(error.detail), headers=error.headers or {})
        case BadRequestError() | AccessError():
            return Problem(400, "bad_request", str(error))
        case _:
            raise error


def _invalid(error: RequestValidationError) -> Problem:
    """Names every place at fault, in the words of the request (``body.matchers.0.op``)."""
    faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()[:10]]
    return Problem(422, "invalid", "; ".join(faults), "see /api/ops/v1/openapi.json for what is expected")
