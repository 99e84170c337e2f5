"""Tokens: who is calling, and with which rights."""

from typing import Protocol

from eldonia_ops.model.access import Principal, Role, Token


class Access(Protocol):
    """Tokens."""

    async def authenticate(self, secret: str) -> Principal | None:
        """Who a valid token belongs to, or None. Takes equally long for near misses."""
        ...

    async def create(self, name: str, role: Role, lifetime_ms: int = 0, owner: str = "") -> tuple[Token, str]:
        """A new token and its secret, which is shown this once. Without ``lifetime_ms`` it never expires; ``owner`` is
        the id of the account that it belongs to.

        Raises:
            eldonia_ops.access.AccessError: the name is empty, too long or not printable, the lifetime is too long, or
                the role greater than that of the owner.
            NotFoundError: there is no such account.
            RefusedError: the account is disabled, or has too many tokens.
        """
        ...

    async def all(self) -> list[Token]: ...
    async def revoke(self, id: str, owner: str | None = None) -> bool:
        """Revoke a token; with ``owner`` only one of that account."""
        ...
