"""Incidents: what people see and do."""

from typing import Annotated

from fastapi import FastAPI, Header, Query, Request
from pydantic import Field
from starlette.responses import Response

from eldonia_ops.incidents.timeline import condensed, describe
from eldonia_ops.model.incidents import Incident, IncidentStatus, Severity
from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.heavy import HeavyWork
from eldonia_ops.web.language import language_of
from eldonia_ops.web.markdown import to_html
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.incident_schemas import (
    IncidentShape,
    IncidentSummaryShape,
    ResponseReportShape,
    RunbookStepShape,
    incident_shape,
    timeline_shape,
)
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.wording import wording_of
from eldonia_ops.web.preconditions import entity_tag, read_precondition
from eldonia_ops.web.times import parse_instant, reader_zone

_TEXT = 100_000

Tags = Annotated[list[str], Header(max_length=10)]


class OpenBody(Body):
    """An incident opened by hand."""

    title: str = Field(min_length=1, max_length=300)
    severity: Severity
    service: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=20_000)


class StatusBody(Body):
    """A change of status, with a reason."""

    status: IncidentStatus
    note: str = Field(default="", max_length=20_000)


class TickBody(Body):
    """A step of the checklist, done or not."""

    key: str = Field(min_length=1, max_length=200)
    done: bool


class NoteBody(Body):
    """A note for the timeline."""

    text: str = Field(min_length=1, max_length=20_000)


class AssignBody(Body):
    """The person who works on the incident; empty for no one."""

    to: str = Field(max_length=200)


class ImpactBody(Body):
    """What the incident cost, as far as known."""

    users: int = Field(default=0, ge=0, le=2**53)
    revenue: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    reputation: str = Field(default="", max_length=2_000)


class DescribeBody(Body):
    """The fields to set; those left out stay as they are."""

    title: str | None = Field(default=None, min_length=1, max_length=300)
    root_cause: str | None = Field(default=None, max_length=_TEXT)
    resolution: str | None = Field(default=None, max_length=_TEXT)
    lessons_learned: str | None = Field(default=None, max_length=_TEXT)
    impact: ImpactBody | None = None
    severity: Severity | None = None


def add_to(api: FastAPI, platform: Platform, heavy: HeavyWork) -> None:
    """Add the operations on incidents."""
    _add_reading(api, platform)
    _add_acting(api, platform)
    _add_postmortem(api, platform)
    _add_markdown(api, heavy)


def _answer(incident: Incident) -> Response:
    return Json(incident_shape(incident))


