"""The way in and out: name and password, a token, a one-time link."""

import hashlib
import hmac
import logging
import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from eldonia_ops.access import Capability, permits
from eldonia_ops.access.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, PasswordError, known_name
from eldonia_ops.model.access import Account, Principal, SignInMethod
from eldonia_ops.model.security import SecurityEvent, SecurityEventType, SecuritySeverity
from eldonia_ops.security.events import source_of
from eldonia_ops.services.api import OverloadedError, Platform, RefusedError
from eldonia_ops.services.api.people import Visit
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.settings import OidcSettings, SignOnSettings
from eldonia_ops.web.access import Permission
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.gate import GuardedRoute, same_origin
from eldonia_ops.web.local_paths import local_path
from eldonia_ops.web.login_throttle import FailedAttempts
from eldonia_ops.web.problems import ApiDialect, Problem, too_many_attempts
from eldonia_ops.web.sessions import cookie_name, csrf_matches, proof_cookie
from eldonia_ops.web.sign_in_throttle import SignInThrottle, TooManyAttemptsError
from eldonia_ops.web.user_agents import shortened

log = logging.getLogger("eldonia_ops.web.sign_in")

Render = Callable[..., Response]
Envelope = Callable[[Request, Problem], Awaitable[Response]]
_LONGEST_FIELD: Final = 4_096


SIGN_OUT: Final = "/sign-out"


async def _nowhere(_: Request) -> str:
    return ""


