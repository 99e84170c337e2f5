"""Records that wait on disk while their backend is away.

Each process keeps a folder of its own below the destination's, with a lock that it holds while it
lives; folders whose lock is free belong to the dead and are taken over. A folder holds segments,
oldest first. A segment is a sequence of frames:

    length  4 bytes, big-endian: bytes of the payload
    crc     4 bytes, big-endian: CRC-32 of the payload
    payload id, a space, the record's JSON line

so a segment that a crash cut short is read up to the cut. Segments are not synced: they survive the
process, not a power failure.
"""

import errno
import fcntl
import os
import secrets
import stat
import struct
import threading
import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from eldonia_telemetry import dropped_data

SEGMENT_BYTES: Final = 1024 * 1024
_FRAME: Final = struct.Struct(">II")
_MAX_PAYLOAD: Final = 4 * 1024 * 1024
_SUFFIX: Final = ".spill"
_LOCK: Final = "lock"
_WAIT: Final = 0.1
"""Seconds that a thread waits for another that is at the disk."""


class Item(NamedTuple):
    """A record under way: an id that is unique among all processes' records, and its JSON line."""

    id: str
    line: bytes


@dataclass(slots=True)
class _Segment:
    path: str
    size: int
    records: int
    """-1: not counted yet (taken over from a dead process)."""


