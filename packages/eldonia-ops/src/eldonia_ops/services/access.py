"""Who is asking: tokens looked up, handed out and revoked."""

import logging
import os
import secrets
from pathlib import Path

from eldonia_ops.access import RANDOM_BYTES, NewToken, matching_token, new_token, well_formed
from eldonia_ops.model.access import Role, Token
from eldonia_ops.ports import Clock, StateStore, StateTransaction

log = logging.getLogger("eldonia_ops.services.access")

_TOUCH_EVERY_MS = 60_000
_REMEMBER_MS = 5_000


class AccessService:
    """Implements :class:`~eldonia_ops.services.api.Access` over the state store.

    The list of tokens is remembered for five seconds, so that a scrape of ingest requests does not
    read the database each time; revoking one through this process takes effect at once.
    """

    def __init__(self, clock: Clock, state: StateStore) -> None:
        self._clock = clock
        self._state = state
        self._tokens: list[Token] = []
        self._read_at = -_REMEMBER_MS
        self._changes = 0
        self._touched: dict[str, int] = {}

    async def authenticate(self, secret: str) -> Token | None:
        """The valid token that a secret belongs to, or None."""
        if not well_formed(secret):
            return None
        now = self._clock.now()
        if abs(now - self._read_at) >= _REMEMBER_MS:
            changes = self._changes
            self._tokens = await self._state.read(lambda tx: tx.tokens.all())
            # A token revoked while we were reading may still be in what was read: read again next time.
            self._read_at = now if changes == self._changes else -_REMEMBER_MS
        token = matching_token(secret, self._tokens, now)
        if token is not None and now - self._touched.get(token.id, 0) >= _TOUCH_EVERY_MS:
            self._touched[token.id] = now
            await self._touch(token.id, now)
        return token

    async def _touch(self, id: str, now: int) -> None:
        try:
            await self._state.write(lambda tx: tx.tokens.touch(id, now))
        except Exception:
            # A full disk must not lock people out: when a token was last used is of little weight then.
            log.exception("the last use of token %s could not be stored", id)

    def _forget(self) -> None:
        self._changes += 1
        self._read_at = -_REMEMBER_MS

    async def create(self, name: str, role: Role, lifetime_ms: int = 0) -> tuple[Token, str]:
        """A new token and its secret, which is shown this once. Without ``lifetime_ms`` it never expires.

        Raises:
            AccessError: the name is empty, too long or not printable, or the lifetime is longer than ten years.
        """
        made = await self._add(name, role, lifetime_ms)
        return made.record, made.secret.reveal()

    async def all(self) -> list[Token]:
        """Every token ever handed out, revoked ones included."""
        return await self._state.read(lambda tx: tx.tokens.all())

    async def revoke(self, id: str) -> bool:
        """Revoke a token, at once; False when there is none with this id."""
        now = self._clock.now()
        revoked = await self._state.write(lambda tx: tx.tokens.revoke(id, now))
        self._forget()
        return revoked

    async def has_admin(self) -> bool:
        """Whether there may be a live admin token."""
        now = self._clock.now()
        return await self._state.read(lambda tx: _has_admin(tx, now))

    async def ensure_admin(self, file: Path) -> str | None:
        """On a first start create the admin token, keep it in ``file`` (mode 0600) and return its secret.

        It never expires: it is the way in when every other token has expired. The file is as private as the
        state beside it. None when there is a live admin token already, so that it is shown only once.
        """
        now = self._clock.now()
        made = new_token("admin", Role.ADMIN, secrets.token_bytes(RANDOM_BYTES), now)

        def work(tx: StateTransaction) -> bool:
            if _has_admin(tx, now):
                return False
            tx.tokens.add(made.record)
            return True

        # The file is written first: a crash in between leaves a file whose token opens nothing,
        # and the next start writes it again; the other order would lose the only key.
        if await self.has_admin():
            return None
        write_secret(file, made.secret.reveal())
        if not await self._state.write(work):
            return None
        self._forget()
        return made.secret.reveal()

    async def _add(self, name: str, role: Role, lifetime_ms: int) -> NewToken:
        now = self._clock.now()
        made = new_token(
            name, role, secrets.token_bytes(RANDOM_BYTES), now, expires_at=now + lifetime_ms if lifetime_ms else 0
        )
        await self._state.write(lambda tx: tx.tokens.add(made.record))
        self._forget()
        return made


def _has_admin(tx: StateTransaction, now: int) -> bool:
    return any(token.role is Role.ADMIN and token.live(now) for token in tx.tokens.all())


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
