"""Erasures as files, one each.

Not rows of the state: what a database replaces stays in its pages and its log for a while, and an erasure names the
person whose records it erases until it is done.
"""

import contextlib
import logging
import os
import re
from pathlib import Path
from typing import Final

import msgspec

from eldonia_ops.model.erasure import Erasure
from eldonia_ops.storage.wal.segments import sync_folder

log = logging.getLogger("eldonia_ops.erasures")
_ID: Final = re.compile(r"[0-9a-f]{1,64}")


class ErasureFiles:
    """Implements :class:`~eldonia_ops.ports.erasures.ErasureStore` in a folder; ``buffers`` is that of pipelines."""

    def __init__(self, folder: Path, buffers: Path) -> None:
        self._folder = folder
        self._buffers = buffers

    def all(self) -> list[Erasure]:
        """All that can be read, the oldest first."""
        found: list[Erasure] = []
        for path in self._folder.glob("*.json"):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Erasure))
            except (OSError, msgspec.DecodeError) as error:
                log.error("%s cannot be read: %s", path, error)
        return sorted(found, key=lambda one: (one.asked_at, one.id))

    def put(self, erasure: Erasure) -> None:
        """Write it beside the old one, durably, then in its place.

        Raises:
            OSError: it is not kept.
            ValueError: its id cannot be a file's name.
        """
        if not _ID.fullmatch(erasure.id):
            raise ValueError(f"not the id of an erasure: {erasure.id!r}")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{erasure.id}.json"
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(erasure), indent=1))
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(self._folder)

    def buffered_bytes(self) -> int:
        """Bytes of the file buffers of pipelines."""
        total = 0
        for folder, _, names in os.walk(self._buffers):
            for name in names:
                with contextlib.suppress(OSError):
                    total += (Path(folder) / name).stat().st_size
        return total
