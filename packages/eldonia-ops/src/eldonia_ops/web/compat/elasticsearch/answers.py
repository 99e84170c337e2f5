"""Answers as Elasticsearch's clients expect them: each has the product's header, also one that refuses."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.foreign import decode_json, nesting
from eldonia_ops.ports import QueryTooComplexError, TelemetryError, TelemetryLimitError
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, parsing_error, rejected
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.web.limits import NoRoomError, RequestLimits, read_body
from eldonia_ops.web.problems import Problem

PREFIX: Final = "/elasticsearch"
"""Where the API is on the main listener."""

HEADERS: Final[Mapping[str, str]] = {"X-Elastic-Product": "Elasticsearch"}
"""Clients refuse to talk to a server that does not send it."""

MAX_NESTING: Final = 64
_TYPES: Final = {
    400: "illegal_argument_exception",
    401: "security_exception",
    403: "security_exception",
    404: "illegal_argument_exception",
    405: "illegal_argument_exception",
    409: "version_conflict_engine_exception",
    413: "content_too_long_exception",
    415: "media_type_header_exception",
    429: "es_rejected_execution_exception",
    503: "es_rejected_execution_exception",
}
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode
_decode: Final = msgspec.json.Decoder().decode

Endpoint = Callable[[Request], Awaitable[Response]]


def answered(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value in JSON."""
    return packed(_encode(value), status, headers)


def packed(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A body that is JSON already."""
    return Response(body, status, headers={**HEADERS, **(headers or {})}, media_type="application/json")


def plain(text: str) -> Response:
    """Lines of text, as ``_cat`` has them."""
    return Response(text, headers=dict(HEADERS), media_type="text/plain; charset=UTF-8")


def refused(error: ElasticsearchError) -> Response:
    """An error as the answer."""
    headers = {"Retry-After": "2"} if error.status == 429 else None
    return answered(error.body(), error.status, headers)


async def envelope(request: Request, problem: Problem) -> Response:
    """A problem that was found before, or behind, a route of ours."""
    reason, status = problem.sentence, problem.status
    if status == 404 and problem.message == "Not Found":
        reason = (
            f"no handler found for uri [{request.url.path}] and method [{request.method}]: it is not served here; "
            "docs/elasticsearch.md has what is"
        )
    elif status == 405:
        allowed = problem.headers.get("Allow", "")
        reason = (
            f"Incorrect HTTP method for uri [{request.url.path}] and method [{request.method}], allowed: [{allowed}]"
        )
    type = _TYPES.get(status, "exception")
    body = ElasticsearchError(status, type, reason).body()
    # ApiKey last: a browser that is asked knows Basic.
    headers = problem.answer_headers("Basic", "Bearer", "ApiKey")
    return answered(body, status, headers)


def guarded(endpoint: Endpoint, limits: RequestLimits) -> Endpoint:
    """The endpoint with its errors in Elasticsearch's shape, and what it reads counted."""

    @wraps(endpoint)
    async def run(request: Request) -> Response:
        try:
            with limits.room.holding(request):
                return await endpoint(request)
        except NoRoomError as error:
            return refused(rejected(str(error)))
        except ElasticsearchError as error:
            return refused(error)
        except DslError as error:
            return answered({"error": error.body(), "status": error.status}, error.status)
        except QueryTooComplexError as error:
            return refused(ElasticsearchError(400, "too_many_clauses", str(error)))
        except TelemetryLimitError:
            reason = "the answer would take more time, rows or memory than one question may: narrow the time range"
            return refused(ElasticsearchError(429, "circuit_breaking_exception", reason))
        except TelemetryError as error:
            return refused(rejected(f"the store cannot take this now: {error}"))

    return run


async def json_body(request: Request, limits: RequestLimits, default: Any = None) -> Any:
    """The body of a request in JSON; ``default`` when there is none.

    Raises:
        ElasticsearchError: it is no JSON.
        eldonia_ops.protocols.packed_body.TooLargeError: it is larger than may be.
        eldonia_ops.protocols.packed_body.BadEncodingError: it is not packed as it says.
    """
    body = await read_body(request, limits)
    if not body.strip():
        return {} if default is None else default
    if nesting(body) > MAX_NESTING:
        raise parsing_error(f"the body is nested deeper than {MAX_NESTING} levels")
    try:
        return decode_json(_decode, body)
    except (ValueError, RecursionError) as error:
        raise ElasticsearchError(400, "x_content_parse_exception", f"the body is no JSON: {error}") from None


async def object_body(request: Request, limits: RequestLimits) -> dict[str, Any]:
    """The same for a body that is an object.

    Raises:
        ElasticsearchError: it is none.
    """
    found = await json_body(request, limits)
    if not isinstance(found, dict):
        raise parsing_error("the body is not an object")
    return found


def flag(request: Request, name: str, default: bool = False) -> bool:
    """A parameter that is true or false.

    Raises:
        ElasticsearchError: it is neither.
    """
    text = request.query_params.get(name)
    if text is None:
        return default
    if text.lower() not in ("", "true", "false"):
        raise illegal_argument(f"Failed to parse value [{text[:40]}] as only [true] or [false] are allowed.")
    return text.lower() != "false"
