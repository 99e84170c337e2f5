"""Logs: searching, counting, and looking around."""

from dataclasses import replace
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import Response

from eldonia_ops.model.condition_fields import LOG_ERRORS, LOG_MEASUREMENTS, LOG_OWN_TEXTS
from eldonia_ops.model.condition_text import format_field
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.ports import LogQuery
from eldonia_ops.search import Node, SearchError, format_search, parse_search
from eldonia_ops.search.parser import MAX_SEARCH
from eldonia_ops.search.pipes.parser import parse_pipeline
from eldonia_ops.search.pipes.pipeline import Pipeline
from eldonia_ops.search.scanner import Scanner
from eldonia_ops.services.api import Platform, QueryError
from eldonia_ops.services.logs.search import suggestion, surroundings, unknown_fields
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.log_schemas import (
    FacetShape,
    FieldShape,
    HistogramShape,
    LogPageShape,
    SuggestionShape,
    SurroundingsShape,
    UnknownFieldShape,
    ValueShape,
    field_shapes,
    log_shape,
    value_shapes,
)
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import NS, Instant, Several, Text, Where, Zone, conditions_of, time_range
from eldonia_ops.web.times import clock_at, reader_zone, unix_ms

_LARGEST_CURSOR: Final = 2**63
_MAX_FACETS: Final = 12
_OWN_FIELDS: Final = (*LOG_OWN_TEXTS, *LOG_ERRORS, *LOG_MEASUREMENTS)

SearchText = Annotated[
    str, Query(max_length=MAX_SEARCH, description='such as user_id:alice level>=error "timed out" -path:/health')
]
PipedText = Annotated[
    str, Query(max_length=MAX_SEARCH, description="such as level:error | stats count(), p95(duration) by service")
]
Cursor = Annotated[str, Query(max_length=50, description="the cursor of a record")]
Prefix = Annotated[str, Query(max_length=1_000, description="how values begin, in any case")]
MostValues = Annotated[int, Query(ge=1, le=100)]
FieldText = Annotated[str, Query(max_length=1_000, description="the name of a field as a query writes it")]


async def frame(
    request: Request,
    *,
    since: Instant = "-1h",
    until: Instant = "now",
    tz: Zone = "",
    q: Annotated[str, Query(max_length=1_000, description="plain words that all occur in the message")] = "",
    level: Several = [],  # noqa: B006 - FastAPI copies it
    service: Several = [],  # noqa: B006
    trace_id: Text = "",
    request_id: Text = "",
    user_id: Text = "",
    component: Text = "",
    parse_errors: bool = False,
    where: Where = [],  # noqa: B006
) -> LogQuery:
    """Which records are meant, out of the parameters that all operations on logs have, but for the query.

    Raises:
        BadRequestError: an instant or level cannot be read.
        QueryError: a condition cannot be read.
    """
    platform: Platform = request.app.state.platform
    start, end = time_range(since, until, platform.now(), reader_zone(request, tz))
    return LogQuery(
        since_ns=start * NS,
        until_ns=(end + 1) * NS,
        text=q,
        levels=_levels(level),
        services=tuple(service),
        trace_id=trace_id,
        request_id=request_id,
        user_id=user_id,
        component=component,
        parse_errors_only=parse_errors,
        where=conditions_of(where),
    )


Frame = Annotated[LogQuery, Depends(frame)]


async def selection(request: Request, within: Frame, query: SearchText = "") -> LogQuery:
    """Which records are meant, with the query.

    Raises:
        QueryError: the query cannot be read.
    """
    return replace(within, search=search_of(query, request.query_params.get("lang", "")))


async def pipeline(request: Request, query: PipedText = "") -> Pipeline:
    """The query with its pipes.

    Raises:
        QueryError: it cannot be read.
    """
    return pipeline_of(query, request.query_params.get("lang", ""))


PipedQuery = Annotated[Pipeline, Depends(pipeline)]
Selection = Annotated[LogQuery, Depends(selection)]


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on logs."""
    api.state.platform = platform
    _add_searching(api, platform)
    _add_fields(api, platform)
    _add_unknown_fields(api, platform)
    _add_looking_around(api, platform)


def _add_searching(api: FastAPI, platform: Platform) -> None:
    logs = platform.telemetry.logs

    @api.get("/logs", tags=["logs"], **operation(Permission.READ, LogPageShape))
    async def search(
        wanted: Selection,
        before: Annotated[str, Query(max_length=50, description="cursor of the last record shown: older ones")] = "",
        after: Annotated[str, Query(max_length=50, description="cursor of the first record shown: newer ones")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Search logs, newest first; ``after`` follows the tail."""
        page = await logs.search_logs(replace(wanted, before=cursor_of(before), after=cursor_of(after), limit=limit))
        return Json(LogPageShape([log_shape(record) for record in page.records], page.more))

    @api.get("/logs/histogram", tags=["logs"], **operation(Permission.READ, HistogramShape))
    async def histogram(wanted: Selection, buckets: Annotated[int, Query(ge=1, le=500)] = 60) -> Response:
        """How many records of each level over time."""
        found = await logs.log_histogram(wanted, buckets)
        starts = [start / NS for start in found.starts_ns]
        return Json(HistogramShape(starts, found.width_ns / NS, found.counts, found.total))

    @api.get("/logs/services", tags=["logs"], **operation(Permission.READ, list[str]))
    async def services(since: Instant = "-24h", until: Instant = "now") -> Response:
        """Names of services that logged in a range."""
        start, end = time_range(since, until, platform.now())
        return Json(await logs.log_services(start * NS, (end + 1) * NS))

    @api.get("/logs/suggestion", tags=["logs"], **operation(Permission.READ, list[SuggestionShape]))
    async def suggest(request: Request, wanted: Selection, tz: Zone = "") -> Response:
        """What a query in plain words that finds nothing may have meant: at most one query, which finds something."""
        zone = reader_zone(request, tz)
        now = clock_at(platform.now(), zone)
        found = await suggestion(logs, wanted, now, lambda clock: unix_ms(clock, zone) * NS)
        if found is None:
            return Json([])
        since, until = (clock and unix_ms(clock, zone) for clock in (found.since, found.until))
        return Json([SuggestionShape(found.search, found.count, since, until)])


