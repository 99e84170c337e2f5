"""What is wrong with a dashboard, and where in the document."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from eldonia_ops.model.errors import Level

Path: TypeAlias = tuple[str | int, ...]
"""Keys and places in lists, from the document to a value."""

MOST_FAULTS: Final = 200
"""More are not gathered."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. ``panel`` is the id of the panel that it is in, 0 for none; ``position`` is the 0-based
    offset in an expression, -1 for none."""

    path: Path
    message: str
    hint: str = ""
    level: Level = Level.ERROR
    panel: int = 0
    position: int = -1

    @property
    def place(self) -> str:
        """The path as people write it: ``panels[2].queries[0].expr``."""
        return written(self.path)


class DashboardError(ValueError):
    """A document that is no dashboard. ``faults`` holds all that was found."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{one.place}: {one.message}" if one.path else one.message for one in faults[:5]))


def written(path: Path) -> str:
    """A path as text."""
    parts = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return "".join(parts).removeprefix(".")
