"""Files on disk as a tail sees them: who a file is, which files follow each other, and lines by offset.

A file is known by ``device:inode:fingerprint``, where the fingerprint digests its first line (or the first
KiB of a longer one): an inode number is used again after a deletion, and a truncated file keeps it. A file
that was truncated and begins with the same line again gets a generation, ``~1``, behind its identity.
"""

import hashlib
import os
import re
import stat
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from operator import add
from pathlib import Path
from typing import Final

import msgspec

FINGERPRINT_BYTES: Final = 1024
READ_BYTES: Final = 256 * 1024
_GUARD_BYTES = 64
_ROTATION = re.compile(r"[._-]\d[\d._:T-]*")
_ROTATION_MARKS = "0123456789._:T-"


def shown_path(path: str | os.PathLike[str]) -> str:
    """A path as text that can be stored and shown: bytes of a name that are no UTF-8 are written as ``\\xe9``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def fingerprint(descriptor: int, *, whole: bool = False) -> str:
    """Digest of the first line; empty while that line is unfinished (unless ``whole`` takes what there is)."""
    head = os.pread(descriptor, FINGERPRINT_BYTES, 0)
    end = head.find(b"\n")
    if end >= 0:
        head = head[: end + 1]
    elif len(head) < FINGERPRINT_BYTES and not (whole and head):
        return ""
    return hashlib.blake2b(head, digest_size=8).hexdigest()


def split_identity(identity: str) -> tuple[str, int]:
    """An identity without its generation, and the generation."""
    base, _, generation = identity.partition("~")
    return base, int(generation) if generation.isascii() and generation.isdigit() else 0


def join_identity(base: str, generation: int) -> str:
    """The opposite of :func:`split_identity`."""
    return f"{base}~{generation}" if generation else base


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file at one moment. ``identity`` is empty while its first line is unfinished."""

    path: Path
    device: int
    inode: int
    fingerprint: str
    size: int
    modified_ns: int

    @property
    def identity(self) -> str:
        """``device:inode:fingerprint``."""
        return f"{self.device}:{self.inode}:{self.fingerprint}" if self.fingerprint else ""


def open_file(path: Path) -> int:
    """A descriptor to read from; a pipe that has no writer does not hold us up.

    Raises:
        OSError: there is no such file, or it cannot be read.
    """
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)


def look(path: Path, *, whole: bool = False) -> FoundFile | None:
    """The regular file at a path, or None when there is none.

    Raises:
        OSError: there is one that cannot be read.
    """
    try:
        descriptor = open_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return look_at(descriptor, path, whole=whole)
    finally:
        os.close(descriptor)


