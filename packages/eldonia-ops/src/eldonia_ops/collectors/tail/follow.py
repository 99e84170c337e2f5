"""Follows one log file: from where it stopped, through rotation and truncation, no line lost and none twice.

A batch goes to the sink, which returns when it is stored; only then is the position saved. After a crash reading
goes on from the larger of the saved position and the one the store itself knows. Lines that belong together are held
back until they are complete (:mod:`eldonia_ops.collectors.tail.join`); no position lies behind one that is held back,
so after a crash they are read again.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from eldonia_ops.collectors.collector import Positions
from eldonia_ops.collectors.status import TargetHealth, TargetStatus, TurnWatch, Unwatched
from eldonia_ops.collectors.tail.files import (
    FoundFile,
    LineReader,
    TailLine,
    catch_up,
    join_identity,
    look,
    open_file,
    rotated_files,
    shown_path,
    split_identity,
)
from eldonia_ops.collectors.tail.join import (
    DEFAULT_BOUNDS,
    NOTHING,
    JoinBounds,
    JoinState,
    all_held,
    given_up,
    joined_lines,
)
from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.line_formats.recognise import form_of

log = logging.getLogger("eldonia_ops.collectors.tail")
_T = TypeVar("_T")
_LOOKS = 100
_STOP_SECONDS: Final = 5.0
"""How long a tail that is stopped waits for the batch that it has handed over."""


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


class OnDisk(Protocol):
    """Runs what touches a file on a thread: a file system that does not answer (NFS) must not hold the event loop."""

    async def __call__(self, work: Callable[..., _T], /, *arguments: Any) -> _T:
        """What ``work`` returns, or raises."""
        ...


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
        self._sink = sink
        self._positions = positions
        self._options = options
        self._with_rotated = with_rotated
        self._saved: tuple[str, int] | None = None
        self._unsaved = False
        self._saved_at = 0.0
        self._reader: LineReader | None = None
        self._join = NOTHING
        self._delivered = 0
        self._identity = ""
        self._node = (0, 0)
        self._modified_ns = 0
        self._cut = False
        self._moved_at = 0.0
        self._gone_at = 0.0
        self.status = TargetStatus("tail", shown_path(path.name), self._name, Labels({"path": self._name}))

    async def run(self) -> None:
        """Follow until cancelled, or until the file has been gone for long.

        Trouble with the file is shown in ``status`` and tried again.
        """
        try:
            self._saved = await self._load()
            planned = await self._insist(lambda: self._plan(self._name))
            self._planned = {(identity, start): end for identity, start, end in planned}
            while not self._forgotten():
                try:
                    busy = await self._turn()
                    self._watch.succeeded()
                except OSError as error:
                    self._fail(f"cannot read: {error.strerror or error}")
                    self._close()
                    busy = False
                except Exception as error:
                    self._watch.failed(error)
                    log.exception("tail %s: will try again", self._name)
                    self._fail(f"stopped by a fault of our own, will try again: {error}")
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
        seen = await self._on_disk(_seen, reader, self._path)
        if seen.truncated:
            await self._join_and_deliver(reader.ready(), last=True)
            self._cut = True
            self._close()
            return True
        lines = await self._read(reader) if seen.more else 0
        if lines:
            self._moved_at = 0.0
            seen = await self._on_disk(_seen, reader, self._path)
            if seen.more:
                return True
        else:
            await self._join_and_deliver(())
        await self._save_late()
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
        place = (self._identity, self._delivered)
        if end := self._planned.get(place):
            count, found, self._join = await self._on_disk(_read_planned, reader, self._join, self._options, end)
            if reader.offset != end:  # the file is another by now, or the last line of it is still unfinished
                del self._planned[place]
            await self._deliver(found)
            return count
        count, found, self._join = await self._on_disk(_read_joined, reader, self._join, self._options)
        await self._deliver(found)
        return count

    async def _join_and_deliver(self, lines: Sequence[TailLine], *, last: bool = False) -> None:
        """Deliver what is complete with ``lines``, or held back for too long; with ``last`` everything."""
        bounds, now = self._options.join, time.monotonic()
        found, state = joined_lines(self._join, lines, now, bounds)
        more, state = (all_held(state), NOTHING) if last else given_up(state, now, bounds)
        self._join = state
        await self._deliver([*found, *more])

    async def _open(self) -> bool:
        """Read what rotated files still hold, then open the path itself; False when there is nothing to open."""
        current = await self._on_disk(look, self._path)
        for _ in range(_LOOKS):
            saved = self._saved
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
        reader, found = await self._on_disk(_opened, self._path, offset, self._options.max_line_bytes)
        if found is None or found.identity != current.identity:
            # Replaced between the two looks; the next turn sees the new one.
            reader.close()
            return False
        self._reader, self._join, self._delivered = reader, NOTHING, offset
        self._identity, self._node = identity, (found.device, found.inode)
        self._modified_ns, self._cut, self._moved_at = found.modified_ns, False, 0.0
        if self._saved is None:
            # Followed from here on: what is rotated away before the first batch is remembered is still read.
            await self._save(identity, offset)
        self.status.health, self.status.error = TargetHealth.UP, ""
        return True

    async def _resume(self, found: FoundFile) -> tuple[str, int]:
        """Identity with generation, and the offset to go on from."""
        generation, kept = 0, 0
        if self._saved is not None and split_identity(self._saved[0])[0] == found.identity:
            generation = split_identity(self._saved[0])[1]
            if self._cut or self._saved[1] > found.size:
                generation += 1
            else:
                kept = self._saved[1]
        while True:
            identity = join_identity(found.identity, generation)
            stored = await self._position(self._source(identity))
            if max(kept, stored) <= found.size:
                return identity, max(kept, stored)
            generation, kept = generation + 1, 0

    async def _catch_up(self, main: FoundFile | None) -> bool:
        """Read what rotated files hold; False when they were renamed under our hands and must be listed again."""
        rotated = await self._on_disk(rotated_files, self._path)
        identity, offset = self._saved or ("", 0)
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
            stored = await self._position(self._source(original))
            if 0 < stored <= file.size:
                return original, stored
        return file.identity, 0

    async def _finish(self, file: FoundFile, identity: str, offset: int) -> bool:
        """Read a rotated file to its end; False when it is no longer where it was."""
        if self._saved is not None and self._saved[0] == identity and offset >= file.size:
            return True
        offset = max(offset, await self._position(self._source(identity)))
        try:
            reader, found = await self._on_disk(_opened, file.path, offset, self._options.max_line_bytes)
        except FileNotFoundError:
            return False
        try:
            if _node(found) != _node(file):
                return False
            self._identity, self._join, self._delivered = identity, NOTHING, offset
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
            await self._save(identity, reader.offset)
            return True
        finally:
            reader.close()

    async def _deliver(self, lines: list[TailLine]) -> None:
        """Hand a batch to the sink until it takes it, then remember the position."""
        if not lines:
            return
        identity = self._identity
        batch = TailBatch(self._name, self._source(identity), self._delivered, lines)
        pause = self._options.retry_seconds
        started = time.monotonic()
        while True:
            try:
                unread = await self._finished(self._sink(batch), identity, batch.end)
                self._watch.succeeded()
                break
            except Exception as error:
                self._watch.failed(error)
                log.warning("tail %s: not stored, will try again", self._name, exc_info=True)
                self._fail(f"not stored yet: {error}")
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)
        self.status.parse_errors += unread or 0
        self.status.recognised = self._options.form or form_of(lines[0].data, time.time_ns())
        self.status.succeeded(time.time_ns() // 1_000_000, time.monotonic() - started, len(lines))
        self._delivered = batch.end
        self._saved, self._unsaved = (identity, batch.end), True
        if time.monotonic() - self._saved_at >= self._options.save_seconds:
            await self._save_late()

    async def _save_late(self) -> None:
        """Save the position of the last batch, if it is not."""
        if self._unsaved and self._saved is not None:
            await self._save(*self._saved)

    async def _finished(self, storing: Awaitable[int | None], identity: str, end: int) -> int | None:
        """What the sink returns. Who is cancelled meanwhile waits for it, and still remembers the position.

        The rows are on their way: a tail that follows the same file next must not find them missing and send them
        a second time.
        """
        task = asyncio.ensure_future(storing)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task], timeout=_STOP_SECONDS)
            if not task.done():
                task.cancel()
            elif not task.cancelled() and task.exception() is None:
                await self._save(identity, end)
            raise

    async def _save(self, identity: str, offset: int) -> None:
        self._saved, self._unsaved, self._saved_at = (identity, offset), False, time.monotonic()
        try:
            await self._positions.save_position(self._name, identity, offset)
        except Exception:
            # The store knows the position too, and the next batch saves again.
            log.warning("tail %s: position not saved", self._name, exc_info=True)

    async def _load(self) -> tuple[str, int] | None:
        return await self._insist(lambda: self._positions.load_position(self._name))

    async def _position(self, source: str) -> int:
        return await self._insist(lambda: self._positions.source_position(source)) or 0

    async def _insist(self, call: Callable[[], Awaitable[_T]]) -> _T:
        pause = self._options.retry_seconds
        while True:
            try:
                return await call()
            except Exception as error:
                self._watch.failed(error)
                log.warning("tail %s: position unknown, will try again", self._name, exc_info=True)
                self._fail(f"the position cannot be read: {error}")
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)

    def _source(self, identity: str) -> str:
        return f"{self._name}#{identity}"

    def _fail(self, error: str) -> None:
        self.status.failed(time.time_ns() // 1_000_000, 0.0, error)

    def _close(self) -> None:
        if self._reader is not None:
            with contextlib.suppress(OSError):
                self._reader.close()
            self._reader = None


class _Seen(NamedTuple):
    """How an open file and its path are now. ``node`` is the device and inode that the path leads to, zeros for none;
    ``modified_ns`` 0 when the open file is no regular one."""

    truncated: bool
    more: bool
    modified_ns: int
    node: tuple[int, int]


def _seen(reader: LineReader, path: Path) -> _Seen:
    """In this order: a path that is found to lead elsewhere was left after it was looked whether there is more."""
    truncated, more, found = reader.truncated(), reader.has_more(), reader.find(path)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        node = (0, 0)
    else:
        node = (there.st_dev, there.st_ino)
    return _Seen(truncated, more, found.modified_ns if found is not None else 0, node)


def _opened(path: Path, offset: int, max_line_bytes: int) -> tuple[LineReader, FoundFile | None]:
    """A reader of the file at a path, and which file that is.

    Raises:
        OSError: it cannot be opened or read.
    """
    reader = LineReader(open_file(path), offset, max_line_bytes)
    try:
        return reader, reader.find(path)
    except OSError:
        reader.close()
        raise


def _read_joined(reader: LineReader, state: JoinState, options: TailOptions) -> tuple[int, list[TailLine], JoinState]:
    """How many further lines there were, what is complete with them, and what is held back."""
    lines = reader.read(options.batch_lines, options.batch_bytes)
    now = time.monotonic()
    found, state = joined_lines(state, lines, now, options.join)
    more, state = given_up(state, now, options.join)
    return len(lines), [*found, *more], state


def _read_planned(
    reader: LineReader, state: JoinState, options: TailOptions, end: int
) -> tuple[int, list[TailLine], JoinState]:
    """The lines up to the byte ``end``, where a batch ended before, so that none that belong together are parted
    there. What ends sooner is left to be read on."""
    lines: list[TailLine] = []
    while reader.offset < end and (some := reader.read(options.batch_lines, max(1, options.batch_bytes), until=end)):
        lines += some
    found, state = joined_lines(state, lines, time.monotonic(), options.join)
    if reader.offset == end:
        found, state = [*found, *all_held(state)], NOTHING
    return len(lines), list(found), state


def _node(file: FoundFile | None) -> tuple[int, int, str]:
    return (file.device, file.inode, file.fingerprint) if file is not None else (0, 0, "")
