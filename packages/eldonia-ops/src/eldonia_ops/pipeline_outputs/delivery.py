"""What writes the chunks of one output."""

from collections.abc import Sequence
from typing import Protocol

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline_outputs.running import OutputError


class PartlyDeliveredError(OutputError):
    """Some events were written, or refused for good; ``remaining`` have to be tried again."""

    def __init__(self, message: str, remaining: Sequence[Batch]) -> None:
        super().__init__(message)
        self.remaining = tuple(remaining)


class Delivery(Protocol):
    """Writes chunks. Several may be written at once, up to ``flush_thread_count``."""

    async def deliver(self, chunk: Chunk, batches: Sequence[Batch]) -> None:
        """Write the events of a chunk. ``batches`` are those that remain when a part was written before.

        Raises:
            OutputError: they were not written. ``retry`` says whether trying again may help.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
