"""Traces: finding them, how they are spread over time and duration, and what their spans hold."""

import re
from dataclasses import replace
from typing import Annotated, Final

import msgspec
from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import Response

from eldonia_ops.ports import TraceDistribution, TraceQuery, TraceSort
from eldonia_ops.ports.traces import duration_bound
from eldonia_ops.services.api import NotFoundError, Platform, QueryError
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.log_schemas import FieldShape, ValueShape, field_shapes, value_shapes
from eldonia_ops.web.native.logs import FieldText, MostValues, Prefix, field_of
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import NS, Instant, Text, Where, conditions_of, time_range
from eldonia_ops.web.native.telemetry_schemas import SpanShape, TraceShape, span_shapes, trace_shape

_UNITS_NS: Final = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": NS, "s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9}
_PART: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h)")
_LONGEST_NS: Final = 2**62
_OWN_FIELDS: Final = ("service", "name", "kind", "status")


class TraceCellShape(msgspec.Struct):
    """Traces of one bucket of time and one of durations: indexes into ``starts`` and ``durations``."""

    time: int
    duration: int
    count: int
    errors: int


class TraceDistributionShape(msgspec.Struct):
    """All traces of a query by start (Unix ms) and duration (ms, the least of each bucket).

    The buckets of durations are those from the shortest trace to the longest, and the bound behind the last.
    """

    starts: list[float]
    width_ms: float
    durations: list[float]
    cells: list[TraceCellShape]
    total: int
    errors: int


class ServiceCallsShape(msgspec.Struct):
    """Calls from one service to another, as spans of ``callee`` whose parent is one of ``caller``."""

    caller: str
    callee: str
    count: int
    errors: int


async def selection(
    request: Request,
    *,
    since: Instant = "-1h",
    until: Instant = "now",
    service: Text = "",
    operation: Text = "",
    min_duration: Annotated[str, Query(max_length=40, description="such as 200ms, 1.5s or 300us")] = "",
    max_duration: Annotated[str, Query(max_length=40)] = "",
    errors: bool = False,
    tag: Annotated[list[str], Query(max_length=20, description="name=value, repeatable")] = [],  # noqa: B006
    where: Where = [],  # noqa: B006
) -> TraceQuery:
    """Which traces are meant, out of the parameters that the operations on traces have.

    Raises:
        BadRequestError: an instant cannot be read.
        QueryError: a duration, a tag or a condition cannot be read; it names the parameter.
    """
    platform: Platform = request.app.state.platform
    first, last = time_range(since, until, platform.now())
    least, most = nanoseconds(min_duration, "min_duration"), nanoseconds(max_duration, "max_duration")
    if most and least > most:
        raise QueryError("no trace is longer than this and shorter than the other bound", field="max_duration")
    return TraceQuery(
        since_ns=first * NS,
        until_ns=(last + 1) * NS,
        service=service,
        operation=operation,
        min_duration_ns=least,
        max_duration_ns=most,
        errors_only=errors,
        tags=dict(_tag(text) for text in tag),
        where=conditions_of(where),
    )


