"""Sessions: everybody sees and ends their own, admins those of all."""

from typing import Annotated

from fastapi import FastAPI, Query, Request
from starlette.responses import Response

from eldonia_ops.access import Capability, permits
from eldonia_ops.model.access import Session
from eldonia_ops.services.api import NotFoundError, Platform, RefusedError
from eldonia_ops.web.access import Permission
from eldonia_ops.web.callers import Caller, caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.people_schemas import EndedShape, SessionShape, session_shape

_Whose = Annotated[
    str, Query(max_length=100, description="Name or id of an account, or 'all'; empty: the caller's own. For admins.")
]


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on sessions."""
    sessions = platform.sessions

    @api.get("/sessions", tags=["account"], **operation(Permission.SIGNED_IN, list[SessionShape]))
    async def find(request: Request, account: _Whose = "") -> Response:
        """Sessions that are good now, the one seen last first."""
        caller = caller_of(request)
        found = await _of(caller, account)
        names = await _names()
        return Json([session_shape(one, names.get(_belongs(one), ""), caller.session) for one in found])

    @api.delete("/sessions/{id}", tags=["account"], **operation(Permission.SIGNED_IN, EndedShape))
    async def end(request: Request, id: str) -> Response:
        """End a session: the browser is signed out with its next request."""
        caller = caller_of(request)
        mine = await _of(caller, "all" if permits(caller.role, Capability.ADMINISTER) else "")
        digests = [one.digest for one in mine if one.id == id]
        if not digests:
            raise NotFoundError(f"there is no session {id}")
        return Json(EndedShape(await sessions.end_all(digests)))

    @api.delete("/sessions", tags=["account"], **operation(Permission.SIGNED_IN, EndedShape))
    async def end_all(request: Request, account: _Whose = "") -> Response:
        """End all sessions of the caller, or of an account, but the one that asks for it."""
        caller = caller_of(request)
        current = caller.session.digest if caller.session is not None else ""
        digests = [one.digest for one in await _of(caller, account) if one.digest != current]
        return Json(EndedShape(await sessions.end_all(digests)))

    async def _of(caller: Caller, account: str) -> list[Session]:
        if not permits(caller.role, Capability.READ):
            raise RefusedError("this token may send and nothing else: it has no sessions")
        found = await sessions.all()
        if account and not permits(caller.role, Capability.ADMINISTER):
            mine = caller.account
            if mine is None or account not in (mine.id, mine.name):
                raise NotFoundError("only admins see the sessions of others")
        if account == "all":
            return found
        if account:
            id = (await platform.accounts.get(account)).id
            tokens = {one.digest for one in await platform.access.all() if one.owner == id}
        elif caller.account is not None:
            id = caller.account.id
            tokens = {one.digest for one in await platform.access.all() if one.owner == id}
        else:
            id, tokens = "", {caller.token.digest} if caller.token is not None else set()
        return [one for one in found if (one.account_id == id if one.account_id else one.token_digest in tokens)]

    async def _names() -> dict[str, str]:
        people = {one.id: one.shown_name for one in await platform.accounts.all()}
        return people | {one.digest: one.name for one in await platform.access.all()}


def _belongs(session: Session) -> str:
    return session.account_id or session.token_digest
