"""Backups of a running platform."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.ports import Clock, Snapshots
from eldonia_ops.protocols.backup_archive import archive, archive_size
from eldonia_ops.services.api import BackupStream, RefusedError
from eldonia_ops.services.configuration.managed import HISTORY, SECRETS
from eldonia_ops.settings.managed import MANAGED_FILE

SCRATCH: Final = "backup-in-progress"
_KEPT_FILES: Final = ("admin.token", MANAGED_FILE, HISTORY)


def kept_files(folder: Path) -> list[Path]:
    """Files of a data folder that belong into a backup beside what the stores give: the admin's token, what is managed
    by page, its history and its secrets."""
    found = [folder / name for name in _KEPT_FILES if (folder / name).is_file()]
    secrets = folder / SECRETS
    return found + (sorted(one for one in secrets.iterdir() if one.is_file()) if secrets.is_dir() else [])


class BackupService:
    """Implements :class:`~eldonia_ops.services.api.Backups`.

    ``sources`` are asked in their order: the state first, so that no position in it is ahead of the telemetry.
    ``about`` says what is put down of the platform in an archive.
    """

    def __init__(self, clock: Clock, folder: Path, sources: Sequence[Snapshots], about: Mapping[str, Any]) -> None:
        self._clock = clock
        self._folder = folder
        self._sources = tuple(sources)
        self._about = dict(about)
        self._busy = False

    async def resume(self) -> None:
        """Remove what a backup left that was killed."""
        await asyncio.to_thread(shutil.rmtree, self._folder / SCRATCH, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def take(self) -> AsyncIterator[BackupStream]:
        """An archive of what was acknowledged before the call, until the context is left.

        Raises:
            RefusedError: another one is being taken.
            StoreError, TelemetryError: a store failed.
        """
        if self._busy:
            raise RefusedError("a backup is being taken already; try again when it is done")
        self._busy = True
        scratch = self._folder / SCRATCH
        thread = ThreadPoolExecutor(1, thread_name_prefix="backup")
        try:
            await self.resume()
            await asyncio.to_thread(scratch.mkdir, mode=0o700)
            about = {**self._about, "made_at": self._clock.now()}
            files: list[SnapshotFile] = []
            for source in self._sources:
                files += await source.snapshot(scratch, self._folder)
            files += [
                SnapshotFile(str(path.relative_to(self._folder)), path, path.stat().st_size)
                for path in kept_files(self._folder)
            ]
            yield BackupStream(archive_size(files), _pieces(thread, archive(files, about)))
        finally:
            # A caller that is cancelled does not keep it from being given up.
            await asyncio.shield(asyncio.ensure_future(self._give_up(thread)))

    async def _give_up(self, thread: ThreadPoolExecutor) -> None:
        try:
            await asyncio.to_thread(thread.shutdown, wait=True, cancel_futures=True)
            for source in self._sources:
                await source.give_up_snapshot()
            await self.resume()
        finally:
            self._busy = False


async def _pieces(thread: ThreadPoolExecutor, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    while (piece := await loop.run_in_executor(thread, next, pieces, b"end")) != b"end":
        if piece:
            yield piece
