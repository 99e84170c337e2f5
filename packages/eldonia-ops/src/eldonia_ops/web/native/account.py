"""The caller's own account: profile, preferences, password, tokens."""

from fastapi import FastAPI, Request
from pydantic import Field
from starlette.responses import Response

from eldonia_ops.access import Capability, permits
from eldonia_ops.access.accounts import preferences
from eldonia_ops.model.access import Account
from eldonia_ops.services.api import NotFoundError, Platform, RefusedError
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.callers import Caller, caller_of
from eldonia_ops.web.encoding import Json
from eldonia_ops.web.native.bodies import Body
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.people_schemas import (
    AccountShape,
    MyAccountShape,
    NewTokenShape,
    PreferencesShape,
    RevokedShape,
    TokenShape,
    account_shape,
    preferences_shape,
)
from eldonia_ops.web.native.tokens import OwnTokenBody, create_token, token_shapes
from eldonia_ops.web.sign_in_throttle import SignInThrottle


class ProfileBody(Body):
    """What people change of themselves."""

    display_name: str | None = Field(default=None, max_length=100)
    mail: str | None = Field(default=None, max_length=254)


class PreferencesBody(Body):
    """How the caller wants the pages; what is left out stays, '' is as the browser has it."""

    time_zone: str | None = Field(default=None, max_length=100)
    language: str | None = Field(default=None, max_length=10)
    theme: str | None = Field(default=None, max_length=10)
    receiver: str | None = Field(default=None, max_length=200)


class PasswordBody(Body):
    """The password that the caller has, and the one that they want."""

    old: str = Field(min_length=1, max_length=200)
    new: str = Field(min_length=1, max_length=200)


def add_to(api: FastAPI, platform: Platform, throttle: SignInThrottle) -> None:
    """Add the operations on the caller's own account."""
    accounts = platform.accounts

    @api.get("/account", tags=["account"], **operation(Permission.SIGNED_IN, MyAccountShape))
    async def mine(request: Request) -> Response:
        """The account of the caller."""
        account = account_of(caller_of(request))
        return Json(MyAccountShape(account_shape(account), preferences_shape(account.preferences)))

    @api.patch("/account", tags=["account"], **operation(Permission.SIGNED_IN, AccountShape))
    async def change(request: Request, body: ProfileBody) -> Response:
        """Change one's own display name or mail address."""
        caller = caller_of(request)
        account = person_of(caller)
        changed = await accounts.change(account.id, display=body.display_name, mail=body.mail, by=caller.id)
        return Json(account_shape(changed))

    @api.patch("/account/preferences", tags=["account"], **operation(Permission.SIGNED_IN, PreferencesShape))
    async def prefer(request: Request, body: PreferencesBody) -> Response:
        """Set time zone, language and theme of the pages, and the receiver that reaches the caller."""
        account = account_of(caller_of(request))
        now = account.preferences
        wanted = preferences(
            now.time_zone if body.time_zone is None else body.time_zone,
            now.language if body.language is None else body.language,
            now.theme if body.theme is None else body.theme,
            now.receiver if body.receiver is None else body.receiver,
        )
        if wanted.receiver not in ("", now.receiver, *platform.alerts.receivers()):
            raise BadRequestError(f"there is no receiver {wanted.receiver[:80]!r}: see /alerts/receivers")
        return Json(preferences_shape((await accounts.prefer(account.id, wanted)).preferences))

    @api.post("/account/password", tags=["account"], **operation(Permission.SIGNED_IN, AccountShape))
    async def change_password(request: Request, body: PasswordBody) -> Response:
        """Change one's own password; all other sessions end."""
        caller = caller_of(request)
        account = person_of(caller)
        keep = caller.session.digest if caller.session is not None else ""
        address = request.client.host if request.client else ""
        async with throttle.attempt(account.name, address) as attempt:
            if not await accounts.change_password(account.id, body.old, body.new, keep):
                raise BadRequestError("the old password is wrong")
            attempt.succeeded()
        return Json(account_shape(await accounts.get(account.id)))

    @api.get("/account/tokens", tags=["account"], **operation(Permission.SIGNED_IN, list[TokenShape]))
    async def tokens(request: Request) -> Response:
        """The caller's own tokens, those included that were revoked or have expired."""
        return Json(await token_shapes(platform, account_of(caller_of(request)).id))

    @api.post("/account/tokens", tags=["account"], **operation(Permission.SIGNED_IN, NewTokenShape, status=201))
    async def create(request: Request, body: OwnTokenBody) -> Response:
        """Create a token of one's own; its secret is shown this once. No token can make another one."""
        return await create_token(platform, body, person_of(caller_of(request)).id)

    @api.delete("/account/tokens/{id}", tags=["account"], **operation(Permission.SIGNED_IN, RevokedShape))
    async def revoke(request: Request, id: str) -> Response:
        """Revoke a token of one's own; its sessions end with it."""
        if not await platform.access.revoke(id, account_of(caller_of(request)).id):
            raise NotFoundError(f"no live token of yours has the id {id}")
        return Json(RevokedShape(id))


def account_of(caller: Caller) -> Account:
    """The account of a caller.

    Raises:
        RefusedError: they have none, or act by a token that may not even read: what an application has in its settings
            must not sign its owner out, nor say who is paged.
    """
    if caller.account is None:
        raise RefusedError("this token belongs to no account: sign in with a name and a password")
    if not permits(caller.role, Capability.READ):
        raise RefusedError("this token may send and nothing else: sign in with a name and a password")
    return caller.account


def person_of(caller: Caller) -> Account:
    """The account of a person who acts themselves.

    Raises:
        RefusedError: a token acts, or there is no account.
    """
    account = account_of(caller)
    if not caller.is_person:
        raise RefusedError("a token may not do this: sign in with a name and a password")
    return account
