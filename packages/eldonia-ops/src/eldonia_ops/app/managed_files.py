"""The managed file, its history and its secrets, in the data folder: for this user alone, replaced in one step."""

import contextlib
import os
import re
from pathlib import Path
from typing import Final

from eldonia_ops.services.configuration.managed import HISTORY, SECRETS
from eldonia_ops.settings.managed import MANAGED_FILE

_SECRET: Final = re.compile(rf"{SECRETS}/[0-9a-f]{{16}}")


class ManagedFiles:
    """Implements :class:`~eldonia_ops.services.configuration.managed.ManagedStore` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / MANAGED_FILE

    @property
    def file(self) -> str:
        """The path of the managed file."""
        return str(self._path)

    def read(self) -> str:
        """Its text, '' when there is none."""
        try:
            return self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def write(self, text: str) -> None:
        """Replace it; '' removes it."""
        if text:
            replace_file(self._path, text.encode())
        else:
            self._path.unlink(missing_ok=True)
            _sync_folder(self._folder)

    def read_history(self) -> bytes:
        """The history, b"" at first."""
        try:
            return (self._folder / HISTORY).read_bytes()
        except FileNotFoundError:
            return b""

    def write_history(self, data: bytes) -> None:
        """Replace it."""
        replace_file(self._folder / HISTORY, data)

    def write_secret(self, name: str, text: str) -> None:
        """Keep a secret."""
        if not _SECRET.fullmatch(name):
            raise ValueError("no name of a secret")
        folder = self._folder / SECRETS
        folder.mkdir(mode=0o700, exist_ok=True)
        replace_file(self._folder / name, text.encode())

    def keep_secrets(self, names: frozenset[str]) -> None:
        """Remove all others."""
        folder = self._folder / SECRETS
        with contextlib.suppress(FileNotFoundError):
            for one in list(os.scandir(folder)):
                name = f"{SECRETS}/{one.name}"
                if name not in names and _SECRET.fullmatch(name):
                    os.unlink(one.path)


def replace_file(path: Path, data: bytes) -> None:
    """Put bytes in the place of a file: durable when it returns, and never half of them under its name."""
    part = path.with_name(f".{path.name}.partial")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
