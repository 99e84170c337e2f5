"""What a configuration may ask of the machine and of other files; given from outside, so that reading stays pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class ConfigurationFiles(Protocol):
    """Gives the files that ``@include`` names."""

    def matching(self, pattern: str) -> Sequence[str]:
        """The paths that a pattern (with ``*``, ``?``, ``[…]``, ``{a,b}``, ``**``) stands for, sorted."""
        ...

    def read(self, path: str) -> bytes:
        """What a file holds.

        Raises:
            OSError: it cannot be read.
        """
        ...


class NoFiles:
    """There is nothing to include."""

    def matching(self, pattern: str) -> Sequence[str]:
        """None."""
        return ()

    def read(self, path: str) -> bytes:
        """Always fails."""
        raise FileNotFoundError(path)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``env`` are the environment variables; ``hostname`` that of the machine; ``worker_id`` that of Fluentd's worker
    process, of which we are always the first."""

    env: Mapping[str, str] = field(default_factory=dict)
    hostname: str = "localhost"
    worker_id: str = "0"
    files: ConfigurationFiles = field(default_factory=NoFiles)
