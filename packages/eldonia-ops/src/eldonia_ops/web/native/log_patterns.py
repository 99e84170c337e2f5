"""Patterns of log messages: which there are, and what is new."""

from dataclasses import replace
from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from eldonia_ops.services.api import Platform
from eldonia_ops.services.changes import Changes
from eldonia_ops.services.logs.pattern_ranges import (
    ComparedRanges,
    ranges_from,
    ranges_of_incident,
    ranges_since_deploy,
)
from eldonia_ops.services.logs.patterns import pattern_changes, patterns_of
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.log_pattern_schemas import PatternChangesShape, PatternPageShape, changes_shape, page_shape
from eldonia_ops.web.native.logs import Selection
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.parameters import NS, Zone, time_range
from eldonia_ops.web.times import reader_zone

LATEST = "latest"
_MOST = 1_000

Limit = Annotated[int, Query(ge=1, le=_MOST)]
Buckets = Annotated[int, Query(ge=1, le=100)]
Against = Annotated[str, Query(max_length=60, description="the other range: an instant as for since and until")]


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on patterns."""
    logs, changes = platform.telemetry.logs, Changes(platform.state)

    @api.get("/logs/patterns", tags=["logs"], **operation(Permission.READ, PatternPageShape))
    async def patterns(wanted: Selection, buckets: Buckets = 30, limit: Limit = 100) -> Response:
        """The patterns of the messages that a query finds, the most frequent first."""
        return Json(page_shape(await patterns_of(logs, wanted, buckets, limit)))

    @api.get("/logs/pattern-changes", tags=["logs"], **operation(Permission.READ, PatternChangesShape))
    async def differences(
        request: Request,
        wanted: Selection,
        against_since: Against = "",
        against_until: Against = "",
        deploy: Annotated[
            str, Query(max_length=100, description="latest, or the id of a deploy: from it until now")
        ] = "",
        incident: Annotated[
            str, Query(max_length=100, description="such as INC-2: from its beginning to its end")
        ] = "",
        tz: Zone = "",
        buckets: Buckets = 30,
        limit: Limit = 200,
    ) -> Response:
        """The patterns that are new, gone, much more frequent or rarer than before.

        The range is that of an incident, since a deploy, or ``since`` to ``until``. It is compared with
        ``against_since`` to ``against_until``, else with the time right before it: as long, an hour at least and a week
        at most.
        """
        now = platform.now()
        if incident and deploy:
            raise BadRequestError("give either an incident or a deploy")
        if incident:
            ranges = ranges_of_incident((await platform.incidents.get(incident))[0], now)
        elif deploy:
            service = wanted.services[0] if len(wanted.services) == 1 else ""
            ranges = await ranges_since_deploy(changes, now, service, "" if deploy == LATEST else deploy)
        else:
            ranges = ranges_from(wanted.since_ns // NS, wanted.until_ns // NS)
        if against_since or against_until:
            if not against_since:
                raise BadRequestError("against_since is missing: when the other range begins")
            start, end = time_range(against_since, against_until or str(ranges.start), now, reader_zone(request, tz))
            ranges = replace(ranges, start_before=start, end_before=end)
        if ranges.end_before <= ranges.start_before:
            raise BadRequestError("the range to compare with is empty")
        within, before = _within(ranges)
        found = await pattern_changes(
            logs,
            replace(wanted, since_ns=within[0], until_ns=within[1]),
            replace(wanted, since_ns=before[0], until_ns=before[1]),
            buckets,
            limit,
        )
        return Json(changes_shape(found, ranges))


def _within(ranges: ComparedRanges) -> tuple[tuple[int, int], tuple[int, int]]:
    return (ranges.start * NS, ranges.end * NS), (ranges.start_before * NS, ranges.end_before * NS)
