"""A backup of nothing."""

import contextlib
from collections.abc import AsyncIterator

from eldonia_ops.protocols.backup_archive import archive
from eldonia_ops.services.api import BackupStream


class FakeBackups:
    """Gives an archive without files."""

    @contextlib.asynccontextmanager
    async def take(self) -> AsyncIterator[BackupStream]:
        async def pieces() -> AsyncIterator[bytes]:
            for piece in archive([], {"version": "0"}):
                yield piece

        yield BackupStream(0, pieces())
