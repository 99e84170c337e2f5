"""Attempts to sign in with a password: counted by address and by account before they are made.

A password can be guessed, unlike a token. So an attempt beyond the limit is refused before the password is looked at,
right or wrong, and attempts count while they are under way: a hundred at once are a hundred. An account has a limit of
its own against guesses from many addresses. So that such guesses do not lock its owner out, it does not apply to
addresses from which somebody is signed in to that account.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from eldonia_ops.access.accounts import known_name
from eldonia_ops.services.api import OverloadedError, Platform
from eldonia_ops.web.login_throttle import FailedAttempts, network_of

_MINUTE_MS: Final = 60_000
_ADDRESS_LIMIT: Final = 10
_ACCOUNT_LIMIT: Final = 30
WINDOW_MS: Final = 5 * _MINUTE_MS


class TooManyAttemptsError(RuntimeError):
    """Too many failed attempts from an address, or at an account; ``wait_ms`` is when to try again."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__("too many failed sign-ins")
        self.wait_ms = wait_ms


class Attempt:
    """An attempt under way. It counts as failed unless :meth:`succeeded` is called."""

    def __init__(self) -> None:
        self.right = False

    def succeeded(self) -> None:
        """The password was right."""
        self.right = True


class SignInThrottle:
    """``knows`` says whether somebody at a network is signed in to the account with a name."""

    def __init__(self, now: Callable[[], int], knows: Callable[[str, str], Awaitable[bool]]) -> None:
        self._addresses = FailedAttempts(now, _ADDRESS_LIMIT, WINDOW_MS)
        self._accounts = FailedAttempts(now, _ACCOUNT_LIMIT, WINDOW_MS)
        self._knows = knows

    @contextlib.asynccontextmanager
    async def attempt(self, name: str, address: str) -> AsyncIterator[Attempt]:
        """Count an attempt while it is made.

        Raises:
            TooManyAttemptsError: it may not be made now.
        """
        network, key = network_of(address), _key(name)
        wait = self._addresses.begin(network)
        if not wait and (wait := self._accounts.begin(key)) and await self._knows(known_name(name), network):
            wait = 0
        if wait:
            raise TooManyAttemptsError(wait)
        attempt = Attempt()
        try:
            yield attempt
        except OverloadedError:
            attempt.succeeded()  # it was not looked at: that must not count against anybody
            raise
        finally:
            if attempt.right:
                self._addresses.take_back(network)
                self._accounts.take_back(key)


async def signed_in_there(platform: Platform, name: str, network: str) -> bool:
    """Whether somebody at a network is signed in to the account with a name."""
    ids = {one.id for one in await platform.accounts.all() if one.name == name}
    return any(one.account_id in ids and network_of(one.address) == network for one in await platform.sessions.all())


def _key(name: str) -> str:
    """Names that do not exist count as well, and take no more memory than others."""
    return hashlib.sha256(known_name(name).encode()).hexdigest()
