"""Browser sessions: a random value in a cookie, the rest in the state store.

A session survives a restart of the platform and ends with sign-out, with its token's revocation, or
after :data:`LIFETIME_MS`. Only a digest of the cookie's value is stored, so that a copy of the
database lets nobody in.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.access import Token
from eldonia_ops.ports import StateStore, StateTransaction

KIND: Final = "web.session"
LIFETIME_MS: Final = 14 * 24 * 3_600_000
_KEEP_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. ``csrf`` must accompany everything it changes."""

    token_digest: str
    csrf: str
    created_at: int
    expires_at: int


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, state: StateStore, now: Callable[[], int]) -> None:
        self._state = state
        self._now = now
        self._recent: dict[str, tuple[int, Session, Token]] = {}

    async def open(self, token: Token) -> tuple[str, Session]:
        """Start a session for a token; returns the cookie's value. Expired sessions are cleared away."""
        value = secrets.token_urlsafe(32)
        now = self._now()
        session = Session(token.digest, secrets.token_urlsafe(24), now, now + LIFETIME_MS)

        def work(transaction: StateTransaction) -> None:
            for key, old in transaction.machines.load_all(KIND, Session).items():
                if old.expires_at <= now:
                    transaction.machines.delete(KIND, key)
            transaction.machines.save(KIND, _key(value), session)

        await self._state.write(work)
        return value, session

    async def find(self, value: str) -> tuple[Session, Token] | None:
        """The session of a cookie's value and the token that it stands for, or None when either has ended."""
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
            return None if token is None or token.revoked_at else (session, token)

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
