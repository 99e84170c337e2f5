"""Where erasures are kept until they are done, and what is left of them then."""

from typing import Protocol

from eldonia_ops.model.erasure import Erasure


class ErasureStore(Protocol):
    """Keeps erasures. Its methods block: call them on a thread.

    What is replaced is not to be found on the disk any more: an erasure names a person until it is done.
    """

    def all(self) -> list[Erasure]:
        """All of them, the oldest first."""
        ...

    def put(self, erasure: Erasure) -> None:
        """Keep one, durably, in the place of the one with its id.

        Raises:
            OSError: it is not kept.
        """
        ...

    def buffered_bytes(self) -> int:
        """Bytes of records in buffers on their way to other systems."""
        ...
