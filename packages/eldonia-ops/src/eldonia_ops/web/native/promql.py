"""Queries while they are written: what is wrong with them, and why they find nothing."""

from typing import Annotated

import msgspec
from fastapi import FastAPI, Query
from starlette.responses import Response

from eldonia_ops.promql import ParseError, PromQLError, parse, value_type
from eldonia_ops.promql.emptiness import Finding
from eldonia_ops.services.api import Platform
from eldonia_ops.services.empty_queries import EmptyQueries
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import Instant
from eldonia_ops.web.times import parse_instant, parse_step

MAX_QUERY = 20_000
QueryText = Annotated[str, Query(max_length=MAX_QUERY, description="PromQL")]


class CheckShape(msgspec.Struct):
    """Whether a query can be evaluated, and else where it cannot be read.

    ``type`` is ``vector``, ``matrix``, ``scalar`` or ``string``. ``position`` and ``end`` are 0-based character offsets
    of the fault, end exclusive; -1 for one at no place.
    """

    valid: bool
    type: str = ""
    message: str = ""
    position: int = -1
    end: int = -1


class EmptyShape(msgspec.Struct):
    """Why a query has no result. ``code`` and ``values`` are those of :mod:`eldonia_ops.promql.emptiness`.

    ``position`` and ``end`` are 0-based character offsets of the part that it is about. ``near`` are names or values
    that may be meant; ``suggestion`` is a query that would find more, '' for none; ``since`` and ``until`` (Unix ms,
    0 for none) are a time with samples.
    """

    code: str
    position: int
    end: int
    values: dict[str, str]
    near: tuple[str, ...]
    suggestion: str
    since: int
    until: int


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on queries that are being written."""
    empty = EmptyQueries(platform.now, platform.queries, platform.telemetry.metrics)

    @api.get("/promql/check", tags=["metrics"], **operation(Permission.READ, CheckShape))
    async def check(query: QueryText) -> Response:
        """Whether a query can be read; a fault is no error of the request."""
        return Json(checked(query))

    @api.get("/promql/explain", tags=["metrics"], **operation(Permission.READ, list[EmptyShape]))
    async def why_empty(
        query: QueryText,
        start: Instant = "-1h",
        end: Instant = "now",
        step: Annotated[str, Query(max_length=40, description="as of /query_range; empty: at the end alone")] = "",
    ) -> Response:
        """Why a query has no result; an empty list where it has one."""
        now = platform.now()
        first, last = parse_instant(start, now), parse_instant(end, now)
        found = await empty.explain(query, first, last, parse_step(step) if step else 0)
        return Json([_empty_shape(one) for one in found])


def _empty_shape(one: Finding) -> EmptyShape:
    return EmptyShape(one.code, one.start, one.end, dict(one.values), one.near, one.suggestion, one.since, one.until)


def checked(query: str) -> CheckShape:
    """What the parser says of a query."""
    try:
        return CheckShape(True, value_type(parse(query)).value)
    except ParseError as error:
        return CheckShape(False, "", error.message, error.position, error.end)
    except PromQLError as error:
        return CheckShape(False, "", error.message, error.position, error.position)
