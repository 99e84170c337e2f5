"""Jaeger's query API over our traces."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.ports import TraceQuery
from eldonia_ops.protocols import jaeger as wire
from eldonia_ops.services.api import NotFoundError, Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError, reading_request
from eldonia_ops.web.gate import GuardedRoute
from eldonia_ops.web.heavy import HeavyWork
from eldonia_ops.web.problems import ApiDialect, Problem

_LOOKBACKS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_NUMBER: Final = re.compile(r"-?\d{1,16}", re.ASCII)
"""Microseconds up to beyond the year 2200, which a store's nanoseconds end with."""
_MOST_TRACES = 1_500
_MOST_TAGS = 20


async def envelope(request: Request, problem: Problem) -> Response:
    """``{"data": null, "errors": [{"code", "msg"}]}``."""
    headers = problem.answer_headers("Basic", "Bearer")
    return _json(wire.failure(problem.status, problem.sentence), problem.status, headers)


def routes(platform: Platform, heavy: HeavyWork) -> list[GuardedRoute]:
    """``/api/services``, ``/api/traces`` and their children."""
    store = platform.telemetry.traces

    async def services(_request: Request) -> Response:
        return _json(wire.success(await store.trace_services()))

    async def operations(request: Request) -> Response:
        return _json(wire.success(await store.trace_operations(request.path_params["service"])))

    async def find(request: Request) -> Response:
        """Traces with all their spans, as Jaeger gives them; the ids of ``traceID`` alone when given."""
        async with heavy.place():
            ids = [_padded(id) for id in request.query_params.getlist("traceID")][:_MOST_TRACES]
            if ids:
                traces = await store.get_traces(ids)
            else:
                found = await store.find_traces(_query(request, platform.now()))
                since = min((one.start_ns for one in found), default=0)
                until = max((one.start_ns + one.duration_ns for one in found), default=0)
                traces = await store.get_traces([one.trace_id for one in found], since, until + 1)
            return _json(await heavy.run(lambda: wire.success([wire.trace(spans) for spans in traces])))

    async def get(request: Request) -> Response:
        spans = await store.get_trace(_padded(request.path_params["trace_id"]))
        if not spans:
            raise NotFoundError("trace not found")
        return _json(wire.success([wire.trace(spans)]))

    def reading(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> GuardedRoute:
        return GuardedRoute(path, endpoint, demand=Permission.READ, family=ApiDialect.JAEGER)

    return [
        reading("/api/services", services),
        reading("/api/services/{service}/operations", operations),
        reading("/api/traces", find),
        reading("/api/traces/{trace_id}", get),
    ]


def _padded(trace_id: str) -> str:
    """An id as it is stored: Jaeger's clients leave out zeros at the front."""
    return trace_id.lower().rjust(32, "0")


@reading_request()
def _query(request: Request, now: int) -> TraceQuery:
    """The search parameters of Jaeger's UI: instants are microseconds.

    Raises:
        BadRequestError: a parameter is missing or malformed.
    """
    given = request.query_params
    service = given.get("service", "")
    if not service:
        raise BadRequestError("parameter 'service' is required")
    lookback = given.get("lookback", "1h")
    if lookback == "custom":
        lookback = "1h"
    if lookback[-1:] not in _LOOKBACKS_MS or not re.fullmatch(r"[0-9]{1,6}", lookback[:-1]):
        raise BadRequestError(f"not a lookback: {lookback!r}")
    until_us = _whole(given, "end", now * 1000)
    since_us = _whole(given, "start", until_us - int(lookback[:-1]) * _LOOKBACKS_MS[lookback[-1]] * 1000)
    if until_us < since_us:
        raise BadRequestError("parameter 'end' must not be before 'start'")
    least, most = given.get("minDuration", ""), given.get("maxDuration", "")
    min_duration_ns = wire.parse_duration_ns(least) if least else 0
    max_duration_ns = wire.parse_duration_ns(most) if most else 0
    if most and max_duration_ns < min_duration_ns:
        raise BadRequestError("parameter 'maxDuration' must not be less than 'minDuration'")
    limit = _whole(given, "limit", 20)
    if not 0 < limit <= _MOST_TRACES:
        raise BadRequestError(f"limit must lie between 1 and {_MOST_TRACES}")
    tags = wire.parse_tags(given.getlist("tag"), given.getlist("tags"))
    if len(tags) > _MOST_TAGS:
        raise BadRequestError(f"at most {_MOST_TAGS} tags may be searched by at once, these are {len(tags)}")
    return TraceQuery(
        since_ns=since_us * 1000,
        until_ns=until_us * 1000 + 1,
        service=service,
        operation="" if given.get("operation", "") in ("", "all") else given["operation"],
        min_duration_ns=min_duration_ns,
        max_duration_ns=max_duration_ns,
        tags=tags,
        limit=limit,
    )


def _whole(given: QueryParams, name: str, default: int) -> int:
    text = given.get(name, "")
    if text and not _NUMBER.fullmatch(text):
        raise BadRequestError(f"parameter '{name}' is not a whole number: {text!r}")
    return int(text) if text else default


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status_code=status, headers=headers, media_type="application/json")
