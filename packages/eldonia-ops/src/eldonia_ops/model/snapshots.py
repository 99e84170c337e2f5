"""Files of the data folder as they were at one instant."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """One file of a snapshot. ``name`` is its path in the data folder, with slashes; ``path`` is where its bytes lie
    until the snapshot is given up, and ``size`` how many of them belong to it. With a ``target`` it is a symbolic link,
    relative to its own folder."""

    name: str
    path: Path
    size: int = 0
    target: str = ""
