"""Tokens and accounts as they are stored, remembered for a moment: each request asks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.access.accounts import within
from eldonia_ops.model.access import Account, Principal, Token
from eldonia_ops.ports import Clock, StateStore, StateTransaction

_REMEMBER_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class Known:
    """Every token, and every account by its id."""

    tokens: Sequence[Token] = ()
    accounts: Mapping[str, Account] = field(default_factory=dict)

    def of_token(self, token: Token) -> Principal | None:
        """Who a token acts for; None where its owner is disabled or gone."""
        if not token.owner:
            return Principal(token.role, None, token)
        owner = self.accounts.get(token.owner)
        if owner is None or owner.disabled:
            return None
        return Principal(within(token.role, owner.role), owner, token)

    def of_account(self, id: str) -> Principal | None:
        """Who an account is; None where it is disabled or gone."""
        account = self.accounts.get(id)
        return None if account is None or account.disabled else Principal(account.role, account)


class Principals:
    """Reads them at most every five seconds. What changes one through this process calls :meth:`forget` once that is
    committed, and it takes effect with the next request."""

    def __init__(self, clock: Clock, state: StateStore) -> None:
        self._clock = clock
        self._state = state
        self._known = Known()
        self._read_at = -_REMEMBER_MS
        self.changes = 0

    async def known(self) -> Known:
        """What is stored now, or was a moment ago."""
        now = self._clock.now()
        if abs(now - self._read_at) >= _REMEMBER_MS:
            changes = self.changes
            self._known = await self._state.read(_all)
            # What changed while we were reading may be missing from what was read: read again next time.
            self._read_at = now if changes == self.changes else -_REMEMBER_MS
        return self._known

    def forget(self) -> None:
        """Read again for the next request."""
        self.changes += 1
        self._read_at = -_REMEMBER_MS


def _all(tx: StateTransaction) -> Known:
    return Known(tx.tokens.all(), {account.id: account for account in tx.accounts.all()})
