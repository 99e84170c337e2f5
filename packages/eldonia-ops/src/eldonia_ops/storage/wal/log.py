"""The write-ahead log itself: appends with one sync for all who wait, segments, release."""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from eldonia_ops.ports import TelemetryError, TelemetryUnavailableError
from eldonia_ops.storage.wal.codec import MAX_PAYLOAD, Record, header, scan
from eldonia_ops.storage.wal.segments import SegmentFile, first_of, segments, sync_folder

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

SEGMENT_BYTES: Final = 8 << 20
KEPT_SECONDS: Final = 15.0
KEPT_BYTES: Final = 32 << 20

Accept = Callable[[int], None]
"""Called with the sequence number of a record once it is durable, before anything else may be released."""


@dataclass(slots=True)
class _Waiting:
    kind: int
    payload: bytes
    accept: Accept
    done: "asyncio.Future[None]"


@dataclass(slots=True)
class _Segment:
    """A finished segment. ``released_at`` is when its last record was released, 0 before."""

    path: Path
    last: int
    size: int
    released_at: float = 0.0


class WriteAheadLog:
    """Appends records to segments in a folder; one ``fdatasync`` serves all who wait.

    Released segments stay for ``kept_seconds`` or until all of them take ``kept_bytes``, whichever is first: a copy
    of the folder, made file by file while it is written, has a record either here or where it was moved to.
    ``preamble`` gives records that every segment begins with, by kind: what must outlive the records behind it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        kept_seconds: float = KEPT_SECONDS,
        kept_bytes: int = KEPT_BYTES,
        preamble: Callable[[], list[tuple[int, bytes]]] = list,
    ) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._kept_seconds = kept_seconds
        self._kept_bytes = kept_bytes
        self._preamble = preamble
        self._thread = ThreadPoolExecutor(1, "telemetry-wal")
        self._segment: SegmentFile | None = None
        self._finished: deque[_Segment] = deque()
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None
        self._next = 1
        self._last = 0
        self._released = 0
        self._closed = False
        self._turning = False
        self.gaps = 0
        self.failures = 0
        self.syncs = 0

    @property
    def size(self) -> int:
        """Bytes of all segments."""
        return sum(segment.size for segment in self._finished) + (self._segment.size if self._segment else 0)

    @property
    def unreleased_bytes(self) -> int:
        """Bytes of the segments that hold a record which is not released."""
        waiting = sum(segment.size for segment in self._finished if segment.last > self._released)
        return waiting + (self._segment.size if self._segment and self._last > self._released else 0)

    @property
    def last(self) -> int:
        """The sequence number of the last record that is durable and was accepted."""
        return self._last

    async def replay(self) -> AsyncIterator[list[Record]]:
        """The records that were not released, or not long ago, segment by segment. Call it once, before appending.

        Their segments stay until :meth:`release`. What is behind the last whole record of a segment is left out.

        Raises:
            TelemetryError: a segment cannot be read.
        """
        await self._on_thread(self._make_folder)
        for first, path in await self._on_thread(lambda: segments(self._folder)):
            data = await self._on_thread(path.read_bytes)
            found = scan(data)
            if found.gaps:
                self.gaps += found.gaps
                _log.error("%s: %d damaged places; the records between them are read", path, found.gaps)
            if len(data) > found.end:
                _log.info("%s: %d bytes behind the last whole record are left out", path, len(data) - found.end)
            # Also the number that an empty segment is named by counts as used: no two have the same name.
            last = max(first, found.records[-1].sequence if found.records else 0, self._next - 1)
            self._next, self._last = last + 1, last
            self._finished.append(_Segment(path, last, len(data)))
            yield found.records

    async def append(self, kind: int, payload: bytes, accept: Accept) -> None:
        """Return once the record is durable. ``accept`` is called then, also when the caller has given up meanwhile.

        Raises:
            TelemetryUnavailableError: it is not durable: the disk is full or failed, or the log is closed.
            TelemetryError: the payload is too large.
        """
        if self._closed:
            raise TelemetryUnavailableError("the telemetry store is closed")
        if len(payload) > MAX_PAYLOAD:
            raise TelemetryError(f"a batch of {len(payload)} bytes is too large: send smaller ones")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(kind, payload, accept, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="telemetry-wal")
        await asyncio.shield(done)

    def release(self, sequence: int) -> None:
        """Records up to this one are kept elsewhere from now on."""
        self._released = max(self._released, min(sequence, self._last))

    async def tidy(self) -> None:
        """Remove segments that are released and were kept for long enough. Failures are logged."""
        now = time.monotonic()
        kept = 0
        for segment in self._finished:
            if segment.last <= self._released:
                segment.released_at = segment.released_at or now
                kept += segment.size
        gone: list[Path] = []
        while self._finished and (first := self._finished[0]).released_at:
            if now - first.released_at < self._kept_seconds and kept <= self._kept_bytes:
                break
            kept -= first.size
            gone.append(self._finished.popleft().path)
        if gone:
            await self._on_thread(lambda: self._remove(gone))

    def turn_over(self) -> int:
        """Have what comes next go to a new segment; the number of the last record that may be in the present one."""
        if self._task is None:
            self._finish_segment()
        else:
            self._turning = True  # a group is being written
        return self._next - 1

    def holds(self, sequence: int) -> int:
        """How many segments hold records up to this number."""
        found = sum(1 for segment in self._finished if first_of(segment.path) <= sequence)
        return found + (1 if self._segment is not None and first_of(self._segment.path) <= sequence else 0)

    async def link(self, scratch: Path) -> list[tuple[str, Path, int]]:
        """Hard links, in an empty folder on the same disk, of all segments as they are now: name, path, and bytes.

        Their bytes hold every record that is durable and was not released, and end with a whole one.

        Raises:
            TelemetryUnavailableError: a link cannot be made.
        """
        return await self._on_thread(lambda: self._link(scratch))

    async def close(self) -> None:
        """Finish what was accepted. When everything is released only the preamble stays. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._task is not None:
            await asyncio.shield(self._task)
        try:
            if self._last <= self._released:
                self._finish_segment()
                await self._on_thread(self._begin_segment)
                gone = [segment.path for segment in self._finished]
                await self._on_thread(lambda: self._remove(gone))
        except TelemetryError as error:
            _log.warning("the write-ahead log could not be tidied up: %s", error)
        if self._segment is not None:
            await self._on_thread(self._segment.close)
        self._thread.shutdown(wait=True)

    async def _run(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                try:
                    last = await self._on_thread(partial(self._write, group))
                except TelemetryError as error:
                    self.failures += 1
                    # What the kernel could not write it may have dropped: nothing more goes to this segment.
                    self._finish_segment()
                    _settle(group, error)
                    continue
                except BaseException as error:
                    _settle([*group, *self._waiting], TelemetryUnavailableError(f"not stored: {error!r}"))
                    self._waiting = []
                    raise
                # One step for the loop: what is durable is accepted before anything can be released because of it.
                self._last = last
                for sequence, waiting in enumerate(group, last - len(group) + 1):
                    waiting.accept(sequence)
                _settle(group, None)
                if self._segment is not None and (self._turning or self._segment.size >= self._segment_bytes):
                    self._finish_segment()
                self._turning = False
        finally:
            self._task = None

    def _finish_segment(self) -> None:
        """What comes next goes to a new segment."""
        if (segment := self._segment) is not None:
            self._segment = None
            segment.close()
            self._finished.append(_Segment(segment.path, self._next - 1, segment.size))

    # --- on the thread ---------------------------------------------------------------------

    async def _on_thread(self, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            # Nothing is wrong with the batch: it must not be tried in halves.
            raise TelemetryUnavailableError(
                f"the write-ahead log in {self._folder}: {error.strerror or error}"
            ) from error

    def _write(self, group: list[_Waiting]) -> int:
        """Append records, durably; returns the sequence number of the last. No number is used twice."""
        if self._segment is None:
            self._begin_segment()
        segment = self._segment
        assert segment is not None
        sequence = self._next
        parts: list[bytes] = []
        for waiting in group:
            parts += (header(sequence, waiting.kind, waiting.payload), waiting.payload)
            sequence += 1
        self._next = sequence
        self.syncs += 1
        segment.append(parts)
        return sequence - 1

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sync_folder(self._folder.parent)

    def _begin_segment(self) -> None:
        while True:
            try:
                segment = SegmentFile(self._folder, self._next)
                break
            except FileExistsError:
                self._next += 1  # left by an attempt that failed half-way
        parts: list[bytes] = []
        sequence = self._next
        for kind, payload in self._preamble():
            parts += (header(sequence, kind, payload), payload)
            sequence += 1
        if parts:
            try:
                segment.append(parts)
            except OSError:
                segment.close()
                segment.path.unlink(missing_ok=True)
                raise
        self._next = sequence
        self._segment = segment

    def _link(self, scratch: Path) -> list[tuple[str, Path, int]]:
        # On the thread that appends and removes: no record is half written meanwhile, and no segment goes.
        found: list[tuple[str, Path, int]] = []
        for _, path in segments(self._folder):
            linked = scratch / path.name
            os.link(path, linked)
            found.append((path.name, linked, linked.stat().st_size))
        return found

    def _remove(self, paths: list[Path]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
        sync_folder(self._folder)


def _settle(group: list[_Waiting], error: TelemetryError | None) -> None:
    for waiting in group:
        if waiting.done.done():
            continue
        if error is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(error)
            waiting.done.exception()  # the caller gave up, so no one looks at it
