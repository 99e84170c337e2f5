"""A log file of bounded size, and age, that several processes and threads may write together.

Every record is one ``write`` on a descriptor opened with ``O_APPEND``, so records never interleave.
After it, the file position tells how large the file has become, with the writes of all processes. Who finds it too
large takes an exclusive lock beside the file, looks whether another process has rotated already, and
otherwise renames ``x.log`` → ``x.log.1`` → ``x.log.2`` …. The others notice through their own next
write, or within a second through the file's identity, and open the new file. The new descriptor
takes the number of the old one (``dup2``), so no thread can ever write to a closed one.

Who writes holds a shared lock on the file itself for as long as it is open. A rotated file whose
lock is free will therefore never change again, and may be compressed.
"""

import errno
import fcntl
import os
import threading
import time
from collections.abc import Sequence
from typing import Final

from eldonia_telemetry import dropped_data
from eldonia_telemetry.records import DEBUG
from eldonia_telemetry.sinks import compression

_LOOK_EVERY: Final = 1.0
"""Seconds between looks whether the path still is the file that is open (another's rotation, a deletion)."""
_RETRY_EVERY: Final = 5.0
"""Seconds between attempts to open a file that cannot be opened, or to rotate one that cannot be rotated."""
_LOCK_TRIES: Final = 20
_LOCK_WAIT: Final = 0.005


