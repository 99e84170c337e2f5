"""Sessions of browsers: a random value in a cookie, the rest in the state store.

A session survives a restart of the platform. It ends by sign-out, when somebody ends it, with its account or token,
when it has not been used for a while, and at a fixed time after the sign-in. Only a digest of the cookie's value is
stored, so a copy of the database gives no access.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.access import Account, Principal, Session, SignInMethod
from eldonia_ops.ports import Clock, StateStore, StateTransaction
from eldonia_ops.services.access.principals import Principals
from eldonia_ops.services.api import RefusedError
from eldonia_ops.services.api.people import Visit

log = logging.getLogger("eldonia_ops.services.access.sessions")

_REMEMBER_MS: Final = 3_000
_TOUCH_EVERY_MS: Final = 60_000
_MOST_REMEMBERED: Final = 1_000
_MOST_EACH: Final = 50
_PURGED: Final = 500
_LONGEST_TEXT: Final = 100


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long a session lasts at most, and how long without a request; milliseconds."""

    lifetime_ms: int = 14 * 24 * 3_600_000
    idle_ms: int = 3 * 24 * 3_600_000


class SessionService:
    """Implements :class:`~eldonia_ops.services.api.people.Sessions`. ``times`` are asked at each request."""

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        principals: Principals,
        times: Callable[[], SessionTimes] = SessionTimes,
    ) -> None:
        self._clock = clock
        self._state = state
        self._principals = principals
        self._times = times
        self._recent: dict[str, tuple[int, int, Session]] = {}
        self._touched: dict[str, int] = {}

    async def open(
        self, principal: Principal, method: SignInMethod, visit: Visit, replacing: str = ""
    ) -> tuple[str, Session]:
        """Start a session; returns the cookie's value, which is always a new one.

        ``replacing`` is the value of the cookie that came with the sign-in: what session it may have ends.
        """
        value, now, times = secrets.token_urlsafe(32), self._clock.now(), self._times()
        account, token = principal.account, principal.token
        expires_at = now + times.lifetime_ms
        if token is not None and token.expires_at:
            expires_at = min(expires_at, token.expires_at)
        session = Session(
            _digest(value),
            secrets.token_hex(8),
            secrets.token_urlsafe(24),
            now,
            now,
            expires_at,
            visit.host.lower(),
            method,
            account.id if account is not None and token is None else "",
            token.digest if token is not None else "",
            visit.address[:_LONGEST_TEXT],
            visit.client[:_LONGEST_TEXT],
        )

        def work(tx: StateTransaction) -> None:
            if account is not None and not _still_good(account, tx.accounts.get(account.id)):
                raise RefusedError("this account has changed a moment ago: sign in again")
            tx.sessions.purge(now, times.idle_ms, _PURGED)
            if replacing:
                tx.sessions.delete([_digest(replacing)])
            same = [one for one in tx.sessions.all() if _belongs(one) == _belongs(session)]
            tx.sessions.delete([one.digest for one in same[_MOST_EACH - 1 :]])
            tx.sessions.put(session)
            if session.account_id:
                tx.accounts.touch(session.account_id, now)

        await self._state.write(work)
        self._principals.forget()
        return value, session

    async def find(self, value: str, host: str) -> tuple[Session, Principal] | None:
        """The session of a cookie's value and who it belongs to; None when either has ended, or when it was opened at
        another host or port."""
        digest, now = _digest(value), self._clock.now()
        session = await self._stored(digest, now)
        if session is None or session.host != host.lower() or not session.live(now, self._times().idle_ms):
            return None
        known = await self._principals.known()
        if session.account_id:
            principal = known.of_account(session.account_id)
        else:
            token = next((one for one in known.tokens if one.digest == session.token_digest), None)
            principal = known.of_token(token) if token is not None and token.live(now) else None
        if principal is None:
            return None
        if now - max(session.last_seen_at, self._touched.get(digest, 0)) >= _TOUCH_EVERY_MS:
            await self._touch(digest, now)
        return session, principal

    async def end(self, value: str) -> None:
        """End the session of a cookie; unknown ones are none."""
        await self.end_all([_digest(value)])

    async def end_all(self, digests: Sequence[str]) -> int:
        """End sessions, from the next request on; returns how many there were."""
        ended = await self._state.write(lambda tx: tx.sessions.delete(digests))
        self._principals.forget()
        return ended

    async def all(self) -> list[Session]:
        """Every session that is good now, the one seen last first."""
        found = await self._state.read(lambda tx: tx.sessions.all())
        known, now, idle = await self._principals.known(), self._clock.now(), self._times().idle_ms
        tokens = {token.digest for token in known.tokens if token.live(now) and known.of_token(token) is not None}
        return [
            one
            for one in found
            if one.live(now, idle)
            and (known.of_account(one.account_id) is not None if one.account_id else one.token_digest in tokens)
        ]

    async def _stored(self, digest: str, now: int) -> Session | None:
        changes = self._principals.changes
        recent = self._recent.get(digest)
        if recent is not None and recent[0] == changes and now < recent[1]:
            return recent[2]
        found = await self._state.read(lambda tx: tx.sessions.by_digest(digest))
        if found is None:
            self._recent.pop(digest, None)
            return None
        if len(self._recent) >= _MOST_REMEMBERED:
            self._recent.clear()
        self._recent[digest] = (changes, now + _REMEMBER_MS, found)
        return found

    async def _touch(self, digest: str, now: int) -> None:
        if len(self._touched) >= _MOST_REMEMBERED:
            self._touched.clear()
        self._touched[digest] = now
        try:
            await self._state.write(lambda tx: tx.sessions.touch(digest, now))
        except Exception:
            # A full disk must not lock people out of what tells them so.
            log.exception("the last use of a session could not be stored")


def _still_good(account: Account, stored: Account | None) -> bool:
    """Whether what was checked at the sign-in still holds when the session begins."""
    return stored is not None and not stored.disabled and stored.password_changed_at == account.password_changed_at


def _belongs(session: Session) -> str:
    return session.account_id or session.token_digest


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()
