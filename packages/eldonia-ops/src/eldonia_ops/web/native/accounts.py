"""Accounts: who there is, and what admins do with them."""

from fastapi import FastAPI, Request
from pydantic import Field
from starlette.responses import Response

from eldonia_ops.model.access import Role
from eldonia_ops.services.api import Platform
from eldonia_ops.services.api.people import NewLink
from eldonia_ops.web.access import Permission
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.people_schemas import (
    AccountShape,
    LinkShape,
    NewAccountShape,
    PersonShape,
    account_shape,
    person_shape,
)

JOIN: str = "/join"
"""The page that a one-time link leads to. The secret is behind a ``#``, which browsers send to no server: so it is in
no log of a proxy, where others could read it before it has been used."""


class AccountBody(Body):
    """An account to make. Without a password the answer has a one-time link by which the person sets one."""

    name: str = Field(min_length=1, max_length=64)
    role: Role = Role.VIEWER
    display_name: str = Field(default="", max_length=100)
    mail: str = Field(default="", max_length=254)
    password: str = Field(default="", max_length=200)


class AccountChangeBody(Body):
    """What to change of an account."""

    role: Role | None = None
    display_name: str | None = Field(default=None, max_length=100)
    mail: str | None = Field(default=None, max_length=254)
    disabled: bool | None = None


def add_to(api: FastAPI, platform: Platform, external_url: str) -> None:
    """Add the operations on accounts. Links lead to ``external_url``, or to where the request went."""
    accounts = platform.accounts

    @api.get("/people", tags=["people"], **operation(Permission.READ, list[PersonShape]))
    async def people() -> Response:
        """Everybody who has an account, by name; for those who assign and mention."""
        return Json([person_shape(one) for one in await accounts.all()])

    @api.get("/accounts", tags=["people"], **operation(Permission.ADMINISTER, list[AccountShape]))
    async def all_accounts() -> Response:
        """All accounts by name, disabled ones included."""
        links = {link.account_id: link for link in await accounts.links()}
        return Json([account_shape(one, links.get(one.id)) for one in await accounts.all()])

    @api.post("/accounts", tags=["people"], **operation(Permission.ADMINISTER, NewAccountShape, status=201))
    async def create(request: Request, body: AccountBody) -> Response:
        """Make an account; the link to invite its person is shown this once."""
        by = caller_of(request).id
        account, link = await accounts.create(
            body.name, body.role, display=body.display_name, mail=body.mail, password=body.password, by=by
        )
        shown = None if link is None else _shown(request, external_url, link)
        return Json(
            NewAccountShape(account_shape(account, link.record if link else None), shown),
            status_code=201,
        )

    @api.get("/accounts/{account}", tags=["people"], **operation(Permission.ADMINISTER, AccountShape))
    async def get(account: str) -> Response:
        """One account, by id or name."""
        found = await accounts.get(account)
        links = {link.account_id: link for link in await accounts.links()}
        return Json(account_shape(found, links.get(found.id)))

    @api.patch("/accounts/{account}", tags=["people"], **operation(Permission.ADMINISTER, AccountShape))
    async def change(request: Request, account: str, body: AccountChangeBody) -> Response:
        """Change an account. Disabling ends its sessions; its tokens open nothing until it is enabled again."""
        changed = await accounts.change(
            account,
            role=body.role,
            display=body.display_name,
            mail=body.mail,
            disabled=body.disabled,
            by=caller_of(request).id,
        )
        return Json(account_shape(changed))

    @api.delete("/accounts/{account}", tags=["people"], **operation(Permission.ADMINISTER, AccountShape))
    async def delete(request: Request, account: str) -> Response:
        """Delete an account that was never used; the answer is what it was."""
        return Json(account_shape(await accounts.delete(account, caller_of(request).id)))

    @api.post("/accounts/{account}/link", tags=["people"], **operation(Permission.ADMINISTER, NewAccountShape))
    async def link(request: Request, account: str) -> Response:
        """A new one-time link by which the person sets their password; the one before it ends."""
        found, made = await accounts.new_link(account, caller_of(request).id)
        return Json(NewAccountShape(account_shape(found, made.record), _shown(request, external_url, made)))


def _shown(request: Request, external_url: str, link: NewLink) -> LinkShape:
    base = external_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return LinkShape(link.record.purpose.value, join_address(base, link.secret), link.record.expires_at)


def join_address(base: str, secret: str) -> str:
    """The address of a one-time link."""
    return f"{base.rstrip('/')}{JOIN}#{secret}"
