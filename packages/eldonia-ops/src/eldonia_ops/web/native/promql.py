"""Queries while they are written: what is wrong with them."""

from typing import Annotated

import msgspec
from fastapi import FastAPI, Query
from starlette.responses import Response

from eldonia_ops.promql import ParseError, PromQLError, parse, value_type
from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.openapi import operation

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


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on queries that are being written."""

    @api.get("/promql/check", tags=["metrics"], **operation(Permission.READ, CheckShape))
    async def check(query: QueryText) -> Response:
        """Whether a query can be read; a fault is no error of the request."""
        return Json(checked(query))


def checked(query: str) -> CheckShape:
    """What the parser says of a query."""
    try:
        return CheckShape(True, value_type(parse(query)).value)
    except ParseError as error:
        return CheckShape(False, "", error.message, error.position, error.end)
    except PromQLError as error:
        return CheckShape(False, "", error.message, error.position, error.position)
