"""Sign-on by a proxy in front, which says in a header who it has let in."""

import hashlib
import hmac
import logging
import secrets
from typing import Final

from starlette.requests import Request

from eldonia_ops.access import AccessError
from eldonia_ops.access.accounts import account_name
from eldonia_ops.access.sign_on import role_of
from eldonia_ops.model.access import SignInMethod
from eldonia_ops.services.api import Platform
from eldonia_ops.services.api.people import Outsider
from eldonia_ops.settings import ProxySettings, SignOnSettings
from eldonia_ops.web.callers import Caller
from eldonia_ops.web.client_address import peer_of, within
from eldonia_ops.web.problems import Problem

log = logging.getLogger("eldonia_ops.web.proxy_sign_on")

_REMEMBER_MS: Final = 5_000
_MOST_REMEMBERED: Final = 1_000
_LONGEST: Final = 4_096
_NOT_LET_IN: Final = Problem(
    403, "forbidden", "this person may not come in", "ask an admin: the account is disabled, or no group has a role"
)


class ProxySignOn:
    """Finds the caller of a request that a trusted proxy passed on.

    Each request is asked anew: who signs out at the proxy is signed out here. There is no session, so what a browser
    changes is protected by a value made of the account and a key of this process.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._key = secrets.token_bytes(32)
        self._recent: dict[Outsider, tuple[int, str]] = {}
        self._ignored: set[str] = set()

    async def identify(self, request: Request) -> Caller | Problem | None:
        """The caller, a problem for one who may not come in, or None when no proxy vouches for anybody."""
        sign_on: SignOnSettings = self._platform.sign_on
        settings: ProxySettings = sign_on.proxy
        if not settings.header:
            return None
        values = request.headers.getlist(settings.header)
        if not values:
            return None
        peer = peer_of(request.scope)
        if not within(peer, settings.trusted):
            self._ignore(peer, settings.header)
            return None
        if len(values) > 1:
            # One may be the client's own: which one the proxy wrote cannot be seen.
            return Problem(400, "bad_request", f"the header {settings.header} came more than once")
        outsider = _outsider(request, settings, _text(values[0]))
        if outsider is None:
            return Problem(403, "forbidden", f"the header {settings.header} holds no name that an account can have")
        now = self._platform.now()
        until, id = self._recent.get(outsider, (0, ""))
        if not 0 < until - now <= _REMEMBER_MS:
            account = await self._platform.accounts.admit_by_name(outsider)
            if account is None:
                return _NOT_LET_IN
            if len(self._recent) >= _MOST_REMEMBERED:
                self._recent.clear()
            id = account.id
            self._recent[outsider] = (now + _REMEMBER_MS, id)
        principal = await self._platform.accounts.principal(id)
        if principal is None:
            return _NOT_LET_IN
        csrf = hmac.new(self._key, id.encode(), hashlib.sha256).hexdigest()
        return Caller(principal, SignInMethod.PROXY, None, csrf)

    def _ignore(self, peer: str, header: str) -> None:
        """Log once for each address, and not without end."""
        if peer not in self._ignored and len(self._ignored) < _MOST_REMEMBERED:
            self._ignored.add(peer)
            log.warning("%s sent the header %s and is not in sign_on.proxy.trusted: it is ignored", peer, header)


def _outsider(request: Request, settings: ProxySettings, name: str) -> Outsider | None:
    try:
        name = account_name(name)
    except AccessError:
        return None
    role = None
    if settings.groups_header:
        listed = ",".join(request.headers.getlist(settings.groups_header))[:_LONGEST]
        groups = [group.strip() for group in _text(listed).split(",")]
        role = role_of(groups, settings.roles, "none")
    return Outsider(
        "proxy",
        name,
        name,
        _text(request.headers.get(settings.name_header, "") if settings.name_header else ""),
        _text(request.headers.get(settings.mail_header, "") if settings.mail_header else ""),
        role or (role_of((), {}, settings.default_role) if settings.groups_header else None),
        role_of((), {}, settings.default_role),
    )


def _text(value: str) -> str:
    """A header's text: HTTP has bytes, and proxies write UTF-8."""
    return value.encode("latin-1", "replace").decode("utf-8", "replace").strip()
