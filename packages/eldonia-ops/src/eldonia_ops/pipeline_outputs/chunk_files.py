"""Chunks in files of one folder: what was acknowledged survives ``kill -9`` and a power cut.

A file is ``<id>.chunk``. Appends go to the page cache at once, and one ``fsync`` for all who wait makes them safe, with
one of the folder for files that are new. What cannot be read is moved to ``broken/``, what was given up to
``given-up/``; both have a file of words beside them. One process at a time uses a folder.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline_outputs.chunk_frames import (
    BrokenChunkError,
    FoundChunk,
    TornChunkError,
    frame,
    head_frame,
    key_of,
    read_frames,
)
from eldonia_ops.pipeline_outputs.taken_keys import TakenKeys

logger = logging.getLogger(__name__)

SUFFIX: Final = ".chunk"
TAKEN: Final = ".taken"
_MOST_OPEN: Final = 128
_MODE: Final = 0o600
_GIVEN_UP: Final = "given-up"


class BufferInUseError(OSError):
    """Another process has the folder."""


class FileChunks:
    """The chunks of one folder. ``executor`` runs what waits for the disk. What was given up is kept up to
    ``most_given_up`` bytes (0: all of it)."""

    on_disk = True

    def __init__(self, folder: Path, executor: Executor | None = None, most_given_up: int = 0) -> None:
        self._folder = folder
        self._most_given_up = most_given_up
        self._executor = executor
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise BufferInUseError(f"the buffer {folder} is in use by another process") from error
        self._open: OrderedDict[str, int] = OrderedDict()
        self._ends: dict[str, int] = {}
        self._dirty: set[str] = set()
        self._new_names = False
        self._syncing: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._taken = TakenKeys(folder / TAKEN)
        self._keys: dict[str, list[bytes]] = {}
        self.broken = 0

    def recover(self) -> list[Chunk]:
        """The chunks that files hold, with torn ends cut off and broken files set aside."""
        found: list[Chunk] = []
        self._taken.load()
        for path in sorted(self._folder.glob("*" + SUFFIX)):
            try:
                chunk = self._recover(path)
            except TornChunkError:
                path.unlink(missing_ok=True)
                continue
            except (OSError, BrokenChunkError) as error:
                self._aside(path, "broken", str(error))
                self.broken += 1
                continue
            if chunk is not None:
                found.append(chunk)
        return found

    def _recover(self, path: Path) -> Chunk | None:
        data = path.read_bytes()
        if not data:
            path.unlink()
            return None
        read = read_frames(data)
        if path.name != read.chunk.id + SUFFIX:
            raise BrokenChunkError("its id is not its name")
        if not read.payloads and not read.broken:
            path.unlink()
            return None
        end = read.good_end
        if read.broken:
            end = self._rewrite(path, read)
        elif end < len(data):
            os.truncate(path, end)
        self._ends[read.chunk.id] = end
        self.took(read.chunk.id, [key for payload in read.payloads if (key := key_of(payload))])
        return read.chunk

    def _rewrite(self, path: Path, read: FoundChunk) -> int:
        """Keep what can be read as the chunk, and all of it among the broken ones."""
        payloads = b"".join(
            frame(payload, max(1, count)) for payload, count in zip(read.payloads, read.counts, strict=True)
        )
        content = head_frame(read.chunk) + payloads
        beside = path.with_suffix(".new")
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._aside(path, "broken", f"{read.broken} frames cannot be read; the others are still sent")
        self.broken += 1
        beside.rename(path)
        return len(content)

    def begin(self, chunk: Chunk) -> None:
        """Make an empty chunk."""
        path = self._path(chunk.id)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        number = os.open(path, flags, _MODE)
        head = head_frame(chunk)
        try:
            _write(number, head)
        except OSError:
            os.close(number)
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        self._keep(chunk.id, number)
        self._ends[chunk.id] = len(head)
        self._dirty.add(chunk.id)
        self._new_names = True

    def knows(self, key: bytes) -> bool:
        """Whether it was taken by this process or an earlier one."""
        return key in self._taken

    def took(self, chunk_id: str, keys: Sequence[bytes]) -> None:
        """Remember keys; they are kept on disk when the chunk goes."""
        if keys:
            self._keys.setdefault(chunk_id, []).extend(keys)
            self._taken.add(keys)

    def mark(self, chunk_id: str) -> int:
        """Where the chunk ends now, for :meth:`cut`."""
        return self._ends[chunk_id]

    def cut(self, chunk_id: str, mark: int) -> None:
        """Take back what was appended since a mark."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._number(chunk_id), mark)
            self._ends[chunk_id] = mark

    def append(self, chunk_id: str, payload: bytes, events: int) -> None:
        """Put a payload to the end of a chunk."""
        number = self._number(chunk_id)
        end = self._ends[chunk_id]
        written = frame(payload, events)
        try:
            _write(number, written)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(number, end)
            raise
        self._ends[chunk_id] = end + len(written)
        self._dirty.add(chunk_id)

    async def sync(self) -> None:
        """Return when all that was appended before is on disk."""
        if not self._dirty and self._syncing is None:
            return
        if self._syncing is None or self._syncing.done():
            self._syncing = asyncio.ensure_future(self._sync())
            await asyncio.shield(self._syncing)
            return
        # The running one may have passed our file already: the next one is for all who wait now.
        if self._next is None:
            self._next = asyncio.ensure_future(self._after(self._syncing))
        await asyncio.shield(self._next)

    async def _after(self, running: "asyncio.Task[None]") -> None:
        with contextlib.suppress(OSError):
            await asyncio.shield(running)
        self._syncing, self._next = self._next, None
        await self._sync()

    async def _sync(self) -> None:
        dirty, new_names = self._dirty, self._new_names
        self._dirty, self._new_names = set(), False
        # A copy of each number: the file may be closed, or written, while it is synchronised.
        numbers = [(id, os.dup(self._number(id))) for id in dirty if id in self._ends]
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._executor, _fsync_all, [number for _, number in numbers], self._folder if new_names else None
            )
        except BaseException:
            self._dirty |= {id for id, _ in numbers if id in self._ends}
            self._new_names |= new_names
            raise
        finally:
            for _, number in numbers:
                os.close(number)

    def payloads(self, chunk_id: str) -> list[bytes]:
        """What was appended to a chunk."""
        return list(read_frames(self._path(chunk_id).read_bytes()).payloads)

    def remove(self, chunk_id: str) -> None:
        """Forget a chunk, but not what it held."""
        self._keep_keys(chunk_id)
        self._forget(chunk_id)
        with contextlib.suppress(FileNotFoundError):
            self._path(chunk_id).unlink()

    def set_aside(self, chunk_id: str, reason: str) -> str:
        """Move a chunk to ``given-up``."""
        self._keep_keys(chunk_id)
        self._forget(chunk_id)
        place = self._aside(self._path(chunk_id), _GIVEN_UP, reason)
        self._bound_given_up()
        return place

    def _bound_given_up(self) -> None:
        """Remove the oldest of what was given up when it takes more room than it may."""
        if not self._most_given_up:
            return
        with contextlib.suppress(OSError):
            kept = [(path, path.stat()) for path in (self._folder / _GIVEN_UP).glob("*" + SUFFIX)]
            total = sum(found.st_size for _, found in kept)
            for path, found in sorted(kept, key=lambda one: one[1].st_mtime_ns):
                if total <= self._most_given_up:
                    break
                total -= found.st_size
                path.unlink()
                path.with_suffix(".txt").unlink(missing_ok=True)
                logger.warning("%s is removed: what was given up takes more room than total_limit_size", path)

    def close(self) -> None:
        """Let go of files and the folder."""
        for number in self._open.values():
            os.close(number)
        self._open.clear()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _path(self, chunk_id: str) -> Path:
        return self._folder / (chunk_id + SUFFIX)

    def _number(self, chunk_id: str) -> int:
        number = self._open.get(chunk_id)
        if number is None:
            number = os.open(self._path(chunk_id), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            self._keep(chunk_id, number)
        else:
            self._open.move_to_end(chunk_id)
        return number

    def _keep(self, chunk_id: str, number: int) -> None:
        self._open[chunk_id] = number
        while len(self._open) > _MOST_OPEN:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)

    def _forget(self, chunk_id: str) -> None:
        number = self._open.pop(chunk_id, None)
        if number is not None:
            os.close(number)
        self._ends.pop(chunk_id, None)
        self._dirty.discard(chunk_id)

    def _keep_keys(self, chunk_id: str) -> None:
        try:
            self._taken.keep(self._keys.pop(chunk_id, ()))
        except OSError as error:
            logger.warning("the buffer %s cannot remember what it has sent: %s", self._folder, error)

    def _aside(self, path: Path, folder: str, reason: str) -> str:
        place = self._folder / folder / path.name
        logger.warning("the chunk %s is set aside in %s: %s", path.name, folder, reason)
        try:
            place.parent.mkdir(exist_ok=True, mode=0o700)
            path.rename(place)
            place.with_suffix(".txt").write_text(reason + "\n", "utf-8")
        except OSError as error:
            logger.warning("the chunk %s cannot be set aside: %s", path.name, error)
            return ""
        return str(place)


def _write(number: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]


def _fsync_all(numbers: list[int], folder: Path | None) -> None:
    for number in numbers:
        os.fdatasync(number)
    if folder is not None:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
