"""OpenID Connect: the authorization code flow with PKCE, as one of its clients.

What is read of the provider (discovery, keys, tokens, user info) is bounded in size and time. Its signatures are
checked by joserfc; what the claims must say is in :mod:`eldonia_ops.access.sign_on`.
"""

import asyncio
import base64
import hashlib
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from eldonia_ops.access.sign_on import (
    ClaimError,
    check_id_token,
    claim_at,
    groups_at,
    mail_allowed,
    role_of,
    text_at,
)
from eldonia_ops.services.api.people import Outsider
from eldonia_ops.settings import OidcSettings

log = logging.getLogger("eldonia_ops.services.access.oidc")

_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with public keys: with a shared secret, or none, every holder of it could sign."""

_TIMEOUT: Final = httpx.Timeout(10.0)
_MOST_BYTES: Final = 1024 * 1024
_KEEP_MS: Final = 10 * 60_000
_AGAIN_MS: Final = 10_000
_LONGEST_TOKEN: Final = 64 * 1024
_LONGEST_HINT: Final = 6 * 1024
"""Of an ID token in an address: servers refuse addresses that are longer than 8 KiB."""


class OidcError(RuntimeError):
    """A sign-on that failed. ``reason`` is what the person reads about it (a key of texts): ``unreachable``,
    ``refused``, ``invalid``, ``not_allowed``. The message is for the log, and holds no secret."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SignOnAttempt:
    """What a browser began: ``state`` comes back with it, ``nonce`` in the ID token, ``verifier`` proves to the
    provider that who redeems the code is who asked for it (RFC 7636)."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "SignOnAttempt":
        """A new one, of 256 random bits each."""
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        """The verifier as the provider sees it at first (S256)."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


