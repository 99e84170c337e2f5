"""Compresses rotated log files while several processes write, rotate and compress.

A file is compressed beside its place under a hidden name, then takes the place of the original, all
under the lock that rotation takes; the rotation may have moved the original on meanwhile, so it is
known by its identity, not its name.
"""

import contextlib
import errno
import fcntl
import gzip
import os
import shutil
from collections.abc import Iterator
from typing import Final

from eldonia_telemetry import dropped_data

SUFFIX: Final = ".gz"
_TEMPORARY: Final = ".compressing"
_LEVEL: Final = 6


def compress_rotated(path: str, number: int, lock_path: str) -> None:
    """Compress ``path.1`` … ``path.<number>`` as far as no process writes to them any more. Never raises.

    ``lock_path`` is the file that rotation locks.
    """
    try:
        with _rotation_lock(lock_path):
            _remove_abandoned(path)
        for place in range(number, 0, -1):
            _compress(path, place, number, lock_path)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("setup", "rotated log files cannot be compressed", error)


def _compress(path: str, place: int, number: int, lock_path: str) -> None:
    try:
        fd = os.open(f"{path}.{place}", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    with os.fdopen(fd, "rb") as original:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno != errno.EWOULDBLOCK:
                raise
            return  # another process has it open for writing, or compresses it; next time
        status = os.fstat(fd)
        folder, name = os.path.split(path)
        temporary = os.path.join(folder, f".{name}.{status.st_ino}{_TEMPORARY}")
        with _rotation_lock(lock_path):  # until its lock is taken it would look abandoned
            packed = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            fcntl.flock(packed, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with os.fdopen(packed, "wb") as raw:
            try:
                with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=_LEVEL, mtime=0) as file:
                    shutil.copyfileobj(original, file, 256 * 1024)
                raw.flush()
                os.fchmod(packed, status.st_mode & 0o777)
                os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
                with _rotation_lock(lock_path):
                    _take_its_place(path, number, (status.st_dev, status.st_ino), temporary)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary)


def _take_its_place(path: str, number: int, identity: tuple[int, int], temporary: str) -> None:
    for place in range(1, number + 1):
        name = f"{path}.{place}"
        try:
            status = os.stat(name)
        except FileNotFoundError:
            continue
        if (status.st_dev, status.st_ino) == identity:
            os.rename(temporary, name + SUFFIX)
            os.unlink(name)
            return


@contextlib.contextmanager
def _rotation_lock(lock_path: str) -> Iterator[None]:
    fd = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)  # held for a few renames at a time
        try:
            yield
        finally:
            # Closing alone would not do while a child that was forked just now has a copy.
            fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)


def _remove_abandoned(path: str) -> None:
    """Delete what a process left that ended while compressing: no process holds its lock."""
    folder, name = os.path.split(path)
    for entry in os.listdir(folder):
        if not (entry.startswith(f".{name}.") and entry.endswith(_TEMPORARY)):
            continue
        abandoned = os.path.join(folder, entry)
        with contextlib.suppress(OSError):
            fd = os.open(abandoned, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(abandoned)
            finally:
                os.close(fd)
