"""Deploys and other changes, as CI and people report them and as the platform records its own."""

import uuid
from typing import Final

from eldonia_ops.model.change import Change, ChangeKind
from eldonia_ops.ports import StateStore, StateTransaction
from eldonia_ops.services.api import NotFoundError, RefusedError

MAX_CHANGES: Final = 100_000
"""How many are kept; the oldest are dropped by the retention of the state."""


class Changes:
    """The changes of a platform."""

    def __init__(self, state: StateStore) -> None:
        self._state = state

    async def find(self, since: int, until: int, service: str = "", limit: int = 100) -> list[Change]:
        """Changes in a range of instants (Unix ms, both ends included), newest first.

        With ``service``, those of that service and those of no single one.
        """
        return await self._state.read(lambda tx: tx.changes.find(since, until, service, limit))

    async def record(
        self,
        at: int,
        title: str,
        by: str,
        *,
        kind: ChangeKind = ChangeKind.DEPLOY,
        service: str = "",
        version: str = "",
        url: str = "",
    ) -> Change:
        """Keep a change.

        Raises:
            RefusedError: there are :data:`MAX_CHANGES` already.
        """
        change = Change(uuid.uuid4().hex, at, kind, service, title, version, url, by)

        def save(tx: StateTransaction) -> None:
            if tx.changes.count() >= MAX_CHANGES:
                raise RefusedError(f"{MAX_CHANGES:,} changes are kept already; older ones go with retention.state")
            tx.changes.put(change)

        await self._state.write(save)
        return change

    async def delete(self, id: str) -> str:
        """Drop a change that was reported by mistake; returns its id.

        Raises:
            NotFoundError: there is none with this id.
        """
        if not await self._state.write(lambda tx: tx.changes.delete(id)):
            raise NotFoundError(f"no change has the id {id}")
        return id
