"""What writes the chunks of one output."""

from collections.abc import Sequence
from typing import Protocol

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.event import Batch


class Delivery(Protocol):
    """Writes chunks. Several may be written at once, up to ``flush_thread_count``."""

    async def deliver(self, chunk: Chunk, batches: Sequence[Batch]) -> None:
        """Write the events of a chunk. One that can write a part remembers which, for the chunk comes again as it was.

        Raises:
            eldonia_ops.pipeline_outputs.running.OutputError: not all were written. ``retry`` says whether trying again
                may help.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Watched(Protocol):
    """A delivery that looks at its servers between chunks."""

    async def watch(self) -> None:
        """Look at them until cancelled."""
        ...

    def unavailable(self) -> dict[str, bool]:
        """Whether each of them is unavailable, by its address."""
        ...
