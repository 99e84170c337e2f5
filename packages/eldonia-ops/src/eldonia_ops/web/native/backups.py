"""A backup of the running platform, as it is made."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.native.openapi import operation

SIZE_HEADER = "X-Eldonia-Ops-Size"
"""About how many bytes will come: the end of the archive is known only when it is made."""


class _Streamed(StreamingResponse):
    """An answer that gives its backup up when it ends, however it ends: also when the client is gone before it begins.

    Not where the bytes are read: that is cancelled with the client, and what is cancelled cannot wait for anything.
    """

    def __init__(self, pieces: AsyncIterator[bytes], kept: contextlib.AsyncExitStack, headers: dict[str, str]) -> None:
        super().__init__(pieces, media_type="application/x-tar", headers=headers)
        self._kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, then give the backup up."""
        async with self._kept:
            await super().__call__(scope, receive, send)


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operation. It answers with secrets (digests of tokens, the admin's token), so only to an admin."""

    @api.get("/backup", tags=["status"], **operation(Permission.ADMINISTER, media="application/x-tar"))
    async def backup() -> Response:
        """Everything that was acknowledged before, as a tar archive with checksums; `eldonia-ops restore` reads it."""
        async with contextlib.AsyncExitStack() as stack:
            taken = await stack.enter_async_context(platform.backups.take())
            kept = stack.pop_all()
        headers = {
            SIZE_HEADER: str(taken.size),
            "Content-Disposition": 'attachment; filename="eldonia-ops-backup.tar"',
            "Cache-Control": "no-store",
        }
        return _Streamed(taken.pieces, kept, headers)
