"""The browser's way to a provider of OpenID Connect and back."""

import base64
import hashlib
import hmac
import json
import logging
import secrets
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from eldonia_ops.model.access import Principal, SignInMethod
from eldonia_ops.services.access.oidc import OidcClient, OidcError, SignOnAttempt
from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.gate import GuardedRoute
from eldonia_ops.web.local_paths import local_path
from eldonia_ops.web.problems import ApiDialect
from eldonia_ops.web.sessions import cookie_name, proof_cookie
from eldonia_ops.web.sign_in import SIGN_OUT, SignIn

log = logging.getLogger("eldonia_ops.web.oidc")

START: Final = "/sign-in/oidc"
CALLBACK: Final = "/sign-in/oidc/callback"
_COOKIE: Final = "eldonia_ops_sign_on"
_LONGEST_COOKIE: Final = 3_800
"""Browsers keep cookies of 4 KiB, name and attributes included."""
_LIFETIME_S: Final = 600
_LONGEST: Final = 4_096


class OidcPages:
    """Sends a browser to the provider, and takes it back.

    What it began is in a cookie, signed with a key of this process: state, nonce, the PKCE verifier, and where the
    person wanted to go. An answer of the provider counts only in the browser that has the cookie, within ten minutes,
    and once.

    The ID token goes to the browser that it is about, in a cookie that comes back with the sign-out alone: the provider
    wants it then, and nothing here takes it for a proof.
    """

    def __init__(
        self, platform: Platform, sign_in: SignIn, client: OidcClient, external_url: str, secure: bool
    ) -> None:
        self._platform = platform
        self._sign_in = sign_in
        self._client = client
        self._external_url = external_url
        self._secure = secure
        self._key = secrets.token_bytes(32)
        sign_in.end_elsewhere = self._end_address

    def routes(self) -> list[GuardedRoute]:
        """There and back."""
        public, page = Permission.PUBLIC, ApiDialect.PAGE
        return [
            GuardedRoute(START, self.start, demand=public, family=page),
            GuardedRoute(CALLBACK, self.callback, demand=public, family=page),
        ]

    async def start(self, request: Request) -> Response:
        """Send the browser to the provider."""
        settings = self._platform.sign_on.oidc
        wanted = local_path(request.query_params.get("next", "/"))
        if not settings.issuer:
            return await self._sign_in.page(request, wanted, "sign_on.off", 404)
        own = urlsplit(self._external_url).netloc.lower()
        if own and request.headers.get("host", "").lower() != own:
            # The cookie has to be where the provider sends the browser back to.
            return RedirectResponse(f"{self._external_url}{START}?next={quote(wanted, safe='')}", 303)
        attempt = SignOnAttempt.new()
        try:
            address = await self._client.address(settings, self._redirect_uri(request), attempt)
        except OidcError as error:
            return await self._fault(request, error, wanted)
        response = RedirectResponse(address, 303)
        response.set_cookie(
            self._cookie(request),
            self._sealed(attempt, wanted, self._platform.now() // 1000),
            max_age=_LIFETIME_S,
            httponly=True,
            samesite="lax",
            secure=self._secure,
            path="/",
        )
        return response

    async def callback(self, request: Request) -> Response:
        """The browser comes back with a code, or with the provider's refusal."""
        response = await self._answer(request)
        response.delete_cookie(self._cookie(request), path="/", secure=self._secure, httponly=True, samesite="lax")
        return response

    async def _answer(self, request: Request) -> Response:
        settings, query = self._platform.sign_on.oidc, request.query_params
        if not settings.issuer:
            return await self._sign_in.page(request, "/", "sign_on.off", 404)
        opened = self._opened(request.cookies.get(self._cookie(request), ""), self._platform.now() // 1000)
        if opened is None or not hmac.compare_digest(
            opened[0].state.encode(), query.get("state", "").encode("utf-8", "replace")
        ):
            log.warning("a sign-on came back to a browser that had not begun it, or too late")
            return await self._sign_in.page(request, "/", "sign_on.begin_again", 400)
        attempt, wanted = opened
        if "error" in query:
            word = query["error"][:60]
            reason = "refused" if word == "access_denied" else "invalid"
            return await self._fault(request, OidcError(reason, f"the provider answers {word!r}"), wanted)
        code = query.get("code", "")
        try:
            if not code or len(code) > _LONGEST:
                raise OidcError("invalid", "the provider sent no code")
            outsider = await self._client.person(settings, self._redirect_uri(request), code, attempt, query.get("iss"))
            account = await self._platform.accounts.admit(outsider)
            if account is None:
                raise OidcError("not_allowed", "the account is disabled, or there is no role for a new one")
        except OidcError as error:
            return await self._fault(request, error, wanted)
        response = await self._sign_in.open(request, Principal(account.role, account), SignInMethod.OIDC, wanted)
        if len(outsider.id_token) <= _LONGEST_COOKIE:
            response.set_cookie(
                proof_cookie(request.headers.get("host", "")),
                outsider.id_token,
                httponly=True,
                samesite="lax",
                secure=self._secure,
                path=SIGN_OUT,
            )
        return response

    async def _end_address(self, request: Request) -> str:
        """Where a person who signs out is sent, so that the provider knows; '' when it cannot or need not."""
        settings = self._platform.sign_on.oidc
        if not settings.issuer:
            return ""
        token = request.cookies.get(proof_cookie(request.headers.get("host", "")), "")
        try:
            return await self._client.end_address(settings, f"{self._base(request)}/sign-in", token)
        except OidcError as error:
            log.warning("a sign-out is known here alone: %s", error)
            return ""

    async def _fault(self, request: Request, error: OidcError, wanted: str) -> Response:
        """The sign-in page with a sentence about it; what exactly is wrong is for the log."""
        log.warning("a sign-on failed: %s", error)
        status = {"unreachable": 502, "refused": 403, "not_allowed": 403}.get(error.reason, 400)
        return await self._sign_in.page(request, wanted, f"sign_on.{error.reason}", status)

    def _redirect_uri(self, request: Request) -> str:
        return f"{self._base(request)}{CALLBACK}"

    def _base(self, request: Request) -> str:
        return self._external_url or f"{request.url.scheme}://{request.headers.get('host', '')}"

    def _cookie(self, request: Request) -> str:
        return cookie_name(request.headers.get("host", ""), secure=self._secure, cookie=_COOKIE)

    def _sealed(self, attempt: SignOnAttempt, wanted: str, now: int) -> str:
        # A cookie has 4,096 bytes at most: where the person wanted to go is forgotten when it is too long.
        kept = wanted if len(wanted) <= 1_000 else "/"
        body = json.dumps([attempt.state, attempt.nonce, attempt.verifier, kept, now + _LIFETIME_S]).encode()
        text = base64.urlsafe_b64encode(body).decode("ascii")
        return f"{text}.{self._signature(text)}"

    def _opened(self, sealed: str, now: int) -> tuple[SignOnAttempt, str] | None:
        text, _, signature = sealed.rpartition(".")
        if not text or not hmac.compare_digest(self._signature(text).encode(), signature.encode("utf-8", "replace")):
            return None
        state, nonce, verifier, wanted, until = json.loads(base64.urlsafe_b64decode(text))
        return (SignOnAttempt(state, nonce, verifier), wanted) if now < until else None

    def _signature(self, text: str) -> str:
        return hmac.new(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
