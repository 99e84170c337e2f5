"""Notes every request that changed something: who, what, and the fields before and after."""

import logging
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eldonia_ops.access.audit import field_changes
from eldonia_ops.model.audit import FieldChange
from eldonia_ops.services.api import Platform
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.snapshots import Snapshot, Snapshots
from eldonia_ops.web.audit.subjects import NATIVE, act_of
from eldonia_ops.web.callers import CALLER, Caller

log = logging.getLogger("eldonia_ops.audit")

_NOTE: Final = "eldonia_ops.audit_note"
_DEMANDS: Final = (Permission.RESPOND, Permission.ADMINISTER, Permission.SIGNED_IN)
_REPORTED: Final = (f"{NATIVE}/changes",)  # a deploy that a token of the role ingest reports
_LOOKING: Final = frozenset(
    f"{NATIVE}/{path}"
    for path in (
        *("configuration/try", "configuration/look", "configuration/rules/preview", "dashboards/import/report"),
        "logs/erasures/preview",
    )
)
"""Routes that ask for a role because they reach out or compute, and change nothing."""

_LARGEST_ANSWER: Final = 65_536
_IDS: Final = (
    ("id",),
    ("reference",),
    ("uid",),
    ("dashboard", "uid"),
    ("token", "id"),
    ("account", "id"),
    ("silenceID",),
)


@dataclass(slots=True)
class Note:
    """What a handler itself says of its act, for subjects whose state the trail cannot see."""

    kind: str
    subject: str
    title: str
    action: str
    changes: Sequence[FieldChange]


def note_change(
    request: Request,
    *,
    kind: str,
    subject: str,
    title: str = "",
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Say what this request changed, in place of what the trail would find; secrets are to be masked before."""
    request.scope.get(_NOTE, [])[:] = [Note(kind, subject, title or subject, action, field_changes(before, after))]


def no_change(request: Request) -> None:
    """Say that this request changed nothing, though others to its route do."""
    request.scope.get(_NOTE, [])[:] = [None]


class AuditTrail:
    """Runs requests that may change something, and keeps what they did when they succeeded.

    States are read before and after, so an act of another person in between may be noted with this one; what each did
    is on its own line all the same.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._log = AuditLog(platform.state)
        self._snapshots = Snapshots(platform)

    def covers(self, path: str, method: str, demand: Permission) -> bool:
        """Whether requests to a route are noted: those that change what people see. Queries by POST and telemetry are
        not."""
        changing = method in ("POST", "PUT", "PATCH", "DELETE") and path not in _LOOKING
        return changing and (demand in _DEMANDS or path in _REPORTED)

    async def run(
        self, app: ASGIApp, path: str, parameters: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the application answer, and note what it did."""
        caller: Caller = scope[CALLER]
        act = act_of(path, scope["method"])
        subject = parameters.get(act.parameter, "")
        if act.kind == "account" and not subject and caller.account is not None:
            subject = caller.account.id
        notes: list[Note | None] = []
        scope[_NOTE] = notes
        before = await self._snapshot(act.kind, subject)
        status, packed = 0, False
        answer = bytearray()

        async def sending(message: Message) -> None:
            nonlocal status, packed
            if message["type"] == "http.response.start":
                status = message["status"]
                packed = Headers(raw=message.get("headers", [])).get("content-encoding") == "gzip"
            elif not subject and len(answer) < _LARGEST_ANSWER:
                answer.extend(message.get("body", b"")[:_LARGEST_ANSWER])
            await send(message)

        await app(scope, receive, sending)
        if packed:
            answer = _unpacked(answer)
        if not 200 <= status < 400:
            return
        if notes:
            if notes[0] is not None:
                await self._keep(scope, caller, notes[0])
            return
        subject = subject or _new_id(bytes(answer))
        after = await self._snapshot(act.kind, subject)
        shown = after or before or Snapshot(subject, subject, {})
        changes = field_changes(before and before.fields, after and after.fields)
        await self._keep(scope, caller, Note(act.kind, shown.subject, shown.title, act.action, changes))

    async def _snapshot(self, kind: str, subject: str) -> Snapshot | None:
        try:
            return await self._snapshots.take(kind, subject)
        except Exception:
            # The act itself must not fail because its log cannot be complete.
            log.exception("the state of %s %r could not be read", kind, subject[:100])
            return None

    async def _keep(self, scope: Scope, caller: Caller, note: Note) -> None:
        await self._log.record(
            self._platform.now(),
            actor_id=caller.id,
            actor=caller.name,
            method=caller.method.value,
            address=scope["client"][0] if scope.get("client") else "",
            kind=note.kind,
            subject=note.subject,
            title=note.title,
            action=note.action,
            changes=note.changes,
        )


def _unpacked(answer: bytearray) -> bytearray:
    """A packed answer of ours, as far as it goes."""
    try:
        return bytearray(zlib.decompressobj(wbits=31).decompress(answer, _LARGEST_ANSWER))
    except zlib.error:
        return bytearray()


def _new_id(answer: bytes) -> str:
    """The id of what was made, as the answer names it; '' where it does not."""
    try:
        found = msgspec.json.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    for path in _IDS:
        value: Any = found
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
    return ""
