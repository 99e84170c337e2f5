"""Users with a name and a password (HTTP basic authentication), from Prometheus' web configuration."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import bcrypt

from eldonia_ops.model.access import Principal, Role, Token
from eldonia_ops.model.secret import Secret

_LONGEST: Final = 72
"""What bcrypt looks at of a password, in bytes."""
_MOST_KNOWN: Final = 1_000
_NO_USER: Final = b"." * 53  # what the password of a name that does not exist is compared with
_USUAL_ROUNDS: Final = 10


class BasicUsers:
    """Finds the user of a ``name:password``. Every listed user may do everything.

    A hash takes some 50 ms to check, so a password that was right is known again by its own keyed digest.
    """

    def __init__(self, users: Mapping[str, Secret]) -> None:
        self._users = {name: secret.reveal().encode() for name, secret in users.items()}
        self._key = secrets.token_bytes(32)
        self._known: set[bytes] = set()
        # As slow as the slowest of them: otherwise the time of an answer would say who exists.
        rounds = max((_rounds(stored) for stored in self._users.values()), default=_USUAL_ROUNDS)
        self._no_user = b"$2b$%02d$" % rounds + _NO_USER
        # A thread of its own: guesses at passwords must not take all threads of the event loop.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords")

    async def authenticate(self, secret: str) -> Principal | None:
        """The user that a ``name:password`` belongs to, or None; equally slow for names that do not exist."""
        name, _, password = secret.partition(":")
        digest = hmac.new(self._key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        if digest not in self._known:
            stored = self._users.get(name)
            given = password.encode("utf-8", "surrogatepass")[:_LONGEST]
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._thread, _matches, given, stored or self._no_user)
            if not right or stored is None:
                return None
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known.add(digest)
        return user(name)


def _rounds(stored: bytes) -> int:
    cost = stored.split(b"$")[2:3]
    return int(cost[0]) if cost and cost[0].isdigit() else _USUAL_ROUNDS


def _matches(password: bytes, stored: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, stored)
    except ValueError:  # a hash of a form that the library does not take, or a NUL in the password
        return False


def user(name: str) -> Principal:
    """The identity of a caller without a token of ours."""
    return Principal(Role.ADMIN, None, Token(f"user:{name}", name, Role.ADMIN, "", 0))
