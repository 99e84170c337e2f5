"""What is handed over of a followed file: batches of lines, to a sink; and how files are followed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from eldonia_ops.collectors.tail.files import TailLine
from eldonia_ops.collectors.tail.join import DEFAULT_BOUNDS, JoinBounds


@dataclass(frozen=True, slots=True)
class TailBatch:
    """Successive lines of one file. ``source`` is ``path#identity``; ``start`` the byte where they begin."""

    path: str
    source: str
    start: int
    lines: Sequence[TailLine]

    @property
    def end(self) -> int:
        """The byte behind the last line: the position once the batch is stored."""
        return self.lines[-1].offset

    @property
    def key(self) -> str:
        """The same for the same lines read again; for the store's ``batch_key``."""
        return f"{self.source}:{self.start}-{self.end}"


PlannedBatches = Callable[[str], Awaitable[Sequence[tuple[str, int, int]]]]
"""Batches of a path, by its name, that were handed over before a crash and may be stored: identity, start and end of
each. What is read again from there on is handed over in the very same batches, so that what takes them knows them
by their keys."""


async def no_plan(_path: str) -> Sequence[tuple[str, int, int]]:
    """For who knows lines, and not batches."""
    return ()


TailSink = Callable[[TailBatch], Awaitable[int | None]]
"""Takes a batch and returns when it is stored, with the number of lines that could not be read. A batch whose sink
raises is offered again."""


@dataclass(frozen=True, slots=True)
class TailOptions:
    """How files are followed. ``rotation_grace_seconds``: how long a writer may go on with a renamed file.

    ``forget_seconds``: how long a file that is gone is still waited for; should it come back later, it is
    found like a new one, and its position is known. A batch has at most ``batch_lines`` lines and is closed by
    the line that reaches ``batch_bytes``. Positions are saved ``save_seconds`` after one another while there is more to
    read: after a crash the store knows what it has. ``join`` says how far lines that belong together are joined.
    ``form`` is how the lines are written, '' for what each of them shows. Files that match ``exclude`` are left alone.
    """

    poll_seconds: float = 0.2
    discover_seconds: float = 1.0
    batch_lines: int = 5_000
    batch_bytes: int = 2 * 1024 * 1024
    max_line_bytes: int = 1024 * 1024
    rotation_grace_seconds: float = 2.0
    forget_seconds: float = 60.0
    max_files: int = 1_000
    retry_seconds: float = 0.5
    save_seconds: float = 1.0
    join: JoinBounds = DEFAULT_BOUNDS
    form: str = ""
    exclude: tuple[str, ...] = ()


DEFAULT_OPTIONS = TailOptions()
