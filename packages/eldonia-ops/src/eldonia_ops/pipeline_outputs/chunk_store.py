"""Where the bytes of chunks are: in memory, or in files (:mod:`.chunk_files`)."""

from collections.abc import Sequence
from typing import Protocol

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline_outputs.taken_keys import TakenKeys


class ChunkStore(Protocol):
    """The bytes of the chunks of one buffer. ``on_disk``: they outlive the process, and are read from a disk."""

    on_disk: bool

    def recover(self) -> list[Chunk]:
        """The chunks of an earlier process."""
        ...

    def begin(self, chunk: Chunk) -> None:
        """Make an empty chunk.

        Raises:
            OSError: it cannot be made.
        """
        ...

    def append(self, chunk_id: str, payload: bytes, events: int) -> None:
        """Put a payload to the end of a chunk. It is safe once :meth:`sync` has returned.

        Raises:
            OSError: it was not put there, nor a part of it.
        """
        ...

    def knows(self, key: bytes) -> bool:
        """Whether a payload with this key was taken before, of those that are remembered."""
        ...

    def took(self, chunk_id: str, keys: Sequence[bytes]) -> None:
        """Remember the keys of payloads that were put into a chunk; each of them is in its payload as well."""
        ...

    def mark(self, chunk_id: str) -> int:
        """Where a chunk ends now."""
        ...

    def cut(self, chunk_id: str, mark: int) -> None:
        """Take back what was appended to a chunk since a mark."""
        ...

    async def sync(self) -> None:
        """Return when all that was appended before is safe.

        Raises:
            OSError: it is not.
        """
        ...

    def payloads(self, chunk_id: str) -> list[bytes]:
        """What was appended to a chunk, in its order.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        ...

    def remove(self, chunk_id: str) -> None:
        """Forget a chunk."""
        ...

    def set_aside(self, chunk_id: str, reason: str) -> str:
        """Keep a chunk apart from the others if it can be kept; returns where, '' for nowhere."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class MemoryChunks:
    """Chunks in memory: a process that ends loses them."""

    on_disk = False

    def __init__(self) -> None:
        self._chunks: dict[str, list[bytes]] = {}
        self._taken = TakenKeys()

    def recover(self) -> list[Chunk]:
        """None."""
        return []

    def begin(self, chunk: Chunk) -> None:
        """Make an empty chunk."""
        self._chunks[chunk.id] = []

    def append(self, chunk_id: str, payload: bytes, events: int) -> None:
        """Put a payload to the end of a chunk."""
        self._chunks[chunk_id].append(payload)

    def knows(self, key: bytes) -> bool:
        """Whether this process has taken it."""
        return key in self._taken

    def took(self, chunk_id: str, keys: Sequence[bytes]) -> None:
        """Remember keys."""
        self._taken.add(keys)

    def mark(self, chunk_id: str) -> int:
        """How many payloads a chunk has."""
        return len(self._chunks[chunk_id])

    def cut(self, chunk_id: str, mark: int) -> None:
        """Take back the payloads since a mark."""
        del self._chunks[chunk_id][mark:]

    async def sync(self) -> None:
        """Nothing more can be done for memory."""

    def payloads(self, chunk_id: str) -> list[bytes]:
        """What was appended to a chunk."""
        return self._chunks[chunk_id]

    def remove(self, chunk_id: str) -> None:
        """Forget a chunk."""
        self._chunks.pop(chunk_id, None)

    def set_aside(self, chunk_id: str, reason: str) -> str:
        """Forget it: memory has no place for what is given up."""
        self.remove(chunk_id)
        return ""

    def close(self) -> None:
        """Nothing to let go of."""
