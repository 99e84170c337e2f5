"""PromQL."""

from typing import Annotated

from fastapi import FastAPI, Query
from starlette.responses import Response

from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import Instant
from eldonia_ops.web.native.telemetry_schemas import (
    QueryShape,
    query_shape,
)
from eldonia_ops.web.times import parse_instant, parse_step


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on metrics."""

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
