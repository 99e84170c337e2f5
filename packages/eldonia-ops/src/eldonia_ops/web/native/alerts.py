"""Alerts, rules, silences, the ledger and the outbox."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request
from pydantic import Field
from starlette.responses import Response

from eldonia_ops.model.alerts import LedgerEntry, Silence
from eldonia_ops.model.matchers import Matcher, MatchOp, all_match
from eldonia_ops.services.api import AlertView, NotFoundError, Platform, ReceiverTrial, RoutePreview
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import reading_request
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json, to_json
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.schemas import (
    AlertGroupShape,
    AlertShape,
    ExpiredShape,
    IntegrationShape,
    NotificationShape,
    RetriedShape,
    RuleGroupShape,
    SilenceShape,
    alert_shape,
    group_shape,
    integration_shape,
    notification_shape,
    rule_group_shape,
    silence_shape,
)
from eldonia_ops.web.native.wording import Wording, wording_of


class MatcherBody(Body):
    """One condition on one label."""

    name: str = Field(min_length=1, max_length=500)
    op: MatchOp = MatchOp.EQUAL
    value: str = Field(max_length=5_000)


class MatchersBody(Body):
    """Conditions that must all hold."""

    matchers: list[MatcherBody] = Field(min_length=1, max_length=50)

    @reading_request()
    def parsed(self) -> tuple[Matcher, ...]:
        """The model's matchers.

        Raises:
            BadRequestError: a value is not an RE2 pattern.
        """
        return tuple(Matcher(one.name, one.op, one.value) for one in self.matchers)


class SilenceBody(MatchersBody):
    """A silence to create, or with an ``id`` to change. Without ``starts_at`` (Unix ms) it starts now, or when it did.

    A change of the matchers, of a start that has passed, or of an ended silence makes another one with another id.
    """

    id: str = Field(default="", max_length=100)
    starts_at: int = Field(default=0, ge=0, le=253_402_300_799_000)
    ends_at: int = Field(gt=0, le=253_402_300_799_000)
    comment: str = Field(min_length=1, max_length=5_000)


class LabelsBody(Body):
    """The labels of an alert that there may be."""

    labels: dict[Annotated[str, Field(max_length=500)], Annotated[str, Field(max_length=5_000)]] = Field(max_length=100)


class _EncodedAlerts:
    """Alerts as JSON. The list of all is asked for again and again, and few of them have changed meanwhile."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, tuple[AlertView, bytes]]] = {}

    def answer(self, views: Sequence[AlertView], wording: Wording) -> Response:
        """The list of all in a language; what is no longer in it is forgotten."""
        known = self._known.get(wording.language, {})
        now: dict[int, tuple[AlertView, bytes]] = {}
        for view in views:
            found = known.get(id(view))  # the view is kept with it, so no other has its id
            now[id(view)] = (view, to_json(wording.alert(alert_shape(view)))) if found is None else found
        self._known[wording.language] = now
        return Response(b"[%s]" % b",".join([text for _, text in now.values()]), media_type="application/json")


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on alerts, silences and notifications."""
    _add_alerts(api, platform)
    _add_silences(api, platform)
    _add_notifications(api, platform)


def _add_alerts(api: FastAPI, platform: Platform) -> None:
    alerts = platform.alerts
    encoded = _EncodedAlerts()

    @api.get("/alerts", tags=["alerts"], **operation(Permission.READ, list[AlertShape]))
    async def current(request: Request) -> Response:
        """Pending, firing and suppressed alerts, gravest first."""
        return encoded.answer(await alerts.current(), wording_of(request))

    @api.get("/alerts/groups", tags=["alerts"], **operation(Permission.READ, list[AlertGroupShape]))
    async def groups() -> Response:
        """Which alerts go out together, and to whom."""
        return Json([group_shape(view) for view in await alerts.groups()])

    @api.get("/alerts/rules", tags=["alerts"], **operation(Permission.READ, list[RuleGroupShape]))
    async def rules(request: Request) -> Response:
        """Rule groups with the state of every rule."""
        wording = wording_of(request)
        return Json([wording.rule_group(rule_group_shape(view)) for view in alerts.rules()])

    @api.get("/alerts/receivers", tags=["alerts"], **operation(Permission.READ, list[str]))
    async def receivers() -> Response:
        """Names of receivers."""
        return Json(alerts.receivers())

    @api.get("/alerts/integrations", tags=["alerts"], **operation(Permission.READ, list[IntegrationShape]))
    async def integrations() -> Response:
        """How receivers are notified, and what keeps an integration from delivering as it is configured."""
        return Json([integration_shape(view) for view in alerts.integrations()])

    @api.post(
        "/alerts/receivers/{receiver}/test", tags=["alerts"], **operation(Permission.ADMINISTER, list[ReceiverTrial])
    )
    async def test_receiver(request: Request, receiver: Annotated[str, Path(max_length=500)]) -> Response:
        """Send a test through every integration of a receiver now; what became of each."""
        found = await alerts.test_receiver(receiver, caller_of(request).name)
        return Json(wording_of(request).reasons(found, "detail"))

    @api.post("/alerts/route", tags=["alerts"], **operation(Permission.READ, list[RoutePreview]))
    async def route(body: LabelsBody) -> Response:
        """The routes that an alert with these labels would take, in their order."""
        return Json(alerts.routes_of(body.labels))

    @api.get(
        "/alerts/configuration", tags=["alerts"], **operation(Permission.READ, dict[str, Any], media="application/yaml")
    )
    async def configuration() -> Response:
        """The routing configuration with secrets masked."""
        return Response(alerts.configuration(), media_type="application/yaml")

    @api.get("/alerts/explain", tags=["alerts"], **operation(Permission.READ, list[LedgerEntry]))
    async def explain(
        request: Request,
        fingerprint: Annotated[str, Query(max_length=32)] = "",
        alertname: Annotated[str, Query(max_length=500)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> Response:
        """Why a receiver was, or was not, notified: the ledger, newest first."""
        wording = wording_of(request)
        found = await alerts.explain(fingerprint=fingerprint, alertname=alertname, limit=limit)
        return Json([wording.ledger(one) for one in found])


def _add_silences(api: FastAPI, platform: Platform) -> None:
    alerts = platform.alerts

    @api.get("/silences", tags=["alerts"], **operation(Permission.READ, list[SilenceShape]))
    async def silences() -> Response:
        """All silences, ended ones included until they are purged."""
        now = platform.now()
        return Json([silence_shape(silence, now) for silence in await alerts.silences()])

    @api.post("/silences", tags=["alerts"], **operation(Permission.RESPOND, SilenceShape, status=201))
    async def create(request: Request, body: SilenceBody) -> Response:
        """Create a silence, or change the one whose id is given."""
        now = platform.now()
        silence = Silence(
            id=body.id,
            matchers=body.parsed(),
            starts_at=body.starts_at,
            ends_at=body.ends_at,
            created_by=caller_of(request).name,
            comment=body.comment,
            updated_at=now,
        )
        id = await alerts.set_silence(silence, caller_of(request).name)
        stored = next((one for one in await alerts.silences() if one.id == id), None)
        if stored is None:
            raise NotFoundError(f"silence {id} is gone already")
        return Json(silence_shape(stored, now), status_code=201)

    @api.post("/silences/preview", tags=["alerts"], **operation(Permission.READ, list[AlertShape]))
    async def preview(body: MatchersBody) -> Response:
        """Which of the current alerts these matchers would silence."""
        matchers = body.parsed()
        found = [view for view in await alerts.current() if all_match(matchers, view.alert.labels)]
        return Json([alert_shape(view) for view in found])

    @api.delete("/silences/{id}", tags=["alerts"], **operation(Permission.RESPOND, ExpiredShape))
    async def expire(request: Request, id: str) -> Response:
        """End a silence now."""
        await alerts.expire_silence(id, caller_of(request).name)
        return Json(ExpiredShape(id))


def _add_notifications(api: FastAPI, platform: Platform) -> None:
    alerts = platform.alerts

    @api.get("/notifications", tags=["alerts"], **operation(Permission.READ, list[NotificationShape]))
    async def notifications(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Response:
        """The outbox, newest first."""
        found = [notification_shape(row, alerts.facts(row)) for row in await alerts.notifications(limit)]
        return Json(wording_of(request).reasons(found, "last_error"))

    @api.post("/notifications/{id}/retry", tags=["alerts"], **operation(Permission.RESPOND, RetriedShape))
    async def retry(request: Request, id: Annotated[int, Path(ge=1, lt=2**63)]) -> Response:
        """Try a failed or waiting notification again now."""
        await alerts.retry_notification(id, caller_of(request).name)
        return Json(RetriedShape(id))