def _add_reading(api: FastAPI, platform: Platform) -> None:
    incidents = platform.incidents

    @api.get("/incidents", tags=["incidents"], **operation(Permission.READ, list[IncidentSummaryShape]))
    async def find(
        request: Request,
        status: Annotated[list[IncidentStatus], Query(max_length=10)] = [],  # noqa: B006 - FastAPI copies it
        service: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """Incidents, newest first."""
        found = await incidents.find(statuses=tuple(status), service=service, limit=limit)
        wording = wording_of(request)
        return Json([wording.incident(incident_shape(incident)) for incident in found])

    @api.get("/incidents/mentions", tags=["incidents"], **operation(Permission.READ, list[str]))
    async def mentions(
        request: Request,
        status: Annotated[list[IncidentStatus], Query(max_length=10)] = [],  # noqa: B006 - FastAPI copies it
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """The references of incidents, newest first, in which a note mentions the caller."""
        return Json(await incidents.mentioning(caller_of(request).name, statuses=tuple(status), limit=limit))

    @api.get("/incidents/metrics", tags=["incidents"], **operation(Permission.READ, ResponseReportShape))
    async def metrics(since: Annotated[str, Query(max_length=40)] = "-30d") -> Response:
        """MTTD, MTTA, MTTR and targets met since an instant."""
        return Json(await incidents.metrics(parse_instant(since, platform.now())))

    @api.get("/incidents/{incident}", tags=["incidents"], **operation(Permission.READ, IncidentShape))
    async def get(request: Request, incident: str, tz: Annotated[str, Query(max_length=100)] = "") -> Response:
        """One incident with its timeline in the reader's language (``lang``) and time zone (``tz``).

        Of each message only the last entry is given: that it was queued, is tried again, was delivered or given up.
        """
        found, timeline = await incidents.get(incident)
        language, zone = language_of(request, platform.language), reader_zone(request, tz)
        runbook, wording = incidents.policy.runbook, wording_of(request)
        entries = [
            timeline_shape(entry, describe(wording.entry(runbook.named(entry, language)), language, zone))
            for entry in condensed(timeline)
        ]
        return Json(IncidentShape(wording.incident(incident_shape(found)), entries))

    @api.get("/incidents/{incident}/runbook", tags=["incidents"], **operation(Permission.READ, list[RunbookStepShape]))
    async def runbook(request: Request, incident: str) -> Response:
        """The checklist for display."""
        return Json(await incidents.runbook(incident, language_of(request, platform.language)))


def _add_acting(api: FastAPI, platform: Platform) -> None:
    incidents = platform.incidents
    acting = operation(Permission.RESPOND, IncidentSummaryShape)

    @api.post("/incidents", tags=["incidents"], **operation(Permission.RESPOND, IncidentSummaryShape, status=201))
    async def open_by_hand(request: Request, body: OpenBody) -> Response:
        """Open an incident by hand."""
        opened = await incidents.open(
            caller_of(request).name, body.title, body.severity, body.service, body.description
        )
        return Json(incident_shape(opened), status_code=201)

    @api.post("/incidents/{incident}/acknowledge", tags=["incidents"], **acting)
    async def acknowledge(request: Request, incident: str) -> Response:
        """Acknowledge; stops the escalation."""
        return _answer(await incidents.acknowledge(incident, caller_of(request).name))

    @api.post("/incidents/{incident}/status", tags=["incidents"], **acting)
    async def change_status(request: Request, incident: str, body: StatusBody) -> Response:
        """Change the status."""
        return _answer(await incidents.change_status(incident, caller_of(request).name, body.status, body.note))

    @api.post("/incidents/{incident}/checklist", tags=["incidents"], **acting)
    async def tick(request: Request, incident: str, body: TickBody) -> Response:
        """Tick or un-tick a step of the checklist."""
        return _answer(await incidents.tick(incident, caller_of(request).name, body.key, body.done))

    @api.post("/incidents/{incident}/notes", tags=["incidents"], **acting)
    async def note(request: Request, incident: str, body: NoteBody) -> Response:
        """Write on the timeline."""
        return _answer(await incidents.note(incident, caller_of(request).name, body.text))

    @api.post("/incidents/{incident}/assign", tags=["incidents"], **acting)
    async def assign(request: Request, incident: str, body: AssignBody) -> Response:
        """Assign the incident."""
        return _answer(await incidents.assign(incident, caller_of(request).name, body.to))

    @api.patch("/incidents/{incident}", tags=["incidents"], **acting)
    async def set_fields(request: Request, incident: str, body: DescribeBody) -> Response:
        """Set title, severity, impact, root cause, resolution or lessons learned."""
        fields = body.model_dump(exclude_none=True, mode="json")
        if not fields:
            raise BadRequestError("no field to set")
        return _answer(await incidents.describe(incident, caller_of(request).name, fields))


def _add_postmortem(api: FastAPI, platform: Platform) -> None:
    incidents = platform.incidents
    markdown = operation(Permission.READ, media="text/markdown")

    @api.get("/incidents/{incident}/postmortem", tags=["incidents"], **markdown)
    async def postmortem(request: Request, incident: str, download: bool = False) -> Response:
        """The saved postmortem with its ``ETag``, or a fresh draft, which has none."""
        found = await incidents.postmortem(incident, language_of(request, platform.language))
        headers = {"ETag": entity_tag(found.text)} if found.saved else {}
        if download:
            about, _ = await incidents.get(incident)
            headers["Content-Disposition"] = f'attachment; filename="{about.reference}-postmortem.md"'
        return Response(found.text, media_type="text/markdown", headers=headers)

    @api.get("/incidents/{incident}/postmortem/draft", tags=["incidents"], **markdown)
    async def draft(request: Request, incident: str) -> Response:
        """A fresh draft, whatever has been saved."""
        text = await incidents.draft_postmortem(incident, language_of(request, platform.language))
        return Response(text, media_type="text/markdown")

    @api.put(
        "/incidents/{incident}/postmortem",
        tags=["incidents"],
        **{
            **operation(Permission.RESPOND, IncidentSummaryShape),
            "openapi_extra": {
                "x-demand": Permission.RESPOND.value,
                "requestBody": {"required": True, "content": {"text/markdown": {"schema": {"type": "string"}}}},
            },
        },
    )
    async def save(
        request: Request,
        incident: str,
        if_match: Tags = [],  # noqa: B006 - FastAPI copies it
        if_none_match: Tags = [],  # noqa: B006
    ) -> Response:
        """Save the postmortem (the body is Markdown) in place of the one whose ``ETag`` is in ``If-Match``, or with
        ``If-None-Match: *`` where none is saved yet; 412 if another client saved in between, 428 without either."""
        precondition = read_precondition(if_match, if_none_match)
        text = await _markdown_body(request)

        def replacing(stored: str) -> bool:
            return precondition.holds(entity_tag(stored) if stored else "")

        # No ETag: what is stored may differ from the body, and who edits on has to read it (RFC 9110, section 9.3.4).
        return _answer(await incidents.save_postmortem(incident, caller_of(request).name, text, replacing))


def _add_markdown(api: FastAPI, heavy: HeavyWork) -> None:
    @api.post(
        "/markdown",
        tags=["incidents"],
        **{
            **operation(Permission.READ, media="text/html"),
            "openapi_extra": {
                "x-demand": Permission.READ.value,
                "requestBody": {"required": True, "content": {"text/markdown": {"schema": {"type": "string"}}}},
            },
        },
    )
    async def render(request: Request) -> Response:
        """Markdown to HTML that carries no script, for previews."""
        text = await _markdown_body(request)
        async with heavy.place():
            return Response(await heavy.run(lambda: to_html(text)), media_type="text/html")


async def _markdown_body(request: Request) -> str:
    """The body as text.

    Raises:
        BadRequestError: it is not UTF-8, or longer than a postmortem may be.
    """
    body = await request.body()
    if len(body) > 4 * _TEXT:
        raise BadRequestError(f"the text is longer than {4 * _TEXT:,} bytes")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequestError(f"the text is not UTF-8 (at byte {error.start})") from None
