"""Follows one log file: from where it stopped, through rotation and truncation, no line lost and none twice.

A batch goes to the sink, which returns when it is stored; only then is the position saved. After a crash reading
goes on from the larger of the saved position and the one the store itself knows. Lines that belong together are held
back until they are complete (:mod:`eldonia_ops.collectors.tail.join`); no position lies behind one that is held back,
so after a crash they are read again.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eldonia_ops.collectors.collector import Positions
from eldonia_ops.collectors.status import TargetHealth, TargetStatus, TurnWatch, Unwatched
from eldonia_ops.collectors.tail.batches import DEFAULT_OPTIONS, PlannedBatches, TailOptions, TailSink, no_plan
from eldonia_ops.collectors.tail.delivery import TailDelivery
from eldonia_ops.collectors.tail.files import (
    FoundFile,
    LineReader,
    TailLine,
    catch_up,
    join_identity,
    look,
    rotated_files,
    shown_path,
    split_identity,
)
from eldonia_ops.collectors.tail.join import (
    NOTHING,
    all_held,
    given_up,
    joined_lines,
)
from eldonia_ops.collectors.tail.reads import OnDisk, look_again, opened, read_joined, read_planned
from eldonia_ops.model.labels import Labels

log = logging.getLogger("eldonia_ops.collectors.tail")
_LOOKS = 100


_UNWATCHED = Unwatched()


class FollowedFile:
    """One path and its rotated predecessors."""

    def __init__(
        self,
        path: Path,
        sink: TailSink,
        positions: Positions,
        options: TailOptions = DEFAULT_OPTIONS,
        *,
        with_rotated: bool = False,
        watch: TurnWatch = _UNWATCHED,
        on_disk: OnDisk = asyncio.to_thread,
        plan: PlannedBatches = no_plan,
    ) -> None:
        self._path = path
        self._plan = plan
        self._planned: dict[tuple[str, int], int] = {}
        self._name = shown_path(path)
        self._watch = watch
        self._on_disk = on_disk
        self._options = options
        self._with_rotated = with_rotated
        self._reader: LineReader | None = None
        self._join = NOTHING
        self._node = (0, 0)
        self._modified_ns = 0
        self._cut = False
        self._moved_at = 0.0
        self._gone_at = 0.0
        self.status = TargetStatus("tail", shown_path(path.name), self._name, Labels({"path": self._name}))
        self._delivery = TailDelivery(self._name, sink, positions, options, watch, self.status)

    async def run(self) -> None:
        """Follow until cancelled, or until the file has been gone for long.

        Trouble with the file is shown in ``status`` and tried again.
        """
        try:
            await self._delivery.load()
            planned = await self._delivery.insist(lambda: self._plan(self._name))
            self._planned = {(identity, start): end for identity, start, end in planned}
            while not self._forgotten():
                try:
                    busy = await self._turn()
                    self._watch.succeeded()
                except OSError as error:
                    self._delivery.fail(f"cannot read: {error.strerror or error}")
                    self._close()
                    busy = False
                except Exception as error:
                    self._watch.failed(error)
                    log.exception("tail %s: will try again", self._name)
                    self._delivery.fail(f"stopped by a fault of our own, will try again: {error}")
                    self._close()
                    busy = False
                if not busy:
                    await asyncio.sleep(self._options.poll_seconds)
        finally:
            self._close()

    def _forgotten(self) -> bool:
        return bool(self._gone_at) and time.monotonic() - self._gone_at >= self._options.forget_seconds

    async def _turn(self) -> bool:
        """One look; True when there is probably more to read at once."""
        if self._reader is None and not await self._open():
            return False
        reader = self._reader
        assert reader is not None
        seen = await self._on_disk(look_again, reader, self._path)
        if seen.truncated:
            await self._join_and_deliver(reader.ready(), last=True)
            self._cut = True
            self._close()
            return True
        lines = await self._read(reader) if seen.more else 0
        if lines:
            self._moved_at = 0.0
            seen = await self._on_disk(look_again, reader, self._path)
            if seen.more:
                return True
        else:
            await self._join_and_deliver(())
        await self._delivery.save_late()
        self._modified_ns = seen.modified_ns or self._modified_ns
        if seen.node == self._node:
            self._moved_at = 0.0
            return False
        if not self._moved_at:
            self._moved_at = time.monotonic()
        if lines or time.monotonic() - self._moved_at < self._options.rotation_grace_seconds:
            return False
        await self._join_and_deliver(reader.rest(), last=True)
        self._close()
        return True

    async def _read(self, reader: LineReader) -> int:
        """Read on and deliver what is complete; returns how many lines there were."""
        place = (self._delivery.identity, self._delivery.delivered)
        if end := self._planned.get(place):
            count, found, self._join = await self._on_disk(read_planned, reader, self._join, self._options, end)
            if reader.offset != end:  # the file is another by now, or the last line of it is still unfinished
                del self._planned[place]
            await self._delivery.deliver(found)
            return count
        count, found, self._join = await self._on_disk(read_joined, reader, self._join, self._options)
        await self._delivery.deliver(found)
        return count

    async def _join_and_deliver(self, lines: Sequence[TailLine], *, last: bool = False) -> None:
        """Deliver what is complete with ``lines``, or held back for too long; with ``last`` everything."""
        bounds, now = self._options.join, time.monotonic()
        found, state = joined_lines(self._join, lines, now, bounds)
        more, state = (all_held(state), NOTHING) if last else given_up(state, now, bounds)
        self._join = state
        await self._delivery.deliver([*found, *more])

    async def _open(self) -> bool:
        """Read what rotated files still hold, then open the path itself; False when there is nothing to open."""
        current = await self._on_disk(look, self._path)
        for _ in range(_LOOKS):
            saved = self._delivery.saved
            if current is not None and saved is not None and not self._cut and current.size >= saved[1]:
                if current.identity == split_identity(saved[0])[0]:
                    break
            elif saved is None and not self._with_rotated:
                break
            complete = await self._catch_up(current)
            before, current = current, await self._on_disk(look, self._path)
            # A rotation between the two looks may have left a file that the listing did not show.
            if complete and _node(before) == _node(current):
                break
        if current is None:
            self._gone_at = self._gone_at or time.monotonic()
            self.status.health = TargetHealth.UNKNOWN
            self.status.error = "the file is not there" if not self.status.last_at else "the file is gone"
            return False
        self._gone_at = 0.0
        if not current.identity:
            return False
        identity, offset = await self._resume(current)
        reader, found = await self._on_disk(opened, self._path, offset, self._options.max_line_bytes)
        if found is None or found.identity != current.identity:
            # Replaced between the two looks; the next turn sees the new one.
            reader.close()
            return False
        self._reader, self._join, self._node = reader, NOTHING, (found.device, found.inode)
        self._delivery.begin(identity, offset)
        self._modified_ns, self._cut, self._moved_at = found.modified_ns, False, 0.0
        if self._delivery.saved is None:
            # Followed from here on: what is rotated away before the first batch is remembered is still read.
            await self._delivery.save(identity, offset)
        self.status.health, self.status.error = TargetHealth.UP, ""
        return True

    async def _resume(self, found: FoundFile) -> tuple[str, int]:
        """Identity with generation, and the offset to go on from."""
        generation, kept = 0, 0
        if self._delivery.saved is not None and split_identity(self._delivery.saved[0])[0] == found.identity:
            generation = split_identity(self._delivery.saved[0])[1]
            if self._cut or self._delivery.saved[1] > found.size:
                generation += 1
            else:
                kept = self._delivery.saved[1]
        while True:
            identity = join_identity(found.identity, generation)
            stored = await self._delivery.stored(identity)
            if max(kept, stored) <= found.size:
                return identity, max(kept, stored)
            generation, kept = generation + 1, 0

    async def _catch_up(self, main: FoundFile | None) -> bool:
        """Read what rotated files hold; False when they were renamed under our hands and must be listed again."""
        rotated = await self._on_disk(rotated_files, self._path)
        identity, offset = self._delivery.saved or ("", 0)
        old, newer = catch_up(identity, offset, rotated) if identity else (None, rotated)
        if old is None and self._modified_ns:
            newer = [file for file in newer if file.modified_ns >= self._modified_ns]
        if old is not None and not await self._finish(old, identity, offset):
            return False
        for file in newer:
            if not await self._finish(file, *await self._known_as(file, main)):
                return False
        return True

    async def _known_as(self, file: FoundFile, main: FoundFile | None) -> tuple[str, int]:
        """Under which identity a rotated file's lines were stored, and how far.

        A copy that was made before a truncation is another file than the one that its lines were read
        from: if a crash kept that one's position from being saved, only the store knows of them.
        """
        if main is not None:
            original = replace(file, device=main.device, inode=main.inode).identity
            stored = await self._delivery.stored(original)
            if 0 < stored <= file.size:
                return original, stored
        return file.identity, 0

    async def _finish(self, file: FoundFile, identity: str, offset: int) -> bool:
        """Read a rotated file to its end; False when it is no longer where it was."""
        if self._delivery.saved is not None and self._delivery.saved[0] == identity and offset >= file.size:
            return True
        offset = max(offset, await self._delivery.stored(identity))
        try:
            reader, found = await self._on_disk(opened, file.path, offset, self._options.max_line_bytes)
        except FileNotFoundError:
            return False
        try:
            if _node(found) != _node(file):
                return False
            self._join = NOTHING
            self._delivery.begin(identity, offset)
            quiet_since = time.monotonic()
            # Its writer may not have noticed the renaming yet: a file that was written just now gets its time.
            settled = time.time() - file.modified_ns / 1e9 >= self._options.rotation_grace_seconds
            while True:
                if await self._read(reader):
                    quiet_since = time.monotonic()
                elif settled or time.monotonic() - quiet_since >= self._options.rotation_grace_seconds:
                    break
                else:
                    await asyncio.sleep(self._options.poll_seconds)
            await self._join_and_deliver(reader.rest(), last=True)
            await self._delivery.save(identity, reader.offset)
            return True
        finally:
            reader.close()

    def _close(self) -> None:
        if self._reader is not None:
            with contextlib.suppress(OSError):
                self._reader.close()
            self._reader = None


def _node(file: FoundFile | None) -> tuple[int, int, str]:
    return (file.device, file.inode, file.fingerprint) if file is not None else (0, 0, "")