class RotatingFileSink:
    """Appends records to ``path``; keeps ``max_files`` files of about ``max_bytes`` in all.

    ``every`` seconds (of UTC: 3600 at the full hour, 86400 at midnight; 0 never) also begin a new file.
    ``compress`` turns rotated files into ``.gz`` in the background, once no process writes to them.

    A file may exceed ``max_bytes`` by 0.4 % and what is written in one piece, for each process that writes. What
    cannot be written (disk full, directory read-only) is lost, counted and reported once; writing resumes by itself.
    """

    def __init__(
        self,
        path: str,
        *,
        max_bytes: int = 5 * 1024 * 1024,
        max_files: int = 5,
        every: int = 0,
        compress: bool = False,
        threshold: int = DEBUG,
    ) -> None:
        self.threshold = threshold
        self._path = os.path.abspath(path)
        folder, name = os.path.split(self._path)
        # Hidden, so that collectors that follow *.log do not read it.
        self._lock_path = os.path.join(folder, f".{name}.lock")
        self._max_bytes = max_bytes
        self._look_after = max_bytes >> 8
        """Bytes that this process may add before it asks how large the file has become."""
        self._unseen = 0
        self._max_files = max(1, max_files)
        self._every = every
        self._turn_at = float("inf")
        """When the period of the file that is open ends, in Unix seconds."""
        self._compress = compress
        self._compressing: threading.Thread | None = None
        self._fd = -1
        self._identity = (0, 0)
        self._torn = False
        self._turning = threading.Lock()
        self._look_at = 0.0
        self._rotate_at = 0.0
        self._open()

    def write(self, line: bytes) -> None:
        """Append one record."""
        self._append(line, 1)

    def write_all(self, lines: Sequence[bytes]) -> None:
        """Append several in one piece."""
        self._append(b"".join(lines), len(lines))

    def _append(self, data: bytes, records: int) -> None:
        now = time.monotonic()
        if now >= self._look_at:
            self._look(now)
        if self._every and time.time() >= self._turn_at and now >= self._rotate_at:
            self._rotate(now)
        fd = self._fd
        if fd < 0:
            dropped_data.count("log", "log file not writable", amount=records)
            return
        torn = self._torn
        if torn:  # end the record that the full disk cut short
            self._torn = False
            data = b"\n" + data
        try:
            written = os.write(fd, data)
            if written != len(data):
                arrived = data[int(torn) : written]
                self._torn = not arrived.endswith(b"\n")
                dropped_data.count(
                    "log", "log file record cut short, disk full?", amount=records - arrived.count(b"\n")
                )
                return
            self._unseen += written
            if self._unseen > self._look_after:
                self._unseen = 0
                if os.lseek(fd, 0, os.SEEK_CUR) >= self._max_bytes and now >= self._rotate_at:
                    self._rotate(now)
        except OSError as error:
            self._torn = self._torn or torn
            dropped_data.count(
                "log", f"log file not writable ({errno.errorcode.get(error.errno or 0, '?')})", error, records
            )

    def flush(self, timeout: float) -> None:
        """Nothing is held back: the kernel has every record."""

    def close(self, timeout: float = 0.0) -> None:
        """Close the file."""
        with self._turning:
            fd, self._fd = self._fd, -1
            self._look_at = float("inf")
            if fd >= 0:
                os.close(fd)

    def after_fork(self) -> None:
        """Another thread may have been rotating when the process forked."""
        self._turning = threading.Lock()
        self._compressing = None

    def _look(self, now: float) -> None:
        if not self._turning.acquire(blocking=False):
            return
        try:
            if self._look_at == float("inf"):
                return  # closed meanwhile
            self._look_at = now + (_LOOK_EVERY if self._fd >= 0 else _RETRY_EVERY)
            if self._fd < 0 or _identity_of(self._path) != self._identity:
                self._open()
                if self._fd >= 0:
                    self._look_at = now + _LOOK_EVERY
        finally:
            self._turning.release()

    def _open(self) -> None:
        """Open the path, under the number of the descriptor in use if there is one."""
        try:
            fd = self._open_shared()
        except OSError as error:
            dropped_data.count(
                "setup", f"cannot open log file ({errno.errorcode.get(error.errno or 0, '?')})", error, 1
            )
            self._look_at = time.monotonic() + _RETRY_EVERY
            return
        status = os.fstat(fd)
        if self._every:
            began = status.st_mtime if status.st_size else time.time()
            self._turn_at = (began // self._every + 1) * self._every
        if self._fd >= 0:
            os.dup2(fd, self._fd, inheritable=False)
            os.close(fd)
        else:
            self._fd = fd
        self._identity = (status.st_dev, status.st_ino)

    def _open_shared(self) -> int:
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        for _ in range(_LOCK_TRIES):
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                pass  # rotated since the line above, and being compressed
            except OSError:
                return fd  # some network file systems lock nothing; there nothing is compressed either
            else:
                status = os.fstat(fd)
                if _identity_of(self._path) == (status.st_dev, status.st_ino):
                    return fd
            os.close(fd)
        raise OSError(errno.EAGAIN, "rotated again and again while it was being opened")

    def _rotate(self, now: float) -> None:
        if not self._turning.acquire(timeout=_LOCK_TRIES * _LOCK_WAIT):
            return  # another thread has been at it for very long; the next write tries again
        try:
            if self._fd < 0 or not self._is_full():
                return  # it has been done while we waited
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                if not _try_lock(lock):
                    return  # another process is very slow; the next write tries again
                try:
                    if _identity_of(self._path) == self._identity:
                        self._shift()
                    self._open()
                finally:
                    # Closing alone would not do while a child that was forked just now has a copy.
                    fcntl.flock(lock, fcntl.LOCK_UN)
            finally:
                os.close(lock)
        except OSError as error:
            self._rotate_at = now + _RETRY_EVERY
            dropped_data.count("setup", "cannot rotate log file, it keeps growing", error)
        finally:
            self._turning.release()
        if self._compress and self._max_files > 1:
            self._compress_rotated()

    def _is_full(self) -> bool:
        size = os.fstat(self._fd).st_size
        if size >= self._max_bytes:
            return True
        if not self._every or time.time() < self._turn_at:
            return False
        if size:
            return True
        self._turn_at = (time.time() // self._every + 1) * self._every  # an empty file is as good as a new one
        return False

    def _shift(self) -> None:
        last = self._max_files - 1
        if not last:
            os.unlink(self._path)
            return
        for number, suffix in sorted(self._rotated(), reverse=True):
            old = f"{self._path}.{number}{suffix}"
            if number >= last:
                os.unlink(old)
            else:
                os.rename(old, f"{self._path}.{number + 1}{suffix}")
        os.rename(self._path, f"{self._path}.1")

    def _rotated(self) -> list[tuple[int, str]]:
        """Number and suffix of the rotated files that there are."""
        folder, name = os.path.split(self._path)
        found: list[tuple[int, str]] = []
        for entry in os.listdir(folder):
            if entry.startswith(f"{name}."):
                suffix = compression.SUFFIX if entry.endswith(compression.SUFFIX) else ""
                number = entry[len(name) + 1 : len(entry) - len(suffix)]
                if number.isdecimal() and number.isascii():
                    found.append((int(number), suffix))
        return found

    def _compress_rotated(self) -> None:
        thread = self._compressing
        if thread is not None and thread.is_alive():
            return
        self._compressing = threading.Thread(
            target=compression.compress_rotated,
            args=(self._path, self._max_files - 1, self._lock_path),
            name="eldonia-telemetry-compress",
            daemon=True,
        )
        try:
            self._compressing.start()
        except RuntimeError as error:  # no more threads, or the interpreter is on its way out
            dropped_data.count("setup", "rotated log files cannot be compressed", error)


def _identity_of(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)


def _try_lock(fd: int) -> bool:
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_WAIT)
        else:
            return True
    return False
