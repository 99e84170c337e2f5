"""Puts a backup in the place of a data folder: all of it or nothing."""

import os
import shutil
import time
from pathlib import Path
from typing import Final

from eldonia_ops.app.data_directory import LOCK_FILE, UNFINISHED, held_folder
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.protocols.backup_archive import Manifest, Progress, read_archive
from eldonia_ops.settings import Settings
from eldonia_ops.storage.state.copies import from_file

_NOT_DATA: Final = frozenset({LOCK_FILE, "lost+found", UNFINISHED})


def restore(archive: Path, settings: Settings, *, force: bool, progress: Progress) -> tuple[Manifest, Path | None]:
    """Restore a backup; returns what it was, and where what was in the folder before is kept, if there was anything.

    The archive is verified and unpacked beside the data folder, synced, and takes its place by renaming. In a folder
    that cannot be renamed (a volume of a container) its contents are exchanged one by one; a mark keeps the platform
    from starting until all are there.

    Raises:
        ConfigError: the archive is not whole; a platform has the folder open; or there is data and no ``force``.
        StateError: the PostgreSQL of the settings is not empty or failed.
    """
    data = settings.data
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(Diagnostic(f"cannot be made: {error.strerror}", str(data))) from None
    with held_folder(data):
        present = _present(data)
        if present and not force and not (data / UNFINISHED).exists():
            hint = "name another folder with --data, or --force: what is there is kept beside it"
            raise ConfigError(
                Diagnostic("there is data in the folder already; nothing was changed", str(data), hint=hint)
            )
        inside = os.path.ismount(data)
        staged = data / ".restoring" if inside else data.with_name(f".{data.name}.restoring")
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(mode=0o700)
        try:
            manifest = read_archive(archive, staged, progress)
            _sync(staged)
            _state(settings, staged)
        except BaseException:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        kept = _keep(data, inside) if present else None
        _exchange(data, staged, kept, inside)
    return manifest, kept


def _present(data: Path) -> list[str]:
    return sorted(name for name in os.listdir(data) if name not in _NOT_DATA and not name.startswith(".restor"))


def _keep(data: Path, inside: bool) -> Path:
    name = f"before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    kept = data / f".restore-{name}" if inside else data.with_name(f"{data.name}.{name}")
    if inside:
        kept.mkdir(mode=0o700)
    return kept


def _exchange(data: Path, staged: Path, kept: Path | None, inside: bool) -> None:
    if not inside:
        # Who starts in between finds no folder, or a whole one.
        if kept is not None:
            os.rename(data, kept)
        else:
            shutil.rmtree(data)
        os.rename(staged, data)
        _sync_folder(data.parent)
        return
    (data / UNFINISHED).touch()
    _sync_folder(data)
    if kept is not None:
        for name in _present(data):
            os.rename(data / name, kept / name)
    for path in sorted(staged.iterdir()):
        os.rename(path, data / path.name)
    staged.rmdir()
    _sync_folder(data)
    (data / UNFINISHED).unlink()
    _sync_folder(data)


def _state(settings: Settings, staged: Path) -> None:
    """Put the state where the settings have it: in the folder, in another file, or in a PostgreSQL."""
    url = settings.state.reveal()
    source = staged / "state.db"
    if not source.is_file():
        raise ConfigError("the backup holds no state")
    if not url.startswith("sqlite:///"):
        from_file(source, url)
        source.unlink()
        for suffix in ("-wal", "-shm"):
            source.with_name(source.name + suffix).unlink(missing_ok=True)
        return
    place = Path(url.removeprefix("sqlite:///"))
    if place.parent != settings.data:
        if place.exists():
            hint = "move it away first"
            raise ConfigError(Diagnostic("there is a state already; nothing was changed", str(place), hint=hint))
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.move(source, place)
    elif place.name != source.name:
        os.rename(source, staged / place.name)


def _sync(folder: Path) -> None:
    """Names of files are durable as well."""
    for place, _, _ in os.walk(folder):
        _sync_folder(Path(place))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
