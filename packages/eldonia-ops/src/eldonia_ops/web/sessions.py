"""Browser sessions: a random value in a cookie, the rest in the state store.

A session survives a restart of the platform and ends with sign-out, with its token's revocation, or
after :data:`LIFETIME_MS`. Only a digest of the cookie's value is stored, so that a copy of the
database gives no access.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.access import Token
from eldonia_ops.ports import StateStore, StateTransaction

_COOKIE: Final = "eldonia_ops_session"
KIND: Final = "web.session"
LIFETIME_MS: Final = 14 * 24 * 3_600_000
_KEEP_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. ``csrf`` must accompany everything it changes. ``host`` is the host and port that it
    signed in at, and is good for."""

    token_digest: str
    csrf: str
    created_at: int
    expires_at: int
    host: str = ""


def cookie_name(host: str, *, secure: bool) -> str:
    """The name of the cookie at a host and port (the ``Host`` header).

    Browsers send a cookie to every port of its host. The name carries the port, so that two programs on one machine
    do not sign each other's people out. Over TLS it has the prefix by which browsers accept it from this very host
    alone (RFC 6265bis, section 4.1.3.2).
    """
    port = host.rpartition(":")[2]
    name = f"{_COOKIE}_{port}" if port.isascii() and port.isdigit() else _COOKIE
    return f"__Host-{name}" if secure else name


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, state: StateStore, now: Callable[[], int]) -> None:
        self._state = state
        self._now = now
        self._recent: dict[str, tuple[int, Session, Token]] = {}

    async def open(self, token: Token, host: str) -> tuple[str, Session]:
        """Start a session for a token at a host and port; returns the cookie's value. Expired sessions are cleared
        away."""
        value = secrets.token_urlsafe(32)
        now = self._now()
        expires_at = min(now + LIFETIME_MS, token.expires_at or now + LIFETIME_MS)
        session = Session(token.digest, secrets.token_urlsafe(24), now, expires_at, host.lower())

        def work(transaction: StateTransaction) -> None:
            for key, old in transaction.machines.load_all(KIND, Session).items():
                if old.expires_at <= now:
                    transaction.machines.delete(KIND, key)
            transaction.machines.save(KIND, _key(value), session)

        await self._state.write(work)
        return value, session

    async def find(self, value: str, host: str) -> tuple[Session, Token] | None:
        """The session of a cookie's value and the token that it belongs to, or None when either has ended, or when it
        was opened at another host or port."""
        found = await self._find(value)
        return found if found is not None and found[0].host == host.lower() else None

    async def _find(self, value: str) -> tuple[Session, Token] | None:
        key = _key(value)
        now = self._now()
        recent = self._recent.get(key)
        if recent is not None and recent[0] > now:
            return recent[1], recent[2]

        def work(transaction: StateTransaction) -> tuple[Session, Token] | None:
            session = transaction.machines.load(KIND, key, Session)
            if session is None or session.expires_at <= now:
                return None
            token = transaction.tokens.by_digest(session.token_digest)
            return (session, token) if token is not None and token.live(now) else None

        found = await self._state.read(work)
        if found is None:
            self._recent.pop(key, None)
            return None
        if len(self._recent) >= 1_000:
            self._recent.clear()
        self._recent[key] = (now + _KEEP_MS, *found)
        return found

    async def end(self, value: str) -> None:
        """End a session; unknown ones are none."""
        key = _key(value)
        self._recent.pop(key, None)
        await self._state.write(lambda transaction: transaction.machines.delete(KIND, key))

    def forget(self) -> None:
        """Look at the store again for every session: a token has been revoked."""
        self._recent.clear()


def csrf_matches(session: Session, presented: str) -> bool:
    """Compare in constant time what a request presents with the session's value."""
    return bool(presented) and hmac.compare_digest(session.csrf.encode(), presented.encode("utf-8", "replace"))


def _key(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
