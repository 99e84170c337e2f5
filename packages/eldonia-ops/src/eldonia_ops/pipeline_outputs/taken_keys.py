"""What a buffer has taken already: the keys of batches, remembered beyond the chunks that they were put into.

A key is in the frame of its chunk. When the chunk goes, its keys are appended to the file ``.taken`` first, so that a
batch that comes again after ``kill -9`` is known although it was sent on long ago. A power cut may lose the end of that
file: then such a batch is sent twice.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 16
MOST_KEYS: Final = 10_000
"""So many pieces of batches are remembered, the last ones."""

_MODE: Final = 0o600


def digest_of(key: str) -> bytes:
    """16 bytes for a key of any length."""
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=KEY_BYTES).digest()


class TakenKeys:
    """The keys of one buffer; with a ``path`` they outlive the process."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[bytes, None] = {}
        self._written = 0

    def __contains__(self, key: bytes) -> bool:
        """Whether a piece with this key was taken."""
        return key in self._known

    def __iter__(self) -> Iterator[bytes]:
        """The keys, those that were taken last at the end."""
        return iter(self._known)

    def add(self, keys: Iterable[bytes]) -> None:
        """Remember keys."""
        for key in keys:
            self._known.pop(key, None)  # to the end
            self._known[key] = None
        while len(self._known) > MOST_KEYS:
            del self._known[next(iter(self._known))]

    def load(self) -> None:
        """Read what an earlier process has written.

        Raises:
            OSError: the file cannot be read.
        """
        if self._path is None:
            return
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        whole = len(data) // KEY_BYTES
        if len(data) % KEY_BYTES:
            os.truncate(self._path, whole * KEY_BYTES)
        self.add(data[at : at + KEY_BYTES] for at in range(0, whole * KEY_BYTES, KEY_BYTES))
        self._written = whole

    def keep(self, keys: Iterable[bytes]) -> None:
        """Write keys whose chunk is about to go.

        Raises:
            OSError: they cannot be written.
        """
        some = b"".join(keys)
        if self._path is None or not some:
            return
        if self._written > 2 * MOST_KEYS:
            self._rewrite(self._path)
        with open(self._path, "ab", opener=_private) as file:
            file.write(some)
        self._written += len(some) // KEY_BYTES

    def _rewrite(self, path: Path) -> None:
        beside = path.with_name(path.name + ".new")
        with open(beside, "wb", opener=_private) as file:
            file.write(b"".join(self._known))
        beside.rename(path)
        self._written = len(self._known)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, _MODE)