Selection = Annotated[TraceQuery, Depends(selection)]


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on traces."""
    api.state.platform = platform
    _add_finding(api, platform)
    _add_names(api, platform)
    traces = platform.telemetry.traces

    @api.get("/traces/{trace_id}", tags=["traces"], **operation(Permission.READ, list[SpanShape]))
    async def get(trace_id: str) -> Response:
        """All spans of one trace, by start."""
        spans = await traces.get_trace(trace_id.lower())
        if not spans:
            raise NotFoundError(f"no trace {trace_id}: its spans may have expired, or not have arrived yet")
        return Json(span_shapes(spans))


def _add_finding(api: FastAPI, platform: Platform) -> None:
    traces = platform.telemetry.traces

    @api.get("/traces", tags=["traces"], **operation(Permission.READ, list[TraceShape]))
    async def find(
        wanted: Selection,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        sort: TraceSort = TraceSort.NEWEST,
    ) -> Response:
        """Find traces: the newest, longest, those with most spans or with most errors first."""
        found = await traces.find_traces(replace(wanted, limit=limit, sort=sort))
        return Json([trace_shape(summary) for summary in found])

    @api.get("/traces/distribution", tags=["traces"], **operation(Permission.READ, TraceDistributionShape))
    async def distribution(wanted: Selection, times: Annotated[int, Query(ge=1, le=200)] = 60) -> Response:
        """How all traces of a query are spread over time and duration."""
        return Json(distribution_shape(await traces.trace_distribution(wanted, times)))


def _add_names(api: FastAPI, platform: Platform) -> None:
    traces = platform.telemetry.traces

    @api.get("/traces/services", tags=["traces"], **operation(Permission.READ, list[str]))
    async def services() -> Response:
        """Names of services with spans."""
        return Json(await traces.trace_services())

    @api.get("/traces/calls", tags=["traces"], **operation(Permission.READ, list[ServiceCallsShape]))
    async def calls(service: Text, since: Instant = "-1h", until: Instant = "now") -> Response:
        """Who called a service and whom it called, in its newest traces (at most 5,000)."""
        first, last = time_range(since, until, platform.now())
        found = await traces.service_calls(service, first * NS, (last + 1) * NS)
        return Json([ServiceCallsShape(one.caller, one.callee, one.count, one.errors) for one in found])

    @api.get("/traces/operations", tags=["traces"], **operation(Permission.READ, list[str]))
    async def operations(service: Text) -> Response:
        """Span names of one service."""
        return Json(await traces.trace_operations(service))

    @api.get("/traces/fields", tags=["traces"], **operation(Permission.READ, list[FieldShape]))
    async def fields(wanted: Selection) -> Response:
        """Names for conditions: those of every span, then the attributes of the newest spans of a query."""
        return Json(field_shapes(_OWN_FIELDS, await traces.span_fields(wanted)))

    @api.get("/traces/values", tags=["traces"], **operation(Permission.READ, list[ValueShape]))
    async def values(
        wanted: Selection,
        field: FieldText,
        prefix: Prefix = "",
        limit: MostValues = 20,
    ) -> Response:
        """The most frequent values of a field of spans that begin with a text."""
        return Json(value_shapes(await traces.span_values(wanted, field_of(field), prefix=prefix, limit=limit)))


def distribution_shape(found: TraceDistribution) -> TraceDistributionShape:
    """A distribution whose buckets of durations begin with the shortest that there is."""
    low = min((cell.duration for cell in found.cells), default=0)
    high = max((cell.duration for cell in found.cells), default=0)
    return TraceDistributionShape(
        [(found.since_ns + index * found.width_ns) / NS for index in range(found.times)],
        found.width_ns / NS,
        [duration_bound(index) / NS for index in range(low, high + 2)],
        [TraceCellShape(one.time, one.duration - low, one.count, one.errors) for one in found.cells],
        sum(one.count for one in found.cells),
        sum(one.errors for one in found.cells),
    )


def nanoseconds(text: str, field: str) -> int:
    """A duration such as ``200ms``, ``1.5s`` or ``1m30s``; 0 for ''.

    Raises:
        QueryError: it is none; the position is where it stops being one.
    """
    written = text.strip()
    total = 0.0
    at = 0
    while at < len(written):
        match = _PART.match(written, at)
        if match is None:
            raise QueryError(f"not a duration: {text!r}", at, hint="write it like 200ms, 1.5s or 1m30s", field=field)
        total += float(match[1]) * _UNITS_NS[match[2]]
        at = match.end()
    if total > _LONGEST_NS:
        raise QueryError(f"duration out of range: {text!r}", 0, field=field)
    return round(total)


def _tag(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise QueryError(f"not a tag condition: {text!r}", 0, hint="write name=value", field="tag")
    return name, value
