"""What each exception of ours means to an HTTP client.

:func:`problem_of` is the only map from exceptions to HTTP problems. A dialect (native, Prometheus, Alertmanager,
Jaeger, an intake, a page) is an envelope over it: it writes a :class:`Problem` as its clients expect an error.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as default
from enum import StrEnum
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.access import AccessError
from eldonia_ops.dashboards.faults import DashboardError
from eldonia_ops.intake import IntakeError
from eldonia_ops.model.errors import StoreError, UnreadableError
from eldonia_ops.ports import (
    ConflictError,
    QueryTooLargeError,
    TelemetryError,
    TelemetryLimitError,
    TelemetryUnavailableError,
)
from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError
from eldonia_ops.services.api import NotFoundError, OverloadedError, PreconditionError, QueryError, RefusedError
from eldonia_ops.services.api.managed import FaultyConfigurationError
from eldonia_ops.web.bad_request import TOO_MUCH, BadRequestError
from eldonia_ops.web.heavy import RETRY_AFTER, BusyError
from eldonia_ops.web.preconditions import PreconditionRequiredError
from eldonia_ops.web.sign_in_throttle import TooManyAttemptsError
from eldonia_ops.web.validation_words import faults_in_words

FAMILY: Final = "eldonia_ops.family"
"""The key in the ASGI scope under which the gate notes the dialect of a request."""

_CODES: Final = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 409: "conflict", 413: "too_large"}


class ApiDialect(StrEnum):
    """Whose error envelope a route answers with. A route of an intake has the intake's name instead."""

    NATIVE = "native"
    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    JAEGER = "jaeger"
    ELASTICSEARCH = "elasticsearch"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Problem:
    """An error on its way to an envelope.

    ``code`` is a short stable name; ``hint`` says what to do; ``position`` is the 0-based character offset of the fault
    in a query, -1 for one at no place, None where there is no query. ``field`` names the parameter with the query.
    """

    status: int
    code: str
    message: str
    hint: str = ""
    headers: Mapping[str, str] = default(default_factory=dict)
    position: int | None = None
    field: str = ""
    problems: tuple[Mapping[str, Any], ...] = ()
    """Every single fault of a document, for those who show them at their places."""

    @property
    def sentence(self) -> str:
        """Message and hint, for envelopes that have one place for both."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def answer_headers(self, *schemes: str) -> dict[str, str]:
        """The headers of the answer; without a token they name the schemes of authentication."""
        challenge = ", ".join(f'{scheme} realm="eldonia-ops"' for scheme in schemes)
        return {**self.headers, **({"WWW-Authenticate": challenge} if self.status == 401 and challenge else {})}


Envelope = Callable[[Request, Problem], Awaitable[Response]]
Handler = Callable[[Request, Exception], Awaitable[Response]]

INTERNAL: Final = Problem(500, "internal", "the platform failed at this", "its log says more")
"""A fault of ours: the server logs it, and the client learns no more than that."""


def problem_of(error: Exception) -> Problem:
    """The problem that an exception is to a client; :data:`INTERNAL` for one that is a fault of ours."""
    match error:
        case NotFoundError():
            return Problem(404, "not_found", str(error.args[0]) if error.args else "not found")
        case RefusedError():
            return Problem(409, "refused", str(error))
        case DashboardError():
            return Problem(422, "invalid", str(error), "each problem has its path", problems=_problems(error))
        case FaultyConfigurationError():
            hint = next((one.hint for one in error.diagnostics if one.hint), "")
            return Problem(422, "faulty_configuration", str(error), hint)
        case QueryError():
            status = 400 if error.kind == "bad_data" else 422
            return Problem(status, error.kind, str(error), error.hint, position=error.position, field=error.field)
        case ConflictError():
            hint = "read it again and repeat the change"
            return Problem(409, "conflict", "another client changed this in between", hint)
        case PreconditionError():
            hint = "read it again, bring both texts together, and save with its ETag"
            return Problem(412, "precondition_failed", str(error), hint)
        case PreconditionRequiredError():
            hint = "send the ETag that reading it gave as If-Match, or If-None-Match: * when it gave none"
            return Problem(428, "precondition_required", str(error), hint)
        case QueryTooLargeError():
            return Problem(422, "limit", str(error))
        case TelemetryLimitError():
            return Problem(422, "limit", TOO_MUCH, "narrow the range, or add conditions")
        case TelemetryUnavailableError():
            message = "the telemetry store cannot be reached"
            return Problem(503, "unavailable", message, "try again in a moment", {"Retry-After": RETRY_AFTER})
        case OverloadedError():
            hint = "try again in a moment"
            return Problem(503, "overloaded", str(error), hint, {"Retry-After": RETRY_AFTER})
        case StoreError() if not isinstance(error, TelemetryError | UnreadableError):
            # Senders send again what is answered with 503. It is logged all the same, as a fault of ours.
            message = "the state store failed"
            return Problem(503, "unavailable", message, "try again in a moment", {"Retry-After": RETRY_AFTER})
        case BusyError():
            return Problem(503, "busy", str(error), headers={"Retry-After": RETRY_AFTER})
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            code = _CODES.get(error.status_code, "error")
            return Problem(error.status_code, code, str(error.detail), headers=error.headers or {})
        case TooLargeError():
            return Problem(413, "too_large", str(error))
        case IntakeError():
            return Problem(error.status, error.code, str(error))
        case TooManyAttemptsError():
            return too_many_attempts(error.wait_ms)
        case BadRequestError() | BadEncodingError() | AccessError():
            return Problem(400, "bad_request", str(error))
        case _:
            return INTERNAL


def too_many_attempts(wait_ms: int) -> Problem:
    """The answer to an address that keeps presenting wrong secrets."""
    seconds = -(-wait_ms // 1000)
    return Problem(
        429,
        "too_many_attempts",
        "too many failed sign-ins from this address",
        f"try again in {seconds} s",
        {"Retry-After": str(seconds)},
    )


def handlers(envelope_of: Callable[[Request], Envelope]) -> dict[Any, Handler]:
    """Exception handlers for a Starlette or FastAPI application: each answers in the envelope of the request.

    A fault of ours still reaches the server, which logs it with its traceback.
    """

    async def answer(request: Request, error: Exception) -> Response:
        return await envelope_of(request)(request, problem_of(error))

    return dict.fromkeys((*_EXPECTED, Exception), answer)


def _problems(error: DashboardError) -> tuple[Mapping[str, Any], ...]:
    return tuple(
        {"path": one.place, "panel": one.panel, "message": one.message, "hint": one.hint, "level": one.level.value}
        for one in error.faults
    )


_EXPECTED: Final = (
    DashboardError,
    NotFoundError,
    RefusedError,
    QueryError,
    ConflictError,
    PreconditionError,
    PreconditionRequiredError,
    TelemetryLimitError,
    TelemetryUnavailableError,
    OverloadedError,
    BusyError,
    RequestValidationError,
    HTTPException,
    BadRequestError,
    TooLargeError,
    BadEncodingError,
    IntakeError,
    AccessError,
    TooManyAttemptsError,
)


def _invalid(error: RequestValidationError) -> Problem:
    """Names every place at fault, in the words of the request (``matchers.0.op``)."""
    hint = "see /api/ops/v1/openapi.json for what is expected"
    return Problem(422, "invalid", faults_in_words(list(error.errors())), hint)
