"""Who is asking: tokens looked up, handed out and revoked."""

import logging
import os
import secrets
from pathlib import Path

from eldonia_ops.access import RANDOM_BYTES, AccessError, matching_token, new_token, well_formed
from eldonia_ops.access.accounts import active_admins, within
from eldonia_ops.model.access import Principal, Role, Token
from eldonia_ops.ports import Clock, StateStore, StateTransaction
from eldonia_ops.services.access.principals import Principals
from eldonia_ops.services.api import NotFoundError, RefusedError

log = logging.getLogger("eldonia_ops.services.access.tokens")

_TOUCH_EVERY_MS = 60_000
_MOST_OWNED = 100


class AccessService:
    """Implements :class:`~eldonia_ops.services.api.Access` over the state store.

    The list of tokens is remembered for five seconds, so that a scrape of ingest requests does not
    read the database each time; revoking one through this process takes effect at once.
    """

    def __init__(self, clock: Clock, state: StateStore, principals: Principals | None = None) -> None:
        self._clock = clock
        self._state = state
        self._principals = principals or Principals(clock, state)
        self._touched: dict[str, int] = {}

    async def authenticate(self, secret: str) -> Principal | None:
        """Who a valid token belongs to, or None."""
        if not well_formed(secret):
            return None
        now = self._clock.now()
        known = await self._principals.known()
        token = matching_token(secret, known.tokens, now)
        principal = None if token is None else known.of_token(token)
        if principal is not None and token is not None and now - self._touched.get(token.id, 0) >= _TOUCH_EVERY_MS:
            self._touched[token.id] = now
            await self._touch(token.id, now)
        return principal

    async def _touch(self, id: str, now: int) -> None:
        try:
            await self._state.write(lambda tx: tx.tokens.touch(id, now))
        except Exception:
            # A full disk must not lock people out: when a token was last used is of little weight then.
            log.exception("the last use of token %s could not be stored", id)

    async def create(self, name: str, role: Role, lifetime_ms: int = 0, owner: str = "") -> tuple[Token, str]:
        """A new token and its secret, which is shown this once. Without ``lifetime_ms`` it never expires.

        ``owner`` is the id of the account that it belongs to; without one it is a program's.

        Raises:
            AccessError: the name is empty, too long or not printable, the lifetime is longer than ten years, or the
                role is greater than that of the owner.
            NotFoundError: there is no such account.
            RefusedError: the account is disabled, or has too many tokens.
        """
        now = self._clock.now()
        made = new_token(
            name,
            role,
            secrets.token_bytes(RANDOM_BYTES),
            now,
            expires_at=now + lifetime_ms if lifetime_ms else 0,
            owner=owner,
        )

        def work(tx: StateTransaction) -> None:
            if owner:
                _check_owner(tx, owner, role, now)
            tx.tokens.add(made.record)

        await self._state.write(work)
        self._principals.forget()
        return made.record, made.secret.reveal()

    async def all(self) -> list[Token]:
        """Every token ever handed out, revoked ones included."""
        return await self._state.read(lambda tx: tx.tokens.all())

    async def revoke(self, id: str, owner: str | None = None) -> bool:
        """Revoke a token, at once; False when there is no live one with this id, or it is not that of ``owner``."""
        now = self._clock.now()

        def work(tx: StateTransaction) -> bool:
            if owner is not None and not any(one.id == id and one.owner == owner for one in tx.tokens.all()):
                return False
            return tx.tokens.revoke(id, now)

        revoked = await self._state.write(work)
        self._principals.forget()
        return revoked

    async def has_admin(self) -> bool:
        """Whether somebody can come in and administer: with a token, or an account."""
        now = self._clock.now()
        return await self._state.read(lambda tx: _has_admin_token(tx, now) or bool(active_admins(tx.accounts.all())))

    async def ensure_admin(self, file: Path) -> str | None:
        """On a first start create the admin token, keep it in ``file`` (mode 0600) and return its secret.

        It belongs to no account and never expires: it is the way in when every other token has expired. The file is as
        private as the state beside it. None when there is a live admin token already, so that it is shown only once.
        """
        now = self._clock.now()
        made = new_token("admin", Role.ADMIN, secrets.token_bytes(RANDOM_BYTES), now)

        def work(tx: StateTransaction) -> bool:
            if _has_admin_token(tx, now):
                return False
            tx.tokens.add(made.record)
            return True

        # The file is written first: a crash in between leaves a file whose token opens nothing,
        # and the next start writes it again; the other order would lose the only key.
        if await self._state.read(lambda tx: _has_admin_token(tx, now)):
            return None
        write_secret(file, made.secret.reveal())
        if not await self._state.write(work):
            return None
        self._principals.forget()
        return made.secret.reveal()


def _has_admin_token(tx: StateTransaction, now: int) -> bool:
    """Tokens of people do not count: they stop with their accounts."""
    return any(token.role is Role.ADMIN and not token.owner and token.live(now) for token in tx.tokens.all())


def _check_owner(tx: StateTransaction, owner: str, role: Role, now: int) -> None:
    account = tx.accounts.get(owner)
    if account is None:
        raise NotFoundError("there is no account with this id")
    if account.disabled:
        raise RefusedError(f"the account {account.name} is disabled")
    if within(role, account.role) is not role:
        raise AccessError(f"{account.name} is {account.role}: no token of theirs can be {role}")
    if sum(1 for one in tx.tokens.all() if one.owner == owner and one.live(now)) >= _MOST_OWNED:
        raise RefusedError(f"{account.name} has {_MOST_OWNED} tokens: revoke one that is not needed any more")


def write_secret(file: Path, text: str) -> None:
    """Write a file that only its owner can read, replacing what was there in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        # A draft left behind by a crash keeps its own mode when it is opened again.
        os.fchmod(descriptor, 0o600)
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    os.replace(draft, file)
