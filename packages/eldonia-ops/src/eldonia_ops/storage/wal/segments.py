"""The files of a write-ahead log: one after another, each named by the first sequence number that may be in it."""

import contextlib
import os
from pathlib import Path
from typing import Final

_SUFFIX: Final = ".wal"
_DIGITS: Final = 20


def segment_path(folder: Path, first: int) -> Path:
    """The file whose records have sequence numbers from ``first`` on."""
    return folder / f"{first:0{_DIGITS}d}{_SUFFIX}"


def first_of(path: Path) -> int:
    """The first sequence number that may be in a segment."""
    return int(path.stem)


def segments(folder: Path) -> list[tuple[int, Path]]:
    """``(first sequence number, file)`` of every segment, in their order."""
    files = folder.glob(f"*{_SUFFIX}")
    return sorted((int(path.stem), path) for path in files if path.stem.isascii() and path.stem.isdigit())


def sync_folder(folder: Path) -> None:
    """Make new and removed names of a folder durable.

    Raises:
        OSError: the folder cannot be opened or synced.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class SegmentFile:
    """The segment that is being written. Its methods block: call them on a thread."""

    def __init__(self, folder: Path, first: int) -> None:
        """Create the file, durably.

        Raises:
            OSError: it exists, or the disk takes no more.
        """
        self.path = segment_path(folder, first)
        self.size = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o600)
        try:
            sync_folder(folder)
        except BaseException:
            self.close()
            raise

    def append(self, parts: list[bytes]) -> None:
        """Write the parts and sync them; on return they are durable.

        Raises:
            OSError: they are not. The file must not be written to again: the kernel may have dropped what it could
                not write, and would report success next time.
        """
        data = b"".join(parts) if len(parts) != 1 else parts[0]
        view = memoryview(data)
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, view[written:])
            os.fdatasync(self._descriptor)
        except OSError:
            # A reader need not separate half a record from a damaged one.
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(data)

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