def look_at(descriptor: int, path: Path, *, whole: bool = False) -> FoundFile | None:
    """The same for an open file."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        return None
    print_ = fingerprint(descriptor, whole=whole)
    return FoundFile(path, found.st_dev, found.st_ino, print_, found.st_size, found.st_mtime_ns)


def is_rotation_name(name: str, main: str) -> bool:
    """Whether ``name`` looks like an older ``main``: ``app.log.1``, ``app.log-20261123``, ``app.log.2026-11-23_10``.

    A number inside the name (``app-2.log``) says nothing: that may well be another process' own file.
    """
    return name.startswith(main) and _ROTATION.fullmatch(name, len(main)) is not None


def main_of(name: str, mains: Container[str]) -> str | None:
    """The one of ``mains`` that ``name`` looks like an older copy of, by :func:`is_rotation_name`; the shortest."""
    places = range(len(name.rstrip(_ROTATION_MARKS)), len(name))
    return next((name[:at] for at in places if name[:at] in mains and is_rotation_name(name, name[:at])), None)


def rotated_files(main: Path) -> list[FoundFile]:
    """Rotated predecessors of a path that can be read, oldest first."""
    found: list[FoundFile] = []
    try:
        names = os.listdir(main.parent)
    except OSError:
        return found
    for name in names:
        if is_rotation_name(name, main.name):
            try:
                file = look(main.parent / name, whole=True)
            except OSError:
                continue
            if file is not None and file.size and file.fingerprint:
                found.append(file)
    return sorted(found, key=_age)


def _age(file: FoundFile) -> tuple[int, int]:
    # Files rotated within one tick of the clock share their time; then app.log.2 is older than app.log.1.
    number = re.search(r"[._-](\d{1,4})$", file.path.name)
    return file.modified_ns, -int(number[1]) if number else 0


class TailLine(msgspec.Struct, frozen=True, gc=False):
    """One line without its newline. ``offset`` is the byte behind its newline; ``dropped`` bytes were cut off."""

    offset: int
    data: bytes
    dropped: int = 0


_WIDE: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_UTF8_MARK: Final = b"\xef\xbb\xbf"


class LineReader:
    """Reads an open file on from an offset, in complete lines. Takes over the descriptor.

    A file that begins with the byte order mark of UTF-16 is read as such, and its lines are handed out in UTF-8; other
    files are read as they are, without the mark of UTF-8.

    ``offset`` is the end of the last line handed out, where reading starts again after a crash; ``start``
    is where the lines handed out last begin.
    """

    def __init__(self, descriptor: int, offset: int, max_line_bytes: int) -> None:
        self._descriptor = descriptor
        self._max = max_line_bytes
        self._ready: deque[TailLine] = deque()
        self._ready_bytes = 0
        self._partial = bytearray()
        self._dropped = 0
        self._read_to = offset
        # What lies around the offset is known from now on: should the file be cut and written again before the
        # first read, that would otherwise begin in the middle of a line, or with lines of another file's name.
        before = min(offset, _GUARD_BYTES)
        self._guard = os.pread(descriptor, before, offset - before) if before else b""
        self._head = b"" if before else os.pread(descriptor, FINGERPRINT_BYTES, 0)
        self._wide = _WIDE.get(os.pread(descriptor, 2, 0), "")
        self._unsplit = b""
        self.offset = offset
        self.start = offset

    def close(self) -> None:
        """Close the descriptor. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        """For one that was opened on a thread for a tail that has ended meanwhile."""
        self.close()

    def read(self, max_lines: int, max_bytes: int, until: int = 0) -> list[TailLine]:
        """Up to ``max_lines`` further lines, and no more than reach ``max_bytes``; fewer only when the file ends here
        for now, or was cut, or at the byte ``until`` if one is given. Empty lines are skipped."""
        while len(self._ready) < max_lines and self._ready_bytes < max_bytes:
            known = len(self._guard)
            # What was read last is read once more with what follows: were the file cut and written again since
            # somebody looked, this would otherwise begin in the middle of a line.
            chunk = os.pread(self._descriptor, known + READ_BYTES, self._read_to - known)
            if len(chunk) <= known or chunk[:known] != self._guard or not chunk.startswith(self._head):
                break
            self._head = b""
            self._take(chunk[known:])
        return self._hand_out(max_lines, max_bytes, until)

    def ready(self) -> list[TailLine]:
        """Lines that were read from the file and not handed out yet."""
        return self._hand_out(len(self._ready), self._ready_bytes)

    def _hand_out(self, max_lines: int, max_bytes: int, until: int = 0) -> list[TailLine]:
        ready = self._ready
        lines = [ready.popleft() for _ in range(min(max_lines, len(ready)))]
        sizes = list(accumulate([len(line.data) for line in lines]))
        # The line that reaches the bound is the last one.
        kept = min(len(lines), bisect_left(sizes, max_bytes) + 1)
        if until:
            kept = min(kept, bisect_right([line.offset for line in lines], until))
        ready.extendleft(reversed(lines[kept:]))
        del lines[kept:]
        self._ready_bytes -= sizes[kept - 1] if kept else 0
        if lines:
            self.start, self.offset = self.offset, lines[-1].offset
        return lines

    def rest(self) -> list[TailLine]:
        """The unfinished last line of a file that no longer grows."""
        if self._unsplit:
            units, self._unsplit = self._unsplit, b""
            self._put_wide(units, self._read_to)
            return self.ready()
        if not self._partial and not self._dropped:
            return []
        line = TailLine(self._read_to, bytes(self._partial).removesuffix(b"\r"), self._dropped)
        self._partial.clear()
        self._dropped = 0
        self.start, self.offset = self.offset, self._read_to
        return [line] if line.data or line.dropped else []

    def has_more(self) -> bool:
        """Whether there are bytes that were not read, or lines that were not handed out."""
        return bool(self._ready) or os.fstat(self._descriptor).st_size > self._read_to

    def truncated(self) -> bool:
        """Whether the file was cut: it is shorter than what was read, or what was read last is no longer there."""
        if os.fstat(self._descriptor).st_size < self._read_to:
            return True
        expected = self._guard or self._head
        start = self._read_to - len(self._guard)
        return bool(expected) and os.pread(self._descriptor, len(expected), start) != expected

    def find(self, path: Path) -> FoundFile | None:
        """The open file as :func:`look_at` sees it."""
        return look_at(self._descriptor, path, whole=True)

    def _take(self, chunk: bytes) -> None:
        start = self._read_to
        if not start:  # a file may have been empty when it was opened
            self._wide = _WIDE.get(chunk[:2], "")
        self._read_to += len(chunk)
        self._guard = (self._guard + chunk)[-_GUARD_BYTES:] if len(chunk) < _GUARD_BYTES else chunk[-_GUARD_BYTES:]
        if self._wide:
            self._take_wide(self._unsplit + chunk, start - len(self._unsplit))
            return
        if not start and chunk.startswith(_UTF8_MARK):
            start, chunk = len(_UTF8_MARK), chunk[len(_UTF8_MARK) :]
        if not self._partial and not self._dropped and chunk[:1] == b"\0":
            # A writer that kept its position over a truncation leaves a hole in front of its next line.
            kept = chunk.lstrip(b"\0")
            start += len(chunk) - len(kept)
            chunk = kept
        pieces = chunk.split(b"\n")
        last = pieces.pop()
        at = start
        if not self._partial and not self._dropped:
            at = self._take_plain(pieces, at, b"\r" in chunk)
        elif pieces:
            at = self._take_piece(pieces[0], at)
            at = self._take_plain(pieces[1:], at, b"\r" in chunk)
        self._extend(last)

    def _take_wide(self, chunk: bytes, at: int) -> None:
        """Take lines of two-byte units, the first of which begins at ``at``, an even place."""
        if not at:
            at, chunk = 2, chunk[2:]
        end_of_line = "\n".encode(self._wide)
        begin = look = 0
        while (end := chunk.find(end_of_line, look)) >= 0:
            look = end + 2
            if end % 2:  # the second half of one character and the first of the next
                look = end + 1
                continue
            self._put_wide(chunk[begin:end], at + end + 2)
            begin = end + 2
        self._unsplit = chunk[begin:]
        if len(self._unsplit) > 2 * self._max + 2:
            # The rest of a line that is too long is only counted.
            cut, whole = 2 * self._max, len(self._unsplit) - len(self._unsplit) % 2
            self._dropped += whole - cut
            self._unsplit = self._unsplit[:cut] + self._unsplit[whole:]

    def _put_wide(self, units: bytes, end: int) -> None:
        data = units.decode(self._wide, "replace").removesuffix("\r").encode()
        dropped, self._dropped = self._dropped + max(0, len(data) - self._max), 0
        data = data[: self._max]
        if data or dropped:
            self._ready.append(TailLine(end, data, dropped))
            self._ready_bytes += len(data)

    def _take_plain(self, pieces: list[bytes], at: int, careful: bool) -> int:
        """Take whole lines, the first of which begins at ``at``; returns where the next one begins."""
        if careful or not all(pieces) or max(map(len, pieces), default=0) > self._max:
            for piece in pieces:
                at = self._take_piece(piece, at)
            return at
        ends = list(map(add, accumulate(map(len, pieces)), count(at + 1)))
        self._ready.extend(map(TailLine, ends, pieces))
        self._ready_bytes += sum(map(len, pieces))
        return ends[-1] if ends else at

    def _take_piece(self, piece: bytes, at: int) -> int:
        """Take one line, or what ends the one before it."""
        at += len(piece) + 1
        if self._partial or self._dropped:
            self._extend(piece)
            piece, dropped = bytes(self._partial), self._dropped
            self._partial.clear()
            self._dropped = 0
        else:
            dropped = max(0, len(piece) - self._max)
            piece = piece[: self._max] if dropped else piece
        if piece.endswith(b"\r"):
            piece = piece[:-1]
        if piece or dropped:
            self._ready.append(TailLine(at, piece, dropped))
            self._ready_bytes += len(piece)
        return at

    def _extend(self, piece: bytes) -> None:
        room = self._max - len(self._partial)
        self._partial += piece[:room]
        self._dropped += max(0, len(piece) - room)


def catch_up(
    saved_identity: str, saved_offset: int, rotated: Sequence[FoundFile]
) -> tuple[FoundFile | None, list[FoundFile]]:
    """Which rotated files hold lines that were not read: the rest of the saved one, and whole newer ones.

    The saved file is recognised by its identity, or, when it was copied before a truncation, by its
    fingerprint at another inode. When it is not there at all, every rotated file is taken for newer, since
    rotation deletes the oldest first; what was stored of them before is known by their own positions.
    """
    base, _ = split_identity(saved_identity)
    print_ = base.rpartition(":")[2]
    index = next((i for i, file in enumerate(rotated) if file.identity == base), -1)
    if index < 0:
        copies = [i for i, file in enumerate(rotated) if file.fingerprint == print_ and file.size >= saved_offset]
        index = copies[-1] if copies else -1
    if index < 0:
        return None, list(rotated)
    return rotated[index], list(rotated[index + 1 :])
