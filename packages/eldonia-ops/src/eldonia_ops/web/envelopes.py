"""What is raised behind the gate, in the words of the API that was addressed."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.web.gate import FAMILY, ApiDialect, Envelope, Problem


def in_envelope(
    envelopes: Mapping[ApiDialect, Envelope], otherwise: ApiDialect = ApiDialect.NATIVE
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answers what routing or a fault of ours raised in the words of the family that was addressed."""

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            names = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
            code = names.get(error.status_code, "error")
            problem = Problem(error.status_code, code, str(error.detail), headers=error.headers or {})
        else:
            problem = Problem(500, "internal", "the platform failed at this", "its log says more")
        return await envelopes[request.scope.get(FAMILY, otherwise)](request, problem)

    return answer
