"""Tokens, and who one is."""

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from eldonia_ops.model.access import Role
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.services.api import NotFoundError, Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError, reading_request
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.language import language_of
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.people_schemas import (
    MeShape,
    NewTokenShape,
    RevokedShape,
    TokenShape,
    me_shape,
    token_shape,
)


class OwnTokenBody(BaseModel):
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


class TokenBody(OwnTokenBody):
    """A token to create, and the account that it shall belong to."""

    owner: str = Field(
        default="", max_length=100, description="Name or id of an account; empty: the token is a program's."
    )


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on tokens. Sessions of a revoked token end at once."""
    access = platform.access

    @api.get("/me", tags=["access"], **operation(Permission.SIGNED_IN, MeShape))
    async def me(request: Request) -> Response:
        """Who the caller is, and what the caller may do."""
        return Json(me_shape(caller_of(request), language_of(request, platform.language)))

    @api.get("/tokens", tags=["access"], **operation(Permission.ADMINISTER, list[TokenShape]))
    async def tokens() -> Response:
        """All tokens, those included that were revoked or have expired, with their owners."""
        return Json(await token_shapes(platform))

    @api.post("/tokens", tags=["access"], **operation(Permission.ADMINISTER, NewTokenShape, status=201))
    async def create(body: TokenBody) -> Response:
        """Create a token; its secret is shown this once."""
        owner = (await platform.accounts.get(body.owner)).id if body.owner else ""
        return await create_token(platform, body, owner)

    @api.delete("/tokens/{id}", tags=["access"], **operation(Permission.ADMINISTER, RevokedShape))
    async def revoke(id: str) -> Response:
        """Revoke a token; its sessions end with it."""
        if not await access.revoke(id):
            raise NotFoundError(f"no live token has the id {id}")
        return Json(RevokedShape(id))


async def token_shapes(platform: Platform, owner: str | None = None) -> list[TokenShape]:
    """All tokens, or those of an account."""
    now, accounts = platform.now(), {one.id: one for one in await platform.accounts.all()}
    found = await platform.access.all()
    return [token_shape(one, now, accounts) for one in found if owner is None or one.owner == owner]


async def create_token(platform: Platform, body: OwnTokenBody, owner: str) -> Response:
    """Create a token for an account, or for none."""
    token, secret = await platform.access.create(body.name, body.role, body.lifetime_ms(), owner)
    accounts = {one.id: one for one in await platform.accounts.all()} if owner else {}
    return Json(NewTokenShape(token_shape(token, platform.now(), accounts), secret), status_code=201)
