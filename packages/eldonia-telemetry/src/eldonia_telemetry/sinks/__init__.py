"""Where records go. A sink never raises and never blocks for long; what it loses it counts."""

from collections.abc import Sequence
from typing import Protocol


class Sink(Protocol):
    """Takes records of at least ``threshold`` (see :mod:`eldonia_telemetry.records`)."""

    threshold: int

    def write(self, line: bytes) -> None:
        """Take one record as its JSON with the newline (:func:`.records.decode` reads it back)."""
        ...

    def write_all(self, lines: Sequence[bytes]) -> None:
        """Take several, oldest first."""
        ...

    def flush(self, timeout: float) -> object:
        """Hand on what is held back, within ``timeout`` seconds."""
        ...

    def close(self, timeout: float) -> None:
        """Hand on what is held back within ``timeout`` seconds, then let go of resources. Idempotent."""
        ...

    def after_fork(self) -> None:
        """Make locks and threads usable in the child process."""
        ...
