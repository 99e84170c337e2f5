"""Tokens, and who one is."""

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from eldonia_ops.model.access import Role
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.services.api import NotFoundError, Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError, reading_request
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.gate import caller_of
from eldonia_ops.web.language import language_of
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.schemas import MeShape, NewTokenShape, RevokedShape, TokenShape, me_shape, token_shape
from eldonia_ops.web.sessions import Sessions


class TokenBody(BaseModel):
    """A token to create."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    role: Role
    expires: str = Field(default="", max_length=20, description="A lifetime such as 90d; empty for none.")

    @reading_request()
    def lifetime_ms(self) -> int:
        """Its lifetime, 0 for no end until it is revoked.

        Raises:
            BadRequestError: it is no duration, or none at all.
        """
        lifetime = parse_duration(self.expires) if self.expires else 0
        if self.expires and not lifetime:
            raise BadRequestError("a token must expire in the future")
        return lifetime


def add_to(api: FastAPI, platform: Platform, sessions: Sessions) -> None:
    """Add the operations on tokens. Sessions of a revoked token end at once."""
    access = platform.access

    @api.get("/me", tags=["access"], **operation(Permission.SIGNED_IN, MeShape))
    async def me(request: Request) -> Response:
        """Who the caller is, and what the caller may do."""
        caller = caller_of(request)
        via = "token" if caller.session is None else "session"
        return Json(me_shape(caller.token, via, language_of(request, platform.language)))

    @api.get("/tokens", tags=["access"], **operation(Permission.ADMINISTER, list[TokenShape]))
    async def tokens() -> Response:
        """All tokens, those included that were revoked or have expired."""
        now = platform.now()
        return Json([token_shape(token, now) for token in await access.all()])

    @api.post("/tokens", tags=["access"], **operation(Permission.ADMINISTER, NewTokenShape, status=201))
    async def create(body: TokenBody) -> Response:
        """Create a token; its secret is shown this once."""
        token, secret = await access.create(body.name, body.role, body.lifetime_ms())
        return Json(NewTokenShape(token_shape(token, platform.now()), secret), status_code=201)

    @api.delete("/tokens/{id}", tags=["access"], **operation(Permission.ADMINISTER, RevokedShape))
    async def revoke(id: str) -> Response:
        """Revoke a token; its sessions end with it."""
        if not await access.revoke(id):
            raise NotFoundError(f"no live token has the id {id}")
        sessions.forget()
        return Json(RevokedShape(id))