class SignIn:
    """Forms that people sign in by, and the sessions that follow. ``render`` makes a page of a template; ``envelope``
    one of a problem."""

    def __init__(
        self,
        platform: Platform,
        *,
        render: Render,
        envelope: Envelope,
        attempts: FailedAttempts,
        throttle: SignInThrottle,
        secure: bool,
    ) -> None:
        self._platform = platform
        self._audit = AuditLog(platform.state)
        self._render = render
        self._envelope = envelope
        self._attempts = attempts
        self._throttle = throttle
        self._secure = secure
        self._key = secrets.token_bytes(32)
        self.end_elsewhere: Callable[[Request], Awaitable[str]] = _nowhere
        """Where somebody who signed on at a provider is sent after the sign-out, '' for nowhere."""

    def routes(self) -> list[GuardedRoute]:
        """The way in and out."""
        page, public = ApiDialect.PAGE, Permission.PUBLIC
        return [
            GuardedRoute("/sign-in", self.form, demand=public, family=page),
            GuardedRoute("/sign-in", self.enter, demand=public, family=page, methods=("POST",)),
            GuardedRoute("/join", self.join_form, demand=public, family=page),
            GuardedRoute("/join", self.join, demand=public, family=page, methods=("POST",)),
            GuardedRoute(
                SIGN_OUT,
                self.leave,
                demand=Permission.SIGNED_IN,
                family=page,
                methods=("POST",),
                csrf_in_form=True,
            ),
        ]

    async def form(self, request: Request) -> Response:
        """The form that takes a name and a password, or a token."""
        return await self.page(request, request.query_params.get("next", "/"))

    async def enter(self, request: Request) -> Response:
        """Exchange a name and a password, or a token, for a session."""
        fields = await self._fields(request)
        if isinstance(fields, Response):
            return fields
        wanted, token = fields.get("next", "/"), fields.get("token", "").strip()
        if token or "name" not in fields:
            return await self._by_token(request, token, wanted)
        return await self._by_password(request, fields["name"], fields.get("password", ""), wanted)

    async def _by_token(self, request: Request, secret: str, wanted: str) -> Response:
        address = _address(request)
        # Before any count: the right token always gets in, whatever others at the same address have tried.
        found = await self._platform.access.authenticate(secret) if secret else None
        if found is None:
            await self._failed(request, "", SignInMethod.TOKEN)
            if wait := self._attempts.failed(address, secret):
                return await self._wait(request, wanted, wait, "token")
            return await self.page(request, wanted, "sign_in.wrong", 401, way="token")
        if not permits(found.role, Capability.READ):
            return await self.page(request, wanted, "sign_in.ingest", 403, way="token")
        return await self.open(request, found, SignInMethod.TOKEN, wanted)

    async def _by_password(self, request: Request, name: str, password: str, wanted: str) -> Response:
        account: Account | None = None
        try:
            async with self._throttle.attempt(name, _address(request)) as attempt:
                if len(password) <= LONGEST_PASSWORD:
                    account = await self._platform.accounts.sign_in(name, password)
                if account is not None:
                    attempt.succeeded()
        except TooManyAttemptsError as error:
            return await self._wait(request, wanted, error.wait_ms, "password", name)
        except OverloadedError:
            return await self.page(request, wanted, "sign_in.busy", 503, name=name)
        if account is None:
            await self._failed(request, name, SignInMethod.PASSWORD)
            return await self.page(request, wanted, "sign_in.wrong_password", 401, name=name)
        return await self.open(request, Principal(account.role, account), SignInMethod.PASSWORD, wanted)

    async def join_form(self, request: Request) -> Response:
        """The page of a one-time link: its module takes the secret from behind the ``#``, where no server sees it."""
        return self._render(request, "join.html", _joining(None, ""))

    async def join(self, request: Request) -> Response:
        """Show whose link it is; with a password, set it, end the link, and sign in."""
        fields = await self._fields(request)
        if isinstance(fields, Response):
            return fields
        secret, password = fields.get("secret", "").strip(), fields.get("password", "")
        accounts = self._platform.accounts
        account = await accounts.of_link(secret)
        if account is None:
            if wait := self._attempts.failed(_address(request), secret):
                return await self._wait(request, "/", wait, "password")
            return self._render(request, "join.html", _joining(None, "", "join.over"), 410)
        if "password" not in fields:
            return self._render(request, "join.html", _joining(account, secret))
        if password != fields.get("again", ""):
            return self._render(request, "join.html", _joining(account, secret, "join.differs"), 400)
        try:
            account = await accounts.use_link(secret, password)
        except PasswordError as error:
            return self._render(request, "join.html", _joining(account, secret, f"password.{error.fault}"), 400)
        except OverloadedError:
            return self._render(request, "join.html", _joining(account, secret, "sign_in.busy"), 503)
        if account is None:
            return self._render(request, "join.html", _joining(None, "", "join.over"), 410)
        return await self.open(request, Principal(account.role, account), SignInMethod.LINK, "/")

    async def leave(self, request: Request) -> Response:
        """End the session, and lead on to the provider that the person signed on at.

        A form may be answered with a redirection to this site alone (``form-action``), so a page leads there.
        """
        session, elsewhere = caller_of(request).session, ""
        if session is not None:
            form = await request.form(max_files=0, max_fields=10)
            if not csrf_matches(session.csrf, str(form.get("csrf", ""))):
                return await self._envelope(request, Problem(403, "csrf", "this form belongs to another session"))
            await self._platform.sessions.end(request.cookies[self._cookie(request)])
            if session.method is SignInMethod.OIDC:
                elsewhere = await self.end_elsewhere(request)
        response: Response = RedirectResponse("/sign-in", status_code=303)
        if elsewhere:
            provider = self._platform.sign_on.oidc.issuer.partition("://")[2].partition("/")[0]
            context = {"address": elsewhere, "provider": provider}
            response = self._render(request, "signed_out.html", context, 200, {"Refresh": f"0; url={elsewhere}"})
        response.delete_cookie(self._cookie(request), path="/", secure=self._secure, httponly=True, samesite="lax")
        if session is not None and session.method is SignInMethod.OIDC:
            proof = proof_cookie(request.headers.get("host", ""))
            response.delete_cookie(proof, path=SIGN_OUT, secure=self._secure, httponly=True, samesite="lax")
        return response

    async def open(self, request: Request, principal: Principal, method: SignInMethod, wanted: str) -> Response:
        """Start a session, and lead on to where the person wanted to go. The cookie's value is a new one each time; the
        session of the one that came along ends."""
        visit = Visit(
            request.headers.get("host", ""), _address(request), shortened(request.headers.get("user-agent", ""))
        )
        cookie = self._cookie(request)
        try:
            value, session = await self._platform.sessions.open(
                principal, method, visit, request.cookies.get(cookie, "")
            )
        except RefusedError:
            return await self.page(request, wanted, "sign_in.wrong_password", 401)
        log.info("%s signed in (%s) from %s", principal.name, method, visit.address)
        await self._audit.record(
            self._platform.now(),
            actor_id=principal.id,
            actor=principal.name,
            method=method.value,
            address=visit.address,
            kind="session",
            subject=session.id,
            title=visit.client,
            action="signed_in",
        )
        response = RedirectResponse(local_path(wanted), status_code=303)
        response.set_cookie(
            cookie,
            value,
            max_age=(session.expires_at - session.created_at) // 1000,
            httponly=True,
            samesite="lax",
            secure=self._secure,
            path="/",
        )
        return response

    async def page(
        self,
        request: Request,
        wanted: str,
        fault: str = "",
        status: int = 200,
        values: Mapping[str, str] | None = None,
        *,
        way: str = "",
        name: str = "",
    ) -> Response:
        """The form, with what went wrong. ``way`` is ``token`` or ``password``: what was tried."""
        sign_on: SignOnSettings = self._platform.sign_on
        oidc: OidcSettings = sign_on.oidc
        passwords = await self._platform.accounts.has_any()
        context: dict[str, Any] = {
            "wanted": local_path(wanted),
            "fault": fault,
            "values": values or {},
            "way": way or ("password" if passwords else "token"),
            "passwords": passwords,
            "name": known_name(name),
            "provider": oidc.issuer.partition("://")[2].partition("/")[0],
            "button": oidc.button,
        }
        return self._render(request, "sign_in.html", context, status)

    async def _fields(self, request: Request) -> dict[str, str] | Response:
        """The fields of a form that came from here; else the answer."""
        if not same_origin(request.headers):
            return await self._envelope(request, Problem(403, "cross_origin", "this form was sent from another site"))
        form = await request.form(max_files=0, max_fields=10)
        return {key: str(value)[:_LONGEST_FIELD] for key, value in form.items()}

    async def _wait(self, request: Request, wanted: str, wait_ms: int, way: str, name: str = "") -> Response:
        seconds = too_many_attempts(wait_ms).headers["Retry-After"]
        page = await self.page(request, wanted, "sign_in.wait", 429, {"seconds": seconds}, way=way, name=name)
        page.headers["Retry-After"] = seconds
        return page

    async def _failed(self, request: Request, name: str, method: SignInMethod) -> None:
        """Make a failed sign-in visible: in the log, and as a security event, of which many are a finding.

        A name that no account has is not written down: people type passwords into the wrong field.
        """
        wanted, now = known_name(name), self._platform.now()
        exists = any(one.name == wanted for one in await self._platform.accounts.all())
        user = wanted if exists else self._nameless(name) if name else ""
        address = _address(request)
        log.warning("a sign-in failed: %s, %s, from %s", method, user or "no name", address)
        event = SecurityEvent(
            uuid.uuid4().hex,
            now,
            SecurityEventType.FAILED_LOGIN,
            SecuritySeverity.LOW,
            source_of(address, user, "eldonia-ops"),
            "eldonia-ops",
            user,
            address,
            shortened(request.headers.get("user-agent", "")),
            details={"method": str(method)},
        )
        try:
            await self._platform.security.take([event])
        except Exception:
            log.exception("a failed sign-in could not be counted as a security event")

    def _nameless(self, name: str) -> str:
        """The same for the same name, so that who tries many can be seen; the name does not follow from it."""
        return f"unknown-{hmac.new(self._key, name.encode('utf-8', 'replace'), hashlib.sha256).hexdigest()[:8]}"

    def _cookie(self, request: Request) -> str:
        return cookie_name(request.headers.get("host", ""), secure=self._secure)


def _joining(account: Account | None, secret: str, fault: str = "") -> dict[str, Any]:
    values = {"shortest": str(SHORTEST_PASSWORD), "longest": str(LONGEST_PASSWORD)}
    return {"person": account, "secret": secret, "fault": fault, "values": values}


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
