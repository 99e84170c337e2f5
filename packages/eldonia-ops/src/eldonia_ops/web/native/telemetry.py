"""PromQL and traces."""

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.responses import Response

from eldonia_ops.model.durations import parse_duration
from eldonia_ops.ports import TraceQuery
from eldonia_ops.services.api import NotFoundError, Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError, reading_request
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import NS, Instant, Text, Where, conditions_of, time_range
from eldonia_ops.web.native.telemetry_schemas import (
    QueryShape,
    SpanShape,
    TraceShape,
    query_shape,
    span_shapes,
    trace_shape,
)
from eldonia_ops.web.times import parse_instant, parse_step


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on metrics and traces."""
    _add_queries(api, platform)
    _add_traces(api, platform)


def _add_queries(api: FastAPI, platform: Platform) -> None:
    @api.get("/query", tags=["metrics"], **operation(Permission.READ, QueryShape))
    async def instant(query: Annotated[str, Query(max_length=20_000)], time: Instant = "now") -> Response:
        """Evaluate PromQL at one instant."""
        now = platform.now()
        at = None if time == "now" else parse_instant(time, now)
        return Json(query_shape(await platform.queries.instant(query, at)))

    @api.get("/query_range", tags=["metrics"], **operation(Permission.READ, QueryShape))
    async def over_range(
        query: Annotated[str, Query(max_length=20_000)],
        start: Instant = "-1h",
        end: Instant = "now",
        step: Annotated[str, Query(max_length=40, description="a duration such as 15s, or seconds")] = "15s",
    ) -> Response:
        """Evaluate PromQL at every step of a range."""
        now = platform.now()
        result = await platform.queries.range(
            query, parse_instant(start, now), parse_instant(end, now), parse_step(step)
        )
        return Json(query_shape(result))


def _add_traces(api: FastAPI, platform: Platform) -> None:
    @api.get("/traces", tags=["traces"], **operation(Permission.READ, list[TraceShape]))
    async def find(
        *,
        since: Instant = "-1h",
        until: Instant = "now",
        service: Text = "",
        operation: Text = "",
        min_duration: Annotated[str, Query(max_length=20, description="such as 200ms")] = "",
        max_duration: Annotated[str, Query(max_length=20)] = "",
        errors: bool = False,
        tag: Annotated[list[str], Query(max_length=20, description="name=value, repeatable")] = [],  # noqa: B006
        where: Where = [],  # noqa: B006
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Response:
        """Find traces, newest first."""
        first, last = time_range(since, until, platform.now())
        query = TraceQuery(
            since_ns=first * NS,
            until_ns=(last + 1) * NS,
            service=service,
            operation=operation,
            min_duration_ns=_nanoseconds(min_duration),
            max_duration_ns=_nanoseconds(max_duration),
            errors_only=errors,
            tags=dict(_tag(text) for text in tag),
            where=conditions_of(where),
            limit=limit,
        )
        return Json([trace_shape(summary) for summary in await platform.telemetry.traces.find_traces(query)])

    @api.get("/traces/services", tags=["traces"], **operation(Permission.READ, list[str]))
    async def services() -> Response:
        """Names of services with spans."""
        return Json(await platform.telemetry.traces.trace_services())

    @api.get("/traces/operations", tags=["traces"], **operation(Permission.READ, list[str]))
    async def operations(service: Text) -> Response:
        """Span names of one service."""
        return Json(await platform.telemetry.traces.trace_operations(service))

    @api.get("/traces/{trace_id}", tags=["traces"], **operation(Permission.READ, list[SpanShape]))
    async def get(trace_id: str) -> Response:
        """All spans of one trace, by start."""
        spans = await platform.telemetry.traces.get_trace(trace_id.lower())
        if not spans:
            raise NotFoundError(f"no trace {trace_id}: its spans may have expired, or not have arrived yet")
        return Json(span_shapes(spans))


@reading_request()
def _nanoseconds(duration: str) -> int:
    return parse_duration(duration) * NS if duration else 0


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadRequestError(f"not a tag condition: {text!r} (write name=value)")
    return name, value