def _add_unknown_fields(api: FastAPI, platform: Platform) -> None:
    @api.get("/logs/unknown-fields", tags=["logs"], **operation(Permission.READ, list[UnknownFieldShape]))
    async def unknown(wanted: Selection) -> Response:
        """The fields of a query that no record of its time has, each with the name that may have been meant."""
        found = await unknown_fields(platform.telemetry.logs, wanted)
        return Json([UnknownFieldShape(one.name, one.near) for one in found])


def _add_fields(api: FastAPI, platform: Platform) -> None:
    logs = platform.telemetry.logs

    @api.get("/logs/facets", tags=["logs"], **operation(Permission.READ, list[FacetShape]))
    async def facets(
        wanted: Selection,
        field: Annotated[list[str], Query(max_length=_MAX_FACETS, description="names of fields, repeatable")] = [  # noqa: B006
            "level",
            "service",
        ],
        limit: Annotated[int, Query(ge=1, le=50)] = 10,
    ) -> Response:
        """The most frequent values of fields among the records of a query."""
        names = [field_of(text) for text in field]
        found = [await logs.log_values(wanted, name, limit=limit) for name in names]
        return Json(
            [FacetShape(format_field(name), value_shapes(values)) for name, values in zip(names, found, strict=True)]
        )

    @api.get("/logs/fields", tags=["logs"], **operation(Permission.READ, list[FieldShape]))
    async def fields(wanted: Selection) -> Response:
        """The names of fields: those of every record, then the attributes of the newest records of a query."""
        return Json(field_shapes(_OWN_FIELDS, await logs.log_fields(wanted)))

    @api.get("/logs/values", tags=["logs"], **operation(Permission.READ, list[ValueShape]))
    async def values(
        wanted: Selection,
        field: FieldText,
        prefix: Prefix = "",
        limit: MostValues = 20,
    ) -> Response:
        """The most frequent values of a field that begin with a text."""
        return Json(value_shapes(await logs.log_values(wanted, field_of(field), prefix=prefix, limit=limit)))


def _add_looking_around(api: FastAPI, platform: Platform) -> None:
    @api.get("/logs/around", tags=["logs"], **operation(Permission.READ, SurroundingsShape))
    async def around(cursor: Cursor, limit: Annotated[int, Query(ge=1, le=500)] = 20) -> Response:
        """A record with those before and after it (``limit`` each) from the same source, or service and host."""
        place = cursor_of(cursor)
        if place is None:
            raise BadRequestError("a cursor is missing (take it from a record)")
        found = await surroundings(platform.telemetry.logs, place, limit)
        records = [log_shape(record) for record in found.records]
        return Json(SurroundingsShape(records, format_search(found.origin), found.more_before, found.more_after))


def search_of(text: str, language: str = "") -> Node:
    """The tree of a query; what is wrong with it is said in the reader's language.

    Raises:
        QueryError: it cannot be read.
    """
    try:
        return parse_search(text)
    except SearchError as error:
        raise QueryError(error.message(language), error.start, hint=error.hint(language)) from None


def pipeline_of(text: str, language: str = "") -> Pipeline:
    """A query with its pipes; what is wrong with it is said in the reader's language.

    Raises:
        QueryError: it cannot be read.
    """
    try:
        return parse_pipeline(text)
    except SearchError as error:
        raise QueryError(error.message(language), error.start, hint=error.hint(language)) from None


def field_of(text: str) -> FieldName:
    """The name of a field as a query writes it.

    Raises:
        QueryError: it is none.
    """
    scanner = Scanner(text)
    try:
        name = scanner.field_name()
    except SearchError as error:
        raise QueryError(error.message(), error.start, hint=error.hint()) from None
    if not scanner.at_end():
        raise QueryError(f"not the name of a field: {text!r}", scanner.at)
    return name


def cursor_of(text: str) -> tuple[int, int] | None:
    """The place of a record by its cursor, None for ''.

    Raises:
        BadRequestError: it is no cursor.
    """
    if not text:
        return None
    timestamp, _, id = text.partition("-")
    if not (timestamp.isdecimal() and id.isdecimal()) or int(timestamp) >= _LARGEST_CURSOR or int(id) >= 2**64:
        raise BadRequestError(f"not a cursor: {text!r} (take it from a record)")
    return int(timestamp), int(id)


def _levels(values: list[str]) -> tuple[LogLevel, ...]:
    """Levels given as repeated parameters or separated by commas."""
    names = [name for value in values for name in value.split(",") if name]
    levels = [fold_level(name) for name in names]
    if None in levels:
        raise BadRequestError(f"unknown level among {names} (one of {', '.join(LogLevel)})")
    return tuple(dict.fromkeys(level for level in levels if level is not None))