@dataclass(slots=True)
class _Known:
    """What was read of a provider, and when."""

    metadata: Mapping[str, Any]
    read_at: int
    keys: KeySet | None = None
    keys_at: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class OidcClient:
    """Signs people on at the provider of some settings, which may change between calls."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._known: dict[str, _Known] = {}
        self._http: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def address(self, settings: OidcSettings, redirect_uri: str, attempt: SignOnAttempt) -> str:
        """Where to send a browser that wants to sign on.

        Raises:
            OidcError: the provider cannot be asked, or says what cannot be.
        """
        known = await self._provider(settings)
        endpoint = _endpoint(known.metadata, "authorization_endpoint", settings.issuer)
        query = urlencode(
            {
                "response_type": "code",
                "client_id": settings.client_id,
                "redirect_uri": redirect_uri,
                "scope": " ".join(settings.scopes),
                "state": attempt.state,
                "nonce": attempt.nonce,
                "code_challenge": attempt.challenge,
                "code_challenge_method": "S256",
            }
        )
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{query}"

    async def person(
        self, settings: OidcSettings, redirect_uri: str, code: str, attempt: SignOnAttempt, issuer: str | None
    ) -> Outsider:
        """Who a browser has come back as. ``issuer`` is the parameter ``iss`` of its address (RFC 9207).

        Raises:
            OidcError: the code or what it is redeemed for proves nothing, or this person may not come in.
        """
        known = await self._provider(settings)
        named = known.metadata.get("authorization_response_iss_parameter_supported") is True
        if (issuer is None and named) or (issuer is not None and issuer != settings.issuer):
            raise OidcError("invalid", "the answer came from another provider than the one that was asked")
        tokens = await self._redeem(known, settings, redirect_uri, code, attempt)
        claims = await self._claims(known, settings, tokens.get("id_token"))
        try:
            subject = check_id_token(
                claims,
                issuer=settings.issuer,
                client_id=settings.client_id,
                nonce=attempt.nonce,
                now=self._now() // 1000,
            )
        except ClaimError as error:
            raise OidcError("invalid", str(error)) from None
        wanted = [path for path in (settings.name_claim, settings.role_claim, "email") if path]
        if any(claim_at(claims, path) is None for path in wanted):
            claims = {**await self._user_info(known, settings, tokens.get("access_token"), subject), **claims}
        return replace(_outsider(settings, subject, claims), id_token=str(tokens["id_token"]))

    async def end_address(self, settings: OidcSettings, redirect_uri: str, id_token: str) -> str:
        """Where to send a browser so that its person signs out at the provider too; '' when that is not offered
        (OpenID Connect RP-Initiated Logout 1.0). An ``id_token`` that is too long for an address is left out: the
        provider then asks the person.

        Raises:
            OidcError: the provider cannot be asked, or says what cannot be.
        """
        known = await self._provider(settings)
        if not settings.end_session or not known.metadata.get("end_session_endpoint"):
            return ""
        endpoint = _endpoint(known.metadata, "end_session_endpoint", settings.issuer)
        query = {"client_id": settings.client_id, "post_logout_redirect_uri": redirect_uri}
        if id_token and len(id_token) <= _LONGEST_HINT:
            query["id_token_hint"] = id_token
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def _provider(self, settings: OidcSettings) -> _Known:
        now, issuer = self._now(), settings.issuer
        known = self._known.get(issuer)
        if known is not None and abs(now - known.read_at) < _KEEP_MS:
            return known
        try:
            metadata = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        except OidcError:
            if known is None:
                raise
            return known  # what it said before is better than nothing
        if metadata.get("issuer") != issuer:
            raise OidcError(
                "invalid", "the provider calls itself otherwise than sign_on.oidc.issuer: write it exactly so"
            )
        self._known = {issuer: _Known(metadata, now)}
        return self._known[issuer]

    async def _redeem(
        self, known: _Known, settings: OidcSettings, redirect_uri: str, code: str, attempt: SignOnAttempt
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        headers: dict[str, str] = {}
        secret = settings.client_secret.reveal()
        methods = known.metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if not secret:
            form["client_id"] = settings.client_id
        elif "client_secret_basic" in methods:
            pair = f"{quote(settings.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": settings.client_id, "client_secret": secret}
        endpoint = _endpoint(known.metadata, "token_endpoint", settings.issuer)
        return await self._ask("POST", endpoint, headers=headers, data=form)

    async def _claims(self, known: _Known, settings: OidcSettings, token: object) -> Mapping[str, Any]:
        """The claims of an ID token with a good signature. Keys are read again when one is missing, as after their
        rotation, but not with every token that names one that there is not."""
        if not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
            raise OidcError("invalid", "the provider gave no ID token")
        reason = "no keys"
        for fresh in (False, True):
            keys = await self._keys(known, settings, fresh)
            if keys is None:
                break
            try:
                return jwt.decode(token, keys, algorithms=_ALGORITHMS).claims
            except (JoseError, ValueError, TypeError, KeyError) as error:
                reason = type(error).__name__
        raise OidcError("invalid", f"the signature of the ID token is not good ({reason})")

    async def _keys(self, known: _Known, settings: OidcSettings, fresh: bool) -> KeySet | None:
        async with known.lock:
            now = self._now()
            age = abs(now - known.keys_at)
            if known.keys is not None and not fresh and age < _KEEP_MS:
                return known.keys
            if known.keys is not None and age < _AGAIN_MS:
                return None
            found = await self._get(_endpoint(known.metadata, "jwks_uri", settings.issuer))
            try:
                known.keys = KeySet.import_key_set({"keys": _usable(found)})
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise OidcError(
                    "invalid", f"the keys of the provider cannot be read ({type(error).__name__})"
                ) from None
            known.keys_at = now
            return known.keys

    async def _user_info(self, known: _Known, settings: OidcSettings, token: object, subject: str) -> Mapping[str, Any]:
        if not known.metadata.get("userinfo_endpoint") or not isinstance(token, str):
            return {}
        endpoint = _endpoint(known.metadata, "userinfo_endpoint", settings.issuer)
        found = await self._ask("GET", endpoint, headers={"Authorization": f"Bearer {token}"})
        if found.get("sub") != subject:
            raise OidcError("invalid", "the provider's user info is about somebody else")
        return found

    async def _get(self, url: str) -> Mapping[str, Any]:
        return await self._ask("GET", url)

    async def _ask(self, method: str, url: str, **named: Any) -> Mapping[str, Any]:
        place = urlsplit(url).netloc.rpartition("@")[2]
        if self._http is None:
            # The environment may name a proxy, or the certificates of an organisation.
            self._http = httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)
        headers = {"Accept": "application/json", **named.pop("headers", {})}
        try:
            async with self._http.stream(method, url, headers=headers, **named) as answer:
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise OidcError("unreachable", f"{place} answers with more than 1 MiB")
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OidcError("unreachable", f"{place} cannot be asked: {type(error).__name__}") from None
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if status != 200 or not isinstance(found, dict):
            said = found.get("error") if isinstance(found, dict) else None
            word = f": {said[:60]!r}" if isinstance(said, str) else ""
            raise OidcError("unreachable" if status >= 500 else "invalid", f"{place} answers with {status}{word}")
        return found


def _endpoint(metadata: Mapping[str, Any], name: str, issuer: str) -> str:
    """An address of the provider; it is asked by https where the issuer is."""
    url = metadata.get(name)
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise OidcError("invalid", f"the provider names no {name}")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise OidcError("invalid", f"the provider names a {name} that is no address")
    if issuer.startswith("https://") and not url.startswith("https://"):
        raise OidcError("invalid", f"the provider names a {name} without TLS")
    return url


def _usable(keys: Mapping[str, Any]) -> list[Any]:
    """The keys for signatures; a set may hold others, and kinds that are newer than the library."""
    some = keys.get("keys")
    listed = some if isinstance(some, list) else []
    return [
        one
        for one in listed[:100]
        if isinstance(one, dict) and one.get("kty") in ("RSA", "EC", "OKP") and one.get("use", "sig") == "sig"
    ]


def _outsider(settings: OidcSettings, subject: str, claims: Mapping[str, Any]) -> Outsider:
    if not mail_allowed(claims, settings.allowed_domains):
        raise OidcError("not_allowed", "the mail address is not one of sign_on.oidc.allowed_domains, or not verified")
    first = role_of((), {}, settings.default_role)
    role = None
    if settings.role_claim:
        role = role_of(groups_at(claims, settings.role_claim), settings.roles, settings.default_role)
        if role is None:
            raise OidcError("not_allowed", "none of the groups has a role in sign_on.oidc.roles")
    mail = text_at(claims, "email")
    name = text_at(claims, settings.name_claim) or mail.partition("@")[0] or text_at(claims, "name")
    return Outsider(settings.issuer, subject, name, text_at(claims, "name"), mail, role, first)
