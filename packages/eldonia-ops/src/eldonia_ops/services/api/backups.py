"""Backups while the platform runs."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BackupStream:
    """A backup while it is made: about how many bytes it has, and its bytes."""

    size: int
    pieces: AsyncIterator[bytes]


class Backups(Protocol):
    """Copies of everything that is stored."""

    def take(self) -> AbstractAsyncContextManager[BackupStream]:
        """An archive of all that was acknowledged before the call, until the context is left.

        Raises:
            RefusedError: another one is being taken.
        """
        ...
