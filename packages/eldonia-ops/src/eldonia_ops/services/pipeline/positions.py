"""Where the files of a pipeline have been read to: in our state, and in Fluentd's ``pos_file`` beside it.

Before a batch goes to the outputs it is noted where it begins and ends. After a crash the lines behind the position are
handed over in the very same batches, whose keys outputs know; so a batch that some outputs have and others have not is
completed, and none is stored twice.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from eldonia_ops.collectors.collector import Positions
from eldonia_ops.collectors.tail.files import FoundFile, look
from eldonia_ops.collectors.tail.pos_file import FilePosition, read_pos_file, write_pos_file

log = logging.getLogger("eldonia_ops.pipeline")

_FIRST_SECONDS: Final = 5.0
_PLANNED: Final = re.compile(r"([^@\s]{1,200})@([0-9]{1,19})-([0-9]{1,19})")
MOST_PLANNED: Final = 500
"""So many batches of a file are noted while filters hold events back; what is read beyond may come twice."""

Planned: TypeAlias = tuple[str, int, int]
"""Identity of the file, and the bytes where a batch begins and ends."""


class PipelinePositions:
    """Implements :class:`~eldonia_ops.collectors.collector.Positions` for one source of a pipeline.

    A file that ``pos_file`` knows is read from where Fluentd has stopped. A new one is read from its end if it was
    there at the start and ``from_head`` is not wanted. As long as ``held`` says that events are held back, positions
    are kept in mind only: after a crash their lines are read again.
    """

    def __init__(
        self,
        name: str,
        stored: Positions,
        pos_file: str,
        *,
        from_head: bool,
        held: Callable[[], int],
        now: Callable[[], float],
    ) -> None:
        self._prefix = f"pipeline {name} "
        self._stored = stored
        self._pos_file = Path(pos_file) if pos_file else None
        self._from_head = from_head
        self._held = held
        self._now = now
        self._started = now()
        self._waiting: dict[str, tuple[str, int]] = {}
        self._plans: dict[str, list[Planned]] = {}
        self._known: dict[str, FilePosition] | None = None
        self._lock = asyncio.Lock()
        self._complained = False

    async def load_position(self, path: str) -> tuple[str, int] | None:
        """``(identity, offset)`` to go on from; None: from the beginning."""
        stored = begin_of(await self._stored.load_position(self._prefix + path), await self._planned(path))
        found = await asyncio.to_thread(_look, path)
        theirs = (await self._theirs()).get(path)
        if found is not None and theirs is not None and theirs.inode == found.inode and theirs.offset <= found.size:
            # Fluentd may have gone on since; what we know of the same file ourselves may be newer.
            ours = stored[1] if stored is not None and _inode(stored[0]) == found.inode else 0
            return found.identity, max(ours, theirs.offset)
        if stored is not None or found is None or self._from_head:
            return stored
        return (found.identity, found.size) if self._now() - self._started < _FIRST_SECONDS else None

    async def save_position(self, path: str, identity: str, offset: int) -> None:
        """Remember a position, at once or when nothing is held back any more."""
        self._waiting[path] = (identity, offset)
        if not self._held():
            await self.save_waiting()

    async def plan(self, path: str, identity: str, start: int, end: int) -> None:
        """Note durably that a batch goes to the outputs. All of the file before it is done, unless events are held
        back."""
        plans = self._plans.setdefault(path, [])
        new = (identity, start, end)
        if plans and plans[-1] == new:  # it is offered again
            return
        if not self._held():
            plans.clear()
        if len(plans) < MOST_PLANNED:
            plans.append(new)
            await self._stored.save_position(self._plan_of(path), plan_text(plans), end)

    async def planned(self, path: str) -> Sequence[Planned]:
        """The batches that went to the outputs before this process began, see :data:`PlannedBatches`."""
        return await self._planned(path)

    async def _planned(self, path: str) -> list[Planned]:
        stored = await self._stored.load_position(self._plan_of(path))
        return [] if stored is None else plan_of(stored[0])

    def _plan_of(self, path: str) -> str:
        return f"batches of {self._prefix}{path}"

    async def save_waiting(self) -> None:
        """Save what was kept in mind."""
        async with self._lock:
            waiting, self._waiting = self._waiting, {}
            for path, (identity, offset) in waiting.items():
                await self._stored.save_position(self._prefix + path, identity, offset)
            if waiting:
                await self._write(waiting)

    async def source_position(self, source: str) -> int | None:
        """The store does not know how far events of a pipeline have come."""
        return None

    async def _theirs(self) -> dict[str, FilePosition]:
        if self._known is None:
            try:
                self._known = {} if self._pos_file is None else await asyncio.to_thread(read_pos_file, self._pos_file)
            except OSError as error:
                log.warning("the pos_file %s cannot be read: %s", self._pos_file, error.strerror or error)
                self._known = {}
        return self._known

    async def _write(self, saved: dict[str, tuple[str, int]]) -> None:
        if self._pos_file is None:
            return
        known = await self._theirs()
        for path, (identity, offset) in saved.items():
            known[path] = FilePosition(offset, _inode(identity))
        try:
            await asyncio.to_thread(write_pos_file, self._pos_file, dict(known))
            self._complained = False
        except OSError as error:
            if not self._complained:
                self._complained = True
                reason = error.strerror or error
                log.warning("the pos_file %s cannot be written: %s; our own state has it", self._pos_file, reason)


def plan_text(plans: Sequence[Planned]) -> str:
    """Batches as text for the store of positions."""
    return " ".join(f"{identity}@{start}-{end}" for identity, start, end in plans)


def plan_of(text: str) -> list[Planned]:
    """The batches of a text; none of one that is not ours."""
    found: list[Planned] = []
    for part in text.split():
        match = _PLANNED.fullmatch(part)
        if match is None:
            return []
        found.append((match[1], int(match[2]), int(match[3])))
    return found


def begin_of(position: tuple[str, int] | None, plans: Sequence[Planned]) -> tuple[str, int] | None:
    """Where to go on: a position is saved now and then, and the first batch of the plan begins behind it, unless the
    position is one in the plan."""
    if not plans:
        return position
    identity, start, _ = plans[0]
    if position is not None and any(position[0] == known and position[1] >= begin for known, begin, _ in plans):
        return position
    return identity, start


def _look(path: str) -> FoundFile | None:
    try:
        found = look(Path(os.path.abspath(path)))
    except OSError:
        return None
    return found if found is not None and found.identity else None


def _inode(identity: str) -> int:
    parts = identity.split(":")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
