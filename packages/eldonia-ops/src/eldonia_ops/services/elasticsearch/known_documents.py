"""Which ids documents may have already: most that come are new, and need not be looked for."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from eldonia_ops.model.fingerprints import FingerprintSet, fingerprints
from eldonia_ops.ports import LogStore, TelemetryError
from eldonia_ops.protocols.elasticsearch.identity import place_of
from eldonia_ops.services.elasticsearch.document_writes import Key

_log = logging.getLogger(__name__)
READ_SECONDS: Final = 5.0
MOST: Final = 8_000_000
"""Documents with ids of their own that are remembered, at 8 bytes each; with more, every id is looked for."""


class KnownDocuments:
    """Remembers the index and id of every document of the store, and of those that this process writes.

    What the store has is read at the first use. Until then, and in a store that others write to as well, any id may be
    there.
    """

    def __init__(self, store: LogStore, most: int = MOST) -> None:
        self._store = store
        self._most = most
        self._noted = FingerprintSet()
        self._whole = False
        self._reading: asyncio.Task[None] | None = None

    def note(self, keys: Sequence[Key]) -> list[Key]:
        """Those of some documents that may be there; all of them may be from now on. Each is given once."""
        numbers = fingerprints(keys)
        there = self._noted.has(numbers) if self._whole else None
        self._noted.add(numbers)
        if len(self._noted) > 2 * self._most:
            self._whole = False  # what is deleted stays in it: so many may be a fraction
        if there is None or not self._whole:
            return list(keys)
        # What came without an id has one that says where it is.
        return [key for key, known in zip(keys, there, strict=True) if known or place_of(key[1]) is not None]

    async def read(self, seconds: float = READ_SECONDS) -> None:
        """Wait until it is known what the store has, or some seconds: then the reading goes on. Never raises."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="known-documents")
        if not self._reading.done():
            await asyncio.wait([self._reading], timeout=seconds)

    async def _read(self) -> None:
        try:
            found = await self._store.document_fingerprints(self._most)
        except TelemetryError as error:
            _log.info("the ids of documents could not be read, each is looked for: %s", error)
            self._reading = None  # the next request tries again
            return
        if found is not None:
            self._noted.add(found)
            self._whole = True
