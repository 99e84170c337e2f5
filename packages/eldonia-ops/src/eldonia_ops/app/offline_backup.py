"""A backup of a data folder that no platform has open."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eldonia_ops import __version__
from eldonia_ops.app.data_directory import held_folder
from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.services.backups import SCRATCH, kept_files
from eldonia_ops.settings import Settings
from eldonia_ops.storage.clickhouse.engines import frozen
from eldonia_ops.storage.state.backend import parse_url
from eldonia_ops.storage.state.copies import copy_file, to_file
from eldonia_ops.storage.state.postgresql import open_postgresql


@contextmanager
def folder_files(settings: Settings) -> Iterator[tuple[list[SnapshotFile], dict[str, object]]]:
    """The files of a backup and what it says of itself; the folder is kept to this process until the context is left.

    Raises:
        ConfigError: a platform has the folder open, or it cannot be written to.
        StateError: the state cannot be copied.
    """
    data = settings.data
    with held_folder(data):
        scratch = data / SCRATCH
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        try:
            files = [_state(settings, scratch), *_telemetry(data)]
            files += [_file(path, data) for path in kept_files(data)]
            yield (
                files,
                {
                    "version": __version__,
                    "state": "sqlite" if settings.state.reveal().startswith("sqlite") else "postgresql",
                    "telemetry": "chdb"
                    if "chdb" in settings.telemetry_addresses()
                    else "a server, not in this archive",
                    "made_at": time.time_ns() // 1_000_000,
                },
            )
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _state(settings: Settings, scratch: Path) -> SnapshotFile:
    url = settings.state.reveal()
    target = scratch / "state.db"
    if url.startswith("sqlite:///"):
        copy_file(Path(url.removeprefix("sqlite:///")), target)
    else:
        backend = open_postgresql(parse_url(url))
        try:
            to_file(backend.reader, target)
        finally:
            backend.dispose()
    return SnapshotFile("state.db", target, target.stat().st_size)


def _telemetry(data: Path) -> Iterator[SnapshotFile]:
    folder = data / "telemetry"
    for path in sorted(folder.glob("wal*/*")):
        if path.is_file():
            yield _file(path, data)
    yield from frozen.at_rest(folder / "data", data)


def _file(path: Path, data: Path) -> SnapshotFile:
    return SnapshotFile(path.relative_to(data).as_posix(), path, path.stat().st_size)
