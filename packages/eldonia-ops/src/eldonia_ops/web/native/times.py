"""What times in words mean."""

from typing import Annotated

import msgspec
from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from eldonia_ops.model.time_words import stretch_of
from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import Zone
from eldonia_ops.web.times import clock_at, reader_zone, unix_ms


class RangeShape(msgspec.Struct):
    """A range of time, both ends in Unix ms."""

    since: int
    until: int


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operation."""

    @api.get("/times", tags=["about"], **operation(Permission.READ, RangeShape))
    async def times(
        request: Request,
        text: Annotated[str, Query(max_length=60, description="such as yesterday, last tuesday, 7d, 09:30, 昨日")],
        tz: Zone = "",
    ) -> Response:
        """The range that a time in words means: a day, a week, or from an instant until now."""
        zone, now = reader_zone(request, tz), platform.now()
        stretch = stretch_of(text, clock_at(now, zone))
        if stretch is None:
            raise BadRequestError(f"not a time: {text!r} (write yesterday, last tuesday, 7d, 09:30 or 2026-11-24)")
        since, until = (unix_ms(clock, zone) for clock in stretch)
        return Json(RangeShape(since, until if since < until else max(since, now)))
