"""The data folder, which holds the admin token and everything that is known."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from eldonia_ops.model.errors import ConfigError, Diagnostic


def own_folder(path: Path) -> None:
    """Make the data folder, closed to others, or check that an existing one belongs to this user alone.

    Raises:
        ConfigError: it cannot be made; or another user owns it or everybody may write there, so that token and state
            could be swapped.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = path.stat()
    except OSError as error:
        hint = "choose another folder with --data, or data in the settings"
        raise ConfigError(
            Diagnostic(f"the data folder cannot be made: {error.strerror}", str(path), hint=hint)
        ) from None
    if found.st_uid not in (os.geteuid(), 0):
        hint = "choose another folder with --data, or make it yours"
        raise ConfigError(Diagnostic("the data folder belongs to another user", str(path), hint=hint))
    if (path / UNFINISHED).exists():
        hint = "run eldonia-ops restore again"
        raise ConfigError(Diagnostic("a restore into the data folder was cut off", str(path), hint=hint))
    if found.st_mode & stat.S_IWOTH:
        hint = f"close it: chmod o-w {path}"
        raise ConfigError(Diagnostic("everybody may write into the data folder", str(path), hint=hint))


LOCK_FILE: Final = "eldonia-ops.lock"
UNFINISHED: Final = "restore.unfinished"
"""Marks a folder in which a restore was cut off."""


@contextlib.contextmanager
def held_folder(path: Path) -> Iterator[None]:
    """Keep the data folder to this process. The lock ends with the process, however it ends; its file stays.

    Raises:
        ConfigError: another process has it, or the file cannot be written.
    """
    file = path / LOCK_FILE
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ConfigError(Diagnostic(f"cannot be written: {error.strerror}", str(file))) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(lock, 20).decode("ascii", "replace").strip()
            by = f"process {holder}" if holder.isdecimal() else "another process"
            hint = "stop that one first, or choose another folder with --data"
            raise ConfigError(Diagnostic(f"the data folder is in use by {by}", str(path), hint=hint)) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)
