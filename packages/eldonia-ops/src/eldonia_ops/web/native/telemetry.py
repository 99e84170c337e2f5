"""PromQL, logs and traces."""

from typing import Annotated, Any

from fastapi import FastAPI, Query
from starlette.responses import Response

from eldonia_ops.model.condition_text import ConditionError, parse_conditions
from eldonia_ops.model.conditions import Condition
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.ports import LogQuery, TraceQuery
from eldonia_ops.services.api import NotFoundError, Platform, QueryError
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError, reading_request
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.telemetry_schemas import (
    HistogramShape,
    LogPageShape,
    QueryShape,
    SpanShape,
    TraceShape,
    log_shape,
    query_shape,
    span_shapes,
    trace_shape,
)
from eldonia_ops.web.times import parse_instant, parse_step

_MS = 1_000_000
_LARGEST_CURSOR = 2**63
Several = Annotated[list[str], Query(max_length=50)]
Instant = Annotated[str, Query(max_length=40, description="Unix ms, RFC 3339, or relative such as -15m")]
Text = Annotated[str, Query(max_length=1_000)]
Where = Annotated[
    list[str],
    Query(
        max_length=20,
        description="conditions on fields and attributes, repeatable: user.id=42, duration>=500, path=~^/a, "
        "note*=part, !exists(session)",
    ),
]


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on metrics, logs and traces."""
    _add_queries(api, platform)
    _add_logs(api, platform)
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


def _add_logs(api: FastAPI, platform: Platform) -> None:
    def wanted(since: str, until: str, **conditions: Any) -> LogQuery:
        start, end = _range(since, until, platform.now())
        return LogQuery(since_ns=start * _MS, until_ns=(end + 1) * _MS, **conditions)

    @api.get("/logs", tags=["logs"], **operation(Permission.READ, LogPageShape))
    async def search(
        *,
        since: Instant = "-1h",
        until: Instant = "now",
        q: Text = "",
        level: Several = [],  # noqa: B006 - FastAPI copies it
        service: Several = [],  # noqa: B006
        trace_id: Text = "",
        request_id: Text = "",
        user_id: Text = "",
        component: Text = "",
        parse_errors: bool = False,
        where: Where = [],  # noqa: B006
        before: Annotated[str, Query(max_length=50, description="cursor of the last record shown: older ones")] = "",
        after: Annotated[str, Query(max_length=50, description="cursor of the first record shown: newer ones")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Search logs, newest first; ``after`` follows the tail."""
        query = wanted(
            since,
            until,
            text=q,
            levels=_levels(level),
            services=tuple(service),
            trace_id=trace_id,
            request_id=request_id,
            user_id=user_id,
            component=component,
            parse_errors_only=parse_errors,
            where=_conditions(where),
            before=_cursor(before),
            after=_cursor(after),
            limit=limit,
        )
        page = await platform.telemetry.logs.search_logs(query)
        return Json(LogPageShape([log_shape(record) for record in page.records], page.more))

    @api.get("/logs/histogram", tags=["logs"], **operation(Permission.READ, HistogramShape))
    async def histogram(
        *,
        since: Instant = "-1h",
        until: Instant = "now",
        q: Text = "",
        level: Several = [],  # noqa: B006
        service: Several = [],  # noqa: B006
        trace_id: Text = "",
        request_id: Text = "",
        user_id: Text = "",
        component: Text = "",
        parse_errors: bool = False,
        where: Where = [],  # noqa: B006
        buckets: Annotated[int, Query(ge=1, le=500)] = 60,
    ) -> Response:
        """How many records of each level over time."""
        query = wanted(
            since,
            until,
            text=q,
            levels=_levels(level),
            services=tuple(service),
            trace_id=trace_id,
            request_id=request_id,
            user_id=user_id,
            component=component,
            parse_errors_only=parse_errors,
            where=_conditions(where),
        )
        found = await platform.telemetry.logs.log_histogram(query, buckets)
        starts = [start / _MS for start in found.starts_ns]
        return Json(HistogramShape(starts, found.width_ns / _MS, found.counts, found.total))

    @api.get("/logs/services", tags=["logs"], **operation(Permission.READ, list[str]))
    async def services(since: Instant = "-24h", until: Instant = "now") -> Response:
        """Names of services that logged in a range."""
        query = wanted(since, until)
        return Json(await platform.telemetry.logs.log_services(query.since_ns, query.until_ns))


def _range(since: str, until: str, now: int) -> tuple[int, int]:
    """Both ends in Unix ms.

    Raises:
        BadRequestError: one of them is no instant, or the end comes before the start.
    """
    start, end = parse_instant(since, now), parse_instant(until, now)
    if end < start:
        raise BadRequestError(f"the range ends before it begins: since {since}, until {until}")
    return start, end


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
        first, last = _range(since, until, platform.now())
        query = TraceQuery(
            since_ns=first * _MS,
            until_ns=(last + 1) * _MS,
            service=service,
            operation=operation,
            min_duration_ns=_nanoseconds(min_duration),
            max_duration_ns=_nanoseconds(max_duration),
            errors_only=errors,
            tags=dict(_tag(text) for text in tag),
            where=_conditions(where),
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


def _levels(values: list[str]) -> tuple[LogLevel, ...]:
    """Levels given as repeated parameters or separated by commas."""
    names = [name for value in values for name in value.split(",") if name]
    try:
        return tuple(LogLevel(name) for name in names)
    except ValueError:
        raise BadRequestError(f"unknown level among {names} (one of {', '.join(LogLevel)})") from None


def _conditions(texts: list[str]) -> tuple[Condition, ...]:
    try:
        return parse_conditions(texts)
    except ConditionError as error:
        raise QueryError(str(error), error.position) from None


def _cursor(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    timestamp, _, id = text.partition("-")
    if not (timestamp.isdecimal() and id.isdecimal()) or int(timestamp) >= _LARGEST_CURSOR or int(id) >= 2**64:
        raise BadRequestError(f"not a cursor: {text!r} (take it from a record)")
    return int(timestamp), int(id)


@reading_request()
def _nanoseconds(duration: str) -> int:
    return parse_duration(duration) * _MS if duration else 0


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadRequestError(f"not a tag condition: {text!r} (write name=value)")
    return name, value