class Spill:
    """A queue of records on disk, of at most ``max_bytes``; the oldest segments make room and are counted.

    Safe for several threads. Nothing raises: what the disk does not take is refused.
    """

    def __init__(self, folder: str, *, max_bytes: int = 64 * 1024 * 1024, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._base = os.path.abspath(folder)
        self._max_bytes = max_bytes
        self._segment_bytes = min(segment_bytes, max(1, max_bytes // 2))
        self._renew()

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._folder = ""
        self._lock_fd = -1
        self._segments: deque[_Segment] = deque()
        self._writing = -1  # descriptor of the last segment
        self._number = 0
        self._bytes = 0
        self._read: list[Item] = []  # of the first segment
        self._read_at = 0

    @property
    def empty(self) -> bool:
        """Whether nothing waits here."""
        return not self._segments

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._bytes

    def append(self, items: Sequence[Item]) -> int:
        """Add records; returns how many of them, from the first on, the disk has taken."""
        taken = 0
        if not items or not self._lock.acquire(timeout=_WAIT):
            return 0
        try:
            while taken < len(items):
                end, size = taken + 1, len(items[taken].line)
                while end < len(items) and (size := size + len(items[end].line)) <= self._segment_bytes:
                    end += 1
                self._write(items[taken:end])
                taken = end
        except OSError as error:
            dropped_data.count("setup", f"cannot spill to disk ({errno.errorcode.get(error.errno or 0, '?')})", error)
        finally:
            self._lock.release()
        return taken

    def peek(self, max_records: int, max_bytes: int) -> list[Item]:
        """The oldest records, which stay until :meth:`advance`; at least one if there is any."""
        while True:
            with self._lock:
                if self._read_at < len(self._read):
                    return self._next_batch(max_records, max_bytes)
                if not self._segments:
                    return []
                segment = self._segments[0]
                if len(self._segments) == 1:
                    self._end_segment()
            # Without the lock: writers shall not wait for a whole segment to be read.
            items, damaged = _read_segment(segment.path)
            with self._lock:
                if not self._segments or self._segments[0] is not segment:
                    continue  # room had to be made meanwhile
                if damaged:
                    amount = max(1, segment.records - len(items))
                    dropped_data.count("log", "spilled records damaged", amount=amount)
                if not items:
                    self._drop_first()
                self._read, self._read_at = items, 0

    def _next_batch(self, max_records: int, max_bytes: int) -> list[Item]:
        batch: list[Item] = []
        size = 0
        for item in self._read[self._read_at : self._read_at + max_records]:
            size += len(item.line)
            if batch and size > max_bytes:
                break
            batch.append(item)
        return batch

    def advance(self, first: Item, number: int) -> None:
        """Forget ``number`` records from ``first`` on, the beginning of the last :meth:`peek`."""
        with self._lock:
            # Not there any more when room had to be made meanwhile.
            if self._read_at < len(self._read) and self._read[self._read_at] is first:
                self._read_at += number
                if self._read_at >= len(self._read):
                    self._drop_first()

    def adopt(self) -> None:
        """Take over what processes that are no more have left."""
        try:
            names = os.listdir(self._base)
            if not _is_ours(self._base):
                return
        except OSError:
            return  # nothing was spilled
        with self._lock:
            for name in sorted(names):
                folder = os.path.join(self._base, name)
                if folder != self._folder:
                    try:
                        self._take_over(folder)
                    except OSError as error:
                        dropped_data.count("setup", "cannot take over spilled records", error)

    def close(self) -> None:
        """Let go; what is left waits for the next process. Idempotent."""
        with self._lock:
            self._end_segment()
            if self._folder and not self._segments:
                _remove_folder(self._folder)
            if self._lock_fd >= 0:
                os.close(self._lock_fd)
            self._renew()

    def after_fork(self) -> None:
        """The segments stay the parent's (its lock lives on in its own descriptor)."""
        for fd in (self._writing, self._lock_fd):
            if fd >= 0:
                os.close(fd)
        self._renew()

    def _write(self, items: Sequence[Item]) -> None:
        parts: list[bytes] = []
        for item in items:
            payload = b"%s %s" % (item.id.encode(), item.line)
            parts.append(_FRAME.pack(len(payload), zlib.crc32(payload)))
            parts.append(payload)
        data = b"".join(parts)
        if self._writing < 0:
            self._begin_segment()
        segment = self._segments[-1]
        written = -1
        try:
            written = os.write(self._writing, data)
        finally:
            if written != len(data):
                os.ftruncate(self._writing, segment.size)
                if not segment.records:
                    self._segments.pop()
                    os.close(self._writing)
                    self._writing = -1
                    os.unlink(segment.path)
        if written != len(data):
            raise OSError(errno.ENOSPC, "no space left")
        segment.size += len(data)
        segment.records += len(items)
        self._bytes += len(data)
        if segment.size >= self._segment_bytes:
            self._end_segment()
        while self._bytes > self._max_bytes and len(self._segments) > 1:
            self._make_room()

    def _begin_segment(self) -> None:
        if not self._folder:
            self._own_folder()
        path = self._next_path()
        self._writing = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._segments.append(_Segment(path, 0, 0))

    def _next_path(self) -> str:
        self._number += 1
        return os.path.join(self._folder, f"{self._number:010d}{_SUFFIX}")

    def _end_segment(self) -> None:
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1

    def _own_folder(self) -> None:
        os.makedirs(self._base, mode=0o700, exist_ok=True)
        if not _is_ours(self._base):
            raise OSError(errno.EPERM, f"{self._base} belongs to another user")
        folder = os.path.join(self._base, f"{os.getpid()}-{secrets.token_hex(4)}")
        os.mkdir(folder, 0o700)
        fd = os.open(os.path.join(folder, _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise
        self._folder, self._lock_fd = folder, fd

    def _drop_first(self) -> None:
        segment = self._segments.popleft()
        if not self._segments:
            self._end_segment()
        self._bytes -= segment.size
        self._read, self._read_at = [], 0
        try:
            os.unlink(segment.path)
        except OSError as error:
            dropped_data.count("setup", "cannot remove a spilled segment", error)

    def _make_room(self) -> None:
        segment = self._segments[0]
        number = segment.records
        if self._read:
            number = len(self._read) - self._read_at
        elif number < 0:
            number = len(_read_segment(segment.path)[0])
        dropped_data.count("log", "spilled records dropped, the backend has been away too long", amount=number)
        self._drop_first()

    def _take_over(self, folder: str) -> None:
        lock_path = os.path.join(folder, _LOCK)
        try:
            fd = os.open(lock_path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return  # being made, or being taken over
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return  # its owner lives
            if os.fstat(fd).st_nlink == 0:
                return  # another process was faster
            names = sorted(name for name in os.listdir(folder) if name.endswith(_SUFFIX))
            if names and not self._folder:
                self._own_folder()
            taken: list[_Segment] = []
            for name in names:
                path = self._next_path()
                os.rename(os.path.join(folder, name), path)
                taken.append(_Segment(path, os.stat(path).st_size, -1))
            self._bytes += sum(segment.size for segment in taken)
            # Behind the one being read, whose place is the first; never last, where appends go.
            at = 1 if self._read else 0
            for segment in reversed(taken):
                self._segments.insert(at, segment)
            _remove_folder(folder)
            while self._bytes > self._max_bytes and len(self._segments) > 1:
                self._make_room()
        finally:
            os.close(fd)


def _read_segment(path: str) -> tuple[list[Item], bool]:
    """The records of a segment, and whether it is damaged."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return [], True
    items: list[Item] = []
    at = 0
    while at < len(data):
        if at + _FRAME.size > len(data):
            return items, True
        length, crc = _FRAME.unpack_from(data, at)
        payload = data[at + _FRAME.size : at + _FRAME.size + length]
        if length > _MAX_PAYLOAD or len(payload) != length or zlib.crc32(payload) != crc:
            return items, True
        name, _, line = payload.partition(b" ")
        items.append(Item(name.decode("ascii", "replace"), line))
        at += _FRAME.size + length
    return items, False


def _is_ours(folder: str) -> bool:
    """Every user can write to the folder for temporary files: a place that another user prepared is not used."""
    status = os.lstat(folder)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()


def _remove_folder(folder: str) -> None:
    try:
        os.unlink(os.path.join(folder, _LOCK))
        os.rmdir(folder)
    except OSError as error:
        dropped_data.count("setup", "cannot remove a spill folder", error)
