"""The configuration that pages and API change: entries, changes, undo, trials, proposals, rules."""

from typing import Annotated, Any

from fastapi import FastAPI, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from eldonia_ops.model.durations import parse_duration
from eldonia_ops.services.api import Platform
from eldonia_ops.services.api.managed import (
    ConfigurationView,
    FormView,
    MachineView,
    PreviewView,
    RuleCardView,
    TrialView,
    WantedChange,
    WantedRule,
)
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import note_change
from eldonia_ops.web.bad_request import reading_request
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.wording import wording_of
from eldonia_ops.web.preconditions import entity_tag, read_precondition

_Section = Annotated[str, Field(min_length=1, max_length=64)]
_Name = Annotated[str, Field(max_length=4_096)]
_IfMatch = Annotated[list[str] | None, Header()]


class EntryBody(BaseModel):
    """An entry to be added (no ``name``), replaced (its ``name`` so far), or removed (``values`` null)."""

    model_config = ConfigDict(extra="forbid")
    section: _Section
    name: _Name = ""
    values: dict[str, Any] | None = None


class ChangesBody(BaseModel):
    """Changes that are made together, all or none."""

    model_config = ConfigDict(extra="forbid")
    changes: list[EntryBody] = Field(min_length=1, max_length=200)


class UndoBody(Body):
    """The change to be taken back."""

    id: str = Field(min_length=1, max_length=64)


class RuleBody(Body):
    """A shipped rule by ``name`` with another threshold or waiting time, an own expression, or a search of logs."""

    name: str = Field(default="", max_length=200)
    expr: str = Field(default="", max_length=20_000)
    threshold: float | None = Field(default=None, ge=-1e15, le=1e15)
    duration: str = Field(default="", max_length=40)
    logs: str = Field(default="", max_length=4_000)
    range: str = Field(default="", max_length=40)


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on the configuration."""
    managed = platform.managed
    admin = Permission.ADMINISTER

    @api.get("/configuration", tags=["configuration"], **operation(admin, ConfigurationView))
    async def view() -> Response:
        """What is watched and who is notified, entry by entry with its place; and the last changes by page and API."""
        return _tagged(await managed.view())

    @api.get("/configuration/forms", tags=["configuration"], **operation(admin, list[FormView]))
    async def forms() -> Response:
        """The fields of each kind of entry."""
        return Json(managed.forms())

    @api.post("/configuration/changes", tags=["configuration"], **operation(admin, ConfigurationView))
    async def change(
        request: Request, body: ChangesBody, if_match: _IfMatch = None, if_none_match: _IfMatch = None
    ) -> Response:
        """Add, replace or remove entries. They are checked as a whole, written, and in force with the answer. Secrets
        that an entry has are kept when its values do not name them."""
        condition = read_precondition(if_match or [], if_none_match or [])
        wanted = [WantedChange(one.section, one.name, one.values) for one in body.changes]
        actor = caller_of(request).name
        found = await managed.change(actor, wanted, lambda version: condition.holds(entity_tag(version)))
        _note(request, found, "changed")
        return _tagged(found)

    @api.post("/configuration/undo", tags=["configuration"], **operation(admin, ConfigurationView))
    async def undo(
        request: Request, body: UndoBody, if_match: _IfMatch = None, if_none_match: _IfMatch = None
    ) -> Response:
        """Take one change back; that is a change too, and can be undone itself."""
        condition = read_precondition(if_match or [], if_none_match or [])
        actor = caller_of(request).name
        found = await managed.undo(actor, body.id, lambda version: condition.holds(entity_tag(version)))
        _note(request, found, "undo")
        return _tagged(found)

    @api.post("/configuration/try", tags=["configuration"], **operation(admin, TrialView))
    async def attempt(request: Request, body: EntryBody) -> Response:
        """Try an entry without keeping it: scrape, probe, read or send once, and say what came."""
        wanted = WantedChange(body.section, body.name, body.values or {})
        found = await managed.attempt(caller_of(request).name, wanted)
        return Json(wording_of(request).trial(found))

    @api.post("/configuration/look", tags=["configuration"], **operation(admin, MachineView))
    async def look(request: Request) -> Response:
        """What there is to watch on this machine: ports, exporters, log files, databases, with the reason for each.
        Takes some seconds."""
        return Json(wording_of(request).machine(await managed.look_around()))

    @api.get("/configuration/rules", tags=["configuration"], **operation(Permission.READ, list[RuleCardView]))
    async def rules(request: Request) -> Response:
        """Every alerting rule with threshold, waiting time, severity, state and what it measures now."""
        return Json(wording_of(request).cards(await managed.rules()))

    @api.post("/configuration/rules/preview", tags=["configuration"], **operation(admin, PreviewView))
    async def preview(body: RuleBody) -> Response:
        """How often a rule would have fired in the last 24 hours, evaluated over what is stored."""
        with reading_request():
            for_ms = parse_duration(body.duration) if body.duration else None
            range_ms = parse_duration(body.range) if body.range else 0
        wanted = WantedRule(body.name, body.expr, body.threshold, for_ms, body.logs, range_ms)
        return Json(await managed.preview(wanted))


def _tagged(view: ConfigurationView) -> Response:
    return Json(view, headers={"ETag": entity_tag(view.version)})


def _note(request: Request, view: ConfigurationView, action: str) -> None:
    """What the newest change did, for the audit log; its values hold no secrets."""
    if not view.changes:
        return
    steps = {f"{one.section} {one.name}".strip(): one for one in view.changes[0].steps}
    if action == "changed" and steps:
        added = all(one.before is None for one in steps.values())
        removed = all(one.after is None for one in steps.values())
        action = "added" if added else "removed" if removed else action
    note_change(
        request,
        kind="configuration",
        subject=view.changes[0].id,
        title=", ".join(steps),
        action=action,
        before={name: one.before for name, one in steps.items() if one.before is not None},
        after={name: one.after for name, one in steps.items() if one.after is not None},
    )
