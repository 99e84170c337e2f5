"""Log records as a stock: metrics made of them, rules of retention, and erasures."""

import msgspec
from fastapi import FastAPI, Request
from pydantic import Field
from starlette.responses import Response

from eldonia_ops.log_metrics.preview import queries_of
from eldonia_ops.model.erasure import Erasure
from eldonia_ops.services.api import Platform
from eldonia_ops.services.api.log_care import ErasurePreview, RetentionView
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import note_change
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.openapi import operation


class LogMetricShape(msgspec.Struct):
    """A metric made of log records, and what was counted of it since the start or since it was defined.

    ``queries`` are questions in PromQL that it answers.
    ``overflow`` records went to the series ``(other)``, beyond ``max_series``; ``skipped`` ones matched and had no
    usable number in ``value``.
    """

    name: str
    type: str
    search: str
    value: str
    unit: str
    labels: list[str]
    max_series: int
    series: int
    records: int
    overflow: int
    skipped: int
    queries: list[str]


class AppliedShape(msgspec.Struct):
    """How many records rules of retention deleted."""

    deleted: int


class ErasureSearchBody(Body):
    """Whose records: a search such as ``user_id:alice``."""

    query: str = Field(min_length=1, max_length=10_000)


class ErasureBody(ErasureSearchBody):
    """The same with why they go, such as the number of a request: the audit log keeps that, and not the search."""

    reason: str = Field(default="", max_length=300)


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations."""
    _add_metrics(api, platform)
    _add_retention(api, platform)
    _add_erasures(api, platform)


def _add_metrics(api: FastAPI, platform: Platform) -> None:
    @api.get("/logs/metrics", tags=["logs"], **operation(Permission.READ, list[LogMetricShape]))
    async def metrics() -> Response:
        """Counters, gauges and histograms that are made of log records."""
        return Json(
            [
                LogMetricShape(
                    name=state.metric.name,
                    type=state.metric.type.value,
                    search=state.metric.text,
                    value=state.metric.value.name if state.metric.value else "",
                    unit=state.metric.unit,
                    labels=[label for label, _ in state.metric.labels],
                    max_series=state.metric.max_series,
                    series=state.series,
                    records=state.records,
                    overflow=state.overflow,
                    skipped=state.skipped,
                    queries=[query for _, query in queries_of(state.metric)],
                )
                for state in platform.log_metrics.states()
            ]
        )


def _add_retention(api: FastAPI, platform: Platform) -> None:
    @api.get("/logs/retention", tags=["logs"], **operation(Permission.READ, list[RetentionView]))
    async def rules() -> Response:
        """Rules of retention: what there is of each rule's records, what is due, and what it deleted. Nothing goes."""
        return Json(await platform.log_retention.views())

    @api.post("/logs/retention/apply", tags=["logs"], **operation(Permission.ADMINISTER, AppliedShape))
    async def apply(request: Request) -> Response:
        """Delete what is due now, and free its room."""
        caller = caller_of(request)
        deleted = await platform.log_retention.apply(caller.id, caller.name)
        note_change(request, kind="log_retention", subject="all", action="apply", after={"records": deleted})
        return Json(AppliedShape(deleted))


def _add_erasures(api: FastAPI, platform: Platform) -> None:
    erasures = platform.erasures

    @api.post("/logs/erasures/preview", tags=["logs"], **operation(Permission.ADMINISTER, ErasurePreview))
    async def preview(body: ErasureSearchBody) -> Response:
        """How many records an erasure would delete, of which services, and where it does not look. Nothing goes."""
        return Json(await erasures.preview(body.query))

    @api.post("/logs/erasures", tags=["logs"], **operation(Permission.ADMINISTER, Erasure, status=201))
    async def start(request: Request, body: ErasureBody) -> Response:
        """Erase all records that a search finds: they are deleted, and their bytes leave every file of the store."""
        made = await erasures.start(body.query, body.reason, caller_of(request).name)
        after = {"reason": made.reason, "records": made.matched, "digest": made.digest}
        note_change(request, kind="erasure", subject=made.id, action="created", after=after)
        return Json(made, status_code=201)

    @api.get("/logs/erasures", tags=["logs"], **operation(Permission.ADMINISTER, list[Erasure]))
    async def listed() -> Response:
        """All erasures, the oldest first."""
        return Json(await erasures.all())

    @api.get("/logs/erasures/{erasure}", tags=["logs"], **operation(Permission.ADMINISTER, Erasure))
    async def one(erasure: str) -> Response:
        """One erasure: how far it is, and when it is done what was removed where."""
        return Json(await erasures.get(erasure))
