"""Passwords of people: hashed and compared by Argon2 on threads of their own.

A hash takes tens of milliseconds and 64 MiB by design, so few are made at once, and few may wait for their turn: who
guesses must take neither the machine nor its memory.
"""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from eldonia_ops.access.accounts import normal_password
from eldonia_ops.services.api import OverloadedError

T = TypeVar("T")

_AT_ONCE: Final = 2
_MOST_WAITING: Final = 64


@dataclass(frozen=True, slots=True)
class Match:
    """Whether a password is right. ``rehash`` is its hash by the parameters of today where those of the stored one are
    others, else ''."""

    right: bool
    rehash: str = ""


class Passwords:
    """Hashes and compares. ``hasher`` has the parameters; the default ones are those of RFC 9106, section 4, for little
    memory."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passwords")
        self._waiting = 0
        self._no_one = ""

    async def hash(self, password: str) -> str:
        """What is stored of a password.

        Raises:
            OverloadedError: too many wait already.
        """
        return await self._run(self._hash, password)

    async def match(self, password: str, stored: str) -> Match:
        """Whether a password is the one that was stored; '' is that of no account, and takes as long to be wrong.

        Raises:
            OverloadedError: too many wait already.
        """
        return await self._run(functools.partial(self._match, stored), password)

    def close(self) -> None:
        """Make no more hashes."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[bytes], T], password: str) -> T:
        if self._waiting >= _MOST_WAITING:
            raise OverloadedError("too many people sign in at this moment")
        self._waiting += 1
        try:
            given = normal_password(password).encode("utf-8", "surrogatepass")
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, given)
        finally:
            self._waiting -= 1

    def _hash(self, given: bytes) -> str:
        return self._hasher.hash(given)

    def _match(self, stored: str, given: bytes) -> Match:
        # Made before the first comparison of either kind: otherwise the first unknown name would take twice as long.
        self._no_one = self._no_one or self._hasher.hash(b"no account has this one")
        try:
            self._hasher.verify(stored or self._no_one, given)
        except InvalidHashError:
            # What is stored is damaged: as slow as any other wrong answer.
            return self._match("", given)
        except Argon2Error:
            return Match(False)
        if not stored:
            return Match(False)
        return Match(True, self._hasher.hash(given) if self._hasher.check_needs_rehash(stored) else "")
